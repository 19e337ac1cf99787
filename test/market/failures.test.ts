/**
 * What happens when processes die: a provider before and after its first frame, a scheduler in the
 * middle of a job, an engine; and what an abort stops. One market of real processes; providers
 * serve a model server whose pace the test decides, and one the embedded engine.
 * @module
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect, type Job, type JobRequest, type Market } from '../../client/index.ts'
import { readBooks } from '../support/marketBooks.ts'
import {
  LOCALNET,
  openProcesses,
  type Processes,
  type Role,
  records,
  startProvider,
  statusOf,
  until,
  untilOffered,
} from '../support/marketProcesses.ts'
import {
  type PacedServer,
  servedBy,
  startPacedServer,
  WORDS,
  wordsOf,
} from '../support/pacedServer.ts'

const ABORT_MS = 100

let processes: Processes
let localnet: Role
let scheduler: Role
let providers: Role[]
let servers: PacedServer[]
let market: Market
let stopped = false
let schedulerPort: number

const schedulerArgs = () => [
  ...['scheduler', 'start', '--status-port', '0'],
  ...['--port', String(schedulerPort)],
]
/** The first two count words, the first is cheaper; the third runs the embedded engine. */
const providerArgs = (at: number) => [
  ...['--role', `provider-${at + 1}`, '--tick', String(40 + at)],
  ...(servers[at] ? servedBy(servers[at]) : []),
]

beforeAll(async () => {
  processes = await openProcesses()
  schedulerPort = await freePort()
  servers = await Promise.all([startPacedServer(), startPacedServer()])
  localnet = await processes.start(LOCALNET)
  scheduler = await processes.start(schedulerArgs())
  providers = await Promise.all([0, 1, 2].map((at) => startProvider(processes, providerArgs(at))))
  await untilOffered(scheduler, 3)
  market = await connect({ network: 'localnet', home: processes.home })
})
afterEach(async () => {
  for (const server of servers) server.pace = 'fast'
  if (stopped) return
  for (const [at, provider] of providers.entries()) if (!provider.alive()) await restart(at)
})
afterAll(async () => {
  await market?.close()
  await processes?.end()
  for (const server of servers ?? []) await server.close()
})

function submit(more: Partial<JobRequest> = {}): Job {
  const messages = [{ role: 'user' as const, content: 'Count.' }]
  return market.submit({ model: 'words', messages, maxTokens: 400, ...more })
}

/** Starts a job and waits until some of its answer is there. */
async function answering(more: Partial<JobRequest> = {}): Promise<Job> {
  const job = submit(more)
  job.result().catch(() => undefined)
  await until('some of the answer', () => job.partial().text.length > 20)
  return job
}

async function spent(): Promise<bigint> {
  return (await market.balance()).channel.spent
}

const identity = (at: number) => String(providers[at]?.first.identity)

async function restart(at: number): Promise<void> {
  const before = identity(at)
  providers[at] = await startProvider(processes, providerArgs(at))
  expect(identity(at)).toBe(before)
  await untilOffered(scheduler, 3)
}

async function kill(role: Role | undefined): Promise<void> {
  await role?.stop('SIGKILL')
}

describe('a provider killed before the first frame', () => {
  it('is replaced: the application notices nothing and pays once', async () => {
    servers[0]!.pace = 'silent'
    const before = await spent()
    const asked = servers[0]!.requests.length
    const job = submit()
    await until('the first provider works', () => servers[0]!.requests.length > asked)
    const startMs = performance.now()
    await kill(providers[0])
    const result = await job.result()
    console.info(`failures: failover took ${Math.round(performance.now() - startMs)} ms`)
    expect(result).toMatchObject({
      text: wordsOf(WORDS),
      provider: identity(1),
      attempts: 2,
      verified: true,
    })
    expect((await spent()) - before).toBe(result.cost + result.fee)
  })

  it('serves again after a restart, under the same identity', async () => {
    expect(await submit().result()).toMatchObject({ provider: identity(0), attempts: 1 })
  })
})

describe('a provider killed in the middle of the answer', () => {
  it('is a typed error that keeps what was delivered', async () => {
    servers[0]!.pace = 'slow'
    const before = await spent()
    const job = await answering()
    await kill(providers[0])
    await expect(job.result()).rejects.toMatchObject({
      code: expect.stringMatching(/^(provider|scheduler)-lost$/),
      action: expect.stringMatching(/\S/),
      facts: { completionTokens: expect.any(Number) },
    })
    const { text, usage } = job.partial()
    expect(text).toBe(wordsOf(usage.completion))
    expect(text.length).toBeGreaterThan(20)
    expect(text).not.toBe(wordsOf(WORDS))
    const price = (await submit().result()).cost
    expect((await spent()) - before).toBeLessThan(3n * price)
  })

  it('is continued by another where the application asked for it', async () => {
    servers[0]!.pace = 'slow'
    const asked = servers[1]!.requests.length
    const job = await answering({ resume: true })
    await kill(providers[0])
    const result = await job.result()
    expect(result).toMatchObject({ provider: identity(1), verified: true })
    expect(result.resumedFrom).toHaveLength(1)
    // The other server was told what had been delivered; it knows no model and counts from one.
    const { body } = servers[1]!.requests[asked]!
    const delivered = records(body.messages).find(({ role }) => role === 'assistant')
    expect(String(delivered?.content)).toMatch(/^one more1 /)
    expect(wordsOf(WORDS)).toContain(String(delivered?.content))
    expect(result.text.startsWith(`${delivered?.content}one more1 `)).toBe(true)
    expect(job.partial().text).toBe(result.text)
  })
})

