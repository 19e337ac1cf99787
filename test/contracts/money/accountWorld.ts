/**
 * Two account machines joined by a bad network, with disks that crash: the world of the property
 * tests. A program of operations drives it; after each the invariants are checked, and a violated
 * one throws. Mutations break a driver or a machine on purpose, to show that the invariants notice.
 * @module
 */
import { createHash } from 'node:crypto'
import { MarketError } from '../../../contracts/base/errors.ts'
import type { PayerMessage, UnsettledJob } from '../../../contracts/money/account.ts'
import {
  decodePayee,
  decodePayer,
  encodePayee,
  encodePayer,
} from '../../../contracts/money/accountCodec.ts'
import {
  credit,
  openingOf,
  type PayeeEffect,
  type PayeeEvent,
  type PayeeState,
  startPayee,
  stepPayee,
} from '../../../contracts/money/payee.ts'
import {
  type PayerEffect,
  type PayerEvent,
  type PayerState,
  payerCredit,
  startPayer,
  stepPayer,
} from '../../../contracts/money/payer.ts'

export const MUTATIONS = [
  'ackBeforePersist',
  'nonCumulative',
  'payDup',
  'noExposureLimit',
  'unpaidWork',
  'signBeforeOpen',
  'forgetSettlement',
] as const
export type Mutation = (typeof MUTATIONS)[number]

/** One operation; the numbers choose a job, an amount, a fault. */
export interface Op {
  readonly kind:
    | 'grant'
    | 'work'
    | 'finish'
    | 'up'
    | 'down'
    | 'duplicate'
    | 'disconnect'
    | 'reconnect'
    | 'crashPayer'
    | 'crashPayee'
    | 'rollback'
  readonly job: number
  readonly amount: number
  /** Crash between the two halves (disk and effects) of the step. */
  readonly crash: boolean
}

type Up = PayerMessage
type Down =
  | {
      readonly type: 'ack'
      readonly sequence: number
      readonly cumulative: bigint
      readonly credit: bigint
    }
  | ({ readonly type: 'receipt' } & UnsettledJob)

const DEPOSIT = 100_000n
export const MAX_EXPOSURE = 1_000n
const REFUSALS = new Set(['unreachable', 'no-funds', 'exposure', 'limit-exceeded', 'unpaid'])

export interface World {
  run(op: Op): void
  /** Reconnects, ends every job, delivers everything; then the books must be equal. */
  finish(): void
  readonly seen: Set<string>
}

