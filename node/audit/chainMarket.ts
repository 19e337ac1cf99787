/**
 * The market as the chain shows it, summed off chain from the getters of each contract: who is a
 * member, what they have staked, which channels they hold, and whether every account covers what it
 * owes. Anyone can recompute it; nobody needs to be believed.
 *
 * Members come from the registry's list. Channels are not listed anywhere: those are found that
 * members' wallets lately dealt with, so the sums of channels are what was found, no total.
 * @module
 */
import { Address } from '@ton/core'
import { toHex } from '../../contracts/base/bytes.ts'
import { asMarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  type ItemKind,
  type ItemView,
  isLive,
  readItemSolvency,
} from '../../contracts/wrappers/bondedItem.ts'
import { CHANNEL_CODE_HASH, CHANNEL_FLOOR, readChannel } from '../../contracts/wrappers/Channel.ts'
import { ITEM_KINDS } from '../../contracts/wrappers/itemConfig.ts'
import type { ListedParameters } from '../../contracts/wrappers/parameters.ts'
import {
  type RegistrySolvency,
  type RegistryView,
  readParameters,
  readRegistry,
  readSolvency,
} from '../../contracts/wrappers/registryView.ts'
import { type ListedItem, listItems } from '../chain/itemList.ts'

/** Sums over the items of one kind, nanoTON. */
export interface KindSums {
  /** As the registry counts them. */
  readonly enrolled: number
  /** As the list was walked: fewer where it is long, or an item is frozen for want of rent. */
  readonly walked: number
  readonly live: number
  readonly staked: NanoTon
  readonly unbonding: NanoTon
  readonly frozen: NanoTon
  readonly slashed: NanoTon
  readonly withdrawn: NanoTon
  /** Items whose account does not cover what it owes. */
  readonly insolvent: readonly string[]
}

/** Sums over the channels that were found, nanoTON. */
export interface ChannelSums {
  readonly found: number
  readonly open: number
  readonly closing: number
  readonly closed: number
  readonly deposited: NanoTon
  readonly claimed: NanoTon
  /** Deposited and not claimed. */
  readonly locked: NanoTon
  /** Channels whose account does not cover what is locked. */
  readonly insolvent: readonly string[]
}

export interface ChainMarket {
  readonly registry: RegistryView
  readonly solvency: RegistrySolvency
  readonly parameters: ListedParameters
  readonly kinds: Readonly<Record<ItemKind, KindSums>>
  /** Distinct devices of live GPU items: one that two owners registered counts once. */
  readonly devices: number
  readonly channels: ChannelSums
  readonly atS: number
}

/** Transactions of each member's wallet in which channels are looked for. */
const RECENT = 100

/**
 * Sums a market. Throws `contract-failed` where there is no registry, `chain-unavailable`.
 *
 * @example
 * const { kinds, channels } = await sumMarket(chain, registry)
 */
export async function sumMarket(
  chain: Chain,
  registry: Address,
  signal?: AbortSignal,
): Promise<ChainMarket> {
  const view = await readRegistry(chain, registry)
  const [solvency, parameters, atS] = await Promise.all([
    readSolvency(chain, registry),
    readParameters(chain, registry, view.parametersVersion),
    chain.now(signal),
  ])
  const owners = new Map<string, Address>()
  const devices = new Set<string>()
  const kinds: Partial<Record<ItemKind, KindSums>> = {}
  for (const kind of ITEM_KINDS) {
    const items = await walk(chain, view.kinds[kind].last, signal)
    for (const { item } of items) {
      owners.set(item.config.owner.toRawString(), item.config.owner)
      const isCounted = kind === 'gpu' && isLive(item, parameters!.stakes.gpu, atS)
      if (isCounted && item.config.key) devices.add(toHex(item.config.key))
    }
    const least = parameters!.stakes[kind]
    kinds[kind] = await sumKind(chain, view.kinds[kind].count, items, least, atS)
  }
  return {
    registry: view,
    solvency,
    parameters: parameters!,
    kinds: kinds as Record<ItemKind, KindSums>,
    devices: devices.size,
    channels: await sumChannels(chain, [...owners.values()], signal),
    atS,
  }
}

async function walk(
  chain: Chain,
  last: Address | undefined,
  signal?: AbortSignal,
): Promise<ListedItem[]> {
  const items: ListedItem[] = []
  for await (const listed of listItems(chain, last, signal)) items.push(listed)
  return items
}

async function sumKind(
  chain: Chain,
  enrolled: number,
  items: readonly ListedItem[],
  leastStake: NanoTon,
  nowS: number,
): Promise<KindSums> {
  const sum = (figure: (item: ItemView) => NanoTon) =>
    items.reduce((total, { item }) => total + figure(item), 0n)
  const insolvent: string[] = []
  for (const { address } of items) {
    if (!(await readItemSolvency(chain, address)).solvent) insolvent.push(address.toString())
  }
  return {
    enrolled,
    walked: items.length,
    live: items.filter(({ item }) => isLive(item, leastStake, nowS)).length,
    staked: sum(({ stake }) => stake),
    unbonding: sum(({ unbonding }) => unbonding),
    // What a case has frozen lapses by itself.
    frozen: sum(({ frozen, frozenUntilS }) => (nowS < frozenUntilS ? frozen : 0n)),
    slashed: sum(({ slashed }) => slashed),
    withdrawn: sum(({ withdrawn }) => withdrawn),
    insolvent,
  }
}

async function sumChannels(
  chain: Chain,
  owners: readonly Address[],
  signal?: AbortSignal,
): Promise<ChannelSums> {
  const counts = { open: 0, closing: 0, closed: 0 }
  let [deposited, claimed, locked] = [0n, 0n, 0n]
  const insolvent: string[] = []
  const addresses = await channelsOf(chain, owners, signal)
  for (const address of addresses) {
    const [channel, { balance }] = await Promise.all([
      readChannel(chain, address),
      chain.account(address, signal),
    ])
    counts[channel.status]++
    deposited += channel.deposited
    claimed += channel.claimed
    const owed = channel.deposited - channel.claimed
    locked += owed
    if (owed > 0n && balance < owed + CHANNEL_FLOOR) insolvent.push(address.toString())
  }
  return { found: addresses.length, ...counts, deposited, claimed, locked, insolvent }
}

/** Accounts with the channel's code that the wallets paid or were paid by lately, each once. */
async function channelsOf(
  chain: Chain,
  owners: readonly Address[],
  signal?: AbortSignal,
): Promise<Address[]> {
  const partners = new Map<string, Address>()
  for (const owner of owners) {
    const recent = await chain
      .transactions(owner, Math.min(RECENT, LIMITS.chainPage))
      .catch((thrown: unknown) => {
        // A wallet that has never sent anything has no transactions to show.
        if (asMarketError(thrown).code === 'chain-unavailable') throw thrown
        return []
      })
    for (const { in: message, out } of recent) {
      const texts = [message.source, ...out.map(({ destination }) => destination)]
      for (const text of texts) if (text) partners.set(text, Address.parse(text))
    }
  }
  const found: Address[] = []
  for (const address of partners.values()) {
    const { codeHash } = await chain.account(address, signal)
    if (codeHash && toHex(codeHash) === CHANNEL_CODE_HASH) found.push(address)
  }
  return found
}
