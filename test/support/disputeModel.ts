/**
 * A case as a slow, obvious twin in TypeScript: who may do what and when, and what is paid. Tests
 * play the same acts on it and on the contract, and compare everything to the nanoTON.
 * @module
 */

import { parseTon } from '../../contracts/base/units.ts'
import type { Ruling } from '../../contracts/wrappers/Dispute.ts'
import { DISPUTE_EXIT } from '../../contracts/wrappers/Dispute.ts'
import { DAY_S } from './sandboxChain.ts'

const FLOOR = parseTon('0.01')
const ASK = parseTon('0.1')
const CLOSE = parseTon('0.06')
const OPEN_COSTS = parseTon('0.4')
const APPEAL_COSTS = parseTon('0.02')
const ANSWER_S = 3_600
const CONCLUDE_S = DAY_S
const EXIT = DISPUTE_EXIT

export type Party = 'registry' | 'item' | 'challenger' | 'owner' | 'stranger'

/** What the chain charged, which the model does not compute. */
export interface Charges {
  readonly gas: bigint
  /** What `fees.tolk` reckons a conclusion may cost in gas. */
  readonly gasBound: bigint
}

/** What an act does: the exit code, and what goes out to whom, forwarding fees included. */
export interface Effect {
  readonly exit: number
  readonly out: Partial<Record<Party, bigint>>
}

export interface ModelRules {
  readonly verdictS: number
  readonly appealS: number
  readonly needed: number
  readonly neededOnAppeal: number
}

/** The model. `balance` is what the account holds before an act, without the act's value. */
export class DisputeModel {
  state = 'blank'
  deadlineS = 0
  amount = 0n
  bond = 0n
  frozen = 0n
  appealBond = 0n
  untilS = 0
  first?: Ruling
  second?: Ruling
  private readonly rules: ModelRules

  constructor(rules: ModelRules) {
    this.rules = rules
  }

  open(from: Party, value: bigint, amount: bigint, nowS: number): Effect {
    if (this.state !== 'blank') return no(EXIT.state)
    if (from !== 'challenger') return no(EXIT.notChallenger)
    if (amount === 0n) return no(EXIT.noAmount)
    if (value <= OPEN_COSTS) return no(EXIT.tooLittleValue)
    this.state = 'asked'
    this.deadlineS = nowS + ANSWER_S
    this.amount = amount
    this.bond = value - OPEN_COSTS
    return { exit: 0, out: { registry: ASK } }
  }

  opened(from: Party, untilS: number, nowS: number): Effect {
    if (this.state !== 'asked') return no(EXIT.state)
    if (from !== 'registry') return no(EXIT.notRegistry)
    this.state = 'opened'
    this.deadlineS = nowS + ANSWER_S
    this.untilS = untilS
    return { exit: 0, out: {} }
  }

  /** The registry sends the opening back. */
  refused(balance: bigint, value: bigint, charges: Charges): Effect {
    if (this.state !== 'asked') return { exit: this.state === 'blank' ? EXIT.state : 0, out: {} }
    return this.endAsVoid(balance, value, charges)
  }

  frozenBy(
    from: Party,
    amount: bigint,
    nowS: number,
    balance: bigint,
    value: bigint,
    charges: Charges,
  ): Effect {
    if (this.state !== 'opened') return no(EXIT.state)
    if (from !== 'item') return no(EXIT.notAccused)
    if (amount === 0n) return this.endAsVoid(balance, value, charges)
    this.state = 'tried'
    this.frozen = amount < this.amount ? amount : this.amount
    this.deadlineS = this.within(nowS, this.rules.verdictS)
    return { exit: 0, out: {} }
  }

  verdict(ruling: Ruling, votes: number, nowS: number, value: bigint, charges: Charges): Effect {
    const onAppeal = this.state === 'appealed'
    if (this.state === 'blank') return no(EXIT.state)
    if (this.state !== 'tried' && !onAppeal) return no(EXIT.state)
    if (nowS >= this.deadlineS) return no(EXIT.tooLate)
    const needed = onAppeal ? this.rules.neededOnAppeal : this.rules.needed
    if (votes < needed) return no(EXIT.tooFew)
    if (onAppeal) {
      this.state = 'final'
      this.second = ruling
      this.deadlineS = 0
    } else {
      this.state = 'judged'
      this.first = ruling
      this.deadlineS = this.within(nowS, this.rules.appealS)
    }
    return { exit: 0, out: { stranger: value - charges.gas } }
  }

  appeal(from: Party, value: bigint, nowS: number): Effect {
    if (this.state !== 'judged') return no(EXIT.state)
    if (nowS >= this.deadlineS) return no(EXIT.tooLate)
    if (from !== (this.first!.uphold ? 'owner' : 'challenger')) return no(EXIT.notLoser)
    if (value - APPEAL_COSTS < this.bond) return no(EXIT.tooLittleValue)
    this.state = 'appealed'
    this.appealBond = value - APPEAL_COSTS
    this.deadlineS = this.within(nowS, this.rules.verdictS)
    return { exit: 0, out: {} }
  }

  conclude(nowS: number, balance: bigint, value: bigint, charges: Charges): Effect {
    if (this.state === 'blank') return no(EXIT.state)
    if (nowS < this.deadlineS) return no(EXIT.tooEarly)
    if (['asked', 'opened', 'void'].includes(this.state)) {
      return this.endAsVoid(balance, value, charges)
    }
    const held = balance + value
    if (held < FLOOR + CLOSE + charges.gasBound + this.owed()) return no(EXIT.reserve)
    this.state = 'concluded'
    this.deadlineS = 0
    const winner = this.standing().uphold ? 'challenger' : 'owner'
    return { exit: 0, out: { registry: CLOSE, [winner]: held - charges.gas - FLOOR - CLOSE } }
  }

  owed(): bigint {
    return ['blank', 'concluded', 'void'].includes(this.state) ? 0n : this.bond + this.appealBond
  }

  standing(): Ruling {
    return this.second ?? this.first ?? { uphold: false, loss: 0n }
  }

  private endAsVoid(balance: bigint, value: bigint, charges: Charges): Effect {
    this.state = 'void'
    this.deadlineS = 0
    const left = balance + value - charges.gas - FLOOR
    return { exit: 0, out: left > 0n ? { challenger: left } : {} }
  }

  private within(nowS: number, seconds: number): number {
    return Math.min(nowS + seconds, this.untilS - CONCLUDE_S)
  }
}

const no = (exit: number): Effect => ({ exit, out: {} })
