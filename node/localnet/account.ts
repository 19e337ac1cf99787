/**
 * One account of a localnet: the emulator's bytes, opened when somebody asks.
 * @module
 */
import { beginCell, Cell, loadShardAccount, type ShardAccount, storeShardAccount } from '@ton/core'

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
