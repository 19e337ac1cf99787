/**
 * Messages as inputs of a block: one from outside, checked; one of the faucet, made.
 * @module
 */
import { Address, beginCell, Cell, loadMessage, type Message, storeMessage } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Input } from './block.ts'
import type { Grant } from './inbox.ts'

/** Where faucet money comes from: an address without a key. */
export const FAUCET = new Address(0, Buffer.alloc(32, 0xfa))

/** Throws `bad-input` where the cell is no external message to an address. */
export function externalInput(cell: Cell): Input {
  const { info } = tryLoad(cell)
  if (info.type !== 'external-in') {
    throw new MarketError('bad-input', { field: 'boc', expected: 'an external message' })
  }
  return { cell, to: info.dest.toRawString(), value: 0n, isExternal: true }
}

function tryLoad(cell: Cell): Message {
  try {
    return loadMessage(cell.beginParse())
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'boc', expected: 'a message' }, { cause })
  }
}

/** The message that brings a grant, in the transaction at `lt`. */
export function grantInput({ to, amount }: Grant, createdAt: number, lt: bigint): Input {
  const message: Message = {
    info: {
      type: 'internal',
      ihrDisabled: true,
      bounce: false,
      bounced: false,
      src: FAUCET,
      dest: to,
      value: { coins: amount },
      ihrFee: 0n,
      forwardFee: 0n,
      createdLt: lt - 1n,
      createdAt,
    },
    body: Cell.EMPTY,
  }
  const cell = beginCell().store(storeMessage(message)).endCell()
  return { cell, to: to.toRawString(), value: amount }
}
