/**
 * A node's place in the registry: enrolled at its first start, seen by a heartbeat each week, its
 * profile kept as the node is now, and left again by unbonding.
 *
 * The chain is the only memory: every look compares the item as it stands with what the node wants,
 * so a crash at any moment is mended by the next look.
 * @module
 */
import type { Address, Cell } from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain, Clock, Directory, Logger, Wallet } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import {
  type ItemConfig,
  type ItemKind,
  type ItemView,
  itemAddress,
  itemStateInit,
  readItem,
  readItemSolvency,
} from '../../contracts/wrappers/bondedItem.ts'
import {
  addStakeBody,
  addStakeValue,
  heartbeatBody,
  ITEM_VALUE,
  registerBody,
} from '../../contracts/wrappers/itemMessages.ts'
import { readItemCode } from '../../contracts/wrappers/registryView.ts'

export interface RegistrationDeps {
  readonly chain: Chain
  readonly wallet: Wallet
  readonly directory: Directory
  readonly clock: Clock
  readonly logger: Logger
}

/** What a node wants its item to say. */
export interface Membership {
  readonly kind: ItemKind
  /** Device id, for a GPU. */
  readonly key?: Bytes
  /** Stake to give where the parameters ask for less; default: what they ask for. */
  readonly stakeNano?: NanoTon
  /** The profile of now, as a cell. */
  profile(): Cell | Promise<Cell>
  /** Hash of the node's books, and of its price sheet. */
  anchor(): Bytes
  sheet(): Bytes
}

export interface Registration {
  /** The node's item. */
  readonly address: Address
  /** Brings the item up to date now, where it differs. */
  look(signal?: AbortSignal): Promise<ItemView>
  stop(): void
}

/**
 * Sees to it that the wallet's owner is a member of `kind`, now and until `stop`. Throws
 * `no-registry` on a network without one, `registration-refused` where the registry does not take
 * it, `wallet-empty`, `chain-unavailable`.
 *
 * @example
 * const { address } = await keepRegistered(ports, { kind: 'provider', profile, anchor, sheet })
 */
export async function keepRegistered(
  deps: RegistrationDeps,
  membership: Membership,
  signal?: AbortSignal,
): Promise<Registration> {
  const item = await itemOf(deps, membership)
  let turn: Promise<unknown> = Promise.resolve()
  const look = (lookSignal?: AbortSignal) => {
    const next = turn.then(() => bringUpToDate(deps, membership, item, lookSignal))
    turn = next.catch(() => undefined) // the caller has the error
    return next
  }
  await look(signal)
  const stopping = new AbortController()
  void keepLooking(deps, look, stopping.signal)
  const stop = () => stopping.abort(new MarketError('aborted'))
  return { address: item.address, look, stop }
}

/** Configuration, first code and address of the wallet's item of a kind. Throws `no-registry`. */
export async function itemOf(
  { chain, wallet, directory }: Pick<RegistrationDeps, 'chain' | 'wallet' | 'directory'>,
  { kind, key }: Pick<Membership, 'kind' | 'key'>,
): Promise<OwnItem> {
  const { registry } = directory
  if (!registry) throw new MarketError('no-registry', { network: chain.networkId })
  const config: ItemConfig = { registry, owner: wallet.address, kind, ...(key ? { key } : {}) }
  const code = await readItemCode(chain, registry, kind, 'first')
  return { config, code, address: itemAddress(code, config) }
}

export interface OwnItem {
  readonly config: ItemConfig
  /** First code of its kind. */
  readonly code: Cell
  readonly address: Address
}

async function keepLooking(
  { clock, logger }: RegistrationDeps,
  look: (signal: AbortSignal) => Promise<ItemView>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(LIMITS.registrationLookMs, signal)
      await look(signal)
    } catch (thrown) {
      const { code } = asMarketError(thrown)
      if (!signal.aborted) logger.warn({ code }, 'the item in the registry is not up to date')
    }
  }
}

