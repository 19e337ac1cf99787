/**
 * Multisig and timelock as models in TypeScript: what each message must do, in a few lines each,
 * and what the accounts must hold afterwards, to the nanoTON.
 *
 * Written from the README of the contracts and not from their source. How much gas a message used,
 * and how large a state is, the test tells; what they cost is reckoned by the chain's formulas.
 * @module
 */
import { CHAIN_PRICES } from '../../contracts/base/chainPrices.ts'
import { MULTISIG_EXIT, MULTISIG_RESERVE } from '../../contracts/wrappers/Multisig.ts'
import { TIMELOCK_EXIT, TIMELOCK_RESERVE } from '../../contracts/wrappers/Timelock.ts'
import { type CellSize, gasFee, storageFee } from '../../node/chain/simulatedFees.ts'
import { DAY_S } from './sandboxChain.ts'

const PRICES = CHAIN_PRICES['sandbox-0.41']
const GRACE_S = 14 * DAY_S
/** Exit of an action phase that cannot pay for a message. */
const CANNOT_PAY = 37
const FORWARD = PRICES.forward.lump

/** An account that pays rent at each transaction. */
class Account {
  balance: bigint
  private paidS: number

  constructor(balance: bigint, nowS: number) {
    this.balance = balance
    this.paidS = nowS
  }

  /** What is on the balance before a message's value is added. */
  payRent(size: CellSize, nowS: number): void {
    this.balance -= storageFee(PRICES, size, this.paidS, nowS)
    this.paidS = nowS
  }

  /** A message that stays here: a top-up, or one that came back. */
  take(value: bigint, gas: bigint): void {
    this.balance += value - gasFee(PRICES, gas)
  }

  /**
   * What sending `value` for someone who attached `attached` ends with: the contract's own exit, or
   * that of the chain where fees are lacking; `own` is what the account itself gives.
   */
  sends(
    value: bigint,
    attached: bigint,
    reserve: bigint,
    fees: bigint,
    noFunds: number,
  ): { exit: number; own: bigint } {
    const spare = this.balance > reserve ? this.balance - reserve : 0n
    const own = spare < value ? spare : value
    if (attached < value - own) return { exit: noFunds, own }
    return { exit: attached < value - own + fees ? CANNOT_PAY : 0, own }
  }
}

export interface ModelOperation {
  readonly value: bigint
  /** Sets the timelock's own delay, or is a message to someone. */
  readonly delayS?: number
}

export class TimelockModel extends Account {
  delayS: number
  lastId = 0n
  executed = 0
  failed = 0
  readonly queue = new Map<bigint, { etaS: number; operation: ModelOperation }>()

  constructor(balance: bigint, nowS: number, delayS: number) {
    super(balance, nowS)
    this.delayS = delayS
  }

  put(byMultisig: boolean, id: bigint, etaS: number, operation: ModelOperation, nowS: number) {
    if (!byMultisig) return TIMELOCK_EXIT.notMultisig
    if (id <= this.lastId) return TIMELOCK_EXIT.oldId
    if (this.queue.size >= 32) return TIMELOCK_EXIT.full
    const first = nowS + this.delayS
    if (etaS < first || etaS > first + 60 * DAY_S) return TIMELOCK_EXIT.eta
    this.lastId = id
    this.queue.set(id, { etaS, operation })
    return 0
  }

  /** `gas` is what it used; the fee of forwarding a message whose body is one small cell. */
  execute(id: bigint, attached: bigint, gas: bigint, bodyFee: bigint, nowS: number): number {
    const queued = this.queue.get(id)
    if (!queued) return TIMELOCK_EXIT.unknownId
    if (nowS < queued.etaS) return TIMELOCK_EXIT.tooEarly
    if (nowS >= queued.etaS + GRACE_S) return TIMELOCK_EXIT.tooLate
    const fees = gasFee(PRICES, gas) + FORWARD + bodyFee
    const { value } = queued.operation
    const { exit, own } = this.sends(value, attached, TIMELOCK_RESERVE, fees, TIMELOCK_EXIT.noFunds)
    if (exit !== 0) return exit
    this.balance -= own
    this.queue.delete(id)
    this.executed++
    return 0
  }

  /** Carries out an operation on the timelock itself. */
  setDelay(delayS: number): number {
    if (delayS < DAY_S || delayS > 30 * DAY_S) return TIMELOCK_EXIT.delay
    this.delayS = delayS
    return 0
  }

  cancel(byMultisig: boolean, id: bigint, nowS: number): number {
    const queued = this.queue.get(id)
    if (!queued) return TIMELOCK_EXIT.unknownId
    if (!byMultisig && nowS < queued.etaS + GRACE_S) return TIMELOCK_EXIT.notMultisig
    this.queue.delete(id)
    return 0
  }
}

export interface ModelOrder {
  readonly seqno: number
  readonly validUntilS: number
  /** A message of this value, or signers by number. */
  readonly value?: bigint
  readonly signers?: { readonly threshold: number; readonly of: readonly number[] }
}

export class MultisigModel extends Account {
  seqno = 0
  failed = 0
  signers: { threshold: number; of: readonly number[] }

  constructor(balance: bigint, nowS: number, signers: MultisigModel['signers']) {
    super(balance, nowS)
    this.signers = signers
  }

  submit(
    order: ModelOrder,
    by: ReadonlySet<number>,
    attached: bigint,
    { gas, bodyFee, nowS }: { gas: bigint; bodyFee: bigint; nowS: number },
  ): number {
    if (order.seqno !== this.seqno) return MULTISIG_EXIT.seqno
    if (nowS > order.validUntilS) return MULTISIG_EXIT.expired
    if ([...by].some((signer) => !this.signers.of.includes(signer))) return MULTISIG_EXIT.notSigner
    if (by.size < this.signers.threshold) return MULTISIG_EXIT.threshold
    if (order.signers) this.signers = order.signers
    else {
      const fees = gasFee(PRICES, gas) + FORWARD + bodyFee
      const value = order.value ?? 0n
      const sent = this.sends(value, attached, MULTISIG_RESERVE, fees, MULTISIG_EXIT.noValue)
      if (sent.exit !== 0) return sent.exit
      this.balance -= sent.own
    }
    this.seqno++
    return 0
  }
}
