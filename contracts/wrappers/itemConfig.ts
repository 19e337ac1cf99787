/**
 * What the address of an item of the registry is made of.
 *
 * `ItemConfig` and `BlankItem` of contracts/tolk/common/protocol.tolk. Code that an item took later
 * does not move it: its address has the first code of its kind in it.
 * @module
 */
import { type Address, beginCell, type Cell, contractAddress, type StateInit } from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'

/** Kinds of items, by their number on chain less one. */
export const ITEM_KINDS = ['provider', 'scheduler', 'gpu'] as const
export type ItemKind = (typeof ITEM_KINDS)[number]

export interface ItemConfig {
  readonly registry: Address
  readonly kind: ItemKind
  /** Device id of a GPU, 32 bytes; absent for the others, of which an owner has one each. */
  readonly key?: Bytes
  readonly owner: Address
}

/** Number of a kind on chain. */
export function kindNumber(kind: ItemKind): number {
  return ITEM_KINDS.indexOf(kind) + 1
}

/** The cell of the configuration. Throws `bad-input`. */
export function itemConfigCell({ registry, kind, key, owner }: ItemConfig): Cell {
  const bytes = key ?? new Uint8Array(32)
  if (bytes.length !== 32) throw new MarketError('bad-input', { item: 'key', bytes: 32 })
  return beginCell()
    .storeAddress(registry)
    .storeUint(kindNumber(kind), 8)
    .storeBuffer(Buffer.from(bytes))
    .storeAddress(owner)
    .endCell()
}

/** Initial state of an item, with the first code of its kind. Throws `bad-input`. */
export function itemStateInit(firstCode: Cell, config: ItemConfig): StateInit {
  const data = beginCell().storeUint(0, 8).storeRef(itemConfigCell(config)).endCell()
  return { code: firstCode, data }
}

/** Address of an item, in workchain 0. Throws `bad-input`. */
export function itemAddress(firstCode: Cell, config: ItemConfig): Address {
  return contractAddress(0, itemStateInit(firstCode, config))
}
