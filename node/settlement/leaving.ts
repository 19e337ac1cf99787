/**
 * Leaving the registry: the whole stake unbonds, and once its time has passed it is paid out.
 *
 * Nobody has to agree, and each call does what can be done now: run it again later. Cases may hold
 * back what they have frozen, for a bounded time (contracts/tolk/items/README.md).
 * @module
 */
import type { Address } from '@ton/core'
import type { NanoTon } from '../../contracts/base/units.ts'
import { type ItemView, readItem } from '../../contracts/wrappers/bondedItem.ts'
import { ITEM_VALUE, unbondBody, withdrawBody } from '../../contracts/wrappers/itemMessages.ts'
import { untilFinal } from './channelView.ts'
import { itemOf, type Membership, type RegistrationDeps, viewItem } from './registration.ts'

/** How far a node is out. */
export interface Leaving {
  readonly item: Address
  /** `none`: it never was a member. `left`: nothing of its stake is there any more. */
  readonly status: 'none' | 'unbonding' | 'left'
  /** Still bonded or on its way, nanoTON. */
  readonly bonded: NanoTon
  /** From when it is paid out; Unix seconds. */
  readonly dueAtS?: number
  /** What cases hold back of it, until `frozenUntilS`. */
  readonly frozen: NanoTon
  readonly frozenUntilS?: number
  /** Paid out in all. */
  readonly withdrawn: NanoTon
}

/** What the item of a member says about leaving; nothing is sent. Throws `no-registry`. */
export async function leavingOf(
  deps: RegistrationDeps,
  member: Pick<Membership, 'kind' | 'key'>,
): Promise<Leaving> {
  const { address } = await itemOf(deps, member)
  return describe(address, await viewItem(deps.chain, address), await deps.chain.now())
}

/**
 * Unbonds whatever is staked and withdraws whatever is due. Throws `no-registry`, `wallet-empty`,
 * `chain-unavailable`, `timeout`.
 *
 * @example
 * const { status, dueAtS } = await leaveRegistry(ports, { kind: 'provider' })
 */
export async function leaveRegistry(
  deps: RegistrationDeps,
  member: Pick<Membership, 'kind' | 'key'>,
  signal?: AbortSignal,
): Promise<Leaving> {
  const { chain, wallet } = deps
  const { address } = await itemOf(deps, member)
  let view = await viewItem(chain, address)
  if (view?.status !== 'enrolled') return describe(address, view, await chain.now())
  if (view.stake > 0n) {
    const body = unbondBody(view.stake)
    await wallet.send([{ to: address, value: ITEM_VALUE.unbond, body }], signal)
    view = await untilItem(deps, address, ({ stake }) => stake === 0n, signal)
  }
  const nowS = await chain.now()
  if (view.unbonding > 0n && nowS >= view.unbondAtS && heldBack(view, nowS) < view.unbonding) {
    const before = view.withdrawn
    await wallet.send([{ to: address, value: ITEM_VALUE.withdraw, body: withdrawBody() }], signal)
    view = await untilItem(deps, address, ({ withdrawn }) => withdrawn > before, signal)
  }
  return describe(address, view, await chain.now())
}

function describe(item: Address, view: ItemView | undefined, nowS: number): Leaving {
  if (view?.status !== 'enrolled') {
    return { item, status: 'none', bonded: 0n, frozen: 0n, withdrawn: 0n }
  }
  const { stake, unbonding, unbondAtS, withdrawn, frozenUntilS } = view
  const bonded = stake + unbonding
  const frozen = heldBack(view, nowS)
  return {
    item,
    status: bonded > 0n ? 'unbonding' : 'left',
    bonded,
    ...(unbonding > 0n ? { dueAtS: unbondAtS } : {}),
    frozen,
    ...(frozen > 0n ? { frozenUntilS } : {}),
    withdrawn,
  }
}

function heldBack({ frozen, frozenUntilS }: ItemView, nowS: number): NanoTon {
  return nowS < frozenUntilS ? frozen : 0n
}

function untilItem(
  deps: RegistrationDeps,
  address: Address,
  wanted: (view: ItemView) => boolean,
  signal?: AbortSignal,
): Promise<ItemView> {
  return untilFinal(deps, address, () => readItem(deps.chain, address), wanted, signal)
}
