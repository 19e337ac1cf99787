/**
 * The client's composition root: from a network's name to a market that an application can use.
 *
 * Builds what it needs in order (network, policy, ports, connection, account) or takes it from
 * `options.ports`, so that tests and the simulated world run the same client.
 * @module
 */
import { verdictCache } from '../contracts/attest/verdictCache.ts'
import type { EvidenceVerifier } from '../contracts/attest/verifier.ts'
import { allVerifiers } from '../contracts/attest/verify.ts'
import { amountOf, assetNamed } from '../contracts/base/assets.ts'
import { MarketError } from '../contracts/base/errors.ts'
import { type NetworkConfig, parseNetwork } from '../contracts/base/network.ts'
import type { NanoTon } from '../contracts/base/units.ts'
import { bytesTokenizer } from '../contracts/money/tokenizer.ts'
import { homeFolder, readNetwork, roleFolder } from '../node/system/home.ts'
import { freshBlocks } from './freshBlocks.ts'
import { fundAsset } from './fundAsset.ts'
import { openJournal } from './journal.ts'
import { SchedulerLine } from './line.ts'
import { createMarket } from './market.ts'
import { settlePolicy } from './policy.ts'
import { type ClientPorts, fundFromFaucet, openPorts } from './ports.ts'
import { prefixTags } from './prefixTags.ts'
import { prepareJob } from './prepare.ts'
import { openSeenBook } from './seenCollateral.ts'
import { tokenizerFor } from './tokenizers.ts'
import type { ClientPolicy, Market, ProviderRegistry } from './types.ts'

export interface ConnectOptions {
  /** A network's name, the path of its network.json, or its content. */
  readonly network: string | NetworkConfig
  /** Default `$CHRYSALIS_HOME`, else the XDG data folder. */
  readonly home?: string
  /**
   * The folder of keys and store inside the network's; one running client each. Default `client`.
   */
  readonly profile?: string
  /**
   * What jobs are paid in: `ton` (default), or a jetton that the network lists, by its name or its
   * minter's address.
   */
  readonly asset?: string
  /**
   * First deposit into a new channel: base units of the asset, or as a person writes it, '2.5'.
   * Default 2 TON, or 2 of a jetton.
   */
  readonly deposit?: bigint | string
  /**
   * False: connects when needed and never makes a deposit by itself, so that looking (quote,
   * models, channels) and closing work without a scheduler's help. Default true.
   */
  readonly openChannel?: boolean
  readonly policy?: ClientPolicy
  /** Whether a provider identity is registered; default: the network's directory says. */
  readonly registry?: ProviderRegistry
  /**
   * Verifiers of evidence instead of this version's own, for tests: whoever names another here
   * decides who reads the prompts.
   */
  readonly unsafeVerifiers?: readonly EvidenceVerifier[]
  /** Ports to use instead of the real ones. */
  readonly ports?: Partial<ClientPorts>
  /** Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** In whole units of the asset. */
const DEFAULT_DEPOSIT = '2'

/**
 * Connects to a market: opens keys and store, reaches the first scheduler that answers, and opens a
 * channel with a deposit where there is none yet.
 *
 * Throws `unknown-network`, `bad-asset`, `bad-input`, `bad-config`, `key-file`, `store-locked`,
 * `unreachable`, `no-funds`, `chain-unavailable`, `wrong-network`.
 *
 * @example
 * await using market = await connect({ network: 'localnet' })
 * const job = market.submit({ model: 'tiny-chat', messages: [{ role: 'user', content: 'Hi' }] })
 * for await (const piece of job) process.stdout.write(piece.text)
 * const { cost, tier } = await job.result()
 */
export async function connect(options: ConnectOptions): Promise<Market> {
  const env = options.env ?? process.env
  const home = options.home ?? homeFolder(env)
  const network =
    typeof options.network === 'string'
      ? await readNetwork(options.network, home)
      : parseNetwork(options.network)
  const policy = settlePolicy(options.policy ?? {}, network)
  const profile = options.profile ?? 'client'
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(profile)) {
    throw new MarketError('bad-input', { field: 'profile' })
  }
  const folder = roleFolder(home, network.name, profile)
  const { ports, release } = await openPorts(options.ports ?? {}, network, folder, env)
  const { named, deposit } = await orReleased(release, () => money(options, network, ports))
  const { asset } = named
  const fund = (needed: NanoTon) => fundFromFaucet(network, ports, needed)
  const fundDeposit = (needed: bigint) => fundAsset(network, ports, asset, needed)
  const { openChannel: mayOpen = true } = options
  const { maxFee } = policy
  const lineNeeds = { network, asset, deposit, mayOpen, maxFee, fundDeposit }
  const line = new SchedulerLine({ ...ports, ...lineNeeds })
  try {
    if (mayOpen) await line.current()
  } catch (error) {
    await line.close()
    await release()
    throw error
  }
  const rules = {
    networkId: network.id,
    policy,
    directory: ports.directory,
    registry:
      options.registry ?? ((identity, owner) => ports.directory.isProvider(identity, owner)),
    blocks: freshBlocks(ports),
    verifiers: options.unsafeVerifiers ?? allVerifiers({ cache: verdictCache() }),
    seen: openSeenBook(ports.store),
  }
  return createMarket({
    ...ports,
    network,
    named,
    line,
    fund,
    fundDeposit,
    release,
    rules,
    journal: openJournal(ports.store),
    counterFor: tokenizerFor,
    jobKey: (jobId) => ports.keystore.key('job', jobId),
    prepare(request) {
      const job = prepareJob(
        request,
        policy,
        bytesTokenizer.count,
        () => ports.random.bytes(16),
        ({ model, messages }) => prefixTags(ports.keystore.secret('cache'), model, messages),
      )
      return { ...job, spec: { ...job.spec, asset } }
    },
  })
}

/** What was opened is closed where the next step cannot be taken. */
async function orReleased<T>(release: () => Promise<void>, step: () => T): Promise<T> {
  try {
    return step()
  } catch (error) {
    await release()
    throw error
  }
}

/** What jobs are paid in, and the first deposit in its base units. */
function money(options: ConnectOptions, network: NetworkConfig, { directory }: ClientPorts) {
  const { asset = 'ton', deposit: given = DEFAULT_DEPOSIT } = options
  const named = assetNamed(network, asset, directory.current().assets)
  const deposit = typeof given === 'string' ? amountOf(given, named) : given
  if (typeof deposit === 'bigint' && deposit > 0n) return { named, deposit }
  throw new MarketError('bad-input', { field: 'deposit', expected: 'an amount above 0' })
}
