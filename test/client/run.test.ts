/**
 * Whole jobs of the real client against the played market: the happy way, every way to lose one,
 * and what is paid in each.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { Job } from '../../client/types.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import type { MarketError } from '../../contracts/base/errors.ts'
import { cost, DEFAULT_PARAMETERS, feeOn } from '../../contracts/money/price.ts'
import { verifyReceipt } from '../../contracts/money/receipt.ts'
import type { Receipt } from '../../contracts/wire/records.ts'
import { createSimulatedStore } from '../../node/store/simulatedStore.ts'
import { FEE, HONEST, textPiece } from './playedJob.ts'
import { playMarket } from './playedMarket.ts'

const REQUEST = { model: 'm', messages: [{ role: 'user' as const, content: 'Say hello' }] }
const LIMIT_MS = 120_000

async function textOf(job: Job): Promise<string> {
  let text = ''
  for await (const piece of job) text += piece.text
  return text
}

describe('a job', () => {
  it('streams, is paid, and leaves a countersigned receipt that verifies alone', async () => {
    const world = await playMarket('happy', { queued: true })
    const market = await world.client()
    const job = market.submit({ ...REQUEST, maxTokens: 64 })
    expect(await world.clock.settle(textOf(job), LIMIT_MS)).toBe('Hello world')
    const result = await job.result()
    expect(result).toMatchObject({
      text: 'Hello world',
      finishReason: 'stop',
      usage: { prompt: 20, completion: 3 },
      billed: { prompt: 64, completion: 32 },
      verified: true,
      disputed: false,
      tier: 'simulated',
      attempts: 1,
      counted: 'bytes',
      provider: toHex(world.keys.provider.publicKey),
    })
    expect(result.tierMeaning).toContain('proves nothing')
    expect(job.servedBy()).toMatchObject({ tier: 'simulated', provider: result.provider })
    expect(result.evidence).toMatchObject({ kind: 'simulated', proved: expect.any(Array) })
    expect(result.evidence.notProved.join()).toContain('the root key of simulated evidence')
    expect(verifyReceipt(result.receipt, { network: 77 }).ok).toBe(true)
    expect(result.receipt.signatures.client).toBeDefined()
    expect(await market.receipts()).toEqual([{ hash: result.receiptHash, file: result.receipt }])

    await world.clock.advance(1_000)
    const account = world.served.accounts[0]!.state()
    const balance = await market.balance()
    expect(balance.channel.spent).toBe(result.cost + result.fee)
    expect(account.spent).toBe(balance.channel.spent)
    expect(balance.channel.deposited).toBe(2_000_000_000n)
    expect(balance.channel.credit).toBe(balance.channel.signed - balance.channel.spent)
    await world.clock.settle(market.close(), LIMIT_MS)
  })
})

describe('money of a job', () => {
  it('pays a long answer window by window, never far ahead', async () => {
    const pieces = Array.from({ length: 40 }, (_, i) => textPiece(`${'word '.repeat(16)}${i}`, 16))
    const world = await playMarket('long', {
      pieces: () => [...HONEST.slice(0, 1), ...pieces, ...HONEST.slice(-1)],
    })
    const market = await world.client()
    const job = market.submit({ ...REQUEST, maxTokens: 700 })
    const { usage, billed } = await world.clock.settle(job.result(), LIMIT_MS)
    expect(usage.completion).toBe(640)
    expect(billed.completion).toBe(640)
    const quoted = await world.clock.settle(market.quote({ ...REQUEST, maxTokens: 700 }), LIMIT_MS)
    const { signed, spent } = (await market.balance()).channel
    expect(signed).toBeGreaterThanOrEqual(spent)
    expect(signed).toBeLessThanOrEqual(quoted.likely)
    expect(quoted.likely).toBeLessThan(quoted.worstCase)
  })

  it('stops paying where the tokens cannot be in the text', async () => {
    const lies = Array.from({ length: 8 }, () => textPiece('x', 500))
    const world = await playMarket('lies', {
      pieces: () => [...HONEST.slice(0, 1), ...lies, ...HONEST.slice(-1)],
      ignoreMoney: true,
      receipt: (receipt) => receipt,
    })
    const market = await world.client()
    const result = await world.clock.settle(
      market.submit({ ...REQUEST, maxTokens: 10_000 }).result(),
      LIMIT_MS,
    )
    expect(result).toMatchObject({ disputed: true, verified: false })
    const balance = (await market.balance()).channel
    // The prompt and the first window: all that a liar can get.
    expect(balance.spent).toBeLessThan((result.cost + result.fee) / 20n)
    expect(result.receipt.signatures.client).toBeUndefined()
  })

  it('disputes a bill beyond one step, and countersigns one within it', async () => {
    for (const [steps, disputed] of [
      [1, false],
      [2, true],
    ] as const) {
      // Twenty tokens, so that a second window is paid and the bill alone decides.
      const world = await playMarket(`bill ${steps}`, {
        pieces: () => [...HONEST.slice(0, 1), textPiece('word '.repeat(20), 20), HONEST.at(-1)!],
        receipt: (receipt) => overbill(receipt, 32 * steps),
      })
      const market = await world.client()
      const job = market.submit({ ...REQUEST, maxTokens: 512 })
      const result = await world.clock.settle(job.result(), LIMIT_MS)
      expect(result.disputed).toBe(disputed)
      expect(result.receipt.signatures.client === undefined).toBe(disputed)
    }
  })

  it('disputes a receipt for another transcript', async () => {
    const world = await playMarket('transcript', {
      receipt: (receipt) => ({ ...receipt, transcriptHash: new Uint8Array(32) }),
    })
    const market = await world.client()
    const result = await world.clock.settle(market.submit(REQUEST).result(), LIMIT_MS)
    expect(result).toMatchObject({ disputed: true, verified: false })
  })

  it('refuses a receipt with a wrong sum and settles at its own count', async () => {
    const world = await playMarket('sum', {
      receipt: (receipt) => ({ ...receipt, cost: receipt.cost + 1n }),
    })
    const market = await world.client()
    const error = await world.clock.settle(failureOf(market.submit(REQUEST)), LIMIT_MS)
    expect(error).toMatchObject({ code: 'bad-receipt' })
    expect((await market.balance()).channel.spent).toBeGreaterThan(0n)
  })

  it('asks for consent beyond the exposure limit', async () => {
    const world = await playMarket('exposure')
    const market = await world.client({ deposit: 100_000_000n })
    const messages = [{ role: 'user' as const, content: 'x'.repeat(60_000) }]
    const job = market.submit({ model: 'm', messages })
    expect(await world.clock.settle(failureOf(job), LIMIT_MS)).toMatchObject({ code: 'exposure' })
    expect(world.served.requests).toHaveLength(0)
    const consented = market.submit({ model: 'm', messages, consent: true })
    await world.clock.settle(consented.result(), LIMIT_MS)
  })

  it('keeps below the cap of the caller, and refuses one that buys nothing', async () => {
    const world = await playMarket('cap')
    const market = await world.client()
    const job = market.submit({ ...REQUEST, maxCost: 1n })
    expect(await world.clock.settle(failureOf(job), LIMIT_MS)).toMatchObject({ code: 'no-funds' })
    expect((await market.balance()).channel.signed).toBe(0n)
    const { worstCase } = await world.clock.settle(market.quote(REQUEST), LIMIT_MS)
    const paid = market.submit({ ...REQUEST, maxCost: worstCase })
    await world.clock.settle(paid.result(), LIMIT_MS)
  })
})

describe('loss', () => {
  it('fails over before the first frame, and pays for one', async () => {
    const world = await playMarket('failover', {
      loseAfter: (attempt) => (attempt === 1 ? 0 : undefined),
    })
    const market = await world.client()
    const job = market.submit({ ...REQUEST, maxTokens: 64 })
    const result = await world.clock.settle(job.result(), LIMIT_MS)
    expect(result).toMatchObject({ text: 'Hello world', attempts: 2, verified: true })
    await world.clock.advance(1_000)
    const { signed, spent } = (await market.balance()).channel
    expect(spent).toBe(result.cost + result.fee)
    const quoting = market.quote({ ...REQUEST, maxTokens: 64 })
    const once = await world.clock.settle(quoting, LIMIT_MS)
    expect(signed).toBeLessThanOrEqual(once.likely)
  })

  it('gives up after three attempts, uncharged', async () => {
    const world = await playMarket('hopeless', { loseAfter: () => 0 })
    const market = await world.client()
    const error = await world.clock.settle(failureOf(market.submit(REQUEST)), LIMIT_MS)
    expect(error).toMatchObject({ code: 'no-provider', facts: { attempts: 3 } })
    await world.clock.advance(1_000)
    const { signed, spent, credit } = (await market.balance()).channel
    expect(spent).toBe(0n)
    expect(credit).toBe(signed)
  })

  it('says what was delivered where the provider is lost in the middle', async () => {
    const world = await playMarket('middle', { loseAfter: () => 2 })
    const market = await world.client()
    const job = market.submit(REQUEST)
    const error = await world.clock.settle(failureOf(job), LIMIT_MS)
    expect(error).toMatchObject({ code: 'provider-lost', facts: { completionTokens: 1 } })
    expect(String(error)).not.toContain('Hello')
    expect(job.partial()).toMatchObject({ text: 'Hello', usage: { completion: 1 } })
  })

  it('continues as a new job where that was asked for', async () => {
    const world = await playMarket('resume')
    world.live.script = {
      loseAfter: () => (world.served.jobs === 1 ? 2 : undefined),
      pieces: () => (world.served.jobs === 1 ? HONEST : [textPiece(' there', 1), HONEST.at(-1)!]),
    }
    const market = await world.client()
    const job = market.submit({ ...REQUEST, resume: true })
    expect(await world.clock.settle(textOf(job), LIMIT_MS)).toBe('Hello there')
    const result = await job.result()
    expect(result.resumedFrom).toEqual([job.id])
    expect(result.id).not.toBe(job.id)
    expect(world.served.requests[1]).toContain('{"role":"assistant","content":"Hello"}')
  })

  it('ends in a typed error where the scheduler is lost, and comes back', async () => {
    const world = await playMarket('scheduler', { dieAfter: 2 })
    const market = await world.client()
    const job = market.submit(REQUEST)
    const error = await world.clock.settle(failureOf(job), LIMIT_MS)
    expect(error).toMatchObject({ code: 'scheduler-lost' })
    expect(job.partial().text).toBe('Hello')
    world.live.script = {}
    const next = await world.clock.settle(market.submit(REQUEST).result(), LIMIT_MS)
    expect(next.text).toBe('Hello world')
  })
})

describe('stopping', () => {
  it('aborts when the loop is left, and pays what was delivered', async () => {
    const pieces = Array.from({ length: 30 }, () => textPiece('a word or two and ', 4))
    const world = await playMarket('break', {
      paceMs: 30,
      pieces: () => [...pieces, HONEST.at(-1)!],
    })
    const market = await world.client()
    const job = market.submit({ ...REQUEST, maxTokens: 500 })
    const leave = async () => {
      for await (const piece of job) if (piece.completionTokens > 0) break
    }
    await world.clock.settle(leave(), LIMIT_MS)
    expect(await world.clock.settle(failureOf(job), LIMIT_MS)).toMatchObject({ code: 'aborted' })
    const [kept] = await market.receipts()
    expect(kept?.file.signatures.client).toBeDefined()
    const { spent } = (await market.balance()).channel
    expect(spent).toBeGreaterThan(0n)
    const quoting = market.quote({ ...REQUEST, maxTokens: 120 })
    const whole = await world.clock.settle(quoting, LIMIT_MS)
    expect(spent).toBeLessThan(whole.likely)
  })

  it('submits nothing for a signal that is aborted already', async () => {
    const world = await playMarket('signal')
    const market = await world.client()
    const job = market.submit({ ...REQUEST, signal: AbortSignal.abort() })
    expect(await world.clock.settle(failureOf(job), LIMIT_MS)).toMatchObject({ code: 'aborted' })
    expect(world.served.jobs).toBe(0)
  })

  it('ends open jobs when the market closes, and takes no more', async () => {
    const world = await playMarket('close', { paceMs: 60_000 })
    const market = await world.client()
    const job = market.submit(REQUEST)
    await world.clock.advance(50)
    await world.clock.settle(market.close(), LIMIT_MS)
    await expect(job.result()).rejects.toMatchObject({ code: 'aborted' })
    expect(() => market.submit(REQUEST)).toThrow(expect.objectContaining({ code: 'aborted' }))
  })
})

describe('a client that comes back', () => {
  it('finds its channel again, and knows its job ids', async () => {
    const world = await playMarket('again')
    const first = await world.client({ profile: 'same' })
    const jobId = 'ab'.repeat(16)
    const job = first.submit({ ...REQUEST, jobId })
    expect(first.submit({ ...REQUEST, jobId })).toBe(job)
    const { receiptHash } = await world.clock.settle(job.result(), LIMIT_MS)
    const before = await first.balance()
    await world.clock.settle(first.close(), LIMIT_MS)

    const second = await world.client({ profile: 'same' })
    const after = await second.balance()
    expect(after.channel).toEqual(before.channel)
    const again = second.submit({ ...REQUEST, jobId })
    expect(await world.clock.settle(failureOf(again), LIMIT_MS)).toMatchObject({
      code: 'duplicate-job',
      facts: { state: 'done', receiptHash },
    })
    expect(world.served.jobs).toBe(1)
    await world.clock.settle(second.submit(REQUEST).result(), LIMIT_MS)
  })

  it('refuses a scheduler with another identity than network.json names', async () => {
    const world = await playMarket('impostor')
    const [scheduler] = world.network.schedulers
    const network = {
      ...world.network,
      schedulers: [{ ...scheduler!, identity: '00'.repeat(32) }],
    }
    await expect(world.client({ network })).rejects.toMatchObject({ code: 'bad-signature' })
  })

  it('refuses a fee above the policy before it opens a channel', async () => {
    const world = await playMarket('fee')
    const connecting = world.client({ policy: { maxFee: 499 } })
    await expect(connecting).rejects.toMatchObject({ code: 'bad-lease' })
    expect(world.served.accounts).toHaveLength(0)
  })
})

describe('secrets', () => {
  it('are on no disk and in no error', async () => {
    const canary = 'canary-7f3a91'
    const world = await playMarket('canary', {
      loseAfter: (attempt) => (attempt > 0 ? 2 : undefined),
      pieces: () => [textPiece(canary, 5), textPiece(canary, 5), HONEST.at(-1)!],
    })
    const store = createSimulatedStore(world.disk, { name: 'watched' })
    const market = await world.client({ ports: { store } })
    const job = market.submit({ model: 'm', messages: [{ role: 'user', content: canary }] })
    const error = await world.clock.settle(failureOf(job), LIMIT_MS)
    expect(world.served.requests[0]).toContain(canary)
    expect(JSON.stringify(error.report())).not.toContain(canary)
    const tables = ['job', 'receipt', 'channel', 'payer']
    const kept = tables.flatMap((table) => store.list(table).map(([, value]) => value))
    expect(kept.length).toBeGreaterThanOrEqual(3)
    for (const value of kept) expect(Buffer.from(value).includes(canary)).toBe(false)
  })
})

async function failureOf(job: Job): Promise<MarketError> {
  return job.result().then(
    () => {
      throw new Error('the job did not fail')
    },
    (error) => error,
  )
}

function overbill(receipt: Receipt, tokens: number): Receipt {
  const billed = { ...receipt.billed, completion: receipt.billed.completion + tokens }
  const terms = { ...DEFAULT_PARAMETERS, tick: 40 }
  const amount = cost(billed, terms)
  return { ...receipt, billed, cost: amount, fee: feeOn(amount, { fee: FEE }) }
}
