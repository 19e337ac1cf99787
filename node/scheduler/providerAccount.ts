/**
 * The scheduler's paid account with one connected provider: a channel opened and topped up, its
 * account opened, opened again when it ends, and healed when a grant's receipt never came.
 *
 * A grant stays allotted until its job is settled. Where an attempt ended without a receipt, only
 * the opening of the account tells what became of it: so it is opened anew once no leg uses it, or
 * no new job is given until then. What such receipts cost is the scheduler's loss; beyond the
 * exposure limit the provider is not used any more. Losses outlive a connection: or a provider
 * could take a grant, hang up, come back, and take the next one.
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger, Random } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { exposureLimit, freeBalance } from '../../contracts/money/payer.ts'
import { backoffMs } from '../net/reconnect.ts'
import { headroomOf, type PayerAccount } from '../settlement/payerAccount.ts'
import type { LegEnd, PaidProvider } from './legTypes.ts'

/** What a provider has cost without a client to pay for it, over all its connections. */
export interface Losses {
  lost: NanoTon
  /** Legs under way: what the opening settled for them, their clients may still pay for. */
  legs: number
  /** What was spent when the account was last in use: an opening that finds more has settled it. */
  seen?: { readonly channel: string; readonly spent: NanoTon }
  /** Told whenever a leg has ended. */
  changed: () => void
}

/** Nothing lost yet. */
export function noLosses(): Losses {
  return { lost: 0n, legs: 0, changed: () => undefined }
}

export interface AccountNeeds {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly peer: string
  /** Shared by every account with this provider. */
  readonly losses: Losses
  /** Opens channel and account; `onEnd` is called when the account can be used no more. */
  readonly open: (onEnd: (error: MarketError) => void) => Promise<PayerAccount>
  /** Adds to the deposit; resolves when that is final. */
  readonly topUp: (account: PayerAccount) => Promise<void>
  /** The provider can be paid, or not any more. */
  readonly onPayable: (payable: boolean) => void
}

export interface ProviderAccount {
  /** Resolves when the account has been opened for the first time; rejects where that failed. */
  readonly opened: Promise<void>
  current(): PaidProvider | undefined
  stop(): Promise<void>
}

/** Keeps the account open until `stop`. */
export function keepAccount(needs: AccountNeeds): ProviderAccount {
  const kept = new KeptAccount(needs)
  void kept.keep()
  return kept
}

class KeptAccount implements ProviderAccount {
  private readonly needs: AccountNeeds
  private readonly stopping = new AbortController()
  private readonly first = Promise.withResolvers<void>()
  private account?: PayerAccount
  private legs = 0
  private stuck = 0
  /** What the account could not grant when last asked. */
  private wanted: NanoTon = 0n
  private toppingUp = false
  private wake: () => void = () => undefined

  constructor(needs: AccountNeeds) {
    this.needs = needs
    needs.losses.changed = () => this.judge()
    this.first.promise.catch(() => undefined) // told to whoever awaits it
  }

  get opened(): Promise<void> {
    return this.first.promise
  }

  current(): PaidProvider | undefined {
    const { account } = this
    if (!account) return undefined
    const { peer } = this.needs
    return { peer, account, enter: () => this.enter(), short: (needed) => this.short(needed) }
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    this.wake()
    const { account } = this
    this.account = undefined
    await account?.close()
  }

  async keep(): Promise<void> {
    const { clock, random, logger } = this.needs
    const { signal } = this.stopping
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        await this.live()
        failures = 0
        if (this.mustHeal()) continue // at once
      } catch (thrown) {
        const error = asMarketError(thrown)
        this.first.reject(error)
        logger.warn({ peer: this.needs.peer, code: error.code }, 'no account with the provider')
        if (error.code === 'account-conflict' || error.code === 'store-failed') return
      }
      await clock.sleep(backoffMs(Math.max(1, failures), random), signal).catch(() => undefined)
    }
  }

  /** Opens the account and resolves when it has ended, or must be opened anew. */
  private async live(): Promise<void> {
    const ended = Promise.withResolvers<void>()
    const account = await this.needs.open(() => ended.resolve())
    this.countLoss(account)
    if (this.stopping.signal.aborted) return account.close()
    this.account = account
    this.stuck = 0
    this.first.resolve()
    this.check()
    const healing = new Promise<void>((resolve) => {
      this.wake = resolve
    })
    await Promise.race([ended.promise, healing])
    this.account = undefined
    this.check()
    if (!this.stopping.signal.aborted) await account.close()
    this.see(account) // nothing is settled on it any more
  }

  /** Counts what the opening settled; a leg that has a client to pay for it takes it back. */
  private countLoss(account: PayerAccount): void {
    const { losses } = this.needs
    const { channel, spent } = account.state()
    const before = losses.seen?.channel === channel ? losses.seen.spent : spent
    if (spent > before) losses.lost += spent - before
    this.see(account)
    if (losses.legs > 0 || !this.costsTooMuch(account)) return
    void account.close()
    this.giveUp()
    throw new MarketError('exposure', { lost: losses.lost })
  }

  private see(account: PayerAccount): void {
    const { channel, spent } = account.state()
    this.needs.losses.seen = { channel, spent }
  }

  private costsTooMuch(account: PayerAccount): boolean {
    return this.needs.losses.lost > exposureLimit(account.state())
  }

  private giveUp(): void {
    this.needs.logger.warn({ peer: this.needs.peer }, 'the provider has cost too much: not used')
    this.stopping.abort()
  }

  private enter(): (end: LegEnd) => void {
    const { losses } = this.needs
    this.legs++
    losses.legs++
    let entered = true
    return ({ stuck, lost = 0n }) => {
      if (!entered) return
      entered = false
      this.legs--
      losses.legs--
      losses.lost += lost
      if (stuck) this.stuck++
      if (this.mustHeal()) this.wake()
      losses.changed()
    }
  }

  /** A leg has ended: whether the provider may still be used. */
  private judge(): void {
    const { account } = this
    if (account && this.needs.losses.legs === 0 && this.costsTooMuch(account)) {
      this.giveUp()
      void this.stop()
    }
    this.check()
  }

  private mustHeal(): boolean {
    return this.stuck > 0 && this.legs === 0
  }

  private short(needed: NanoTon): void {
    this.wanted = needed
    this.check()
  }

  /** Whether new jobs may come: the account stands, can grant, and has few grants in the air. */
  private check(): void {
    const { account } = this
    if (account) this.fill(account)
    const isUsable = account !== undefined && !this.costsTooMuch(account)
    const able = isUsable && headroomOf(account.state()) >= this.wanted
    if (able) this.wanted = 0n
    this.needs.onPayable(able && this.stuck < LIMITS.stuckJobs)
  }

  /** A deposit that is nearly promised away is topped up before it stops jobs. */
  private fill(account: PayerAccount): void {
    const { deposit } = account.state()
    if (this.toppingUp || freeBalance(account.state()) * 4n >= deposit) return
    this.toppingUp = true
    this.needs
      .topUp(account)
      .then(() => this.check())
      .catch((error) => {
        const { code } = asMarketError(error)
        this.needs.logger.warn({ peer: this.needs.peer, code }, 'channel not topped up')
      })
      .finally(() => {
        this.toppingUp = false
      })
  }
}
