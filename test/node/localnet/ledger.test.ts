/**
 * The ledger under the HTTP surface: blocks, waiting messages, refusals, time, going back.
 * @module
 */
import {
  Address,
  beginCell,
  Cell,
  contractAddress,
  external,
  getMethodId,
  internal,
  type StateInit,
  storeMessage,
} from '@ton/core'
import { runTolkCompiler } from '@ton/tolk-js'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  walletAddress,
  walletStateInit,
  walletTransfer,
} from '../../../contracts/wrappers/wallet.ts'
import { type Emulator, loadEmulator } from '../../../node/localnet/emulator.ts'
import { createLedger, type Ledger } from '../../../node/localnet/ledger.ts'
import { silentLogger } from '../../../node/system/logger.ts'
import { createSimulatedClock, type SimulatedClock } from '../../../node/system/simulatedClock.ts'
import { testKey } from '../../support/localnet.ts'

/** Sends all it has to itself, whenever it is woken: it ends when fees have eaten it. */
const ECHO = `
fun onInternalMessage(in: InMessage) {
  val again = createMessage({
    bounce: BounceMode.NoBounce, value: 0, dest: contract.getAddress(),
  });
  again.send(SEND_MODE_CARRY_ALL_REMAINING_MESSAGE_VALUE);
}
fun onExternalMessage(_: slice) { throw 99; }
`

const START_MS = 1_800_000_000_000
let emulator: Emulator
let clock: SimulatedClock
let waitingCalls: number
let ledger: Ledger

beforeAll(async () => {
  emulator = await loadEmulator(-18081, CHAIN_PRICES['mainnet-2026-08'])
})
beforeEach(() => {
  clock = createSimulatedClock({ startMs: START_MS })
  waitingCalls = 0
  const onWaiting = () => {
    waitingCalls++
  }
  ledger = createLedger({ ...emulator, networkId: -18081, clock, logger: silentLogger, onWaiting })
})

function transfer(
  seed: number,
  seqno: number,
  message: Parameters<typeof walletTransfer>[2][0],
): Cell {
  const key = testKey(seed)
  const body = walletTransfer(seqno, 2 ** 32 - 1, [message], key)
  const init = seqno === 0 ? walletStateInit(key.publicKey) : undefined
  const out = external({ to: walletAddress(key.publicKey), init, body })
  return beginCell().store(storeMessage(out)).endCell()
}

async function echo(): Promise<{ to: Address; init: StateInit }> {
  const compiled = await runTolkCompiler({
    entrypointFileName: 'echo.tolk',
    fsReadCallback: () => ECHO,
  })
  if (compiled.status === 'error') throw new Error(compiled.message)
  const init = { code: Cell.fromBase64(compiled.codeBoc64), data: Cell.EMPTY }
  return { to: contractAddress(0, init), init }
}

function expectConserved(): void {
  const { balances, fees, inFlight, minted } = ledger.totals()
  expect(balances + fees + inFlight).toBe(minted)
}

describe('blocks', () => {
  it('hold no more than their bound; what is left waits, and nothing is lost', async () => {
    const { to, init } = await echo()
    await ledger.mint(walletAddress(testKey(1).publicKey), TON)
    await ledger.send(transfer(1, 0, { to, init, value: TON / 2n }))
    expect(ledger.history.last.transactions).toHaveLength(LIMITS.localnetBlockTransactions)
    expect(ledger.totals().inFlight).toBeGreaterThan(0n)
    expect(waitingCalls).toBe(1)
    expectConserved()

    const before = ledger.history.last.seqno
    for (let i = 0; ledger.totals().inFlight > 0n && i < 20; i++) await ledger.settle()
    expect(ledger.totals().inFlight).toBe(0n)
    expect(ledger.history.last.seqno).toBeGreaterThan(before)
    expectConserved()
    const last = ledger.history.last.seqno
    await ledger.settle()
    expect(ledger.history.last.seqno).toBe(last)
  })

  it('are not made where the first message fails: nothing changes', async () => {
    const address = walletAddress(testKey(2).publicKey)
    await ledger.mint(address, TON)
    const before = { ...ledger.totals(), seqno: ledger.history.last.seqno }
    const refused = ledger.send(transfer(2, 7, { to: address, value: 1n }))
    await expect(refused).rejects.toMatchObject({ code: 'contract-failed' })
    expect({ ...ledger.totals(), seqno: ledger.history.last.seqno }).toEqual(before)
  })

  it('rise in number and in logical time', async () => {
    const address = walletAddress(testKey(3).publicKey)
    const first = await ledger.mint(address, 1n)
    const second = await ledger.mint(address, 1n)
    expect(second.lt).toBeGreaterThan(first.lt)
    expect(ledger.history.last.startLt).toBe(second.lt)
    expect(ledger.history.of(address.toRawString()).map(({ lt }) => lt)).toEqual([
      first.lt,
      second.lt,
    ])
  })
})

