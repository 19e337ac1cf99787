/**
 * Metrics: named, explained, and without any label but the allowed ones.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { SchedulerStatus } from '../../../node/scheduler/scheduler.ts'
import {
  METRIC_LABELS,
  providerMetrics,
  type SchedulerFigures,
  schedulerMetrics,
} from '../../../scripts/market/metrics.ts'
import { CHANNEL, PROVIDER, PROVIDER_A, SCHEDULER } from './statusFigures.ts'

const FIGURES: SchedulerFigures = {
  status: SCHEDULER,
  chain: { answers: true, lastBlockAgeS: 12 },
}

const JETTON = `0:${'f6'.repeat(32)}`

/** Samples of a page by `name{labels}`. */
function samplesOf(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

const schedulerText = async (figures = FIGURES) => (await schedulerMetrics()).text(figures)
const providerText = async () => (await providerMetrics()).text(PROVIDER)
const withSlots = (slots: SchedulerStatus['slots']) => ({
  ...FIGURES,
  status: { ...SCHEDULER, slots },
})

describe('a scheduler', () => {
  it('shows jobs, slots, providers, channels and the chain', async () => {
    expect(samplesOf(await schedulerText())).toEqual({
      chrysalis_scheduler_open_jobs: 5,
      chrysalis_scheduler_waiting_jobs: 2,
      'chrysalis_scheduler_slots{model="tiny-chat",tier="open"}': 2,
      'chrysalis_scheduler_slots{model="llama",tier="simulated"}': 1,
      'chrysalis_scheduler_places{model="tiny-chat",tier="open"}': 7,
      'chrysalis_scheduler_places{model="llama",tier="simulated"}': 2,
      chrysalis_scheduler_providers_connected: 2,
      chrysalis_scheduler_providers_payable: 2,
      chrysalis_scheduler_client_channels: 2,
      'chrysalis_channel_deposit_base_units{asset="ton"}': 2 ** 60,
      'chrysalis_channel_signed_base_units{asset="ton"}': 44,
      'chrysalis_channel_spent_base_units{asset="ton"}': 33,
      'chrysalis_channel_claimed_base_units{asset="ton"}': 21,
      chrysalis_chain_up: 1,
      chrysalis_chain_last_block_age_seconds: 12,
    })
  })

  it('sums the channels of each asset by itself', async () => {
    const inJetton = { ...SCHEDULER.clientChannels[0]!, asset: JETTON, deposit: 7n, spent: 5n }
    const clientChannels = [...SCHEDULER.clientChannels, inJetton, inJetton]
    const status = { ...SCHEDULER, clientChannels }
    const samples = samplesOf(await schedulerText({ ...FIGURES, status }))
    expect(samples[`chrysalis_channel_deposit_base_units{asset="${JETTON}"}`]).toBe(14)
    expect(samples[`chrysalis_channel_spent_base_units{asset="${JETTON}"}`]).toBe(10)
    expect(samples['chrysalis_channel_spent_base_units{asset="ton"}']).toBe(33)
  })

  it('shows no age of a block that is not known', async () => {
    const chain = { answers: false, lastBlockAgeS: null }
    const samples = samplesOf(await schedulerText({ ...FIGURES, chain }))
    expect(samples.chrysalis_chain_up).toBe(0)
    expect(samples).not.toHaveProperty('chrysalis_chain_last_block_age_seconds')
  })

  it('forgets a slot that left', async () => {
    const metrics = await schedulerMetrics()
    expect(await metrics.text(FIGURES)).toContain('model="llama"')
    const later = await metrics.text(withSlots(SCHEDULER.slots.slice(0, 1)))
    expect(later).not.toContain('model="llama"')
    expect(samplesOf(later)['chrysalis_scheduler_slots{model="tiny-chat",tier="open"}']).toBe(1)
  })

  it('does not let providers make up labels without end', async () => {
    const slots = Array.from({ length: LIMITS.metricModels + 5 }, (_, i) => ({
      ...SCHEDULER.slots[0]!,
      model: `model-${String(i).padStart(4, '0')}`,
    }))
    const samples = samplesOf(await schedulerText(withSlots(slots)))
    const shown = Object.keys(samples).filter((name) => name.includes('scheduler_slots{'))
    expect(shown).toHaveLength(LIMITS.metricModels + 1)
    expect(samples['chrysalis_scheduler_slots{model="other",tier="open"}']).toBe(5)
  })
})

describe('a text', () => {
  const texts = [
    ...['a prompt with spaces', 'line\nbreak', 'quote"', 'x'.repeat(LIMITS.nameLength + 1)],
    ...['', '{model="x"}', 'für Zoë', '\u0000'],
  ]

  it.each(texts)('gets into no label: %j', async (model) => {
    const slots = [{ ...SCHEDULER.slots[0]!, model }]
    const pages = [
      await schedulerText(withSlots(slots)),
      await (await providerMetrics()).text({
        ...PROVIDER,
        slots: [{ ...PROVIDER.slots[0]!, model }],
      }),
    ]
    for (const page of pages) {
      const labels = [...page.matchAll(/model="([^"]*)"/g)].map((match) => match[1])
      expect(new Set(labels)).toEqual(new Set(['other']))
    }
  })

  it('of any kind gets into none: every label is a word or a tier', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (model) => {
        const page = await schedulerText(withSlots([{ ...SCHEDULER.slots[0]!, model }]))
        const lines = page.split('\n').filter((line) => line.includes('{model'))
        expect(lines).toHaveLength(2)
        for (const line of lines) {
          expect(line).toMatch(/^chrysalis_[a-z_]+\{model="[\w.:/@+-]+",tier="[a-z-]+"\} \d+$/)
        }
      }),
      { seed: 1, numRuns: 200 },
    )
  })
})

