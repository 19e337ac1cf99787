/**
 * The newer code that a registry offers to an item: what it is, and taking it. Nobody but the
 * item's owner can; the registry answers the item itself, and the item's address stays.
 * @module
 */
import type { Address } from '@ton/core'
import { toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import { readItem } from '../../contracts/wrappers/bondedItem.ts'
import { ITEM_VALUE, upgradeBody } from '../../contracts/wrappers/itemMessages.ts'
import { providerAddress } from '../../contracts/wrappers/Provider.ts'
import { REGISTRY_PROTOCOL } from '../../contracts/wrappers/registryMessages.ts'
import { readRegistry } from '../../contracts/wrappers/registryView.ts'
import { schedulerAddress } from '../../contracts/wrappers/Scheduler.ts'
import { type Sender, sendFollowed } from './follow.ts'

/** What an item runs, and what it could. Versions count from 0; hashes are lower-case hex. */
export interface ItemUpgrade {
  readonly registry: Address
  readonly item: Address
  readonly version: number
  readonly codeHash: string
  readonly offered: { readonly version: number; readonly codeHash: string }
}

/** Looks at an owner's item. Throws `bad-input` where it is not enrolled. */
export async function readUpgrade(
  chain: Chain,
  registry: Address,
  { kind, owner }: { readonly kind: 'provider' | 'scheduler'; readonly owner: Address },
): Promise<ItemUpgrade> {
  const item = (kind === 'provider' ? providerAddress : schedulerAddress)({ registry, owner })
  const { status, codeHash } = await chain.account(item)
  const view = status === 'active' && codeHash ? await readItem(chain, item) : undefined
  if (!codeHash || view?.status !== 'enrolled') {
    const action = `Register it first: chrysalis ${kind} start.`
    throw new MarketError('bad-input', { item: item.toString(), enrolled: false }, { action })
  }
  const offered = (await readRegistry(chain, registry)).kinds[kind]
  return {
    ...{ registry, item, version: view.codeVersion, codeHash: toHex(codeHash) },
    offered: { version: offered.codeVersion, codeHash: offered.codeHash },
  }
}

/** True where the registry offers newer code than the item runs. */
export function isOffered({ version, offered }: ItemUpgrade): boolean {
  return offered.version > version
}

/**
 * Takes the offered code: the owner asks, the item asks the registry, the registry answers. Throws
 * `contract-failed` where one of them refused, or the item runs other code afterwards.
 */
export async function upgradeItem(
  sender: Sender,
  { registry, item, offered }: ItemUpgrade,
  signal?: AbortSignal,
): Promise<void> {
  const body = upgradeBody()
  const hops = [
    { from: sender.wallet.address, to: item, body, name: 'item' },
    { from: item, to: registry, body: REGISTRY_PROTOCOL.askCode, name: 'registry' },
    { from: registry, to: item, body: REGISTRY_PROTOCOL.newCode, name: 'item' },
  ]
  await sendFollowed(sender, { value: ITEM_VALUE.upgrade, body }, hops, { signal })
  const { codeHash } = await sender.chain.account(item, signal)
  const runs = codeHash ? toHex(codeHash) : 'nothing'
  if (runs !== offered.codeHash) {
    throw new MarketError('contract-failed', { contract: 'item', runs, offered: offered.codeHash })
  }
}
