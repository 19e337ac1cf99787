/**
 * A model of an item in plain TypeScript: the same rules as `contracts/tolk/items`, written anew
 * and in another shape. Freezes are a list of cases here, where the contract has tickets in bits.
 *
 * Every act takes the chain's time, the value that came, and the balance before it (`kept`); it
 * gives the exit code and what left the account. Gas is the chain's own business: the model is told
 * what it cost.
 * @module
 */
import { ITEM_EXIT } from '../../contracts/wrappers/bondedItem.ts'
import type { ItemKind } from '../../contracts/wrappers/itemConfig.ts'
import { ITEM_FLOOR, ITEM_RENT_RESERVE } from '../../contracts/wrappers/itemMessages.ts'
import type { ItemFacts } from './itemSandbox.ts'

const DAY_S = 86_400
const MONTH_S = 30 * DAY_S
const WEEK_S = 7 * DAY_S
/** Forwarding of a message whose body is in its root cell, at the prices of the sandbox. */
export const FORWARD = 400_000n
const MOST_OPEN = 240
/** Cases that stand and double the bond of the next. */
const CASES_A_DOUBLING = 16
/** Nothing that is due is held back by cases for longer. */
const LONGEST_HOLD_S = 45 * DAY_S

interface Case {
  used: boolean
  /** False once all that was frozen with it has lapsed or ended. */
  holds: boolean
}

/** What an act did: the exit code, and nanoTON that left the account beside the message's value. */
export interface Done {
  readonly exit: number
  readonly left: bigint
  /** True where what is left of the message's value stays on the account. */
  readonly keepsValue?: boolean
  /** True where the bond bore the rent that was due: the account covers it again. */
  readonly bore?: boolean
}

const refused = (exit: number): Done => ({ exit, left: 0n })
const least = (...values: bigint[]): bigint => values.reduce((a, b) => (b < a ? b : a))
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b)

export class ItemModel {
  stake: bigint
  unbonding = 0n
  unbondAtS = 0
  slashed = 0n
  withdrawn = 0n
  seenAtS: number
  /** Rent that the owner has borne out of the bond. */
  borne = 0n
  private readonly kind: ItemKind
  private readonly unbondingS: number
  private readonly enrolledAtS: number
  private cases: Case[] = []
  private held = 0n
  private untilS = 0

  constructor(kind: ItemKind, stake: bigint, unbondingS: number, nowS: number) {
    this.kind = kind
    this.stake = stake
    this.unbondingS = unbondingS
    this.enrolledAtS = nowS
    this.seenAtS = nowS
  }

  get bonded(): bigint {
    return this.stake + this.unbonding
  }

  get tickets(): number {
    return this.cases.length
  }

  frozen(nowS: number): bigint {
    return nowS < this.untilS ? this.held : 0n
  }

  /** Cases that hold something. */
  standing(nowS: number): number {
    if (this.frozen(nowS) === 0n) return 0
    return this.cases.filter(({ used, holds }) => holds && !used).length
  }

  heartbeat(nowS: number, withProfile: boolean): Done {
    if (this.kind === 'gpu') {
      if (!withProfile) return refused(ITEM_EXIT.noProfile)
      if (nowS < this.seenAtS + WEEK_S) return refused(ITEM_EXIT.tooSoon)
      if (this.ended(nowS)) {
        this.stake += this.unbonding
        this.unbonding = 0n
      }
    }
    this.seenAtS = nowS
    return { exit: 0, left: 0n }
  }

  /** `free`: balance less the gas that the contract sets aside for this message. */
  addStake(nowS: number, kept: bigint, amount: bigint, free: bigint): Done {
    if (this.ended(nowS)) return refused(ITEM_EXIT.ended)
    return this.either(nowS, kept, () => {
      this.stake += amount
      const spare = free - this.bonded - ITEM_FLOOR - ITEM_RENT_RESERVE
      if (spare < 0n) return refused(ITEM_EXIT.tooLittleValue)
      return { exit: 0, left: spare >= FORWARD ? spare : 0n, keepsValue: true }
    })
  }

  unbond(nowS: number, kept: bigint, amount: bigint): Done {
    return this.either(nowS, kept, () => {
      if (amount === 0n || amount > this.stake) return refused(ITEM_EXIT.amount)
      this.stake -= amount
      this.unbonding += amount
      this.unbondAtS = nowS + this.unbondingS
      return { exit: 0, left: 0n }
    })
  }

