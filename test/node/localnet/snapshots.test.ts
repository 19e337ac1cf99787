/**
 * Snapshots: going back and forth between histories, what is kept for them, and what a file keeps
 * over a restart.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { TON } from '../../../contracts/base/units.ts'
import type { Ledger } from '../../../node/localnet/ledger.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'
import {
  compiled,
  ECHO,
  expectConserved,
  ledgerWorld,
  START_MS,
  transfer,
  walletOf,
} from '../../support/ledgerWorld.ts'

const SEED = Number(process.env.SEED ?? 20261126)
const folder = mkdtempSync(join(tmpdir(), 'chrysalis-localnet-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const places = [1, 2, 3].map((seed) => walletOf(seed))

/** Everything about a ledger that a reader can see, as text. */
function picture(ledger: Ledger): string {
  const accounts = places.map((address) => ledger.account(address)?.boc)
  const pages = places.map((address) => ledger.history.page(address.toRawString(), 100))
  const { last } = ledger.history
  const blocks = Array.from({ length: Math.min(30, last.seqno) }, (_, back) => {
    const { hash, utime, transactions } = ledger.history.block(last.seqno - back)!
    return [hash.toString('hex'), utime, transactions.map(({ lt }) => lt)]
  })
  const { waiting, transactions } = ledger
  const all = { accounts, pages, blocks, totals: ledger.totals(), waiting, transactions }
  return JSON.stringify(all, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
}

type Step = { kind: 'mint' | 'take' | 'restore' | 'time'; name: string; at: number }

describe('snapshots', () => {
  it(`bring back exactly what was, whichever is restored (seed ${SEED})`, async () => {
    const step: fc.Arbitrary<Step> = fc.record({
      kind: fc.constantFrom('mint', 'mint', 'mint', 'take', 'restore', 'restore', 'time'),
      name: fc.constantFrom('a', 'b', 'c'),
      at: fc.integer({ min: 0, max: 2 }),
    })
    const play = async (steps: readonly Step[]) => {
      const { ledger, mint, close } = await ledgerWorld()
      const pictures = new Map<string, string>()
      for (const { kind, name, at } of steps) {
        if (kind === 'mint') await mint(places[at]!, BigInt(at + 1))
        else if (kind === 'time') ledger.advance(at + 1)
        else if (kind === 'take') {
          ledger.snapshot(name)
          pictures.set(name, picture(ledger))
        } else if (pictures.has(name)) {
          ledger.restore(name)
          expect(picture(ledger)).toBe(pictures.get(name))
        }
        expectConserved(ledger)
      }
      for (const [name, then] of pictures) {
        ledger.restore(name)
        expect(picture(ledger)).toBe(then)
      }
      close()
    }
    const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), play)
    await fc.assert(property, { seed: SEED, numRuns: 25 })
  })

  it('keep messages that wait, and run them again', async () => {
    const { ledger, mint, clock } = await ledgerWorld({ blockMs: 400 })
    const { to, init } = await compiled(ECHO)
    await mint(walletOf(1), TON)
    await ledger.send(transfer(1, 0, { to, init, value: TON / 500n }))
    await clock.advance(1_200)
    ledger.snapshot('echo')
    const { inFlight } = ledger.totals()
    expect(inFlight).toBeGreaterThan(0n)
    await clock.advance(20_000)
    const after = ledger.history.page(to.toRawString(), 100)
    expect(ledger.totals().inFlight).toBe(0n)
    ledger.restore('echo')
    expect(ledger.totals().inFlight).toBe(inFlight)
    await clock.advance(20_000)
    expect(ledger.totals().inFlight).toBe(0n)
    expect(ledger.history.page(to.toRawString(), 100)).toHaveLength(after.length)
    ledger.reset()
    expect(ledger.totals()).toMatchObject({ minted: 0n, inFlight: 0n })
    expect(ledger.history.last.seqno).toBe(1)
    expect(ledger.accounts).toBe(0)
  })

  it('survive that the history before them is forgotten', async () => {
    const { ledger, mint, close } = await ledgerWorld()
    await mint(walletOf(1), 5n)
    ledger.snapshot('old')
    const { last } = ledger.history
    for (let block = 0; block < LIMITS.localnetTransactions + 100; block++) ledger.advance(1)
    expect(ledger.history.block(last.seqno)).toBeUndefined()
    ledger.restore('old')
    expect(ledger.history.last).toMatchObject({ seqno: last.seqno, hash: last.hash })
    expect(ledger.totals().balances).toBe(5n)
    await mint(walletOf(1), 5n)
    expect(ledger.totals().balances).toBe(10n)
    close()
  })

  it('keep no more on disk than they need', async () => {
    const { ledger, mint, database, close } = await ledgerWorld()
    const rows = (table: string) =>
      Number(database.sql.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows)
    const sizes = () => ['blocks', 'transactions', 'accounts', 'lineage'].map(rows)
    await mint(walletOf(1), 1n)
    ledger.snapshot('young')
    const before = sizes()
    for (let at = 0; at < 20; at++) await mint(walletOf(1 + (at % 2)), 1n)
    ledger.snapshot('old')
    // Two versions of one account, one of the other.
    expect(sizes()).toEqual([22, 21, 3, 3])
    ledger.restore('young')
    expect(sizes().slice(0, 3)).toEqual([22, 21, 3])
    ledger.snapshot('old')
    expect(sizes()).toEqual(before)
    for (let round = 0; round < 10; round++) {
      ledger.snapshot('young')
      await mint(walletOf(1), 1n)
      ledger.restore('young')
    }
    ledger.snapshot('old')
    expect(sizes()).toEqual(before)
    close()
  })

  it('are bounded in number, and unknown ones are told', async () => {
    const { ledger, close } = await ledgerWorld()
    for (let at = 0; at < LIMITS.localnetSnapshots; at++) ledger.snapshot(`s${at}`)
    expect(() => ledger.snapshot('more')).toThrow(
      expect.objectContaining({ code: 'limit-exceeded' }),
    )
    ledger.snapshot('s3')
    expect(() => ledger.restore('more')).toThrow(expect.objectContaining({ code: 'not-found' }))
    close()
  })
})