async function bringUpToDate(
  deps: RegistrationDeps,
  membership: Membership,
  item: OwnItem,
  signal?: AbortSignal,
): Promise<ItemView> {
  const { directory, chain, logger } = deps
  const { kind } = membership
  const asked = directory.current().stakes[kind]
  const stake = (membership.stakeNano ?? 0n) > asked ? membership.stakeNano! : asked
  const known = await viewItem(chain, item.address)
  if (known?.status !== 'enrolled') {
    if (known?.status !== 'pending') await register(deps, membership, item, stake, signal)
    const view = await untilDecided(deps, item.address, signal)
    if (view?.status !== 'enrolled') throw new MarketError('registration-refused', { kind })
    logger.info({ kind, item: item.address.toString(), stake }, 'registered')
    return view
  }
  // Whoever is leaving is not pulled back: its stake is below, and it says so by its unbonding.
  if (known.stake < stake && known.unbonding === 0n) {
    await addStake(deps, item, stake - known.stake, signal)
  }
  if (await isDue(deps, membership, item, known)) await beat(deps, membership, item, signal)
  return readItem(chain, item.address)
}

/** The item, or undefined where there is no such account yet. */
export async function viewItem(chain: Chain, address: Address): Promise<ItemView | undefined> {
  const { status } = await chain.account(address)
  return status === 'active' ? readItem(chain, address) : undefined
}

async function register(
  { wallet }: RegistrationDeps,
  membership: Membership,
  { config, code, address }: OwnItem,
  stake: NanoTon,
  signal?: AbortSignal,
): Promise<void> {
  const body = registerBody(stake, await membership.profile())
  const init = itemStateInit(code, config)
  await wallet.send([{ to: address, value: stake + ITEM_VALUE.register, body, init }], signal)
}

/** Waits for the registry's answer. Throws `timeout`. */
async function untilDecided(
  { chain, clock }: RegistrationDeps,
  address: Address,
  signal?: AbortSignal,
): Promise<ItemView | undefined> {
  const untilMs = clock.monotonicMs() + LIMITS.chainFinalMs
  for (let seen = false; ; ) {
    const view = await viewItem(chain, address)
    if (view?.status === 'enrolled') return view
    // Blank after it was pending: refused. Blank before: its own message has not run yet.
    if (view?.status === 'blank' && seen) return view
    seen ||= view !== undefined
    if (clock.monotonicMs() > untilMs) {
      throw new MarketError('timeout', { waiting: 'registry', item: address.toString() })
    }
    await clock.sleep(LIMITS.chainPollMs, signal)
  }
}

async function addStake(
  { chain, wallet }: RegistrationDeps,
  { address }: OwnItem,
  amount: NanoTon,
  signal?: AbortSignal,
): Promise<void> {
  const value = addStakeValue(amount, await readItemSolvency(chain, address))
  await wallet.send([{ to: address, value, body: addStakeBody(amount) }], signal)
}

/** A week has passed, or the node is not what its item says. */
async function isDue(
  { chain }: RegistrationDeps,
  membership: Membership,
  { address }: OwnItem,
  { seenAtS }: ItemView,
): Promise<boolean> {
  if ((await chain.now()) >= seenAtS + LIMITS.itemHeartbeatS) return true
  if (membership.kind === 'gpu') return false // renewed at most weekly, whatever has changed
  const shown = (await chain.getter(address, 'get_profile')).pop()
  return shown.type !== 'cell' || !shown.cell.equals(await membership.profile())
}

async function beat(
  { wallet, logger }: RegistrationDeps,
  membership: Membership,
  { address }: OwnItem,
  signal?: AbortSignal,
): Promise<void> {
  const heartbeat = {
    anchor: membership.anchor(),
    sheet: membership.sheet(),
    profile: await membership.profile(),
  }
  const body = heartbeatBody(heartbeat)
  await wallet.send([{ to: address, value: ITEM_VALUE.heartbeat, body }], signal)
  logger.info({ kind: membership.kind, item: address.toString() }, 'seen in the registry')
}
