/**
 * A ledger of a localnet in process, without HTTP: a simulated clock, wallets by one byte, and the
 * timer that makes its blocks.
 * @module
 */
import { type Address, beginCell, Cell, contractAddress, external, storeMessage } from '@ton/core'
import { runTolkCompiler } from '@ton/tolk-js'
import { expect } from 'vitest'
import { CHAIN_PRICES, DEFAULT_CHAIN_PRICES } from '../../contracts/base/chainPrices.ts'
import type { WalletMessage } from '../../contracts/base/ports.ts'
import { walletAddress, walletStateInit, walletTransfer } from '../../contracts/wrappers/wallet.ts'
import { identify } from '../../node/localnet/books.ts'
import { type Database, openDatabase } from '../../node/localnet/database.ts'
import { type Emulator, loadEmulator } from '../../node/localnet/emulator.ts'
import type { StoredTransaction } from '../../node/localnet/history.ts'
import { createLedger, type Ledger } from '../../node/localnet/ledger.ts'
import { createProducer } from '../../node/localnet/producer.ts'
import { createWriter } from '../../node/localnet/writer.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { createSimulatedClock, type SimulatedClock } from '../../node/system/simulatedClock.ts'
import { testKey } from './localnet.ts'

export const START_MS = 1_800_000_000_000
export const TEST_ID = -18081

export interface LedgerWorldOptions {
  readonly blockMs?: number
  readonly seed?: number
  readonly file?: string
  readonly clock?: SimulatedClock
}

export interface LedgerWorld {
  readonly ledger: Ledger
  readonly clock: SimulatedClock
  readonly database: Database
  /** Mints, and moves time until the block of the grant is there. */
  mint(to: Address, amount: bigint): Promise<StoredTransaction>
  close(): void
}

let emulator: Promise<Emulator> | undefined

export async function ledgerWorld(options: LedgerWorldOptions = {}): Promise<LedgerWorld> {
  const { blockMs = 0, seed, file } = options
  const clock = options.clock ?? createSimulatedClock({ startMs: START_MS })
  emulator ??= loadEmulator(TEST_ID, CHAIN_PRICES[DEFAULT_CHAIN_PRICES])
  const loaded = await emulator
  const database = openDatabase(file)
  const identity = identify(database, { networkId: TEST_ID, seed })
  const writer = createWriter()
  let ledger: Ledger | undefined
  const logger = silentLogger
  const producer = createProducer({ ledger: () => ledger, writer, clock, logger })
  const onDue = () => producer.arm()
  ledger = createLedger({ ...loaded, database, identity, blockMs, clock, logger, onDue })
  producer.arm()
  const opened = ledger
  return {
    ledger,
    clock,
    database,
    mint: async (to, amount) => {
      const { done } = await opened.mint(to, amount)
      return blockMs === 0 ? done : clock.settle(done, 2 * blockMs)
    },
    close() {
      producer.stop()
      database.close()
    },
  }
}

export const walletOf = (seed: number): Address => walletAddress(testKey(seed).publicKey)

/** A signed transfer of a wallet as one external message. */
export function transfer(seed: number, seqno: number, message: WalletMessage): Cell {
  const key = testKey(seed)
  const body = walletTransfer(seqno, 2 ** 32 - 1, [message], key)
  const init = seqno === 0 ? walletStateInit(key.publicKey) : undefined
  const out = external({ to: walletAddress(key.publicKey), init, body })
  return beginCell().store(storeMessage(out)).endCell()
}

/** A contract in Tolk, ready to be sent its StateInit. */
export async function compiled(source: string) {
  const result = await runTolkCompiler({
    entrypointFileName: 'contract.tolk',
    fsReadCallback: () => source,
  })
  if (result.status === 'error') throw new Error(result.message)
  const init = { code: Cell.fromBase64(result.codeBoc64), data: Cell.EMPTY }
  return { to: contractAddress(0, init), init }
}

/** Sends all it has to itself, whenever it is woken: it ends when fees have eaten it. */
export const ECHO = `
fun onInternalMessage(in: InMessage) {
  val again = createMessage({
    bounce: BounceMode.NoBounce, value: 0, dest: contract.getAddress(),
  });
  again.send(SEND_MODE_CARRY_ALL_REMAINING_MESSAGE_VALUE);
}
fun onExternalMessage(_: slice) { throw 99; }
`

/** Sends itself two messages for each one, each with half the value. */
export const FORK = `
fun onInternalMessage(in: InMessage) {
  val half = (in.valueCoins - ton("0.003")) / 2;
  if (half < ton("0.003")) { return; }
  repeat (2) {
    val again = createMessage({
      bounce: BounceMode.NoBounce, value: half, dest: contract.getAddress(),
    });
    again.send(SEND_MODE_REGULAR);
  }
}
fun onExternalMessage(_: slice) { throw 99; }
`

export function expectConserved(ledger: Ledger): void {
  const { balances, fees, inFlight, minted } = ledger.totals()
  expect(balances + fees + inFlight).toBe(minted)
}
