/**
 * The payee's end of one channel: drives the pure machine (`contracts/money/payee.ts`).
 *
 * State first, then disk, then the wire: an acknowledgement or a grant that is not durable is never
 * spoken of. Acknowledgements are signed: two that conflict are evidence against the payee.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Clock, Logger, Store } from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { encodePayee } from '../../contracts/money/accountCodec.ts'
import {
  grantedTo,
  type PayeeEffect,
  type PayeeEvent,
  type PayeeState,
  stepPayee,
} from '../../contracts/money/payee.ts'
import { decodeVoucher } from '../../contracts/money/voucher.ts'
import type {
  AccountMessage,
  AccountMessageSchema,
  Pay,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import { parseRecord } from '../../contracts/wire/records.ts'
import type { ChannelConfig, ChannelView } from '../../contracts/wrappers/Channel.ts'
import type { MessageStream } from '../net/messageStream.ts'
import type { HeldVoucher } from './channelKindTypes.ts'
import {
  ackMessage,
  type Countersignature,
  openedMessage,
  payEvent,
  settleEvent,
} from './payeeWire.ts'

export type { Countersignature } from './payeeWire.ts'

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
  /** True while the payer's stream is open. */
  isLive(): boolean
  /** Takes over what the chain says. */
  refresh(view: ChannelView): Promise<void>
  /** Asks the chain, and takes over what it says. Throws `chain-unavailable`. */
  look(): Promise<void>
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
  readonly table: string
  readonly identity: SigningKey
  readonly config: ChannelConfig
  readonly countersigned: (countersignature: Countersignature) => boolean
  /** The channel on chain now; asked where a voucher is above the deposit last seen. */
  readonly view?: () => Promise<ChannelView | undefined>
  /** Whether a job is being worked on; absent: any may be. */
  readonly isOpen?: (channel: string, jobId: string) => boolean
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

  isLive(): boolean {
    return this.stream !== undefined
  }

  async look(): Promise<void> {
    const view = await this.options.view?.()
    if (view) await this.refresh(view)
  }

  async dropRunning(): Promise<void> {
    for (const jobId of this.books.jobs.keys()) await this.finish(jobId, 0n)
  }

  async serve(stream: AccountStream, onOpen: () => void): Promise<void> {
    this.stream = stream
    try {
      await this.dropOver()
      await this.turn
      await stream.send(openedMessage(this.books, this.options.identity.publicKey))
      onOpen()
      for await (const message of stream) await this.receive(message)
    } finally {
      this.stream = undefined
    }
  }

  private async dropOver(): Promise<void> {
    for (const jobId of this.books.jobs.keys()) await this.endIfOver(jobId)
  }

  /** A grant that came for a job already over would hold credit for ever: such a job ends at 0. */
  private async endIfOver(jobId: string): Promise<void> {
    const isOver = this.options.isOpen?.(this.channel, jobId) === false
    if (isOver) await this.finish(jobId, 0n)
  }

  private async receive(message: AccountMessage): Promise<void> {
    const { kind } = message
    try {
      if (kind.case === 'pay') return await this.pay(kind.value)
      if (kind.case === 'settle') {
        return await this.dispatch(settleEvent(kind.value, this.options.countersigned))
      }
    } catch (thrown) {
      const error = asMarketError(thrown)
      this.needs.logger.warn({ channel: this.channel, code: error.code }, 'account message refused')
      throw error // the stream ends: what follows would not be in order
    }
    throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
  }

  /** A voucher above the deposit is honest where the channel was topped up meanwhile. */
  private async pay(pay: Pay): Promise<void> {
    const event = payEvent(pay, this.config)
    const { voucher } = event
    if (voucher?.signatureValid && voucher.cumulative > this.books.deposit) await this.look()
    await this.dispatch(event)
  }

  private dispatch(event: PayeeEvent): Promise<void> {
    let effects: readonly PayeeEffect[]
    try {
      const step = stepPayee(this.books, event)
      if (step.state === this.books && step.effects.length === 0) return this.turn
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
      case 'ack':
        return this.stream?.send(ackMessage(effect, this.config, this.options.identity))
      case 'granted':
        for (const listener of this.listeners.get(effect.jobId) ?? []) listener(effect.total)
        // Not awaited: it comes after this turn. A failed store is told by every later write.
        this.endIfOver(effect.jobId).catch(() => undefined)
        return
      case 'resync': {
        const error = new MarketError('bad-voucher', { expected: effect.expected })
        return this.stream?.send({ kind: { case: 'refused', value: toRefused(error) } })
      }
    }
  }
}
