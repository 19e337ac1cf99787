/**
 * The scheduler's paid account with one connected provider: a channel opened and topped up, its
 * account opened, opened again when it ends, and healed when a grant's receipt never came.
 *
 * A grant stays allotted until its job is settled. Where an attempt ended without a receipt, only
 * the opening of the account tells what became of it: so it is opened anew once no leg uses it, or
 * no new job is given until then. What such receipts cost is the scheduler's loss; beyond the
 * exposure limit the provider is not used any more.
 * @module
 */
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger, Random } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { exposureLimit, freeBalance } from '../../contracts/money/payer.ts'
import { backoffMs } from '../net/reconnect.ts'
import { headroomOf, type PayerAccount } from '../settlement/payerAccount.ts'
import type { PaidProvider } from './legTypes.ts'

export interface AccountNeeds {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly peer: string
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
  private lost: NanoTon = 0n
  private spentBefore?: NanoTon
  private toppingUp = false
  private wake: () => void = () => undefined

  constructor(needs: AccountNeeds) {
    this.needs = needs
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
    if (this.stopping.signal.aborted) return
    // With legs under way, what the opening settles may well have a client that paid for it.
    if (this.legs === 0) this.spentBefore = account.state().spent
    await account.close()
  }

  /** What the opening settled without a client to pay for it. */
  private countLoss(account: PayerAccount): void {
    const state = account.state()
    if (this.spentBefore !== undefined) this.lost += state.spent - this.spentBefore
    this.spentBefore = undefined
    if (this.lost <= exposureLimit(state)) return
    this.needs.logger.warn({ peer: this.needs.peer }, 'the provider has cost too much: not used')
    void account.close()
    this.stopping.abort()
    throw new MarketError('exposure', { lost: this.lost })
  }

  private enter(): (end: { readonly stuck: boolean }) => void {
    this.legs++
    let entered = true
    return ({ stuck }) => {
      if (!entered) return
      entered = false
      this.legs--
      if (stuck) this.stuck++
      if (this.mustHeal()) this.wake()
      this.check()
    }
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
    const able = account !== undefined && headroomOf(account.state()) >= this.wanted
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
