/**
 * The figures of a ledger beside its accounts and its history, and their form in the database.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite'
import { Cell } from '@ton/core'
import type { NanoTon } from '../../contracts/base/units.ts'

/** An internal message between two blocks. */
export interface Waiting {
  readonly cell: Cell
  /** Raw address of its destination. */
  readonly to: string
  readonly value: NanoTon
}

export interface Figures {
  /** Of the newest transaction. */
  readonly lt: bigint
  /** What the faucet gave. */
  readonly minted: NanoTon
  /** What transactions say they collected. */
  readonly fees: NanoTon
  /** What was added to the clock's time. */
  readonly offsetMs: number
  /** Made in earlier blocks, not yet run, in their order. */
  readonly waiting: readonly Waiting[]
  readonly transactions: number
  readonly accounts: number
  readonly isPaused: boolean
}

export const NO_FIGURES: Figures = {
  lt: 0n,
  minted: 0n,
  fees: 0n,
  offsetMs: 0,
  waiting: [],
  transactions: 0,
  accounts: 0,
  isPaused: false,
}

export function writeFigures({ lt, minted, fees, waiting, ...rest }: Figures): object {
  return {
    ...rest,
    lt: lt.toString(),
    minted: minted.toString(),
    fees: fees.toString(),
    waiting: waiting.map(({ cell, to, value }) => ({
      cell: cell.toBoc().toString('base64'),
      to,
      value: value.toString(),
    })),
  }
}

/** Reads what `writeFigures` wrote. */
export function readFigures(stored: ReturnType<typeof JSON.parse>): Figures {
  return {
    lt: BigInt(stored.lt),
    minted: BigInt(stored.minted),
    fees: BigInt(stored.fees),
    offsetMs: Number(stored.offsetMs),
    transactions: Number(stored.transactions),
    accounts: Number(stored.accounts),
    isPaused: Boolean(stored.isPaused),
    waiting: stored.waiting.map((one: Record<'cell' | 'to' | 'value', string>) => ({
      cell: Cell.fromBase64(one.cell),
      to: one.to,
      value: BigInt(one.value),
    })),
  }
}

/** The row of the database that holds the running figures. */
export function figuresRow(sql: DatabaseSync) {
  const save = sql.prepare('INSERT OR REPLACE INTO ledger VALUES (1, ?)')
  const load = sql.prepare('SELECT state FROM ledger')
  return {
    save: (figures: Figures) => {
      save.run(JSON.stringify(writeFigures(figures)))
    },
    load: (): Figures | undefined => {
      const row = load.get()
      return row && readFigures(JSON.parse(String(row.state)))
    },
  }
}