describe('a restart', () => {
  it('loses nothing that was in a block, and goes on', async () => {
    const file = join(folder, 'restart.sqlite')
    const clock = createSimulatedClock({ startMs: START_MS })
    const first = await ledgerWorld({ file, clock, blockMs: 400, seed: 3 })
    const { to, init } = await compiled(ECHO)
    await first.mint(walletOf(1), TON)
    first.ledger.advance(86_400)
    first.ledger.snapshot('kept')
    await first.ledger.send(transfer(1, 0, { to, init, value: TON / 500n }))
    await clock.advance(1_200)
    expect(first.ledger.totals().inFlight).toBeGreaterThan(0n)
    const before = picture(first.ledger)
    first.close()

    const second = await ledgerWorld({ file, clock, blockMs: 400 })
    expect(picture(second.ledger)).toBe(before)
    const passedS = Math.floor(clock.monotonicMs() / 1_000)
    expect(second.ledger.now()).toBe(START_MS / 1_000 + 86_400 + passedS)
    await clock.advance(20_000)
    expect(second.ledger.totals().inFlight).toBe(0n)
    expectConserved(second.ledger)
    const { last } = second.ledger.history
    second.close()

    // Nobody looked in the meantime: the empty blocks of that time are there too.
    await clock.advance(400_000)
    const third = await ledgerWorld({ file, clock, blockMs: 1_000 })
    expect(third.ledger.history.last.seqno).toBe(last.seqno + 1_000 + 1)
    expect(third.ledger.history.block(last.seqno)!.hash).toEqual(last.hash)
    await clock.advance(5_000)
    expect(third.ledger.history.last.seqno).toBe(last.seqno + 1_000 + 6)
    third.ledger.restore('kept')
    expect(third.ledger.history.page(to.toRawString(), 1)).toEqual([])
    third.close()
  })

  it('is refused while another process holds the file', async () => {
    const file = join(folder, 'locked.sqlite')
    const one = await ledgerWorld({ file })
    await expect(ledgerWorld({ file })).rejects.toMatchObject({ code: 'store-locked' })
    one.close()
    const two = await ledgerWorld({ file })
    two.close()
  })
})
