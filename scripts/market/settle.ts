/**
 * Settling a whole market and adding it up: every voucher claimed, every account equal on both
 * sides and with the chain, and not one nanoTON missing.
 * @module
 */
import { Address } from '@ton/core'
import type { Market } from '../../client/types.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { parseNano } from '../../contracts/base/units.ts'
import type { Localnet } from '../../node/localnet/localnet.ts'
import type { ClaimReport } from '../../node/settlement/claims.ts'
import { createClock } from '../../node/system/clock.ts'
import type { RunningProvider, RunningScheduler } from './roles.ts'

/** What was claimed, by which transactions, and whether everything adds up. */
export interface Settlement {
  /** In the asset of this market's client. */
  readonly claimed: { readonly clientChannel: bigint; readonly providerChannel: bigint }
  /** Hashes of the claiming transactions. */
  readonly transactions: readonly string[]
  /** Minted = balances + fees + in flight, to the nanoTON; every account agrees with the chain. */
  readonly conserved: boolean
  readonly totals: Totals
}

/** Sums over the whole localnet, in nanoTON. */
export interface Totals {
  readonly minted: bigint
  readonly balances: bigint
  readonly fees: bigint
  readonly inFlight: bigint
}

interface Parties {
  readonly localnet: Localnet
  readonly scheduler: RunningScheduler
  readonly providers: readonly RunningProvider[]
  readonly market: Market
}

/** Claims on both legs, then compares what each side and the chain say. */
export async function settleMarket(parties: Parties): Promise<Settlement> {
  const { scheduler, providers, localnet, market } = parties
  const providerClaims = await Promise.all(providers.map(({ role }) => role.settle()))
  const clientClaims = await scheduler.role.settle()
  const claims = [...clientClaims, ...providerClaims.flat()]
  const totals = await settledTotals(localnet)
  const { channel } = await market.balance()
  const sum = (reports: readonly ClaimReport[]) =>
    reports
      .filter(({ asset }) => asset === channel.asset)
      .reduce((total, { claimed }) => total + claimed, 0n)
  const agrees = clientClaims.some(
    (claim) => Address.parse(channel.address).toRawString() === claim.channel,
  )
  return {
    claimed: { clientChannel: sum(clientClaims), providerChannel: sum(providerClaims.flat()) },
    transactions: await claimTransactions(scheduler, claims),
    conserved:
      totals.minted === totals.balances + totals.fees + totals.inFlight &&
      totals.inFlight === 0n &&
      agrees &&
      channel.claimed === channel.signed,
    totals,
  }
}

/** The localnet's sums once the last payout has arrived: blocks after its claim. */
export async function settledTotals(localnet: Localnet): Promise<Totals> {
  const clock = createClock()
  const untilMs = clock.monotonicMs() + LIMITS.chainFinalMs
  for (;;) {
    const totals = await readTotals(localnet)
    if (totals.inFlight === 0n || clock.monotonicMs() >= untilMs) return totals
    await clock.sleep(LIMITS.chainPollMs)
  }
}

/** The localnet's own sums. */
async function readTotals(localnet: Localnet): Promise<Totals> {
  const response = await fetch(`${localnet.url}/control/totals`)
  if (!response.ok) throw new MarketError('chain-unavailable', { status: response.status })
  const answer = (await response.json()) as { result?: Record<string, string> }
  const field = (name: string) => parseNano(answer.result?.[name] ?? '')
  return {
    minted: field('minted'),
    balances: field('balances'),
    fees: field('fees'),
    inFlight: field('inFlight'),
  }
}

/** The transaction on each channel that paid its claim: its newest. */
async function claimTransactions(
  { ports }: RunningScheduler,
  claims: readonly ClaimReport[],
): Promise<string[]> {
  const moved = claims.filter((claim) => claim.moved > 0n)
  const newest = await Promise.all(
    moved.map((claim) => ports.chain.transactions(Address.parseRaw(claim.channel), 1)),
  )
  return newest.flatMap((list) => list.map((transaction) => transaction.hash))
}