export function createWorld(mutation?: Mutation): World {
  const limit = mutation === 'noExposureLimit' ? DEPOSIT : MAX_EXPOSURE
  const identity = { network: -3, channel: `0:${'ab'.repeat(32)}`, deposit: DEPOSIT }
  const seen = new Set<string>()
  const signed = new Set<string>()
  let payer: PayerState = startPayer({ ...identity, maxExposure: limit })
  let payee: PayeeState = startPayee(identity)
  const payerDisk = [encodePayer(payer)]
  let payeeDisk = encodePayee(payee)
  let connected = false
  let rolledBack = false
  let up: Up[] = []
  let down: Down[] = []
  let worked = 0n
  let charged = 0n
  let receipts = 0

  const voucherId = (cumulative: bigint, hash: Uint8Array) =>
    `${cumulative}:${Buffer.from(hash).toString('hex')}`

  function stepP(event: PayerEvent, crash = false): void {
    let effects: readonly PayerEffect[]
    try {
      const step = stepPayer(payer, event)
      payer = step.state
      effects = step.effects
    } catch (error) {
      refused(error)
      return
    }
    payerDisk.push(encodePayer(payer))
    if (crash) {
      crashPayer()
      return
    }
    for (const effect of effects) {
      if (effect.type === 'conflict') throw new Error(`conflict ${JSON.stringify(effect, plain)}`)
      if (effect.type === 'adopted') seen.add('adopted')
      if (effect.type === 'send') send(effect.message)
    }
  }

  function send(message: PayerMessage): void {
    const drop = mutation === 'forgetSettlement' && message.kind === 'settle'
    if (message.kind === 'pay' && message.voucher) {
      signed.add(voucherId(message.voucher.cumulative, message.voucher.receiptsHash))
    }
    if (connected && !drop) up.push(message)
  }

  function stepE(event: PayeeEvent, options: { crash?: boolean; persist?: boolean } = {}): boolean {
    const { crash = false, persist = true } = options
    let effects: readonly PayeeEffect[]
    // The mutation may change the state too, so it runs before the state is read.
    const broken = mutated(event)
    try {
      const step = stepPayee(payee, broken)
      payee = step.state
      effects = step.effects
    } catch (error) {
      refused(error)
      return false
    }
    const speak = () => {
      for (const effect of effects) {
        if (effect.type === 'ack' && connected) down.push(effect)
        if (effect.type === 'resync') seen.add('resync')
      }
    }
    if (mutation === 'ackBeforePersist') speak()
    else if (persist) payeeDisk = encodePayee(payee)
    if (crash) {
      // What was spoken before the crash is on the wire, and arrives.
      for (const spoken of down.splice(0)) hear(spoken)
      crashPayee()
      return false
    }
    if (mutation !== 'ackBeforePersist') speak()
    else if (persist) payeeDisk = encodePayee(payee)
    return true
  }

  /** Breaks the payee as the mutation says: its state before the step, or the event. */
  function mutated(event: PayeeEvent): PayeeEvent {
    if (mutation === 'payDup' && 'sequence' in event && event.sequence === payee.sequence) {
      payee = { ...payee, sequence: event.sequence - 1 }
    }
    if (mutation === 'nonCumulative' && event.type === 'pay' && event.voucher) {
      const cumulative = payee.cumulative + event.voucher.cumulative
      return { ...event, voucher: { ...event.voucher, cumulative } }
    }
    return event
  }

  function refused(error: unknown): void {
    if (!(error instanceof MarketError) || !REFUSALS.has(error.code)) throw error
    seen.add(`refused ${error.code}`)
  }

  function receive(message: Up, crash = false): void {
    if (message.kind === 'settle') {
      const { kind: _, ...settlement } = message
      stepE({ type: 'settle', ...settlement, signatureValid: true }, { crash })
      return
    }
    const { kind: _, voucher, ...pay } = message
    const valid = voucher && signed.has(voucherId(voucher.cumulative, voucher.receiptsHash))
    const proof = { record: new Uint8Array(1), signature: new Uint8Array(64), signatureValid: true }
    if (voucher && !valid) throw new Error('the payer sent a voucher that it never signed')
    stepE({ type: 'pay', ...pay, voucher: voucher && { ...voucher, ...proof } }, { crash })
  }

  function hear(message: Down, crash = false): void {
    if (message.type === 'ack') {
      stepP({ ...message, type: 'acked' }, crash)
      return
    }
    const { jobId, charge, receiptHash } = message
    const clientSignature = receiptHash && new Uint8Array(64)
    stepP({ type: 'settle', jobId, charge, receiptHash, clientSignature }, crash)
  }

  function finishJob(jobId: string, crash = false): void {
    const job = payee.jobs.get(jobId)
    if (!job) return
    receipts++
    const receiptHash = new Uint8Array(createHash('sha256').update(`${receipts}`).digest())
    const receipt = { jobId, charge: job.cost, receiptHash }
    charged += job.cost
    if (stepE({ type: 'finish', ...receipt }, { crash }) && connected) {
      down.push({ type: 'receipt', ...receipt })
    }
  }

  function disconnect(): void {
    connected = false
    up = []
    down = []
  }

  function crashPayer(): void {
    disconnect()
    payer = decodePayer(payerDisk.at(-1)!)
    if (mutation === 'signBeforeOpen') payer = { ...payer, synced: true }
  }

  /** After a restart the provider's jobs are gone: each ends at the cost that is on disk. */
  function crashPayee(): void {
    disconnect()
    payee = decodePayee(payeeDisk)
    for (const jobId of payee.jobs.keys()) finishJob(jobId)
  }

  function reconnect(): void {
    if (connected) return
    connected = true
    const opening = openingOf(payee)
    stepP({ type: 'opened', ...opening, ...shownVoucher() })
  }

  function shownVoucher() {
    const held = [...signed].map((id) => id.split(':'))
    const own = held.find(([cumulative]) => BigInt(cumulative!) === payee.cumulative)
    if (!own) return { ownVoucherValid: false }
    const receiptsHash = new Uint8Array(Buffer.from(own[1]!, 'hex'))
    return { ownVoucherValid: true, voucher: { cumulative: payee.cumulative, receiptsHash } }
  }

  function work(jobId: string, amount: bigint, persist: boolean): void {
    const before = payee.jobs.get(jobId)
    if (!before) return
    if (mutation === 'unpaidWork') {
      const grown = { granted: before.granted, cost: before.cost + amount }
      payee = { ...payee, jobs: new Map([...payee.jobs, [jobId, grown]]) }
      worked += amount
      return
    }
    if (!stepE({ type: 'work', jobId, cost: before.cost + amount }, { persist })) return
    worked += amount
    // The frames may be lost with the connection: then the payer believes less than is true.
    if (connected) stepP({ type: 'delivered', jobId, cost: before.cost + amount })
  }

  function check(): void {
    const disk = decodePayee(payeeDisk)
    const atStake = payee.cumulative - worked
    if (atStake > MAX_EXPOSURE) throw new Error(`the payer could lose ${atStake}`)
    if (worked > disk.cumulative) throw new Error('work was done that no durable voucher covers')
    if (payee.cumulative > DEPOSIT) throw new Error('promised beyond the deposit')
    for (const free of [credit(payee), payerCredit(payer)]) {
      if (free < 0n) throw new Error('negative credit')
    }
  }

  function run(op: Op): void {
    const jobId = String(op.job % 4).padStart(32, '0')
    const amount = BigInt(1 + (op.amount % 400))
    if (op.kind === 'grant') stepP({ type: 'grant', jobId, amount }, op.crash)
    else if (op.kind === 'work') work(jobId, amount, !op.crash)
    else if (op.kind === 'finish') finishJob(jobId, op.crash)
    else if (op.kind === 'up' && up.length > 0) receive(up.shift()!, op.crash)
    else if (op.kind === 'down' && down.length > 0) hear(down.shift()!, op.crash)
    else if (op.kind === 'duplicate') duplicate()
    else if (op.kind === 'disconnect') disconnect()
    else if (op.kind === 'reconnect') reconnect()
    else if (op.kind === 'crashPayer') crashPayer()
    else if (op.kind === 'crashPayee') crashPayee()
    else if (op.kind === 'rollback') rollback(op.amount)
    check()
  }

  function duplicate(): void {
    if (up.length > 0) up.splice(1, 0, up[0]!)
    if (down.length > 0) down.splice(1, 0, down[0]!)
  }

  function rollback(back: number): void {
    if (back % 8 !== 0) return
    rolledBack = true
    seen.add('rollback')
    payerDisk.length = Math.max(1, payerDisk.length - (back % 5))
    crashPayer()
  }

  function drain(): void {
    while (up.length + down.length > 0) {
      if (up.length > 0) receive(up.shift()!)
      else hear(down.shift()!)
      check()
    }
  }

  function finish(): void {
    reconnect()
    drain()
    for (const jobId of [...payee.jobs.keys()]) finishJob(jobId)
    drain()
    disconnect()
    reconnect()
    drain()
    const books = (side: PayerState | PayeeState, free: bigint) =>
      `${side.sequence} ${side.cumulative} ${side.spent} ${free} ${side.jobs.size}`
    const [ours, theirs] = [books(payer, payerCredit(payer)), books(payee, credit(payee))]
    if (ours !== theirs) throw new Error(`the books differ: ${ours} and ${theirs}`)
    if (payer.unacked.length + payee.unsettled.size > 0) throw new Error('something is left open')
    if (payer.spent + payerCredit(payer) !== payer.cumulative) throw new Error('money was lost')
    if (payee.spent !== charged) throw new Error(`spent ${payee.spent}, charged ${charged}`)
    const hashes = [payer, payee].map(({ receiptsHash }) =>
      Buffer.from(receiptsHash).toString('hex'),
    )
    if (!rolledBack && hashes[0] !== hashes[1]) throw new Error('the running hashes differ')
  }

  return { run, finish, seen }
}

function plain(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