describe('an abort', () => {
  it(`stops generation within ${ABORT_MS} ms, and what was delivered is paid`, async () => {
    servers[0]!.pace = 'slow'
    const before = await spent()
    const job = await answering()
    const cut = servers[0]!.cut
    job.abort()
    const tookMs = await until('the model server is cut off', () => servers[0]!.cut > cut)
    console.info(`failures: abort reached the model server in ${Math.round(tookMs)} ms`)
    expect(tookMs).toBeLessThan(ABORT_MS)
    await expect(job.result()).rejects.toMatchObject({ code: 'aborted' })
    const { channel } = await market.balance()
    const paid = channel.spent - before
    expect(paid).toBeGreaterThan(0n)
    servers[0]!.pace = 'fast'
    const whole = await submit().result()
    expect(paid).toBeLessThan(whole.cost + whole.fee)
    expect((await market.balance()).channel.signed).toBe(
      (await market.balance()).channel.spent + (await market.balance()).channel.credit,
    )
    await untilIdle()
  })
})

describe('an engine that is killed', () => {
  const ask = (text: string) =>
    market.submit({
      model: 'tiny-chat',
      messages: [{ role: 'user', content: text }],
      maxTokens: 200,
      temperature: 0,
    })

  it('while idle is started again by its provider', async () => {
    expect(await ask('What is the capital of Peru?').result()).toMatchObject({
      text: 'The capital of Peru is Lima.',
    })
    process.kill(engineOf(providers[2]), 'SIGKILL')
    const next = await ask('What is the capital of Peru?').result()
    expect(next.text).toBe('The capital of Peru is Lima.')
    expect(providers[2]?.alive()).toBe(true)
  })

  it('in the middle of a job is a typed error or another try; the provider lives', async () => {
    await until('the engine is back', () => engines(providers[2]).length === 1)
    const job = ask('Tell me a story about a fox and a lantern.')
    const ended = job.result().then(
      () => 'answered',
      (error) => String(error.code),
    )
    await until('the job runs', async () => {
      const { slots } = await statusOf(providers[2]!)
      return records(slots).some(({ running }) => Number(running) > 0)
    })
    process.kill(engineOf(providers[2]), 'SIGKILL')
    expect([
      'answered',
      'provider-lost',
      'no-provider',
      'backend-failed',
      'engine-failed',
    ]).toContain(await ended)
    expect((await ask('What is the capital of Peru?').result()).text).toContain('Lima')
    expect(providers[2]?.alive()).toBe(true)
  })
})

describe('a scheduler killed in the middle of a job', () => {
  it('is a typed error; restarted, it serves the same client and providers again', async () => {
    servers[0]!.pace = 'slow'
    const job = await answering()
    await kill(scheduler)
    await expect(job.result()).rejects.toMatchObject({ code: 'scheduler-lost' })
    expect(job.partial().text).toMatch(/^one more1 /)
    servers[0]!.pace = 'fast'

    const startMs = performance.now()
    const before = scheduler.first.identity
    scheduler = await processes.start(schedulerArgs())
    expect(scheduler.first.identity).toBe(before)
    await untilOffered(scheduler, 3, 60_000)
    const result = await submit().result()
    console.info(`failures: back after ${Math.round(performance.now() - startMs)} ms`)
    expect(result).toMatchObject({ text: wordsOf(WORDS), verified: true })
  })
})

/** Last in this file: it stops the market. */
describe('the books after all of that', () => {
  it('agree on both sides of every channel, and with the chain', async () => {
    await untilIdle()
    const { channel } = await market.balance()
    expect(channel.spent).toBeLessThanOrEqual(channel.signed)
    stopped = true
    expect(await Promise.all(providers.map((each) => each.stop()))).toEqual([0, 0, 0])
    expect(await scheduler.stop()).toBe(0)
    await market.close()
    const books = await readBooks(processes.home, market.network)
    expect(books).toHaveLength(4)
    for (const { payer, payee, paid, held, onChain } of books) {
      const name = `${payer} > ${payee}`
      expect([name, held.cumulative, held.spent]).toEqual([name, paid.cumulative, paid.spent])
      expect([name, held.jobs.size, paid.jobs.size]).toEqual([name, 0, 0])
      expect([name, onChain.claimed]).toEqual([name, held.cumulative])
      expect(paid.conflicted).toBe(false)
    }
    await localnet.stop()
  })
})

/** Every place is free again, at the scheduler and at the providers. */
async function untilIdle(): Promise<void> {
  await until('no job is open', async () => {
    const states = await Promise.all(providers.map(statusOf))
    const { openJobs } = await statusOf(scheduler)
    const running = states.flatMap(({ slots }) => records(slots).map((slot) => slot.running))
    return openJobs === 0 && running.every((count) => count === 0)
  })
}

/** Process ids of a provider's engine: its children. */
function engines(role: Role | undefined): number[] {
  const listed = readFileSync(`/proc/${role?.pid}/task/${role?.pid}/children`, 'utf8')
  return listed.trim().split(' ').filter(Boolean).map(Number)
}

function engineOf(role: Role | undefined): number {
  const [engine] = engines(role)
  if (!engine) throw new Error('the provider has no engine')
  return engine
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
