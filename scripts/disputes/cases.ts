/**
 * Cases from the command line's side: find who is accused, open, wait for the answers, appeal,
 * conclude. Everything goes through the Chain and Wallet ports.
 * @module
 */
import type { Address } from '@ton/core'
import { toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { DisputeRules } from '../../contracts/base/marketParameters.ts'
import type { Chain, Clock, Random, Wallet } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import type { Contradiction } from '../../contracts/money/contradiction.ts'
import { bondAgainst, readItem } from '../../contracts/wrappers/bondedItem.ts'
import {
  type CaseConfig,
  type CaseState,
  type CaseView,
  caseAddress,
  caseStateInit,
  DISPUTE_CODE_HASH,
  readCase,
} from '../../contracts/wrappers/Dispute.ts'
import {
  appealBody,
  concludeBody,
  DISPUTE_VALUE,
  openBody,
} from '../../contracts/wrappers/disputeMessages.ts'
import { type ItemConfig, type ItemKind, itemAddress } from '../../contracts/wrappers/itemConfig.ts'
import { readProviderProfile } from '../../contracts/wrappers/Provider.ts'
import {
  readItemCode,
  readParameters,
  readRegistry,
} from '../../contracts/wrappers/registryView.ts'
import { readSchedulerProfile } from '../../contracts/wrappers/Scheduler.ts'
import { listItems } from '../../node/chain/itemList.ts'

export interface Court {
  readonly chain: Chain
  readonly clock: Clock
  readonly registry: Address
}

/** Kinds of items that answer for a role. */
const ANSWERS: Readonly<Record<Contradiction['role'], readonly ItemKind[]>> = {
  payee: ['scheduler', 'provider'],
  scheduler: ['scheduler'],
  provider: ['provider'],
}

export type Accused = ItemConfig & { readonly address: Address }

/**
 * The item that answers for a contradiction: the one whose profile names the signer's identity, or
 * the one of `owner`, who may have changed its profile since. Throws `unknown-provider`.
 */
export async function findAccused(
  { chain, registry }: Pick<Court, 'chain' | 'registry'>,
  { signer, role }: Pick<Contradiction, 'signer' | 'role'>,
  owner?: Address,
): Promise<Accused> {
  const { kinds } = await readRegistry(chain, registry)
  for (const kind of ANSWERS[role]) {
    if (owner) {
      const config = { registry, kind, owner }
      const address = itemAddress(await readItemCode(chain, registry, kind, 'first'), config)
      const { status } = await chain.account(address)
      if (status === 'active') return { ...config, address }
      continue
    }
    for await (const { address, item } of listItems(chain, kinds[kind].last)) {
      const identity = await identityOf(chain, kind, address)
      if (identity === signer) return { ...item.config, address }
    }
  }
  const action = 'Name its owner with --owner, if you know it; without an item nobody answers.'
  throw new MarketError('unknown-provider', { signer, role }, { action })
}

/** Identity key (hex) in an item's profile; undefined where it says none. */
export async function identityOf(
  chain: Chain,
  kind: ItemKind,
  address: Address,
): Promise<string | undefined> {
  try {
    if (kind === 'gpu') return undefined
    const read = kind === 'provider' ? readProviderProfile : readSchedulerProfile
    return toHex((await read(chain, address)).identity)
  } catch (error) {
    // An item that says nothing readable of itself is nobody's.
    if (error instanceof MarketError && error.code !== 'chain-unavailable') return undefined
    throw error
  }
}

/** The rules that a case opened now would have. Throws where this software knows other cases. */
export async function rulesOf({ chain, registry }: Court): Promise<DisputeRules> {
  const view = await readRegistry(chain, registry)
  if (view.disputeCodeHash !== DISPUTE_CODE_HASH) {
    throw new MarketError('version-mismatch', { contract: 'dispute', code: view.disputeCodeHash })
  }
  const parameters = await readParameters(chain, registry)
  if (!parameters) throw new MarketError('bad-frame', { record: 'parameters' })
  return parameters.disputes
}

/** What a case against this item must risk now: more where many cases stand already. */
export async function leastBondAgainst(court: Court, { address }: Accused): Promise<NanoTon> {
  const { leastBond } = await rulesOf(court)
  return bondAgainst(await readItem(court.chain, address), leastBond)
}

/**
 * Opens a case and waits until registry and item have answered. Throws `bad-input` where the bond
 * is below the least against this item (`leastBondAgainst`, the default) or challenger and accused
 * are one, `wallet-empty`, `chain-unavailable`.
 */
export async function openCase(
  court: Court & { readonly random: Random; readonly wallet: Wallet },
  claim: {
    readonly accused: Accused
    readonly evidence: Uint8Array
    readonly amount: NanoTon
    readonly bond?: NanoTon
  },
): Promise<{ readonly address: Address; readonly view: CaseView }> {
  const { registry, random, wallet } = court
  const least = await leastBondAgainst(court, claim.accused)
  const bond = claim.bond ?? least
  if (bond < least) throw new MarketError('bad-input', { bond, least })
  const { kind, owner, key } = claim.accused
  if (owner.equals(wallet.address)) throw new MarketError('bad-input', { accused: 'oneself' })
  const config: CaseConfig = {
    ...{ registry, nonce: random.bytes(16), challenger: wallet.address },
    accused: { kind, owner, ...(key ? { key } : {}) },
  }
  const to = caseAddress(config)
  const body = openBody(claim.evidence, claim.amount)
  const value = bond + DISPUTE_VALUE.open
  await wallet.send([{ to, value, body, init: caseStateInit(config) }])
  const view = await untilState(court, to, (state) => state !== 'asked' && state !== 'opened')
  return { address: to, view }
}

/** Appeals with the least bond allowed. Throws `bad-input` where the case or the time is over. */
export async function appealCase(
  court: Court & { readonly wallet: Wallet },
  to: Address,
  bond?: NanoTon,
): Promise<CaseView> {
  const { chain, wallet } = court
  const view = await readCase(chain, to)
  const { challenger, accused } = view.config
  const loser = view.first?.uphold ? accused.owner : challenger
  if (view.state !== 'judged' || (await chain.now()) >= view.deadlineS) {
    throw new MarketError('bad-input', { case: view.state, deadlineS: view.deadlineS })
  }
  if (!wallet.address.equals(loser)) {
    throw new MarketError('bad-input', { wallet: `${wallet.address}`, loser: `${loser}` })
  }
  const stake = bond ?? view.bond
  if (stake < view.bond) throw new MarketError('bad-input', { bond: stake, least: view.bond })
  await wallet.send([{ to, value: stake + DISPUTE_VALUE.appeal, body: appealBody() }])
  return untilState(court, to, (state) => state !== 'judged')
}

/** Ends a case, or tells its end again. Throws `bad-input` before its deadline. */
export async function concludeCase(
  court: Court & { readonly wallet: Wallet },
  to: Address,
): Promise<CaseView> {
  const { chain, wallet } = court
  const { state, deadlineS } = await readCase(chain, to)
  if ((await chain.now()) < deadlineS) throw new MarketError('bad-input', { state, deadlineS })
  const isOver = state === 'concluded' || state === 'void'
  const value = isOver ? DISPUTE_VALUE.concludeAgain : DISPUTE_VALUE.conclude
  await wallet.send([{ to, value, body: concludeBody() }])
  return untilState(court, to, (now) => now === 'concluded' || now === 'void')
}

/** Reads the case until it is in a state that is waited for. Throws `timeout` with its state. */
export async function untilState(
  { chain, clock }: Pick<Court, 'chain' | 'clock'>,
  at: Address,
  isReached: (state: CaseState) => boolean,
): Promise<CaseView> {
  const untilMs = clock.monotonicMs() + LIMITS.chainFinalMs
  for (;;) {
    const { status } = await chain.account(at)
    const view = status === 'active' ? await readOpened(chain, at) : undefined
    if (view && isReached(view.state)) return view
    if (clock.monotonicMs() > untilMs) {
      const action = 'Look again later: `chrysalis dispute show`; after an hour, conclude it.'
      throw new MarketError('timeout', { case: `${at}`, state: view?.state }, { action })
    }
    await clock.sleep(LIMITS.chainPollMs)
  }
}

/** A case that a stranger deployed is there before it is opened. */
async function readOpened(chain: Chain, at: Address): Promise<CaseView | undefined> {
  try {
    return await readCase(chain, at)
  } catch (error) {
    const code = error instanceof MarketError ? error.code : ''
    if (code === 'no-case' || code === 'contract-failed') return undefined
    throw error
  }
}
