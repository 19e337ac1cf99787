/**
 * A jetton-channel, its wallet and its owners' wallets as a few numbers: what the sandbox must say.
 *
 * Written from `contracts/tolk/jettonChannel/README.md`, not from the program. What a message
 * brought and burned of TON (`Came`) is read off the chain; what the channel keeps of it is
 * reckoned here.
 * @module
 */
import { greater, lesser } from '../../contracts/base/units.ts'
import {
  JETTON_CHANNEL_EXIT as EXIT,
  JETTON_CHANNEL_FLOOR,
  JETTON_CHANNEL_RENT_RESERVE,
} from '../../contracts/wrappers/JettonChannel.ts'

/** Who holds jettons outside of the channel. */
export type Owner = 'payer' | 'payee' | 'stranger'

/** One transaction of the channel in TON: rent taken, value that came, gas that burned. */
export interface Came {
  readonly rent: bigint
  readonly value: bigint
  readonly gas: bigint
}

const RESERVE = JETTON_CHANNEL_FLOOR + JETTON_CHANNEL_RENT_RESERVE

export class JettonModel {
  status: 'open' | 'closing' | 'closed' = 'open'
  deposited = 0n
  claimed = 0n
  rest = 0n
  closeAtS = 0
  /** Jettons in the channel's wallet, counted or not. */
  held = 0n
  readonly owners: Record<Owner, bigint>
  /** TON of the channel. */
  balance: bigint
  /** The own wallet refuses everything. */
  locked = false

  constructor(owners: Record<Owner, bigint>, balance: bigint) {
    this.owners = { ...owners }
    this.balance = balance
  }

  /** A transfer of jettons to the channel, with a notification or without. */
  deposit(from: Owner, amount: bigint, told: boolean, [came]: readonly Came[]): void {
    if (this.locked || this.owners[from] < amount) return
    const back = told && this.status !== 'open'
    if (!back) {
      this.owners[from] -= amount
      this.held += amount
    }
    if (!told) return
    if (!back) this.deposited += amount
    this.keep(came, back ? 0n : RESERVE)
  }

  open([came]: readonly Came[]): number {
    this.keep(came, RESERVE)
    return 0
  }

  claim(from: Owner, cumulative: bigint, came: readonly Came[]): number {
    this.keep(came[0], 0n)
    if (from !== 'payee') return EXIT.notPayee
    const paid = lesser(cumulative, this.deposited) - this.claimed
    if (paid <= 0n) return EXIT.nothingToPay
    this.payOut(paid, came.slice(1))
    return 0
  }

  startClose(from: Owner, nowS: number, [came]: readonly Came[]): number {
    this.keep(came, 0n)
    if (this.status !== 'open') return EXIT.notOpen
    if (from !== 'payer') return EXIT.notPayer
    this.status = 'closing'
    this.closeAtS = nowS + 86_400
    return 0
  }

  finishClose(nowS: number, came: readonly Came[]): number {
    const refused =
      this.status !== 'closing' ? EXIT.notClosing : nowS < this.closeAtS ? EXIT.tooEarly : 0
    if (refused) return this.refuse(refused, came)
    this.close(0n, came)
    return 0
  }

  cooperativeClose(from: Owner, last: bigint | undefined, came: readonly Came[]): number {
    if (this.status === 'closed') return this.refuse(EXIT.notOpen, came)
    if (from !== 'payee') return this.refuse(EXIT.notPayee, came)
    const most = last === undefined ? 0n : lesser(last, this.deposited) - this.claimed
    this.close(greater(most, 0n), came)
    return 0
  }

  sweep(extra: bigint, [came, ...bounces]: readonly Came[]): number {
    if (this.status !== 'closed') return this.refuse(EXIT.notClosed, [came!])
    const more = this.deposited === this.claimed ? extra : 0n
    const due = this.rest
    this.settle(came!)
    this.rest = 0n
    this.refund(due, bounces, true)
    this.refund(more, bounces, false)
    return 0
  }

  /** A message that the channel refuses sends its value back. */
  refuse(exit: number, [came]: readonly Came[]): number {
    this.keep(came, 0n)
    return exit
  }

  private close(paid: bigint, [came, ...bounces]: readonly Came[]): void {
    const rest = this.deposited - this.claimed - paid
    this.deposited = this.claimed + paid
    this.status = 'closed'
    this.settle(came!)
    this.payOut(paid, bounces)
    this.refund(rest, bounces, true)
  }

  /** To the payee; where the wallet refuses, the channel hears of it and gives the TON on. */
  private payOut(paid: bigint, bounces: Came[]): void {
    if (paid === 0n) return
    if (this.locked) {
      this.keep(bounces.shift(), 0n)
      return
    }
    this.claimed += paid
    this.held -= paid
    this.owners.payee += paid
  }

  /** To the payer; where it cannot be, the TON of the way back stays. Takes its bounce. */
  private refund(amount: bigint, bounces: Came[], due: boolean): void {
    if (amount === 0n) return
    if (this.locked || amount > this.held) {
      if (due) this.rest += amount
      const bounce = bounces.shift()
      if (bounce) this.balance += bounce.value - bounce.gas - bounce.rent
      return
    }
    this.held -= amount
    this.owners.payer += amount
  }

  /** Rent goes; of the rest what was there stays, or `least` where that is more. */
  private keep(came: Came | undefined, least: bigint): void {
    if (!came) return
    const before = this.balance - came.rent
    this.balance = lesser(before + came.value - came.gas, greater(before, least))
  }

  /** At an end, everything above the floor goes. */
  private settle(came: Came): void {
    const all = this.balance - came.rent + came.value - came.gas
    this.balance = lesser(all, JETTON_CHANNEL_FLOOR)
  }
}
