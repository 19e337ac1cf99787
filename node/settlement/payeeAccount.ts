/**
 * The payee's end of one channel: drives the pure machine (`contracts/money/payee.ts`).
 *
 * State first, then disk, then the wire: an acknowledgement or a grant that is not durable is never
 * spoken of. Acknowledgements are signed: two that conflict are evidence against the payee.
 * @module
 */
import { type Bytes, fromHex, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Clock, Logger, Store } from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import { type NanoTon, parseNano } from '../../contracts/base/units.ts'
import { encodePayee } from '../../contracts/money/accountCodec.ts'
import {
  grantedTo,
  openingOf,
  type PayeeEffect,
  type PayeeEvent,
  type PayeeState,
  stepPayee,
} from '../../contracts/money/payee.ts'
import { decodeVoucher, type Voucher, verifyVoucher } from '../../contracts/money/voucher.ts'
import type {
  AccountMessage,
  AccountMessageSchema,
  Pay,
  Settle,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import { parseRecord } from '../../contracts/wire/records.ts'
import {
  type ChannelConfig,
  type ChannelView,
  channelAddress,
} from '../../contracts/wrappers/Channel.ts'
import type { MessageStream } from '../net/messageStream.ts'
import { ackHash } from './accountWire.ts'

/** A voucher with its signature, as its payee holds it. */
export interface HeldVoucher {
  readonly voucher: Voucher
  readonly signature: Bytes
}

/** A client's signature over a receipt, as a payer passes it on. */
export interface Countersignature {
  readonly jobId: string
  readonly receiptHash: Bytes
  readonly signature: Bytes
}

export interface PayeeAccount {
  /** Raw address. */
  readonly channel: string
  readonly config: ChannelConfig
  state(): PayeeState
  granted(jobId: string): NanoTon
  /** Calls `listener` with the total each time a job is granted more; the result stops it. */
  onGrant(jobId: string, listener: (total: NanoTon) => void): () => void
  /** Ends a job at its charge, durably. Throws `unpaid` above the grant. */
  finish(jobId: string, charge: NanoTon, receiptHash?: Bytes): Promise<void>
  /** The best voucher held. */
  best(): HeldVoucher | undefined
  /** Takes over what the chain says. */
  refresh(view: ChannelView): Promise<void>
  /** Ends every running job at no charge: the process that ran them is gone. */
  dropRunning(): Promise<void>
  /** Shows the books, then takes messages until the stream ends. */
  serve(stream: AccountStream, onOpen: () => void): Promise<void>
}

export type AccountStream = MessageStream<typeof AccountMessageSchema>

interface Needs {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
}

interface Options {
  readonly networkId: number
  readonly table: string
  readonly identity: SigningKey
  readonly config: ChannelConfig
  readonly countersigned: (countersignature: Countersignature) => boolean
}

/** An account over existing books. */
export function createPayeeAccount(
  needs: Needs,
  options: Options,
  start: PayeeState,
): PayeeAccount {
  return new Account(needs, options, start)
}

class Account implements PayeeAccount {
  readonly channel: string
  readonly config: ChannelConfig
  private readonly needs: Needs
  private readonly options: Options
  private readonly listeners = new Map<string, Set<(total: NanoTon) => void>>()
  private books: PayeeState
  private stream?: AccountStream
  private turn: Promise<void> = Promise.resolve()

  constructor(needs: Needs, options: Options, start: PayeeState) {
    this.needs = needs
    this.options = options
    this.config = options.config
    this.books = start
    this.channel = start.channel
  }

  state(): PayeeState {
    return this.books
  }

  granted(jobId: string): NanoTon {
    return grantedTo(this.books, jobId)
  }

  onGrant(jobId: string, listener: (total: NanoTon) => void): () => void {
    const listeners = this.listeners.get(jobId) ?? new Set()
    this.listeners.set(jobId, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.listeners.delete(jobId)
    }
  }

  finish(jobId: string, charge: NanoTon, receiptHash?: Bytes): Promise<void> {
    return this.dispatch({ type: 'finish', jobId, charge, receiptHash })
  }

  best(): HeldVoucher | undefined {
    const held = this.books.voucher
    if (!held) return undefined
    return { voucher: decodeVoucher(parseRecord(held.record)), signature: held.signature }
  }

  refresh({ deposited, claimed, status }: ChannelView): Promise<void> {
    return this.dispatch({ type: 'chain', deposit: deposited, claimed, status })
  }

  async dropRunning(): Promise<void> {
    for (const jobId of this.books.jobs.keys()) await this.finish(jobId, 0n)
  }

  async serve(stream: AccountStream, onOpen: () => void): Promise<void> {
    this.stream = stream
    try {
      await this.turn
      await stream.send({ kind: { case: 'opened', value: this.opened() } })
      onOpen()
      for await (const message of stream) await this.receive(message)
    } finally {
      this.stream = undefined
    }
  }

  private async receive(message: AccountMessage): Promise<void> {
    const { kind } = message
    try {
      if (kind.case === 'pay') return await this.dispatch(this.payEvent(kind.value))
      if (kind.case === 'settle') return await this.dispatch(this.settleEvent(kind.value))
    } catch (thrown) {
      const error = asMarketError(thrown)
      this.needs.logger.warn({ channel: this.channel, code: error.code }, 'account message refused')
      throw error // the stream ends: what follows would not be in order
    }
    throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
  }

  private dispatch(event: PayeeEvent): Promise<void> {
    let effects: readonly PayeeEffect[]
    try {
      const step = stepPayee(this.books, event)
      this.books = step.state
      effects = step.effects
    } catch (error) {
      return Promise.reject(error)
    }
    const { store } = this.needs
    const saved = store.write([
      { table: this.options.table, key: this.channel, value: encodePayee(this.books) },
    ])
    const done = this.turn.then(async () => {
      await saved
      for (const effect of effects) await this.perform(effect)
    })
    saved.catch(() => undefined) // awaited above, in order
    this.turn = done.catch(() => undefined) // the caller has the error
    return done
  }

  private async perform(effect: PayeeEffect): Promise<void> {
    switch (effect.type) {
      case 'ack': {
        const { sequence, cumulative, credit } = effect
        const hash = ackHash({ config: this.config, sequence, cumulative, credit })
        const value = {
          sequence: BigInt(sequence),
          cumulative: cumulative.toString(),
          credit: credit.toString(),
          signature: this.options.identity.sign(hash),
        }
        return this.stream?.send({ kind: { case: 'ack', value } })
      }
      case 'granted':
        for (const listener of this.listeners.get(effect.jobId) ?? []) listener(effect.total)
        return
      case 'resync': {
        const error = new MarketError('bad-voucher', { expected: effect.expected })
        return this.stream?.send({ kind: { case: 'refused', value: toRefused(error) } })
      }
    }
  }

  private payEvent(pay: Pay): PayeeEvent {
    const { voucher: record, signature } = pay
    return {
      type: 'pay',
      sequence: Number(pay.sequence),
      jobId: toHex(pay.jobId),
      amount: parseNano(pay.amount),
      voucher: record.length > 0 ? this.shownVoucher(record, signature) : undefined,
    }
  }

  private shownVoucher(record: Bytes, signature: Bytes) {
    const voucher = decodeVoucher(parseRecord(record))
    const own =
      voucher.network === this.options.networkId &&
      voucher.channel.equals(channelAddress(this.config))
    return {
      record,
      signature,
      cumulative: voucher.cumulative,
      receiptsHash: voucher.receiptsHash,
      signatureValid: own && verifyVoucher(voucher, signature, this.config.voucherKey),
    }
  }

  private settleEvent(settle: Settle): PayeeEvent {
    const jobId = toHex(settle.jobId)
    const receiptHash = settle.receiptHash.length === 32 ? settle.receiptHash : undefined
    const signature = settle.clientSignature
    const clientSignature = signature.length === 64 ? signature : undefined
    const signatureValid =
      receiptHash !== undefined &&
      clientSignature !== undefined &&
      this.options.countersigned({ jobId, receiptHash, signature })
    const { disputed } = settle
    const charge = parseNano(settle.charge)
    const sequence = Number(settle.sequence)
    const event = { type: 'settle' as const, sequence, jobId, charge, disputed, signatureValid }
    return { ...event, receiptHash, clientSignature }
  }

  private opened() {
    const { sequence, cumulative, spent, unsettled, active } = openingOf(this.books)
    return {
      sequence: BigInt(sequence),
      cumulative: cumulative.toString(),
      spent: spent.toString(),
      voucher: this.books.voucher?.record,
      signature: this.books.voucher?.signature,
      unsettled: unsettled.map((job) => ({
        jobId: fromHex(job.jobId),
        charge: job.charge.toString(),
        receiptHash: job.receiptHash,
      })),
      active: active.map((job) => ({ jobId: fromHex(job.jobId), granted: job.granted.toString() })),
      identity: this.options.identity.publicKey,
    }
  }
}
