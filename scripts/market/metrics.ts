/**
 * Metrics of the serving roles for Prometheus (text format 0.0.4), and the only labels they have.
 *
 * Metrics leave the machine and are kept for years, so they carry nothing that names a client, a
 * channel, a provider, a prompt or a key: `model`, `tier`, and the `asset` of an amount, which is
 * `ton` or the raw address of a jetton's minter. Names end in their unit. Amounts are sums over all
 * channels of an asset.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Tier } from '../../contracts/base/tier.ts'
import type { Earned } from '../../node/provider/earnings.ts'
import type { ProviderStatus } from '../../node/provider/provider.ts'
import type { SchedulerStatus } from '../../node/scheduler/scheduler.ts'
import { type ChainHealth, type ChannelSums, channelSums } from './schedulerView.ts'

/** The labels that exist. */
export const METRIC_LABELS = ['model', 'tier', 'asset'] as const
type Labels = { readonly [label in (typeof METRIC_LABELS)[number]]?: string }

interface Sample {
  readonly labels?: Labels
  readonly value: number
}

/** One metric and how it is read from a role's figures. */
interface Metric<Figures> {
  readonly name: string
  readonly help: string
  /** A counter only grows, from the start of the process. */
  readonly counter?: true
  readonly labels?: readonly (typeof METRIC_LABELS)[number][]
  readonly read: (figures: Figures) => readonly Sample[]
}

/** What a scheduler's metrics are read from. */
export interface SchedulerFigures {
  readonly status: SchedulerStatus
  readonly chain: ChainHealth
}

export interface Metrics<Figures> {
  readonly contentType: string
  /** The page for these figures. */
  text(figures: Figures): Promise<string>
}

const SLOT_LABELS = ['model', 'tier'] as const

const ROUNDED =
  ', in base units of the asset (nanoTON for ton). Rounded to a double, so exact only below 2^53;' +
  ' the exact figure is in /status.'

const SCHEDULER: readonly Metric<SchedulerFigures>[] = [
  {
    name: 'chrysalis_scheduler_open_jobs',
    help: 'Jobs that have been submitted and have not ended, waiting ones included.',
    read: ({ status }) => one(status.openJobs),
  },
  {
    name: 'chrysalis_scheduler_waiting_jobs',
    help: 'Jobs that wait for a place.',
    read: ({ status }) => one(status.waiting),
  },
  {
    name: 'chrysalis_scheduler_slots',
    help: 'Slots on offer, by model and by the tier that their providers claim.',
    labels: SLOT_LABELS,
    read: ({ status }) => grouped(status.slots, () => 1),
  },
  {
    name: 'chrysalis_scheduler_places',
    help: 'Places of all slots on offer, as their providers declare them.',
    labels: SLOT_LABELS,
    read: ({ status }) => grouped(status.slots, (slot) => slot.capacity),
  },
  {
    name: 'chrysalis_scheduler_providers_connected',
    help: 'Providers that are connected.',
    read: ({ status }) => one(status.providers.length),
  },
  {
    name: 'chrysalis_scheduler_providers_payable',
    help: 'Connected providers whose channel from this scheduler is open: only they get jobs.',
    read: ({ status }) => one(status.providers.filter((each) => each.payable).length),
  },
  {
    name: 'chrysalis_scheduler_client_channels',
    help: 'Channels from clients that this scheduler has taken.',
    read: ({ status }) => one(status.clientChannels.length),
  },
  {
    name: 'chrysalis_channel_deposit_base_units',
    help: `Deposits of all client channels${ROUNDED}`,
    labels: ['asset'],
    read: ({ status }) => ofChannels(status, ({ deposit }) => deposit),
  },
  {
    name: 'chrysalis_channel_signed_base_units',
    help: `What the vouchers held on all client channels promise${ROUNDED}`,
    labels: ['asset'],
    read: ({ status }) => ofChannels(status, ({ cumulative }) => cumulative),
  },
  {
    name: 'chrysalis_channel_spent_base_units',
    help: `What jobs have cost on all client channels, fees included${ROUNDED}`,
    labels: ['asset'],
    read: ({ status }) => ofChannels(status, ({ spent }) => spent),
  },
  {
    name: 'chrysalis_channel_claimed_base_units',
    help: `What has been claimed on chain from all client channels${ROUNDED}`,
    labels: ['asset'],
    read: ({ status }) => ofChannels(status, ({ claimed }) => claimed),
  },
  {
    name: 'chrysalis_chain_up',
    help: '1 where the chain endpoint answered when last asked, else 0.',
    read: ({ chain }) => one(chain.answers ? 1 : 0),
  },
  {
    name: 'chrysalis_chain_last_block_age_seconds',
    help: 'Seconds since the last known block. A localnet makes one only when a message comes.',
    read: ({ chain }) => (chain.lastBlockAgeS === null ? [] : one(chain.lastBlockAgeS)),
  },
]

