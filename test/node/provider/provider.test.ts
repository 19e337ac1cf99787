/**
 * The provider as a real role behind a real scheduler: nothing runs unpaid, generation stops when
 * nobody listens, places come back, and a restart of either side hurts no later job.
 * @module
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { billed, charge, DEFAULT_PARAMETERS, NO_USAGE } from '../../../contracts/money/price.ts'
import { parseRecord, receipt } from '../../../contracts/wire/records.ts'
import { WORLD_FEE, WORLD_NETWORK } from '../../../scripts/market/world/parties.ts'
import {
  createRoleWorld,
  type HandClient,
  type JobStream,
  nextOf,
  sealTo,
  TICK,
} from '../../support/roleWorld.ts'

const ANSWER = 400
const terms = { ...DEFAULT_PARAMETERS, tick: TICK, fee: WORLD_FEE }
/** What a client grants for its prompt bound and so many tokens. */
const granting = (completion: number) =>
  charge(billed({ ...NO_USAGE, prompt: 64, completion }, terms.steps), terms, true)

let world: ReturnType<typeof createRoleWorld>
let client: HandClient
let provider: ReturnType<ReturnType<typeof createRoleWorld>['provider']>

beforeEach(async () => {
  world = createRoleWorld('provider', { tokenMs: 20, answerTokens: () => ANSWER })
  provider = world.provider('provider-1')
  await world.run(world.scheduler.start())
  await world.run(provider.start())
  await world.listed()
  client = await world.client('client')
})

/** Submits, grants for `tokens`, and sends the sealed request. */
async function begin(tokens: number, maxTokens = ANSWER) {
  const { jobId } = client.spec()
  const stream = await world.run(client.submit({ jobId, maxTokens }))
  const placed = await world.run(nextOf(stream))
  if (placed.case !== 'placed') throw new Error(`${placed.case} instead of a placement`)
  if (tokens > 0) await world.run(client.account.grant(jobId, granting(tokens), { consent: true }))
  const messages = [{ role: 'user' as const, content: 'a few words' }]
  const sealed = await world.run(
    sealTo(placed.value, client.jobKey, client.kem, { messages, maxTokens }),
  )
  const value = { bytes: sealed.sealed }
  await world.run(stream.send({ kind: { case: 'request', value } }))
  return { jobId, stream }
}

/** Reads to the end; gives the receipt, where there is one, and every case in order. */
async function readAll(stream: JobStream) {
  const cases: string[] = []
  for (;;) {
    const kind = await world.run(nextOf(stream), 600_000)
    cases.push(`${kind.case}`)
    if (kind.case === 'frames') continue
    if (kind.case !== 'finished') return { cases, last: kind }
    await world.run(stream.close())
    const record = receipt.decode(parseRecord(kind.value.receipt), WORLD_NETWORK)
    return { cases, last: kind, receipt: record }
  }
}

describe('a provider', () => {
  it('does not work for a client that never pays', async () => {
    const { stream } = await begin(0)
    const { receipt: record } = await readAll(stream)
    expect(record).toMatchObject({ outcome: 'unpaid', cost: 0n, billed: NO_USAGE })
    expect(world.tokensAtMs).toHaveLength(0)
  })

  it('makes not one token more than was paid for, where the next voucher is withheld', async () => {
    const { stream } = await begin(32)
    const { receipt: record } = await readAll(stream)
    expect(record).toMatchObject({ outcome: 'unpaid', billed: { prompt: 64, completion: 32 } })
    expect(world.tokensAtMs).toHaveLength(32)
    expect(record!.cost + record!.fee).toBe(granting(32))
    await world.clock.advance(LIMITS.countersignMs + 5_000)
    expect(provider.role()!.status().earned).toBe(record!.cost)
    expect(world.scheduler.role()!.status().clientChannels[0]!.spent).toBe(granting(32))
  })

  it('stops within 100 ms of a client that is gone, and is paid what it delivered', async () => {
    const { stream } = await begin(ANSWER)
    expect((await world.run(nextOf(stream))).case).toBe('frames')
    await world.clock.advance(1_000)
    const goneMs = world.clock.monotonicMs()
    world.network.crash(client.transport.peerId)
    await world.clock.advance(20_000)
    expect(world.tokensAtMs.length).toBeGreaterThan(10)
    expect(world.tokensAtMs.at(-1)! - goneMs).toBeLessThan(100)
    const { earned, slots } = provider.role()!.status()
    expect(earned).toBeGreaterThan(0n)
    expect(slots[0]!.running).toBe(0)
    expect(world.scheduler.role()!.status()).toMatchObject({ openJobs: 0 })
    expect(world.scheduler.role()!.status().clientChannels[0]!.spent).toBeGreaterThan(earned)
  })

  it('stops at an abort, with a receipt', async () => {
    const { stream } = await begin(ANSWER)
    await world.run(nextOf(stream))
    await world.run(stream.send({ kind: { case: 'abort', value: {} } }))
    const abortMs = world.clock.monotonicMs()
    const { receipt: record } = await readAll(stream)
    expect(record?.outcome).toBe('aborted')
    await world.clock.advance(1_000)
    expect(world.tokensAtMs.at(-1)! - abortMs).toBeLessThan(100)
  })

  it('gives every place back: many more jobs than places, one after the other', async () => {
    for (let i = 0; i < 5; i++) {
      const { stream } = await begin(32, 8)
      const { cases } = await readAll(stream)
      expect(cases.at(-1)).toBe('finished')
      expect(provider.role()!.status().slots[0]!.running).toBe(0)
    }
    expect(provider.role()!.status().jobs).toBe(5)
  })

  it('that restarts is listed again, and its job is lost without a charge', async () => {
    const { stream } = await begin(ANSWER)
    await world.run(nextOf(stream))
    provider.crash('lost')
    const { last } = await readAll(stream)
    expect(last).toMatchObject({ case: 'lost', value: { code: 'provider-lost', mayRetry: false } })
    await world.run(provider.start())
    await world.clock.advance(3_000)
    await world.listed()
    expect(world.scheduler.role()!.status().clientChannels[0]!.spent).toBe(0n)
    const again = await readAll((await begin(32, 8)).stream)
    expect(again.receipt?.outcome).toMatch(/completed|length/)
  })

  it('finds its scheduler again after that one has restarted', async () => {
    world.scheduler.crash('lost')
    await world.run(world.scheduler.start())
    await world.clock.advance(LIMITS.reconnectMinMs * 4)
    await world.listed()
    expect(provider.role()!.status().schedulers[0]!.connected).toBe(true)
    client = await world.client('client-2')
    const { cases } = await readAll((await begin(32, 8)).stream)
    expect(cases.at(-1)).toBe('finished')
  })

  it('is refused nothing by a request it cannot open, and charges nothing for it', async () => {
    const { jobId } = client.spec()
    const stream = await world.run(client.submit({ jobId }))
    await world.run(nextOf(stream))
    await world.run(client.account.grant(jobId, granting(32)))
    await world.run(
      stream.send({ kind: { case: 'request', value: { bytes: new Uint8Array(99) } } }),
    )
    const lost = await world.run(nextOf(stream))
    expect(lost).toMatchObject({ case: 'lost', value: { code: 'cannot-open', mayRetry: true } })
    await world.clock.advance(10_000)
    expect(provider.role()!.status().earned).toBe(0n)
    // Not the provider's fault for ever: after its first served job, garbage does not count.
    const { cases } = await readAll((await begin(32, 8)).stream)
    expect(cases.at(-1)).toBe('finished')
  })
})
