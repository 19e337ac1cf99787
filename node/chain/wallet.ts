/**
 * The Wallet port: a standard wallet (v4r2) of this process, over any Chain.
 *
 * One transfer at a time, in the order asked. A transfer names the wallet's sequence number, so it
 * runs at most once however often it is sent; it is sent again until the number moves or its time
 * is over, and only then given up. That the number moved is not enough (another process may hold
 * the same key): the transaction is looked up, and what it really sent is counted.
 * @module
 */
import type { Address, Cell } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type {
  Chain,
  ChainTransaction,
  Clock,
  Wallet,
  WalletMessage,
} from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import {
  WALLET_MESSAGES,
  walletAddress,
  walletStateInit,
  walletTransfer,
} from '../../contracts/wrappers/wallet.ts'

/** Bits of a transfer before its number: signature, wallet id, time it is valid until. */
const BEFORE_SEQNO = 512 + 32 + 32

export interface WalletOptions {
  readonly chain: Chain
  readonly key: SigningKey
  readonly clock: Clock
}

/**
 * The wallet of a key; its first transfer deploys it. `send` throws `wallet-empty` where the
 * balance does not cover the values or a message was left out for want of it, `contract-failed`
 * where the wallet refuses, `timeout` where the outcome is not known in time (the transfer is void
 * by then).
 * Aborting ends the waiting; it does not call back what was sent.
 *
 * @example
 * const wallet = createWallet({ chain, key: signingKey(seed), clock })
 * await wallet.send([{ to, value: 1_000_000_000n }])
 */
export function createWallet({ chain, key, clock }: WalletOptions): Wallet {
  const address = walletAddress(key.publicKey)
  let last: Promise<unknown> = Promise.resolve()
  return {
    address,
    publicKey: key.publicKey,
    async send(messages, signal) {
      if (messages.length < 1 || messages.length > WALLET_MESSAGES) {
        throw new MarketError('bad-input', { field: 'messages', least: 1, most: WALLET_MESSAGES })
      }
      const turn = last.then(() => transfer({ chain, key, clock, address, signal }, messages))
      last = turn.catch(() => {}) // its own caller is told
      await turn
    },
  }
}

interface Sender extends WalletOptions {
  readonly address: Address
  readonly signal: AbortSignal | undefined
}

/** A signed transfer and what it must be recognised by. */
interface Transfer {
  readonly body: Cell
  readonly seqno: number
  readonly validUntilS: number
  readonly deploy: boolean
}

async function transfer(sender: Sender, messages: readonly WalletMessage[]): Promise<void> {
  for (let tries = 0; tries < LIMITS.chainTries; tries++) {
    const signed = await sign(sender, messages)
    const ran = await deliver(sender, signed)
    if (!ran) continue // void, by its time or by another transfer of its number: sign again
    if (ran.out.length === messages.length) return
    const facts = { sent: ran.out.length, asked: messages.length, exitCode: ran.exitCode }
    throw new MarketError('wallet-empty', facts)
  }
  throw new MarketError('contract-failed', { detail: 'another process sends from this wallet' })
}

async function sign(sender: Sender, messages: readonly WalletMessage[]): Promise<Transfer> {
  const { chain, address, key, signal } = sender
  const account = await chain.account(address, signal)
  const needed = messages.reduce((sum, { value }) => sum + value, 0n)
  if (account.balance < needed || account.balance === 0n) {
    const facts = { address: address.toString(), balance: account.balance, needed }
    throw new MarketError('wallet-empty', facts)
  }
  const deploy = account.status !== 'active'
  const seqno = deploy ? 0 : await seqnoOf(sender)
  const validUntilS = (await chain.now(signal)) + LIMITS.walletValidS
  return { body: walletTransfer(seqno, validUntilS, messages, key), seqno, validUntilS, deploy }
}

/** Sends until the transfer has run (then its transaction) or never will (then undefined). */
async function deliver(sender: Sender, signed: Transfer): Promise<ChainTransaction | undefined> {
  const { clock, signal } = sender
  const giveUpMs = clock.monotonicMs() + 2_000 * LIMITS.walletValidS
  let sentMs = Number.NEGATIVE_INFINITY
  while (clock.monotonicMs() < giveUpMs) {
    signal?.throwIfAborted()
    try {
      const isFirst = sentMs === Number.NEGATIVE_INFINITY
      const before = isFirst ? 'open' : await fate(sender, signed)
      if (before === 'taken' || before === 'void') return undefined
      if (before !== 'open') return before
      if (clock.monotonicMs() - sentMs >= LIMITS.walletResendMs) {
        sentMs = clock.monotonicMs()
        const refused = await offer(sender, signed)
        const after = await fate(sender, signed)
        if (after === 'taken') return undefined
        if (typeof after === 'object') return after
        // Of the first sending only: later ones are refused too where an earlier one has run.
        if (refused && isFirst) throw refused
      }
    } catch (thrown) {
      if (!isOutage(thrown)) throw thrown // whether it ran is not known yet: look again
    }
    await clock.sleep(LIMITS.chainPollMs, signal)
  }
  throw new MarketError('timeout', { validUntilS: signed.validUntilS })
}

/** Sends once; gives the contract's refusal, which may only mean that it has already run. */
async function offer(sender: Sender, signed: Transfer): Promise<MarketError | undefined> {
  const init = signed.deploy ? walletStateInit(sender.key.publicKey) : undefined
  try {
    await sender.chain.sendExternal(sender.address, signed.body, init)
  } catch (thrown) {
    if (thrown instanceof MarketError && thrown.code === 'contract-failed') return thrown
    throw thrown
  }
}

async function seqnoOf({ chain, address, signal }: Sender): Promise<number> {
  const { status } = await chain.account(address, signal)
  return status === 'active' ? (await chain.getter(address, 'seqno')).readNumber() : 0
}

/**
 * What became of a transfer: its transaction; `taken`, where another transfer of the same number
 * ran; `void`, where its time is over and it never ran; `open` otherwise. A number that has moved
 * while no transaction shows why is `open` still: servers that lag must not make anybody pay twice.
 */
async function fate(
  sender: Sender,
  { body, seqno, validUntilS }: Transfer,
): Promise<ChainTransaction | 'taken' | 'void' | 'open'> {
  const { chain, address, signal } = sender
  if ((await seqnoOf(sender)) <= seqno) {
    return (await chain.now(signal)) > validUntilS + LIMITS.walletLagS ? 'void' : 'open'
  }
  const recent = await chain.transactions(address, LIMITS.chainPage)
  const external = recent.filter((each) => !each.in.source && each.exitCode === 0)
  const ran = external.find((each) => seqnoIn(each.in.body) === seqno)
  if (!ran) return 'open'
  return ran.in.body?.equals(body) ? ran : 'taken'
}

function seqnoIn(body: Cell | undefined): number | undefined {
  const slice = body?.beginParse()
  if (!slice || slice.remainingBits < BEFORE_SEQNO + 32) return undefined
  return slice.skip(BEFORE_SEQNO).loadUint(32)
}

function isOutage(thrown: unknown): boolean {
  return (
    thrown instanceof MarketError &&
    (thrown.code === 'chain-unavailable' || thrown.code === 'timeout')
  )
}