const PROVIDER: readonly Metric<ProviderStatus>[] = [
  {
    name: 'chrysalis_provider_running_jobs',
    help: 'Places that are taken now, by model.',
    labels: SLOT_LABELS,
    read: ({ slots, tier }) => grouped(slots.map(withTier(tier)), (slot) => slot.running),
  },
  {
    name: 'chrysalis_provider_places',
    help: 'Places on sale, by model.',
    labels: SLOT_LABELS,
    read: ({ slots, tier }) => grouped(slots.map(withTier(tier)), (slot) => slot.places),
  },
  {
    name: 'chrysalis_provider_schedulers_connected',
    help: 'Schedulers that this provider is connected to.',
    read: ({ schedulers }) => one(schedulers.filter((each) => each.connected).length),
  },
  {
    name: 'chrysalis_provider_earned_base_units',
    help: `What jobs have earned on all channels ever taken${ROUNDED}`,
    labels: ['asset'],
    read: (status) => ofEarnings(status, ({ earned }) => earned),
  },
  {
    name: 'chrysalis_provider_claimed_base_units',
    help: `What has been claimed on chain${ROUNDED}`,
    labels: ['asset'],
    read: (status) => ofEarnings(status, ({ claimed }) => claimed),
  },
  {
    name: 'chrysalis_provider_jobs_total',
    help: 'Jobs that have ended since this process started.',
    counter: true,
    read: ({ jobs }) => one(jobs),
  },
]

export function schedulerMetrics(): Promise<Metrics<SchedulerFigures>> {
  return createMetrics(SCHEDULER)
}

export function providerMetrics(): Promise<Metrics<ProviderStatus>> {
  return createMetrics(PROVIDER)
}

/** Every sample is set anew at each reading, so that a slot that left is not shown for ever. */
async function createMetrics<Figures>(
  metrics: readonly Metric<Figures>[],
): Promise<Metrics<Figures>> {
  const { Counter, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  const made = metrics.map(({ name, help, labels = [], counter, read }) => {
    const options = { name, help, labelNames: [...labels], registers: [registry] }
    const metric = counter ? new Counter(options) : new Gauge(options)
    return (figures: Figures) => {
      metric.reset()
      const samples = read(figures)
      if (samples.length === 0) metric.remove() // no figure is not a figure of 0
      for (const sample of samples) metric.inc(sample.labels ?? {}, sample.value)
    }
  })
  return {
    contentType: registry.contentType,
    text(figures) {
      for (const update of made) update(figures)
      return registry.metrics()
    },
  }
}

/** One word of the wire's names, whatever a status says: a text cannot get into a label. */
function isName(model: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$/.test(model) && model.length <= LIMITS.nameLength
}

function one(value: number): Sample[] {
  return [{ value }]
}

function ofChannels(
  { clientChannels }: SchedulerStatus,
  amount: (sums: ChannelSums) => bigint,
): Sample[] {
  return [...channelSums(clientChannels)].map(([asset, sums]) => inAsset(asset, amount(sums)))
}

function ofEarnings(status: ProviderStatus, amount: (earned: Earned) => bigint): Sample[] {
  const ofJettons = status.jettons.map((each) => inAsset(each.asset, amount(each)))
  return [inAsset('ton', amount(status)), ...ofJettons]
}

function inAsset(asset: string, amount: bigint): Sample {
  return { labels: { asset }, value: Number(amount) } // shown, never counted with: see ROUNDED
}

function withTier(tier: Tier) {
  return <Slot extends object>(slot: Slot) => ({ ...slot, tier })
}

/**
 * Sums by model and tier. A label is a name, never a text: models whose name is none, and those
 * beyond `LIMITS.metricModels` in order of name, are `other`.
 */
function grouped<Slot extends { readonly model: string; readonly tier: Tier }>(
  slots: readonly Slot[],
  value: (slot: Slot) => number,
): Sample[] {
  const models = [...new Set(slots.map((slot) => slot.model))].filter(isName).sort()
  const named = new Set(models.slice(0, LIMITS.metricModels))
  const modelOf = ({ model }: Slot) => (named.has(model) ? model : 'other')
  const groups = Map.groupBy(slots, (slot) => `${slot.tier} ${modelOf(slot)}`)
  return [...groups.values()].map((group) => ({
    labels: { model: modelOf(group[0]!), tier: group[0]!.tier },
    value: group.reduce((sum, slot) => sum + value(slot), 0),
  }))
}
