/**
 * What a scheduler's `/status` says, for its dashboard: the role's figures, sums over all of them,
 * how the chain is, and whether the market can serve.
 *
 * Nothing here names a client, a prompt or a secret. Lists are cut to `LIMITS.statusRows`.
 * @module
 */
import { assetKey, assetsOf } from '../../contracts/base/assets.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain, Clock } from '../../contracts/base/ports.ts'
import { TIER_MEANING } from '../../contracts/base/tier.ts'
import { tickPrice } from '../../contracts/money/price.ts'
import type { ChannelFigures, SchedulerStatus } from '../../node/scheduler/scheduler.ts'

/** How the chain was when last asked. */
export interface ChainHealth {
  /** False where the last look failed, or none has ended yet. */
  readonly answers: boolean
  /** Seconds since the last known block, never below 0; null where none is known. */
  readonly lastBlockAgeS: number | null
}

/** In base units of one asset. */
export interface ChannelSums {
  readonly deposit: bigint
  readonly cumulative: bigint
  readonly spent: bigint
  readonly claimed: bigint
}

/** How amounts of a jetton are shown; what has none is in nanoTON. */
export interface JettonUnit {
  readonly unit: string
  readonly decimals: number
}

export interface SchedulerView extends Omit<SchedulerStatus, 'slots' | 'clientChannels'> {
  readonly network: Pick<NetworkConfig, 'id' | 'name' | 'development'>
  readonly chain: ChainHealth
  /** Problems are sentences for a person, each with what to do. */
  readonly health: { readonly ok: boolean; readonly problems: readonly string[] }
  /** Prices per million completion tokens, without the scheduler's fee, in nanoTON or `money`. */
  readonly slots: readonly (SchedulerStatus['slots'][number] & {
    readonly priceNano: bigint
    readonly tierMeaning: string
    readonly money?: JettonUnit
  })[]
  readonly clientChannels: readonly (ChannelFigures & { readonly money?: JettonUnit })[]
  readonly totals: ChannelSums & { readonly slots: number; readonly channels: number }
}

/** The view of one moment. */
export function schedulerView(
  status: SchedulerStatus,
  network: NetworkConfig,
  chain: ChainHealth,
): SchedulerView {
  const { id, name, development } = network
  const { slots, clientChannels } = status
  const problems = problemsOf(status, network, chain)
  return {
    ...status,
    network: { id, name, development },
    chain,
    health: { ok: problems.length === 0, problems },
    slots: slots.slice(0, LIMITS.statusRows).map((slot) => ({
      ...slot,
      priceNano: tickPrice(slot.tick, slot.asset === 'ton' ? 'ton' : 'jetton'),
      tierMeaning: TIER_MEANING[slot.tier],
      ...moneyOf(network, slot.asset),
    })),
    clientChannels: clientChannels
      .slice(0, LIMITS.statusRows)
      .map((channel) => ({ ...channel, ...moneyOf(network, channel.asset) })),
    totals: {
      ...(channelSums(clientChannels).get('ton') ?? NOTHING),
      slots: slots.length,
      channels: clientChannels.length,
    },
  }
}

function moneyOf(network: NetworkConfig, key: string): { money?: JettonUnit } {
  if (key === 'ton') return {}
  const named = assetsOf(network).find(({ asset }) => assetKey(asset) === key)
  const { unit, decimals } = named ?? { unit: 'of a jetton', decimals: 6 }
  return { money: { unit, decimals } }
}

/** Exact sums over the channels of each asset, by its key, TON first: never one over several. */
export function channelSums(channels: readonly ChannelFigures[]): Map<string, ChannelSums> {
  const sums = new Map<string, ChannelSums>([['ton', NOTHING]])
  for (const { asset, deposit, cumulative, spent, claimed } of channels) {
    const sum = sums.get(asset) ?? NOTHING
    sums.set(asset, {
      deposit: sum.deposit + deposit,
      cumulative: sum.cumulative + cumulative,
      spent: sum.spent + spent,
      claimed: sum.claimed + claimed,
    })
  }
  return sums
}

const NOTHING: ChannelSums = { deposit: 0n, cumulative: 0n, spent: 0n, claimed: 0n }

/**
 * A look at the chain that never fails and never makes a status wait for long: readers share one
 * request, and one that is slow is answered for with what was known before.
 */
export function watchChain(
  chain: Pick<Chain, 'lastBlock'>,
  clock: Clock,
): () => Promise<ChainHealth> {
  let atS: number | undefined
  let answers = false
  let endedMs = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | undefined

  const look = async (): Promise<void> => {
    const late = new AbortController()
    const stop = clock.after(LIMITS.statusChainLookMs, () => late.abort())
    try {
      atS = (await chain.lastBlock(late.signal)).atS
      answers = true
    } catch {
      answers = false // which is what the reader is told; the role logs its own failures
    }
    stop()
    endedMs = clock.monotonicMs()
    looking = undefined
  }

  return async () => {
    if (clock.monotonicMs() - endedMs >= LIMITS.statusChainEveryMs) looking ??= look()
    if (looking) await soon(looking, clock)
    const nowS = Math.floor(clock.nowMs() / 1000)
    return { answers, lastBlockAgeS: atS === undefined ? null : Math.max(0, nowS - atS) }
  }
}

/** Waits for `task`, but no longer than a status may. */
async function soon(task: Promise<void>, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>()
  const stop = clock.after(LIMITS.statusChainMs, late.resolve)
  await Promise.race([task, late.promise])
  stop()
}

function problemsOf(status: SchedulerStatus, network: NetworkConfig, chain: ChainHealth): string[] {
  const { providers, slots } = status
  const problems: string[] = []
  if (!chain.answers) {
    problems.push('The chain does not answer: no channel can be opened or claimed until it does.')
  }
  // A localnet makes a block only when a message comes, so its last one may be old.
  const age = network.development ? null : chain.lastBlockAgeS
  if (age !== null && age > LIMITS.statusBlockAgeS) {
    problems.push(`The last block is ${age} s old: the chain, or the endpoint, stands still.`)
  }
  const unpayable = providers.filter((each) => !each.payable).length
  if (providers.length === 0) {
    problems.push('No provider is connected: start one with `chrysalis provider start`.')
  } else if (unpayable > 0) {
    problems.push(
      `${unpayable} of ${providers.length} providers cannot be paid yet, and get no jobs: their ` +
        'channel is not open on chain. If it stays so, top up the scheduler’s wallet.',
    )
  }
  if (providers.length > 0 && slots.length === 0) {
    problems.push('No provider offers a slot.')
  }
  return problems
}