describe('a provider', () => {
  it('shows running jobs, places, earnings and jobs that have ended', async () => {
    expect(samplesOf(await providerText())).toEqual({
      'chrysalis_provider_running_jobs{model="tiny-chat",tier="open"}': 3,
      'chrysalis_provider_places{model="tiny-chat",tier="open"}': 4,
      chrysalis_provider_schedulers_connected: 1,
      'chrysalis_provider_earned_base_units{asset="ton"}': 1_234_567_890,
      'chrysalis_provider_claimed_base_units{asset="ton"}': 1_000_000_000,
      chrysalis_provider_jobs_total: 7,
    })
  })

  it('shows what it earned in each asset by itself', async () => {
    const jettons = [{ asset: JETTON, earned: 9n, claimed: 4n }]
    const samples = samplesOf(await (await providerMetrics()).text({ ...PROVIDER, jettons }))
    expect(samples[`chrysalis_provider_earned_base_units{asset="${JETTON}"}`]).toBe(9)
    expect(samples[`chrysalis_provider_claimed_base_units{asset="${JETTON}"}`]).toBe(4)
    expect(samples['chrysalis_provider_earned_base_units{asset="ton"}']).toBe(1_234_567_890)
  })

  it('counts on from reading to reading', async () => {
    const metrics = await providerMetrics()
    await metrics.text(PROVIDER)
    const text = await metrics.text({ ...PROVIDER, jobs: 9 })
    expect(samplesOf(text).chrysalis_provider_jobs_total).toBe(9)
    expect(text).toContain('# TYPE chrysalis_provider_jobs_total counter')
  })
})

describe.each([
  ['a scheduler', schedulerText],
  ['a provider', providerText],
])('%s', (_, read) => {
  it('has no label but model, tier and asset', async () => {
    expect(METRIC_LABELS).toEqual(['model', 'tier', 'asset'])
    const used = Object.keys(samplesOf(await read())).flatMap((name) =>
      [...name.matchAll(/[{,](\w+)="/g)].map((match) => match[1]!),
    )
    expect(new Set(used)).toEqual(new Set(METRIC_LABELS))
  })

  it('names no channel, provider or peer', async () => {
    const text = await read()
    for (const secret of [CHANNEL.slice(2), PROVIDER_A, SCHEDULER.identity, '12D3KooW']) {
      expect(text).not.toContain(secret)
    }
  })

  it('explains each metric, and says that amounts are rounded', async () => {
    const text = await read()
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!)
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) {
      expect(name).toMatch(/^chrysalis_[a-z_]+$/)
      const help = new RegExp(`^# HELP ${name} (.+)$`, 'm').exec(text)?.[1] ?? ''
      expect(help.length).toBeGreaterThan(15)
      if (!name.endsWith('_base_units')) continue
      expect(help).toMatch(/\(nanoTON for ton\).*exact only below 2\^53/)
    }
  })
})
