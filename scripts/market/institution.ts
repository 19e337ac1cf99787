/**
 * Deploying the market's contracts to a network: keys, parameters and guardians with the defaults
 * of a development network, and the registry's address written where nodes look for it.
 * @module
 */
import { Address } from '@ton/core'
import { fundFromFaucet } from '../../client/ports.ts'
import { type Bytes, toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { MarketParameters } from '../../contracts/base/marketParameters.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain, Clock, Wallet } from '../../contracts/base/ports.ts'
import { FIRST_PARAMETERS } from '../../contracts/money/marketTerms.ts'
import { tinyChatTokenizer } from '../../contracts/money/tinyChatTokenizer.ts'
import { walletAddress } from '../../contracts/wrappers/wallet.ts'
import { TINY_CHAT } from '../../node/backends/tinyChat.ts'
import { openNetworkChain } from '../../node/chain/networkChain.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { readNetwork } from '../../node/system/home.ts'
import type { Keystore } from '../../node/system/keystore.ts'
import { costOf, type Deployed, deploy, missingOf } from '../deploy/deploy.ts'
import { deploymentPlan, type PlanOptions, type Step } from '../deploy/plan.ts'
import { setRegistry } from './networkFile.ts'
import { openRoleKeys } from './rolePorts.ts'

/** Folder of the deployer's keys below the network's. */
export const DEPLOYER = 'deployer'
const ARBITERS = 3
const DAY_S = 86_400

export interface MarketDeployment {
  readonly home: string
  readonly network: NetworkConfig
  /** network.json, which is told the registry's address. */
  readonly file: string
  readonly chain: Chain
  readonly clock: Clock
  /** Public keys that rule the market; default: the deployer's own. */
  readonly signers?: readonly Bytes[]
  readonly threshold?: number
  /** 1 to 30 days; on a development network it may be shorter. Default: a day. */
  readonly delayS?: number
  readonly guardian?: Address
  /** Version 1; default, on a development network only: those of this software. */
  readonly parameters?: MarketParameters
}

export interface PreparedDeployment {
  readonly wallet: Wallet
  readonly steps: readonly Step[]
  /** Those that are not deployed yet. */
  readonly missing: readonly Step[]
  /** What it takes of the wallet at most, nanoTON. */
  readonly cost: bigint
  /** Deploys what is missing and writes network.json. Throws what `deploy` does. */
  run(signal?: AbortSignal): Promise<readonly Deployed[]>
}

/**
 * Works out what is to be deployed; nothing is sent yet. Throws `bad-config` where a public network
 * is given no parameters, or the file names another registry already; `key-file`.
 */
export async function prepareDeployment(options: MarketDeployment): Promise<PreparedDeployment> {
  const { home, network, file, chain, clock } = options
  const keystore = await openRoleKeys({ home, network, role: DEPLOYER })
  const wallet = createWallet({ chain, key: keystore.key('wallet'), clock })
  const steps = deploymentPlan(planOf(options, keystore, wallet))
  const registry = steps.find(({ name }) => name === 'registry')!.address
  checkNotOther(network, registry)
  const missing = await missingOf(chain, steps)
  const cost = costOf(missing)
  return {
    wallet,
    steps,
    missing,
    cost,
    async run(signal) {
      if (cost > 0n) await fundFromFaucet(network, { chain, wallet, clock }, cost)
      const deployed = await deploy({ chain, wallet, clock }, steps, signal)
      await setRegistry(clock, file, registry.toString())
      return deployed
    },
  }
}

/** Deploys to a development network with its defaults; gives the network with its registry. */
export async function deployLocally(
  place: Pick<MarketDeployment, 'home' | 'network' | 'file' | 'clock'>,
): Promise<NetworkConfig> {
  const { network, file, clock } = place
  const chain = await openNetworkChain({ network, clock, env: process.env })
  const { run } = await prepareDeployment({ ...place, chain })
  await run()
  return readNetwork(file, place.home)
}

function planOf(options: MarketDeployment, keystore: Keystore, wallet: Wallet): PlanOptions {
  const { network, delayS = DAY_S, guardian = wallet.address } = options
  const keys = options.signers ?? [keystore.key('signer').publicKey]
  const threshold = options.threshold ?? Math.floor(keys.length / 2) + 1
  const parameters = options.parameters ?? (network.development ? firstOf(keystore) : undefined)
  if (!parameters) {
    const action = 'Name arbiters, models and stakes: chrysalis deploy --parameters FILE.'
    throw new MarketError('bad-config', { field: 'parameters', expected: 'a file' }, { action })
  }
  const signers = { keys, threshold }
  const unsafeShortDelay = network.development
  return { network: network.id, signers, delayS, unsafeShortDelay, guardian, parameters }
}

/** Parameters of a development network: the demo model is listed, the deployer's keys arbitrate. */
function firstOf(keystore: Keystore): MarketParameters {
  const arbiters = Array.from({ length: ARBITERS }, (_, at) => {
    const { publicKey } = keystore.key('arbiter', `${at}`)
    return { key: toHex(publicKey), account: walletAddress(publicKey) }
  })
  const demo = {
    weightsHash: toHex(TINY_CHAT.expectedHash),
    tokenizerHash: toHex(tinyChatTokenizer.hash),
    quantisation: 'q8_0',
    referenceTick: 40,
    multipliers: FIRST_PARAMETERS.multipliers,
  }
  return {
    ...FIRST_PARAMETERS,
    disputes: { ...FIRST_PARAMETERS.disputes, threshold: 2, arbiters },
    models: new Map([[TINY_CHAT.modelId, demo]]),
  }
}

function checkNotOther({ registry }: NetworkConfig, planned: Address): void {
  if (registry === undefined || Address.parse(registry).equals(planned)) return
  const action =
    'Deploy with the options of the first time, or take `registry` out of network.json.'
  const facts = { field: 'registry', registry, planned: planned.toString() }
  throw new MarketError('bad-config', facts, { action })
}
