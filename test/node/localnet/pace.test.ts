/**
 * Blocks at a pace: when they are made, what is in them, and that a seed repeats them.
 * @module
 */
import { getMethodId } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  compiled,
  expectConserved,
  FORK,
  type LedgerWorld,
  ledgerWorld,
  START_MS,
  transfer,
  walletOf,
} from '../../support/ledgerWorld.ts'

const BLOCK_MS = 400

async function paced(more = {}): Promise<LedgerWorld> {
  return ledgerWorld({ blockMs: BLOCK_MS, ...more })
}

describe('an idle network', () => {
  it('counts its blocks without making them, and sets no timer', async () => {
    const { ledger, clock } = await paced()
    const first = ledger.history.last
    expect(clock.pending).toBe(0)
    await clock.advance(3_600_000)
    expect(ledger.history.last.seqno - first.seqno).toBe(3_600_000 / BLOCK_MS)
    expect(ledger.history.last.utime).toBe(START_MS / 1_000 + 3_600)
    const between = ledger.history.block(1_000)!
    expect(between.utime).toBe(Math.floor((START_MS + (1_000 - first.seqno) * BLOCK_MS) / 1_000))
    expect(between.hash).toEqual(ledger.history.block(1_000)!.hash)
    expect(ledger.history.block(ledger.history.last.seqno + 1)).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('takes a step of time in one block', async () => {
    const { ledger, clock } = await paced()
    await clock.advance(4 * BLOCK_MS)
    const before = ledger.history.last.seqno
    ledger.advance(10 * 365 * 86_400)
    expect(ledger.history.last.seqno).toBe(before + 1)
    expect(ledger.history.last.utime).toBeGreaterThan(START_MS / 1_000 + 10 * 365 * 86_400)
    await clock.advance(BLOCK_MS)
    expect(ledger.history.last.seqno).toBe(before + 2)
  })
})

describe('a message', () => {
  it('runs in the next block, what it causes in the one after', async () => {
    const { ledger, clock, mint } = await paced()
    await mint(walletOf(1), TON)
    const before = ledger.history.last.seqno
    await clock.advance(BLOCK_MS / 2)
    await ledger.send(transfer(1, 0, { to: walletOf(2), value: 5n, bounce: false }))
    expect(ledger.history.last.seqno).toBe(before)
    expect(ledger.account(walletOf(1))!.shard.account!.storage.state.type).toBe('uninit')
    await clock.advance(BLOCK_MS)
    const [sent] = ledger.history.page(walletOf(1).toRawString(), 1)
    expect(ledger.history.block(before + 1)!.transactions).toEqual([sent])
    expect(ledger.history.block(before + 1)!.utime).toBe(
      Math.floor((START_MS + before * BLOCK_MS) / 1_000),
    )
    expect(ledger.account(walletOf(2))).toBeUndefined()
    expect(ledger.totals().inFlight).toBe(5n)
    expectConserved(ledger)
    await clock.advance(BLOCK_MS)
    const received = ledger.history.block(before + 2)!.transactions
    expect(received.map(({ account }) => account)).toEqual([walletOf(2).toRawString()])
    expect(ledger.totals().inFlight).toBe(0n)
    expectConserved(ledger)
    expect(clock.pending).toBe(0)
  })

  it('is refused at once where the account as it is would not take it', async () => {
    const { ledger, clock, mint } = await paced()
    await mint(walletOf(1), TON)
    const send = (seqno: number) =>
      ledger.send(transfer(1, seqno, { to: walletOf(2), value: 5n, bounce: false }))
    await send(0)
    // The next number counts once the first is in a block.
    await expect(send(1)).rejects.toMatchObject({ code: 'contract-failed' })
    await clock.advance(BLOCK_MS)
    await send(1)
    await clock.advance(BLOCK_MS)
    expect(ledger.history.page(walletOf(1).toRawString(), 10)).toHaveLength(3)
  })

  it('waits once however often it is sent, and is dropped where its block refuses it', async () => {
    const { ledger, clock, mint } = await paced()
    await mint(walletOf(1), TON)
    const one = transfer(1, 0, { to: walletOf(2), value: 5n, bounce: false })
    const other = transfer(1, 0, { to: walletOf(3), value: 5n, bounce: false })
    for (const message of [one, one, other]) await ledger.send(message)
    expect(ledger.waiting).toBe(2)
    await clock.advance(3 * BLOCK_MS)
    expect(ledger.waiting).toBe(0)
    expect(ledger.history.page(walletOf(2).toRawString(), 10)).toHaveLength(1)
    expect(ledger.history.page(walletOf(3).toRawString(), 10)).toHaveLength(0)
    expectConserved(ledger)
  })

  it('that came first is not what a rehearsal assumed where its account has changed', async () => {
    const { ledger, clock, mint } = await paced()
    await mint(walletOf(1), TON)
    await mint(walletOf(2), TON)
    await ledger.send(transfer(1, 0, { to: walletOf(2), value: TON / 2n, bounce: false }))
    await clock.advance(BLOCK_MS)
    // The receipt runs first in the block of this transfer, so the transfer sees its value.
    await ledger.send(transfer(2, 0, { to: walletOf(1), value: TON + TON / 4n, bounce: false }))
    await clock.advance(2 * BLOCK_MS)
    const page = ledger.history.page(walletOf(1).toRawString(), 1)
    expect(page[0]!.inKey).toContain(walletOf(2).toRawString())
    expectConserved(ledger)
  })
})

describe('a block', () => {
  it('holds no more than its bound, and leaves room for what comes from outside', async () => {
    const { ledger, clock, mint } = await paced()
    const { to, init } = await compiled(FORK)
    await mint(walletOf(1), 8n * TON)
    await ledger.send(transfer(1, 0, { to, init, value: 7n * TON }))
    for (let block = 0; block < 12 && ledger.waiting <= LIMITS.localnetBlockTransactions; block++) {
      await clock.advance(BLOCK_MS)
      expectConserved(ledger)
    }
    expect(ledger.waiting).toBeGreaterThan(LIMITS.localnetBlockTransactions)
    const receipt = await mint(walletOf(9), TON)
    expect(ledger.history.last.transactions).toContainEqual(receipt)
    expect(ledger.history.last.transactions).toHaveLength(LIMITS.localnetBlockTransactions - 31)
    expectConserved(ledger)
  }, 60_000)
})

describe('a pause', () => {
  it('stops the blocks; reads go on, messages wait, and then run', async () => {
    const { ledger, clock, mint } = await paced()
    await mint(walletOf(1), TON)
    await clock.advance(10 * BLOCK_MS)
    const { last } = ledger.history
    ledger.pause()
    await clock.advance(3_600_000)
    expect(ledger.history.last).toMatchObject({ seqno: last.seqno, hash: last.hash })
    expect(ledger.account(walletOf(1))).toBeDefined()
    await ledger.send(transfer(1, 0, { to: walletOf(2), value: 5n, bounce: false }))
    await expect(ledger.mint(walletOf(2), 1n)).rejects.toMatchObject({ code: 'paused' })
    await clock.advance(3_600_000)
    expect(ledger.waiting).toBe(1)
    ledger.resume()
    expect(ledger.history.last.seqno).toBe(last.seqno + 1)
    expect(ledger.history.last.utime).toBe(last.utime + 7_200)
    await clock.advance(2 * BLOCK_MS)
    expect(ledger.history.page(walletOf(2).toRawString(), 10)).toHaveLength(1)
    expectConserved(ledger)
  })
})

describe('a seed', () => {
  /** The same calls at the same moments, and the hashes of all blocks. */
  async function story(seed: number, blockMs: number): Promise<string[]> {
    const { ledger, clock, mint } = await ledgerWorld({ seed, blockMs })
    await mint(walletOf(1), TON)
    for (let seqno = 0; seqno < 3; seqno++) {
      await ledger.send(transfer(1, seqno, { to: walletOf(2), value: 5n, bounce: false }))
      await clock.advance(1_000)
    }
    ledger.advance(60)
    await clock.advance(2_000)
    const { last } = ledger.history
    return Array.from({ length: last.seqno }, (_, at) =>
      ledger.history.block(at + 1)!.hash.toString('hex'),
    )
  }

  it.each([0, BLOCK_MS])('repeats every block, made every %d ms or at once', async (blockMs) => {
    const [one, same, other] = [
      await story(7, blockMs),
      await story(7, blockMs),
      await story(8, blockMs),
    ]
    expect(same).toEqual(one)
    expect(other).toHaveLength(one.length)
    expect(other.filter((hash) => one.includes(hash))).toEqual([])
  })

  it('decides what contracts draw, and each block draws anew', async () => {
    const draw = async (seed: number) => {
      const { ledger, mint } = await ledgerWorld({ seed })
      const { to, init } = await compiled(`
        import "@stdlib/common"
        fun onInternalMessage(in: InMessage) {}
        get fun draw(): int { return random.uint256(); }`)
      await mint(walletOf(1), TON)
      await ledger.send(transfer(1, 0, { to, init, value: TON / 10n }))
      const drawn = async () => {
        const { stack } = await ledger.get(to, getMethodId('draw'), [])
        return String(stack[0]?.type === 'int' ? stack[0].value : stack[0]?.type)
      }
      const first = await drawn()
      await mint(walletOf(2), 1n)
      return [first, await drawn()]
    }
    const [a, b] = await draw(1)
    expect(await draw(1)).toEqual([a, b])
    expect(a).not.toBe(b)
    expect(await draw(2)).not.toContain(a)
  })
})
