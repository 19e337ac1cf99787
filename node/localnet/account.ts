/**
 * One account of a localnet: the emulator's bytes, opened when somebody asks.
 * @module
 */
import {
  BitReader,
  BitString,
  beginCell,
  Cell,
  loadShardAccount,
  type ShardAccount,
  storeShardAccount,
} from '@ton/core'
import type { NanoTon } from '../../contracts/base/units.ts'

/** An account as the emulator left it. Never changed: a transaction makes another one. */
export interface Account {
  /** ShardAccount as a bag of cells, base64. */
  readonly boc: string
  /** The same, parsed at the first look. */
  readonly shard: ShardAccount
}

export function openAccount(boc: string): Account {
  let parsed: ShardAccount | undefined
  return {
    boc,
    get shard() {
      parsed ??= loadShardAccount(Cell.fromBase64(boc).beginParse())
      return parsed
    },
  }
}

/** The account of an address to which nothing was ever sent (`account_none`). */
export const EMPTY_ACCOUNT: Account = openAccount(
  beginCell()
    .store(
      storeShardAccount({ account: undefined, lastTransactionHash: 0n, lastTransactionLt: 0n }),
    )
    .endCell()
    .toBoc()
    .toString('base64'),
)

/**
 * The balance in a ShardAccount, read from its second cell alone: a whole parse hashes all the code
 * of a contract, for every transaction of it.
 *
 * `account$1 addr:MsgAddressInt storage_stat:StorageInfo last_trans_lt:uint64 balance:Grams ..`; 0
 * where there is no account (`account_none$0`).
 */
export function balanceIn(boc: Buffer): NanoTon {
  const bits = bitsOfFirstChild(boc)
  if (!bits.loadBit()) return 0n
  bits.loadAddress()
  bits.loadVarUint(3) // cells
  bits.loadVarUint(3) // bits
  if (bits.loadUint(3) === 1) bits.skip(256) // storage_extra_info$001 dict_hash:uint256
  bits.skip(32) // last_paid
  if (bits.loadBit()) bits.loadCoins() // due_payment
  bits.skip(64) // last_trans_lt
  return bits.loadCoins()
}

/** Data of the first cell that the root of a bag refers to (boc.tlb, serialized_boc#b5ee9c72). */
function bitsOfFirstChild(boc: Buffer): BitReader {
  const hasIndex = boc[4]! >> 7 === 1
  const size = boc[4]! & 7
  const offsetBytes = boc[5]!
  const cells = boc.readUIntBE(6, size)
  let at = 6 + 3 * size + offsetBytes + size + (hasIndex ? cells * offsetBytes : 0)
  let wanted = 0
  for (let cell = 0; ; cell++) {
    const refs = boc[at]! & 7
    const descriptor = boc[at + 1]!
    const bytes = (descriptor + 1) >> 1
    const data = at + 2
    if (cell === 0) wanted = boc.readUIntBE(data + bytes, size)
    else if (cell === wanted) return new BitReader(new BitString(boc, data * 8, bytes * 8))
    at = data + bytes + refs * size
  }
}
