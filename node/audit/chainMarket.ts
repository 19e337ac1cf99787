/**
 * The market as the chain shows it, summed off chain from the getters of each contract: who is a
 * member, what they have staked, which channels they hold, which cases are open, who rules, and
 * whether every account covers what it owes. Anyone can recompute it; nobody needs to be believed.
 *
 * Members come from the registry's list. Channels and cases are not listed anywhere: those are
 * found that members' wallets, the registry and accused items lately dealt with, so their sums are
 * what was found, no total.
 * @module
 */
import type { Address } from '@ton/core'
import { toHex } from '../../contracts/base/bytes.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  type ItemKind,
  type ItemView,
  isLive,
  readItemSolvency,
} from '../../contracts/wrappers/bondedItem.ts'
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
import { accountsAround } from './chainAccounts.ts'
import { type CaseSums, sumCases } from './chainCases.ts'
import { type ChannelSums, type JettonSums, sumChannels } from './chainChannels.ts'
import { type Rulers, readRulers } from './chainRulers.ts'

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

export interface ChainMarket {
  readonly registry: RegistryView
  readonly solvency: RegistrySolvency
  readonly parameters: ListedParameters
  readonly kinds: Readonly<Record<ItemKind, KindSums>>
  /** Distinct devices of live GPU items: one that two owners registered counts once. */
  readonly devices: number
  /** Of TON. */
  readonly channels: ChannelSums
  readonly jettonChannels: readonly JettonSums[]
  readonly cases: CaseSums
  readonly rulers: Rulers
  readonly atS: number
}

/**
 * Sums a market. Throws `no-registry` where there is none, `chain-unavailable`.
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
  const [members, frozen]: [Address[], Address[]] = [[], []]
  const kinds: Partial<Record<ItemKind, KindSums>> = {}
  for (const kind of ITEM_KINDS) {
    const items = await walk(chain, view.kinds[kind].last, signal)
    for (const { address, item } of items) {
      members.push(address)
      if (item.frozen > 0n && atS < item.frozenUntilS) frozen.push(address)
      owners.set(item.config.owner.toRawString(), item.config.owner)
      const isCounted = kind === 'gpu' && isLive(item, parameters!.stakes.gpu, atS)
      if (isCounted && item.config.key) devices.add(toHex(item.config.key))
    }
    const least = parameters!.stakes[kind]
    kinds[kind] = await sumKind(chain, view.kinds[kind].count, items, least, atS)
  }
  const watched = [registry, ...owners.values(), ...frozen]
  const accounts = await accountsAround(chain, watched, members, signal)
  const { ton, jettons } = await sumChannels(chain, accounts, signal)
  return {
    registry: view,
    solvency,
    parameters: parameters!,
    kinds: kinds as Record<ItemKind, KindSums>,
    devices: devices.size,
    channels: ton,
    jettonChannels: jettons,
    cases: await sumCases(chain, registry, accounts, atS),
    rulers: await readRulers(chain, view.owner, signal),
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
