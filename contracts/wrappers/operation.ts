/**
 * What timelock and multisig send: a plain message with a value, and what came back of one.
 *
 * `Message` and `Failure` of contracts/tolk/governance/sending.tolk.
 * @module
 */
import { type Address, beginCell, type Cell, type TupleReader } from '@ton/core'
import { MarketError } from '../base/errors.ts'
import { MAX_COINS, type NanoTon } from '../base/units.ts'

/** A message that governance may send. */
export interface Operation {
  readonly to: Address
  readonly value: NanoTon
  readonly body: Cell
}

/** The last message that its target refused; the value came back. */
export interface OperationFailure {
  /** Logical time of the message: the transaction that sent it has it among its messages. */
  readonly lt: bigint
  readonly atS: number
  /** Exit code of the target, where its code ran. */
  readonly exitCode: number
  readonly value: NanoTon
}

/** The cell of an operation. Throws `bad-input`. */
export function encodeOperation({ to, value, body }: Operation): Cell {
  if (value < 0n || value > MAX_COINS) throw new MarketError('bad-input', { operation: 'value' })
  return beginCell().storeAddress(to).storeCoins(value).storeRef(body).endCell()
}

/** Throws `bad-frame` where the cell is not exactly an operation. */
export function decodeOperation(cell: Cell): Operation {
  try {
    const slice = cell.beginParse()
    const operation = { to: slice.loadAddress(), value: slice.loadCoins(), body: slice.loadRef() }
    slice.endParse()
    return operation
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'operation' }, { cause })
  }
}

/** The maybe-cell of a failure in a getter's answer. Throws as readers do. */
export function readFailure(reader: TupleReader): OperationFailure | undefined {
  const slice = reader.readCellOpt()?.beginParse()
  if (!slice) return undefined
  const lt = slice.loadUintBig(64)
  const atS = slice.loadUint(32)
  const exitCode = slice.loadInt(32)
  return { lt, atS, exitCode, value: slice.loadCoins() }
}
