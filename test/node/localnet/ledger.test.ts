/**
 * The ledger under the HTTP surface: blocks, waiting messages, refusals, time, going back.
 * @module
 */
import { Address, beginCell, Cell, external, getMethodId, internal, storeMessage } from '@ton/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { TON } from '../../../contracts/base/units.ts'
import { identify } from '../../../node/localnet/books.ts'
import type { Ledger } from '../../../node/localnet/ledger.ts'
import {
  compiled,
  ECHO,
  expectConserved,
  type LedgerWorld,
  ledgerWorld,
  START_MS,
  transfer,
  walletOf,
} from '../../support/ledgerWorld.ts'

let world: LedgerWorld
let ledger: Ledger
beforeEach(async () => {
  world = await ledgerWorld()
  ledger = world.ledger
})

describe('blocks', () => {
  it('run a cascade one after the other, the rest of a long one later', async () => {
    const { to, init } = await compiled(ECHO)
    await world.mint(walletOf(1), TON)
    const before = ledger.history.last.seqno
    await ledger.send(transfer(1, 0, { to, init, value: TON / 20n }))
    const { last } = ledger.history
    // The transfer and each echo have a block of their own.
    const most = LIMITS.localnetBlockTransactions
    expect(last.seqno - before).toBe(most + 1)
    expect(last.transactions).toHaveLength(1)
    expect(ledger.totals().inFlight).toBeGreaterThan(0n)
    expect(ledger.waiting).toBe(1)
    expect(ledger.dueInMs).toBe(0)
    expectConserved(ledger)

    await world.clock.advance(10_000)
    expect(ledger.totals().inFlight).toBe(0n)
    expect(ledger.dueInMs).toBeUndefined()
    expect(ledger.history.last.seqno).toBeGreaterThan(last.seqno)
    expectConserved(ledger)
  }, 120_000)

  it('are not made where the message is refused: nothing changes', async () => {
    await world.mint(walletOf(2), TON)
    const before = { ...ledger.totals(), seqno: ledger.history.last.seqno }
    const refused = ledger.send(transfer(2, 7, { to: walletOf(2), value: 1n }))
    await expect(refused).rejects.toMatchObject({ code: 'contract-failed' })
    expect({ ...ledger.totals(), seqno: ledger.history.last.seqno }).toEqual(before)
  })

  it('rise in number and in logical time', async () => {
    const first = await world.mint(walletOf(3), 1n)
    const second = await world.mint(walletOf(3), 1n)
    expect(second.lt).toBeGreaterThan(first.lt)
    expect(ledger.history.last.startLt).toBe(second.lt)
    const page = ledger.history.page(walletOf(3).toRawString(), 10)
    expect(page.map(({ lt }) => lt)).toEqual([second.lt, first.lt])
  })

  it('keep the very message that was sent, whatever its layout', async () => {
    await world.mint(walletOf(4), TON)
    const message = transfer(4, 0, { to: walletOf(5), value: 1_000n, bounce: false })
    await ledger.send(message)
    const [sent] = ledger.history.page(walletOf(4).toRawString(), 1)
    const inbound = Cell.fromBase64(sent!.boc).refs[0]!.refs[0]!
    expect(inbound.hash()).toEqual(message.hash())
  })
})

describe('what is no external message', () => {
  it('is refused as input', async () => {
    const inward = internal({ to: walletOf(1), value: 1n })
    const cell = beginCell()
      .store(
        storeMessage({
          ...inward,
          info: { ...inward.info, src: walletOf(2) },
        } as Parameters<typeof storeMessage>[0]),
      )
      .endCell()
    await expect(ledger.send(cell)).rejects.toMatchObject({ code: 'bad-input' })
    await expect(ledger.send(Cell.EMPTY)).rejects.toMatchObject({ code: 'bad-input' })
    await expect(ledger.estimate(Cell.EMPTY)).rejects.toMatchObject({ code: 'bad-input' })
  })
})

describe('reading', () => {
  it('creates no account', async () => {
    const nobody = new Address(0, Buffer.alloc(32, 9))
    expect(ledger.account(nobody)).toBeUndefined()
    expect(await ledger.get(nobody, 0, [])).toEqual({ exitCode: -13, gasUsed: 0, stack: [] })
    const sending = ledger.send(
      beginCell()
        .store(storeMessage(external({ to: nobody })))
        .endCell(),
    )
    await expect(sending).rejects.toMatchObject({ code: 'contract-failed' })
    expect(ledger.accounts).toBe(0)
  })

  it('a get method that never ends stops at its gas', async () => {
    const { to, init } = await compiled(`
      fun onInternalMessage(in: InMessage) {}
      get fun spin(): int { var i = 1; while (i > 0) { i += 1; } return i; }`)
    await world.mint(walletOf(4), TON)
    await ledger.send(transfer(4, 0, { to, init, value: TON / 10n }))
    const spin = await ledger.get(to, getMethodId('spin'), [])
    expect(spin.exitCode).toBe(-14) // out of gas
  })
})

describe('time', () => {
  it('moves with the clock, by steps, and never back but for a restore', async () => {
    expect(ledger.now()).toBe(START_MS / 1_000)
    await world.clock.advance(5_000)
    expect(ledger.now()).toBe(START_MS / 1_000 + 5)
    ledger.snapshot('before')
    ledger.advance(3_600)
    expect(ledger.now()).toBe(START_MS / 1_000 + 3_605)
    expect(ledger.history.last.utime).toBe(START_MS / 1_000 + 3_605)
    ledger.restore('before')
    expect(ledger.now()).toBe(START_MS / 1_000 + 5)
  })

  it('goes on from where it is when the clock is set back', async () => {
    let shiftMs = 60_000
    const { nowMs } = world.clock
    const jumpy = Object.assign(world.clock, { nowMs: () => nowMs() + shiftMs })
    const other = await ledgerWorld({ clock: jumpy })
    expect(other.ledger.now()).toBe(START_MS / 1_000 + 60)
    shiftMs = -3_600_000
    expect(other.ledger.now()).toBe(START_MS / 1_000 + 60)
    await jumpy.advance(7_000)
    expect(other.ledger.now()).toBe(START_MS / 1_000 + 67)
  })
})

describe('a network', () => {
  it('keeps its identity', async () => {
    const { openDatabase } = await import('../../../node/localnet/database.ts')
    const database = openDatabase(undefined)
    const first = identify(database, { seed: 5 })
    expect(identify(database, {})).toEqual(first)
    expect(() => identify(database, { seed: 6 })).toThrow(
      expect.objectContaining({ code: 'bad-config' }),
    )
    expect(() => identify(database, { prices: 'sandbox-0.41' })).toThrow(
      expect.objectContaining({ code: 'bad-config' }),
    )
  })
})
