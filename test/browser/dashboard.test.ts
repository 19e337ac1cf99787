/**
 * The dashboard in a real browser: Chromium without a window loads it from a real server, runs its
 * script under the page's policy, and prints what stands there then.
 *
 * Skipped where there is no Chromium; `CHROMIUM` names one that is elsewhere.
 * @module
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TIER_MEANING } from '../../contracts/base/tier.ts'
import type { SchedulerStatus } from '../../node/scheduler/scheduler.ts'
import { createClock } from '../../node/system/clock.ts'
import { serveSchedulerStatus } from '../../scripts/market/statusServer.ts'
import { NETWORK, PROVIDER_A, SCHEDULER } from '../scripts/market/statusFigures.ts'
import { keptLogger } from '../support/quietLogger.ts'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const present = existsSync(CHROMIUM)
if (!present) console.info(`dashboard in a browser: skipped, there is no ${CHROMIUM}`)

/** A model's name as a hostile provider would choose it, had the wire not refused it before. */
const HOSTILE = '<img src=/icon.svg onerror="document.title=1"><script>document.title=2</script>'

interface Page {
  readonly html: string
  readonly text: string
  readonly console: readonly string[]
}

describe.skipIf(!present)('the dashboard in a browser', () => {
  let home: string
  const clock = createClock()
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'chrysalis-browser-'))
  })
  afterAll(() => rm(home, { recursive: true, force: true }))

  /** What stands on the page of a scheduler with these figures, and what the console said. */
  async function pageOf(status: () => SchedulerStatus, chainAnswers = true): Promise<Page> {
    const lastBlock = async () => {
      if (!chainAnswers) throw new Error('no chain')
      return { seqno: 1, hash: new Uint8Array(32), atS: Math.floor(clock.nowMs() / 1000) - 300 }
    }
    const place = { clock, logger: keptLogger(), port: 0, network: NETWORK, chain: { lastBlock } }
    const server = await serveSchedulerStatus(place, status)
    try {
      return await dump(`${server.url}/`)
    } finally {
      await server.stop()
    }
  }

  /** The document after five seconds of the page's time. */
  async function dump(url: string): Promise<Page> {
    const args = [
      '--headless',
      '--no-sandbox', // a container's root may not make one; the page is our own
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--enable-logging=stderr',
      `--user-data-dir=${join(home, 'profile')}`,
      '--virtual-time-budget=5000',
      '--dump-dom',
      url,
    ]
    const { stdout, stderr } = await promisify(execFile)(CHROMIUM, args, { timeout: 60_000 })
    const said = stderr.split('\n').filter((line) => line.includes(':CONSOLE'))
    const text = stdout.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
    return { html: stdout, text, console: said }
  }

  it('shows health, slots with price and tier, jobs, and channels to the nanoTON', async () => {
    const { html, text, console } = await pageOf(() => SCHEDULER)
    expect(console).toEqual([])
    expect(html).toContain('data-state="good"')
    for (const words of [
      'Healthy: the market serves.',
      'network localnet (-18081), for development',
      'Open jobs 5 Waiting jobs 2 Providers connected 2 Providers payable 2 Last block 5 min ago',
      'tiny-chat demo model 0.09305097 tick 40 4 open',
      `llama 0.001 tick 0 2 simulated proves nothing ${TIER_MEANING.simulated}`,
      'channel 1 1152921504.606846977 0.00000004 0.00000003 0.00000002',
      'all 2 1152921504.606846979 0.000000044 0.000000033 0.000000021',
      'its coins are worth nothing',
      'A demo model answers for show',
    ]) {
      expect(text).toContain(words)
    }
    expect(text).toContain(TIER_MEANING.open)
    expect(text).toMatch(/figures are \d s old/)
  })

  it('names no channel, no peer, and no whole key', async () => {
    const { html } = await pageOf(() => SCHEDULER)
    for (const { channel } of SCHEDULER.clientChannels) expect(html).not.toContain(channel.slice(2))
    for (const { peer } of SCHEDULER.providers) expect(html).not.toContain(peer)
    expect(html).not.toContain(PROVIDER_A)
    expect(html).toContain(PROVIDER_A.slice(0, 12))
  })

  it('shows what a stranger wrote as text', async () => {
    const slots = SCHEDULER.slots.map((slot) => ({ ...slot, model: HOSTILE }))
    const { html, console } = await pageOf(() => ({ ...SCHEDULER, slots }))
    expect(console).toEqual([])
    expect(html).toContain('<title>Chrysalis scheduler</title>')
    expect(html).toContain('&lt;img src=/icon.svg onerror=')
    expect(html.match(/<img /g)).toHaveLength(1)
  })

  it('says what is wrong', async () => {
    const empty = { ...SCHEDULER, providers: [], slots: [], clientChannels: [] }
    const { html, text } = await pageOf(() => empty, false)
    expect(html).toContain('data-state="bad"')
    expect(text).toContain('The market does not serve as it should.')
    expect(text).toContain('The chain does not answer')
    expect(text).toContain('No provider is connected')
    expect(text).toContain('No provider offers a slot.')
    expect(text).toContain('No client has opened a channel.')
  })

  it('would have seen what the console says', async () => {
    const page = '<script>throw new Error("a fault of the page")</script>'
    const { console } = await dump(`data:text/html,${encodeURIComponent(page)}`)
    expect(console.join()).toContain('a fault of the page')
  })

  it('says so where the scheduler does not answer', async () => {
    const { html, text } = await pageOf(() => {
      throw new Error('a fault')
    })
    expect(html).toContain('data-state="bad"')
    expect(text).toContain('This scheduler does not answer: status 500.')
    expect(text).toContain('no figures yet')
  })
})