describe('what is no external message', () => {
  it('is refused as input', async () => {
    const inward = internal({ to: walletAddress(testKey(1).publicKey), value: 1n })
    const cell = beginCell()
      .store(
        storeMessage({
          ...inward,
          info: { ...inward.info, src: walletAddress(testKey(2).publicKey) },
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
    expect(ledger.totals().accounts).toBe(0)
  })

  it('a get method that never ends stops at its gas', async () => {
    const compiled = await runTolkCompiler({
      entrypointFileName: 'spin.tolk',
      fsReadCallback: () => `
        fun onInternalMessage(in: InMessage) {}
        get fun spin(): int { var i = 1; while (i > 0) { i += 1; } return i; }`,
    })
    if (compiled.status === 'error') throw new Error(compiled.message)
    const init = { code: Cell.fromBase64(compiled.codeBoc64), data: Cell.EMPTY }
    const to = contractAddress(0, init)
    await ledger.mint(walletAddress(testKey(4).publicKey), TON)
    await ledger.send(transfer(4, 0, { to, init, value: TON / 10n }))
    const spin = await ledger.get(to, getMethodId('spin'), [])
    expect(spin.exitCode).toBe(-14) // out of gas
  })
})

describe('time', () => {
  it('moves with the clock, by steps, and never back', async () => {
    expect(ledger.now()).toBe(START_MS / 1_000)
    await clock.advance(5_000)
    expect(ledger.now()).toBe(START_MS / 1_000 + 5)
    const snapshot = ledger.snapshot()
    ledger.advance(3_600)
    expect(ledger.now()).toBe(START_MS / 1_000 + 3_605)
    expect(ledger.history.last.utime).toBe(START_MS / 1_000 + 3_605)
    ledger.restore(snapshot)
    expect(ledger.now()).toBe(START_MS / 1_000 + 5)
  })

  it('stands still where the clock goes back', () => {
    let wallMs = START_MS
    const jumpy = { ...clock, nowMs: () => wallMs }
    const options = { ...emulator, networkId: 1, logger: silentLogger, onWaiting: () => {} }
    const other = createLedger({ ...options, clock: jumpy })
    wallMs += 60_000
    expect(other.now()).toBe(START_MS / 1_000 + 60)
    wallMs -= 30_000
    expect(other.now()).toBe(START_MS / 1_000 + 60)
  })
})

describe('a snapshot', () => {
  it('keeps messages that wait, and asks for them again', async () => {
    const { to, init } = await echo()
    await ledger.mint(walletAddress(testKey(5).publicKey), TON)
    await ledger.send(transfer(5, 0, { to, init, value: TON / 2n }))
    const totals = ledger.totals()
    const snapshot = ledger.snapshot()
    await ledger.settle()
    await ledger.settle()
    ledger.restore(snapshot)
    expect(ledger.totals()).toEqual(totals)
    expect(waitingCalls).toBeGreaterThan(1)
    ledger.reset()
    expect(ledger.totals()).toMatchObject({ minted: 0n, inFlight: 0n, accounts: 0 })
  })
})
