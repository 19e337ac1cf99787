/**
 * Which contracts make a market an institution on chain, where they stand and what each is given.
 *
 * Pure: everything follows from the options, so that running it again finds what was deployed
 * before. Items, cases and channels are deployed by whoever owns them.
 * @module
 */
import type { Address, Cell, StateInit } from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { MarketParameters } from '../../contracts/base/marketParameters.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { DISPUTE_CODE } from '../../contracts/wrappers/Dispute.ts'
import { GPU_CODE } from '../../contracts/wrappers/Gpu.ts'
import {
  MULTISIG_CODE_HASH,
  MULTISIG_RESERVE,
  multisigAddress,
  multisigStateInit,
  topUpMultisigBody,
} from '../../contracts/wrappers/Multisig.ts'
import { PROVIDER_CODE } from '../../contracts/wrappers/Provider.ts'
import {
  REGISTRY_CODE_HASH,
  REGISTRY_RESERVE,
  registryAddress,
  registryStateInit,
} from '../../contracts/wrappers/Registry.ts'
import { topUpRegistryBody } from '../../contracts/wrappers/registryMessages.ts'
import { SCHEDULER_CODE } from '../../contracts/wrappers/Scheduler.ts'
import {
  TIMELOCK_CODE_HASH,
  TIMELOCK_RESERVE,
  timelockAddress,
  timelockStateInit,
  topUpTimelockBody,
} from '../../contracts/wrappers/Timelock.ts'

export interface PlanOptions {
  /** Global id of the chain. */
  readonly network: number
  /** Ed25519 public keys that rule the market, and how many of them must sign. */
  readonly signers: { readonly keys: readonly Bytes[]; readonly threshold: number }
  /** Seconds between a decision and its effect, a day at least. */
  readonly delayS: number
  /** May pause registration, nothing else. */
  readonly guardian: Address
  /** Version 1. */
  readonly parameters: MarketParameters
}

/** One contract to be deployed. */
export interface Step {
  readonly name: 'multisig' | 'timelock' | 'registry'
  readonly address: Address
  readonly init: StateInit
  readonly codeHash: string
  /** Its reserve of rent; the fees of deploying come out of it. */
  readonly value: NanoTon
  readonly body: Cell
}

/** On top of a reserve: the deployment itself. */
const DEPLOY_FEES: NanoTon = 50_000_000n

/** The steps in the order in which one needs the other's address. Throws `bad-input`. */
export function deploymentPlan(options: PlanOptions): readonly Step[] {
  const { network, signers, delayS, guardian, parameters } = options
  const multisig = multisigAddress({ network, signers })
  const locked = { network, multisig, delayS }
  const timelock = timelockAddress(locked)
  const registry = {
    ...{ network, owner: timelock, guardian, parameters },
    codes: {
      provider: PROVIDER_CODE,
      scheduler: SCHEDULER_CODE,
      gpu: GPU_CODE,
      dispute: DISPUTE_CODE,
    },
  }
  return [
    {
      name: 'multisig',
      address: multisig,
      init: multisigStateInit({ network, signers }),
      codeHash: MULTISIG_CODE_HASH,
      value: MULTISIG_RESERVE + DEPLOY_FEES,
      body: topUpMultisigBody(),
    },
    {
      name: 'timelock',
      address: timelock,
      init: timelockStateInit(locked),
      codeHash: TIMELOCK_CODE_HASH,
      value: TIMELOCK_RESERVE + DEPLOY_FEES,
      body: topUpTimelockBody(),
    },
    {
      name: 'registry',
      address: registryAddress(registry),
      init: registryStateInit(registry),
      codeHash: REGISTRY_CODE_HASH,
      value: REGISTRY_RESERVE + DEPLOY_FEES,
      body: topUpRegistryBody(),
    },
  ]
}
