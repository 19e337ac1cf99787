/**
 * A provider's or scheduler's way out, while its role does not run: claim what is owed, close own
 * channels, unbond the stake, and send the rest home. Each run does what can be done by then.
 * @module
 */
import { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { type ClaimReport, claimAll } from '../../node/settlement/claims.ts'
import { type Leaving, leaveRegistry, leavingOf } from '../../node/settlement/leaving.ts'
import { openPayeeBook, type PayeeBook } from '../../node/settlement/payeeBook.ts'
import { type ClosingOwn, closeOwnChannels, ownChannels } from '../../node/settlement/payerExit.ts'
import { openRolePorts, type RolePorts } from './rolePorts.ts'

export interface ExitPlace {
  readonly home: string
  readonly network: NetworkConfig
  /** Folder of the role. */
  readonly role: string
  readonly kind: 'provider' | 'scheduler'
}

/** What is at stake before anything is sent, and what has come of it after. */
export interface ExitState {
  /** Own channels, as payer. */
  readonly channels: readonly ClosingOwn[]
  readonly registry?: Leaving
  readonly wallet: { readonly address: string; readonly balance: NanoTon }
  /** Unix seconds from when running it again does more; absent where nothing is left to do. */
  readonly againAtS?: number
}

export interface Exit {
  /** As it stands; nothing was sent. */
  readonly before: ExitState
  /** Vouchers that were not claimed yet: channels, and what they are worth at least. */
  readonly unclaimed: { readonly channels: number; readonly amount: NanoTon }
  /** Longest time from now until all is out, seconds, if nobody helps and nobody disputes. */
  readonly longestS: number
  run(home?: Address): Promise<ExitState & { readonly claims: readonly ClaimReport[] }>
  close(): Promise<void>
}

/** Kept back from what is sent home, for the fees of sending it. */
const LAST_FEES: NanoTon = 20_000_000n

/** Opens a role's keys and store for leaving. Throws `store-locked` while the role runs. */
export async function openExit(place: ExitPlace): Promise<Exit> {
  const ports = await openRolePorts({ ...place, listen: [], log: 'file' })
  const close = async () => {
    ports.directory.stop()
    await ports.transport.stop()
    await ports.store.close()
  }
  try {
    const book = await bookOf(place, ports)
    const before = await stateOf(place, ports)
    return {
      before,
      unclaimed: unclaimedOf(book),
      longestS: longestOf(before, ports),
      run: (home) => leave(place, ports, book, home),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function leave(
  place: ExitPlace,
  ports: RolePorts,
  book: PayeeBook,
  home: Address | undefined,
): Promise<ExitState & { readonly claims: readonly ClaimReport[] }> {
  const claims = await claimAll(ports, book.all())
  await closeOwnChannels(ports)
  if (ports.directory.registry) await leaveRegistry(ports, place)
  const state = await stateOf(place, ports)
  if (!home || state.againAtS !== undefined) return { ...state, claims }
  await sendHome(ports, home)
  return { ...(await stateOf(place, ports)), claims }
}

/** All but what the transfer costs. */
async function sendHome({ chain, wallet }: RolePorts, to: Address): Promise<void> {
  const { balance } = await chain.account(wallet.address)
  if (balance <= LAST_FEES) return
  await wallet.send([{ to, value: balance - LAST_FEES, bounce: false }])
}

async function stateOf({ kind }: ExitPlace, ports: RolePorts): Promise<ExitState> {
  const { chain, wallet, directory } = ports
  const channels = await ownChannels(ports)
  const registry = directory.registry ? await leavingOf(ports, { kind }) : undefined
  const { balance } = await chain.account(wallet.address)
  const waits = channels.flatMap(({ status, closeAtS }) =>
    status === 'closed' ? [] : [closeAtS ?? 0],
  )
  if (registry && registry.bonded > 0n) {
    waits.push(Math.max(registry.dueAtS ?? 0, registry.frozenUntilS ?? 0))
  }
  return {
    channels,
    ...(registry ? { registry } : {}),
    wallet: { address: wallet.address.toString(), balance },
    ...(waits.length > 0 ? { againAtS: Math.max(...waits) } : {}),
  }
}

function unclaimedOf(book: PayeeBook): Exit['unclaimed'] {
  const owed = book.all().flatMap((account) => {
    const { cumulative, claimed, deposit } = account.state()
    const most = cumulative < deposit ? cumulative : deposit
    return most > claimed ? [most - claimed] : []
  })
  return { channels: owed.length, amount: owed.reduce((sum, amount) => sum + amount, 0n) }
}

/** The longer of the close delay of own channels and the unbonding of the stake. */
function longestOf({ channels, registry }: ExitState, { directory }: RolePorts): number {
  const closing = channels.some(({ status }) => status !== 'closed') ? LIMITS.closeDelayS : 0
  const isBonded = registry !== undefined && registry.bonded > 0n
  return Math.max(closing, isBonded ? directory.current().stakes.unbondingS : 0)
}

/** The books of a payee as the role left them; nothing is served from here. */
function bookOf({ network }: ExitPlace, ports: RolePorts): Promise<PayeeBook> {
  return openPayeeBook(ports, {
    networkId: network.id,
    identity: ports.keystore.key('identity'),
    payee: ports.wallet.address,
    minCloseDelayS: LIMITS.closeDelayS,
    countersigned: () => false,
  })
}

/** An address that a person wrote. Throws `bad-input`. */
export function homeAddress(text: string): Address {
  try {
    return Address.parse(text)
  } catch {
    throw new MarketError('bad-input', { field: 'to', expected: 'an address' })
  }
}
