/**
 * Load over real processes: a hundred jobs in a row and twenty at once through two providers; then
 * every book agrees with every other and with the chain, to the nanoTON.
 * @module
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, type JobResult, type Market, MarketError } from '../../client/index.ts'
import { readBooks, readSums } from '../support/marketBooks.ts'
import {
  openProcesses,
  type Processes,
  type RunningMarket,
  startMarket,
} from '../support/marketProcesses.ts'

const IN_A_ROW = 100
const AT_ONCE = 20

let processes: Processes
let running: RunningMarket
let market: Market
const results: JobResult[] = []

beforeAll(async () => {
  processes = await openProcesses()
  running = await startMarket(processes)
  market = await connect({ network: 'localnet', home: processes.home })
})
afterAll(async () => {
  await market?.close()
  await processes?.end()
})

function ask(text: string): Promise<JobResult> {
  const messages = [{ role: 'user' as const, content: text }]
  return market.submit({ model: 'tiny-chat', messages, maxTokens: 32, temperature: 0 }).result()
}

/** Jobs a second, and how many each provider served. */
function report(name: string, served: readonly JobResult[], tookMs: number): void {
  const split = running.providers.map(
    ({ first }) => served.filter(({ provider }) => provider === first.identity).length,
  )
  const ttft = served.map(({ timings }) => timings.ttftMs ?? 0).toSorted((a, b) => a - b)
  const median = Math.round(ttft[Math.floor(ttft.length / 2)] ?? 0)
  const perSecond = ((served.length * 1000) / tookMs).toFixed(1)
  console.info(`load: ${name}: ${perSecond} jobs/s, split ${split.join(' : ')}, ttft ${median} ms`)
}

it(`answers ${IN_A_ROW} jobs in a row`, async () => {
  const startMs = performance.now()
  const served: JobResult[] = []
  for (let i = 0; i < IN_A_ROW; i++) served.push(await ask(`What is ${1 + (i % 9)} times 8?`))
  report(`${IN_A_ROW} in a row`, served, performance.now() - startMs)
  for (const result of served) {
    expect(result).toMatchObject({ verified: true, disputed: false, attempts: 1 })
    expect(result.text).not.toBe('')
  }
  expect(new Set(served.map(({ receiptHash }) => receiptHash)).size).toBe(IN_A_ROW)
  results.push(...served)
})

it(`answers ${AT_ONCE} jobs at once, or refuses them in words`, async () => {
  const startMs = performance.now()
  const jobs = Array.from({ length: AT_ONCE }, (_, i) => ask(`What is ${i} plus 2?`))
  const ended = await Promise.allSettled(jobs)
  const served = ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  report(`${AT_ONCE} at once`, served, performance.now() - startMs)
  for (const each of ended) {
    if (each.status === 'rejected') expect(each.reason).toBeInstanceOf(MarketError)
  }
  // Eight places and a queue: nobody is refused for want of a place within the deadline.
  expect(ended.filter(({ status }) => status === 'rejected')).toEqual([])
  for (const { verified } of served) expect(verified).toBe(true)
  expect(new Set(served.map(({ provider }) => provider)).size).toBe(2)
  results.push(...served)
})

it('leaves every book equal on both sides, and with the chain after settling', async () => {
  const { channel } = await market.balance()
  const cost = results.reduce((sum, each) => sum + each.cost, 0n)
  const fee = results.reduce((sum, each) => sum + each.fee, 0n)
  expect(channel.spent).toBe(cost + fee)
  expect(channel.signed).toBe(channel.spent + channel.credit)

  // Stopped by SIGTERM, each role first claims what it holds.
  expect(await Promise.all(running.providers.map((each) => each.stop()))).toEqual([0, 0])
  expect(await running.scheduler.stop()).toBe(0)
  await market.close()
  const books = await readBooks(processes.home, market.network)
  expect(books.map(({ payer, payee }) => `${payer} > ${payee}`).toSorted()).toEqual([
    'client > scheduler',
    'scheduler > provider-1',
    'scheduler > provider-2',
  ])
  for (const { paid, held, onChain } of books) {
    expect(held.cumulative).toBe(paid.cumulative)
    expect(held.spent).toBe(paid.spent)
    expect([held.jobs.size, held.unsettled.size, paid.jobs.size]).toEqual([0, 0, 0])
    expect(onChain.claimed).toBe(held.cumulative)
    expect(onChain.deposited).toBe(held.deposit)
  }
  const earned = books.filter(({ payer }) => payer === 'scheduler')
  expect(earned.reduce((sum, { held }) => sum + held.spent, 0n)).toBe(cost)
  const { minted, balances, fees, inFlight } = await readSums(String(running.localnet.first.url))
  expect(inFlight).toBe(0n)
  expect(minted).toBe(balances + fees)
})
