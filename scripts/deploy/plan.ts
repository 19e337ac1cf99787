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
import { CHANNEL_CODE_HASH } from '../../contracts/wrappers/Channel.ts'
import { DISPUTE_CODE, DISPUTE_CODE_HASH } from '../../contracts/wrappers/Dispute.ts'
import { GPU_CODE, GPU_CODE_HASH } from '../../contracts/wrappers/Gpu.ts'
import { JETTON_CHANNEL_CODE_HASH } from '../../contracts/wrappers/JettonChannel.ts'
import {
  MULTISIG_CODE_HASH,
  MULTISIG_RESERVE,
  multisigAddress,
  multisigStateInit,
  topUpMultisigBody,
} from '../../contracts/wrappers/Multisig.ts'
import { PROVIDER_CODE, PROVIDER_CODE_HASH } from '../../contracts/wrappers/Provider.ts'
import {
  REGISTRY_CODE_HASH,
  REGISTRY_RESERVE,
  registryAddress,
  registryStateInit,
} from '../../contracts/wrappers/Registry.ts'
import { topUpRegistryBody } from '../../contracts/wrappers/registryMessages.ts'
import { SCHEDULER_CODE, SCHEDULER_CODE_HASH } from '../../contracts/wrappers/Scheduler.ts'
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
  /** Seconds between a decision and its effect, 1 to 30 days. */
  readonly delayS: number
  /** Lets it be below a day: on a development network. */
  readonly unsafeShortDelay?: boolean
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
  /** Attached: its reserve of rent, and `fees`. */
  readonly value: NanoTon
  /** Of `value`, what deploying takes at most; what it does not take stays with the reserve. */
  readonly fees: NanoTon
  readonly body: Cell
}

/** A code that is not deployed here, and who holds everybody to it. */
export interface PinnedCode {
  readonly name: string
  /** Lower-case hex. */
  readonly codeHash: string
  readonly pinnedBy: 'registry' | 'clients'
}

/**
 * Codes of the contracts that others deploy: those of items and cases are in the registry's first
 * state and so in its address, those of channels in the software of whoever takes vouchers.
 */
export const PINNED_CODES: readonly PinnedCode[] = [
  { name: 'provider', codeHash: PROVIDER_CODE_HASH, pinnedBy: 'registry' },
  { name: 'scheduler', codeHash: SCHEDULER_CODE_HASH, pinnedBy: 'registry' },
  { name: 'gpu', codeHash: GPU_CODE_HASH, pinnedBy: 'registry' },
  { name: 'dispute', codeHash: DISPUTE_CODE_HASH, pinnedBy: 'registry' },
  { name: 'channel', codeHash: CHANNEL_CODE_HASH, pinnedBy: 'clients' },
  { name: 'jetton-channel', codeHash: JETTON_CHANNEL_CODE_HASH, pinnedBy: 'clients' },
]

/** On top of a reserve: the deployment itself. */
const DEPLOY_FEES: NanoTon = 50_000_000n

/** The steps in the order in which one needs the other's address. Throws `bad-input`. */
export function deploymentPlan(options: PlanOptions): readonly Step[] {
  const { network, signers, delayS, unsafeShortDelay, guardian, parameters } = options
  const multisig = multisigAddress({ network, signers })
  const locked = { network, multisig, delayS, unsafeShortDelay }
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
      fees: DEPLOY_FEES,
      body: topUpMultisigBody(),
    },
    {
      name: 'timelock',
      address: timelock,
      init: timelockStateInit(locked),
      codeHash: TIMELOCK_CODE_HASH,
      value: TIMELOCK_RESERVE + DEPLOY_FEES,
      fees: DEPLOY_FEES,
      body: topUpTimelockBody(),
    },
    {
      name: 'registry',
      address: registryAddress(registry),
      init: registryStateInit(registry),
      codeHash: REGISTRY_CODE_HASH,
      value: REGISTRY_RESERVE + DEPLOY_FEES,
      fees: DEPLOY_FEES,
      body: topUpRegistryBody(),
    },
  ]
}
