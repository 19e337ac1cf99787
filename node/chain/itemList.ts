/**
 * The list of a registry's items, walked from the newest: each item names the one before it.
 * @module
 */
import type { Address } from '@ton/core'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import { type ItemView, readItem } from '../../contracts/wrappers/bondedItem.ts'

export interface ListedItem {
  readonly address: Address
  readonly item: ItemView
}

/**
 * Items from `last` on, newest first, live or not, at most `LIMITS.listedItems`. Ends early where
 * an account is frozen for want of rent (anyone may fill it up again), and where numbers do not
 * fall: such a list would have no end.
 *
 * @example
 * for await (const { address, item } of listItems(chain, registry.kinds.scheduler.last)) ...
 */
export async function* listItems(
  chain: Chain,
  last: Address | undefined,
  signal?: AbortSignal,
): AsyncGenerator<ListedItem> {
  let address = last
  let before = Number.POSITIVE_INFINITY
  for (let count = 0; address && count < LIMITS.listedItems; count++) {
    const { status } = await chain.account(address, signal)
    if (status !== 'active') return
    const item = await readItem(chain, address)
    if (item.index >= before) return
    before = item.index
    yield { address, item }
    address = item.previous
  }
}
