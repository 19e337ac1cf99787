/**
 * Accounts of the simulated ledger: what stands on one, the messages that reach it, the code that a
 * StateInit brings, and the fees that an account pays by its size (rent, import).
 *
 * Used by `simulatedLedger.ts` and `simulatedCompute.ts`.
 * @module
 */
import {
  type Address,
  beginCell,
  type Cell,
  contractAddress,
  type StateInit,
  storeStateInit,
} from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { ChainPrices } from '../../contracts/base/chainPrices.ts'
import type { ChainTransaction } from '../../contracts/base/ports.ts'
import { lesser, type NanoTon } from '../../contracts/base/units.ts'
import { CHANNEL_CODE_HASH, parseChannelData } from '../../contracts/wrappers/Channel.ts'
import { WALLET_CODE_HASH } from '../../contracts/wrappers/wallet.ts'
import { channelSize } from './simulatedChannel.ts'
import type { ChannelState } from './simulatedChannelParts.ts'
import { forwardFee, sizeOf, storageFee } from './simulatedFees.ts'

/** What runs at an account. `plain` takes every message: code this model does not know. */
export type SimulatedCode =
  | { readonly kind: 'channel'; state: ChannelState }
  | { readonly kind: 'wallet'; readonly publicKey: Bytes; seqno: number }
  | { readonly kind: 'plain' }

export interface SimulatedAccount {
  readonly address: Address
  balance: NanoTon
  code?: SimulatedCode
  codeHash?: Bytes
  /** Unix seconds until which rent is paid. */
  paidUntilS: number
  /** Rent that the balance did not cover: the next messages pay it first. */
  debt: NanoTon
  /** Newest last; the oldest are forgotten beyond `LIMITS.simulatedTransactions`. */
  readonly transactions: ChainTransaction[]
}

/** A message to an account, from a contract or from outside. */
export interface LedgerMessage {
  readonly to: Address
  readonly body: Cell
  readonly init?: StateInit
  /** None for an external message. */
  readonly from?: Address
  readonly value: NanoTon
  readonly bounce: boolean
  readonly bounced: boolean
}

/** All that a ledger knows. */
export interface World {
  readonly networkId: number
  readonly prices: ChainPrices
  readonly accounts: Map<string, SimulatedAccount>
  fees: NanoTon
  faucet: NanoTon
  lt: bigint
}

/** Takes rent from the balance; what it lacks stays as a debt. Gives what was taken. */
export function payRent(account: SimulatedAccount, due: NanoTon, nowS: number): NanoTon {
  const rent = lesser(due, account.balance)
  account.debt = due - rent
  account.balance -= rent
  account.paidUntilS = nowS
  return rent
}

export function rentDue(world: World, account: SimulatedAccount, nowS: number): NanoTon {
  if (account.code?.kind !== 'channel') return account.debt
  const size = channelSize(account.code.state, account.balance)
  return account.debt + storageFee(world.prices, size, account.paidUntilS, nowS)
}

export function importFee(world: World, message: LedgerMessage): NanoTon {
  const roots = [message.body]
  if (message.init) roots.push(beginCell().store(storeStateInit(message.init)).endCell())
  const { bits, cells } = sizeOf(roots)
  return forwardFee(world.prices, bits, cells)
}

export function codeOf(init: StateInit): SimulatedCode {
  if (!init.code || !init.data) return { kind: 'plain' }
  const hash = init.code.hash().toString('hex')
  if (hash === CHANNEL_CODE_HASH) return { kind: 'channel', state: parseChannelData(init.data) }
  if (hash !== WALLET_CODE_HASH) return { kind: 'plain' }
  const data = init.data.beginParse()
  const seqno = data.loadUint(32)
  data.skip(32)
  return { kind: 'wallet', seqno, publicKey: new Uint8Array(data.loadBuffer(32)) }
}

export function hashOf(init: StateInit): Bytes | undefined {
  return init.code ? new Uint8Array(init.code.hash()) : undefined
}

export function matches(init: StateInit, address: Address): boolean {
  return contractAddress(address.workChain, init).equals(address)
}

export function accountOf(world: World, address: Address): SimulatedAccount {
  const key = address.toRawString()
  const known = world.accounts.get(key)
  if (known) return known
  const fresh: SimulatedAccount = {
    address,
    balance: 0n,
    paidUntilS: 0,
    debt: 0n,
    transactions: [],
  }
  world.accounts.set(key, fresh)
  return fresh
}
