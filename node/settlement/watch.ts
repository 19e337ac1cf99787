/**
 * The payee's watch over its channels on chain: claims in time, and keeps the books fresh.
 *
 * Level-triggered: a look compares what the chain says with what the books hold and acts on the
 * difference, so a missed look, a restart or an outage needs no repair but the next look. A payer
 * that starts closing is answered with a claim at once: until its delay has passed (24 h at least)
 * every voucher still pays. A top-up becomes usable, and a closing channel takes no new jobs, as
 * soon as it is seen. Run by both serving roles through `settler.ts`.
 * Clauses: contracts/tolk/channel/README.md; a payee claims rarely.
 * @module
 */
import { asMarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Logger } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { claimable, type PayeeState } from '../../contracts/money/payee.ts'
import type { ChannelConfig, ChannelView } from '../../contracts/wrappers/Channel.ts'
import { channelAddress, kindOf } from './channelKind.ts'
import { viewChannel } from './channelView.ts'
import { type ClaimDeps, type ClaimReport, claimAll } from './claims.ts'
import { orAborted } from './orAborted.ts'
import type { PayeeAccount } from './payeeAccount.ts'

export type WatchAction = 'claim' | 'refresh' | 'nothing'

export interface WatchSettings {
  /** Claims an open channel from this amount on; default: what an external claim must move. */
  readonly claimFrom?: NanoTon
  /** Claims one account; default `claimAll`. A role hands in its own, so that claims take turns. */
  readonly claim?: (account: PayeeAccount, signal?: AbortSignal) => Promise<readonly ClaimReport[]>
}

export interface WatchDeps extends ClaimDeps {
  readonly logger: Logger
}

export interface ChannelWatch {
  /** Ends the watch; resolves when nothing of it runs any more. What was sent may still arrive. */
  stop(): Promise<void>
}

/** When to claim, and from which kind of channel; of TON where it is not said. */
interface RuleSettings extends Pick<WatchSettings, 'claimFrom'> {
  readonly config?: Pick<ChannelConfig, 'minter'>
}

/**
 * What to do about a channel: `view` is the chain's word, `books` are the payee's own.
 *
 * `claim` where the payer has begun to close and the rest is worth its fees (a closed channel may
 * owe a payout that bounced), or where an open channel has reached the threshold; else `refresh`
 * where the books are behind the chain.
 *
 * @example
 * if (watchRule(view, account.state()) === 'claim') await claimAll(deps, [account])
 */
export function watchRule(
  view: ChannelView,
  books: PayeeState,
  { claimFrom, config = {} }: RuleSettings = {},
): WatchAction {
  const unclaimed = unclaimedOn(view, books)
  const { claimFees, worthClaiming } = kindOf(config)
  const enough = claimFrom === undefined ? worthClaiming(view, unclaimed) : unclaimed >= claimFrom
  if (unclaimed > claimFees && (view.status !== 'open' || enough)) return 'claim'
  return isBehind(view, books) ? 'refresh' : 'nothing'
}

/** What the best voucher would move now, as the chain stands. */
export function unclaimedOn(view: ChannelView, books: PayeeState): NanoTon {
  return claimable({ ...books, deposit: view.deposited, claimed: view.claimed })
}

/**
 * Looks once at one channel and does what the rule says. Throws `chain-unavailable`, `timeout`,
 * `store-failed`; a claim that fails is logged, and tried again at the next look.
 */
export async function lookAt(
  deps: WatchDeps,
  account: PayeeAccount,
  settings: WatchSettings = {},
  signal?: AbortSignal,
): Promise<WatchAction> {
  const view = await orAborted(viewChannel(deps.chain, channelAddress(account.config)), signal)
  if (!view) return 'nothing'
  const books = account.state()
  const { config } = account
  const action = watchRule(view, books, { ...settings, config })
  if (view.status !== 'open' && view.status !== books.status) sayClosing(deps, view, account)
  if (isBehind(view, books)) await account.refresh(view)
  const claim = settings.claim ?? ((each, stop) => claimAll(deps, [each], stop))
  if (action === 'claim') await orAborted(claim(account, signal), signal)
  return action
}

/**
 * Watches the channels that `accounts` gives: each that is live or has something to claim is looked
 * at every `LIMITS.watchMs`, one at a time and spread over that time; after a start, at once. While
 * the chain cannot be reached, looks come further and further apart. A failed store ends the watch:
 * nothing may be claimed that cannot be written down.
 *
 * @example
 * const watch = watchChannels({ chain, wallet, clock, logger }, () => book.all())
 * await watch.stop()
 */
export function watchChannels(
  deps: WatchDeps,
  accounts: () => readonly PayeeAccount[],
  settings: WatchSettings = {},
): ChannelWatch {
  const stopping = new AbortController()
  const running = watch(deps, accounts, settings, stopping.signal)
  return {
    stop() {
      stopping.abort()
      return running
    },
  }
}

async function watch(
  deps: WatchDeps,
  accounts: () => readonly PayeeAccount[],
  settings: WatchSettings,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deps
  let failures = 0
  try {
    for (let round = 0; ; round++) {
      const due = accounts().filter(needsLook)
      if (due.length === 0) await clock.sleep(LIMITS.watchMs, signal)
      // Spread, so that a payee with many channels never sends a burst of reads.
      const spread = round === 0 ? 0 : LIMITS.watchMs / due.length
      for (const account of due) {
        await clock.sleep(Math.max(LIMITS.watchGapMs, spread), signal)
        failures = (await looked(deps, account, settings, signal)) ? 0 : failures + 1
        if (failures > 0) await clock.sleep(backoffMs(failures), signal)
      }
    }
  } catch (thrown) {
    if (signal.aborted) return
    deps.logger.error({ code: asMarketError(thrown).code }, 'channels are watched no more')
  }
}

/** False where the chain gave no answer. Throws what must end the watch. */
async function looked(
  deps: WatchDeps,
  account: PayeeAccount,
  settings: WatchSettings,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await lookAt(deps, account, settings, signal)
    return true
  } catch (thrown) {
    signal.throwIfAborted()
    const { code } = asMarketError(thrown)
    deps.logger.warn({ channel: account.channel, code }, 'channel not looked at')
    if (code === 'store-failed') throw thrown
    return false
  }
}

/** An idle channel with nothing to claim can wait: it is read when its payer connects. */
function needsLook(account: PayeeAccount): boolean {
  const state = account.state()
  if (claimable(state) > 0n) return true
  return account.isLive() && state.status !== 'closed'
}

function isBehind(view: ChannelView, books: PayeeState): boolean {
  const { deposit, claimed, status } = books
  return deposit !== view.deposited || claimed !== view.claimed || status !== view.status
}

function sayClosing({ logger }: WatchDeps, view: ChannelView, account: PayeeAccount): void {
  const unclaimed = unclaimedOn(view, account.state())
  const facts = { channel: account.channel, status: view.status, closeAtS: view.closeAtS }
  logger.warn({ ...facts, unclaimed: `${unclaimed}` }, 'the payer is closing its channel')
  const { claimFees } = kindOf(account.config)
  if (unclaimed > 0n && unclaimed <= claimFees) {
    const least = `${claimFees}`
    logger.warn({ ...facts, unclaimed: `${unclaimed}`, least }, 'the rest is not worth claiming')
  }
}

/** Doubles up to the bound. No jitter: each payee keeps its own time already. */
function backoffMs(failures: number): number {
  return Math.min(LIMITS.reconnectMinMs * 2 ** (failures - 1), LIMITS.reconnectMaxMs)
}
