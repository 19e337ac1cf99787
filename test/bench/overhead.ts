/**
 * `npm run bench:overhead`: time to first token through the whole market, and calling the same
 * backend directly, interleaved in one run; with the parts that the difference is made of.
 *
 * Everything runs in this process but the engine, so every mark is on one clock. Baseline: the
 * provider's own backend, called directly. Budget: none is set; read the ratio and the parts.
 * Prints medians.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Market } from '../../client/types.ts'
import { type Backend, prompt } from '../../node/backends/backend.ts'
import { DEV_MODEL, startDev } from '../../scripts/market/dev.ts'

const ROUNDS = 40
const WARM_UP = 5
const MESSAGES = [{ role: 'user' as const, content: 'What is the capital of Peru?' }]
const MAX_TOKENS = 32

/** Parts of a time to first token: each from the mark before it to its own. */
const PARTS = [
  ['submit and match', 'scheduler:matched'],
  ['accept: lease to the provider and back', 'scheduler:accepted'],
  ['placement to the client', 'client:placed'],
  ['verify lease, accept, epoch key, evidence', 'client:verified'],
  ['pay: sign, make durable, send', 'client:granted'],
  ['seal', 'client:sealed'],
  ['forward the request', 'provider:request'],
  ['open', 'provider:opened'],
  ['model: payment in, prompt, first token', 'provider:text'],
  ['seal and forward the first frame', 'client:content'],
] as const

interface Round {
  readonly directMs: number
  readonly marketMs: number
  readonly parts: readonly number[]
}

const marks = new Map<string, Map<string, number>>()
let backend: Backend | undefined

const home = await mkdtemp(join(tmpdir(), 'chrysalis-bench-'))
const dev = await startDev({
  home,
  name: 'localnet',
  localnetPort: 0,
  providers: 1,
  wrapBackend: (each) => {
    backend = each
    return each
  },
  trace: mark,
})
try {
  const rounds: Round[] = []
  for (let at = -WARM_UP; at < ROUNDS; at++) {
    const directMs = await direct(backend!)
    const round = await throughMarket(dev.market, directMs)
    if (at >= 0) rounds.push(round)
  }
  print(rounds)
} finally {
  await dev.stop()
  await rm(home, { recursive: true, force: true })
}

/** The first time of each mark of a job; of the provider's pieces, the second is the first text. */
function mark(jobId: string, name: string): void {
  const ofJob = marks.get(jobId) ?? new Map<string, number>()
  marks.set(jobId, ofJob)
  const known = name === 'provider:piece' && ofJob.has(name) ? 'provider:text' : name
  if (!ofJob.has(known)) ofJob.set(known, performance.now())
}

async function direct(engine: Backend): Promise<number> {
  const messages = prompt(MESSAGES)
  const request = { model: DEV_MODEL, messages, maxTokens: MAX_TOKENS, temperature: 0 }
  const startedMs = performance.now()
  let firstMs = 0
  for await (const piece of engine.run(request, new AbortController().signal)) {
    if (piece.type === 'text' && firstMs === 0) firstMs = performance.now() - startedMs
  }
  return firstMs
}

async function throughMarket(market: Market, directMs: number): Promise<Round> {
  const startedMs = performance.now()
  const job = market.submit({
    model: DEV_MODEL,
    messages: MESSAGES,
    maxTokens: MAX_TOKENS,
    temperature: 0,
  })
  await job.result()
  const ofJob = marks.get(job.id) ?? new Map<string, number>()
  marks.delete(job.id)
  let before = startedMs
  const parts = PARTS.map(([, name]) => {
    const at = ofJob.get(name) ?? Number.NaN
    const tookMs = at - before
    before = at
    return tookMs
  })
  return { directMs, marketMs: before - startedMs, parts }
}

function print(rounds: readonly Round[]): void {
  const directMs = median(rounds.map((round) => round.directMs))
  const marketMs = median(rounds.map((round) => round.marketMs))
  const parts = PARTS.map(([name], i) => ({
    name,
    ms: median(rounds.map((round) => round.parts[i]!)),
  }))
  const addedMs = median(rounds.map((round) => round.marketMs - round.directMs))
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, node ${process.version}`
  if (process.argv.includes('--json')) {
    const summary = { machine, rounds: rounds.length, directMs, marketMs, addedMs, parts }
    process.stdout.write(`${JSON.stringify(summary)}\n`)
    return
  }
  const line = (name: string, ms: number) =>
    `  ${name.padEnd(44)} ${ms.toFixed(2).padStart(8)} ms\n`
  process.stdout.write(
    `Time to first token, medians of ${rounds.length} rounds, interleaved (${machine})\n` +
      line('backend called directly', directMs) +
      line('through the market', marketMs) +
      line(`added (ratio ${(marketMs / directMs).toFixed(2)})`, addedMs) +
      '\nParts of the time through the market:\n' +
      parts.map(({ name, ms }) => line(name, ms)).join(''),
  )
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