  withdraw(nowS: number, kept: bigint): Done {
    return this.either(nowS, kept, () => {
      if (nowS < this.unbondAtS) return refused(ITEM_EXIT.tooEarly)
      const held = nowS < this.unbondAtS + LONGEST_HOLD_S ? this.frozen(nowS) : 0n
      const due = least(this.unbonding, this.bonded - held)
      if (due <= 0n) return refused(ITEM_EXIT.nothingDue)
      this.unbonding -= due
      this.withdrawn += due
      return { exit: 0, left: this.bonded > 0n ? due : kept - ITEM_FLOOR }
    })
  }

  freeze(
    nowS: number,
    kept: bigint,
    amount: bigint,
    untilS: number,
    bonds: number,
  ): Done & { frozen: bigint } {
    let frozen = 0n
    const done = this.either(nowS, kept, () => {
      const now = this.frozen(nowS)
      frozen = least(amount, this.bonded)
      if (now === 0n) for (const each of this.cases) each.holds = false
      const oldest = this.cases.at(-MOST_OPEN)
      const full = oldest && !oldest.used && oldest.holds
      const small = bonds < 2 ** Math.floor(this.standing(nowS) / CASES_A_DOUBLING)
      if (untilS <= nowS || frozen === 0n || full || small) frozen = 0n
      else {
        this.untilS = now === 0n ? untilS : Math.max(this.untilS, untilS)
        this.held = now + frozen
        this.cases.push({ used: false, holds: true })
      }
      return { exit: 0, left: 0n }
    })
    return { ...done, frozen }
  }

  settle(
    nowS: number,
    kept: bigint,
    end: { ticket: number; release: bigint; slash: bigint; loss: bigint },
  ): Done {
    const found = this.cases[end.ticket - 1]
    const known = found && !found.used && end.ticket > this.cases.length - MOST_OPEN
    if (!known) return { exit: 0, left: 0n, keepsValue: true }
    return this.either(nowS, kept, () => {
      found.used = true
      if (found.holds) this.held -= least(end.release, this.held)
      const slash = this.take(end.slash)
      this.slashed += slash
      const loss = least(end.loss, slash)
      const sent = [loss, slash - loss].filter((value) => value >= FORWARD)
      return { exit: 0, left: sent.reduce((a, b) => a + b, 0n), keepsValue: true }
    })
  }

  /** What the getter should say. */
  facts(nowS: number): Partial<ItemFacts> {
    const shown = this.ended(nowS) && this.stake > 0n ? this.afterEnd() : this
    const frozen = least(this.frozen(nowS), this.bonded)
    return {
      ...{ stake: shown.stake, unbonding: shown.unbonding, unbondAtS: shown.unbondAtS },
      ...{ frozen, frozenUntilS: frozen > 0n ? this.untilS : 0, slashed: this.slashed },
      ...{
        cases: this.standing(nowS),
        withdrawn: this.withdrawn,
        seenAtS: this.seenAtS,
        enrolledAtS: this.enrolledAtS,
      },
    }
  }

  /** Does something to the bond as time has left it; undoes it where it is refused. */
  private either(nowS: number, kept: bigint, act: () => Done): Done {
    const { stake, unbonding, unbondAtS, slashed, withdrawn, borne } = this
    this.borne += this.take(this.bonded + ITEM_FLOOR - kept)
    if (this.ended(nowS) && this.stake > 0n) Object.assign(this, this.afterEnd())
    const done = act()
    if (done.exit !== 0) {
      Object.assign(this, { stake, unbonding, unbondAtS, slashed, withdrawn, borne })
    }
    return { ...done, bore: done.exit === 0 }
  }

  private ended(nowS: number): boolean {
    return this.kind === 'gpu' && nowS >= this.seenAtS + MONTH_S
  }

  private afterEnd(): { stake: bigint; unbonding: bigint; unbondAtS: number } {
    const dueS = this.seenAtS + MONTH_S + this.unbondingS
    return { stake: 0n, unbonding: this.bonded, unbondAtS: Math.max(this.unbondAtS, dueS) }
  }

  private take(amount: bigint): bigint {
    const leaving = most(0n, least(amount, this.unbonding))
    const staying = most(0n, least(amount - leaving, this.stake))
    this.unbonding -= leaving
    this.stake -= staying
    return leaving + staying
  }
}
