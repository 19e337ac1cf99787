/**
 * Sending a message and following what it sets off from contract to contract, so that a refusal is
 * told as one: that a wallet's transfer went out says nothing about who took what it sent.
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
import { exitWords } from './exitWords.ts'

export interface Sender {
  readonly chain: Chain
  readonly clock: Clock
  readonly wallet: Wallet
}

/** A message that a contract must take. */
export interface Hop {
  readonly from: Address
  readonly to: Address
  /** The message that is meant, or at least its first 32 bits: others may be on the same way. */
  readonly body: Cell | number
  /** What a person calls the receiver. */
  readonly name: string
}

/**
 * Sends `message` to the first hop's contract and waits until each hop in turn has run. Throws
 * `contract-failed` at the first that was refused, with its exit code and the reason in words (and
 * `action` as what to do), `timeout` where one is not seen in time, and what a wallet throws.
 */
export async function sendFollowed(
  { chain, clock, wallet }: Sender,
  message: Omit<WalletMessage, 'to'>,
  hops: readonly Hop[],
  { action, signal }: { readonly action?: string; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const before = await Promise.all(hops.map(({ to }) => newestLt(chain, to)))
  await wallet.send([{ ...message, to: hops[0]!.to }], signal)
  for (const [at, hop] of hops.entries()) {
    const { exitCode, aborted } = await seen({ chain, clock }, hop, before[at]!, signal)
    if (!aborted && exitCode === 0) continue
    const facts = { contract: hop.name, exitCode, reason: exitWords(exitCode) }
    throw new MarketError('contract-failed', facts, action === undefined ? {} : { action })
  }
}

function isMeant(meant: Cell | number, body: Cell): boolean {
  if (typeof meant !== 'number') return body.equals(meant)
  const slice = body.beginParse()
  return slice.remainingBits >= 32 && slice.preloadUint(32) === meant
}

async function newestLt(chain: Chain, address: Address): Promise<bigint> {
  const [newest] = await chain.transactions(address, 1)
  return newest?.lt ?? 0n
}

async function seen(
  { chain, clock }: Pick<Sender, 'chain' | 'clock'>,
  hop: Hop,
  afterLt: bigint,
  signal: AbortSignal | undefined,
): Promise<ChainTransaction> {
  const untilMs = clock.monotonicMs() + LIMITS.chainFinalMs
  const source = hop.from.toRawString()
  for (;;) {
    const found = (await chain.transactions(hop.to, LIMITS.chainPage)).find(
      ({ lt, in: inbound }) =>
        lt > afterLt &&
        inbound.source === source &&
        inbound.body !== undefined &&
        isMeant(hop.body, inbound.body),
    )
    if (found) return found
    if (clock.monotonicMs() > untilMs) {
      const facts = { waiting: hop.name, address: hop.to.toString() }
      const action = 'It may still arrive: look with chrysalis govern show before sending again.'
      throw new MarketError('timeout', facts, { action })
    }
    await clock.sleep(LIMITS.chainPollMs, signal)
  }
}
