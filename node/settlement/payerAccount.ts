/**
 * The payer's end of one channel: drives the pure machine (`contracts/money/payer.ts`) over an
 * account stream. A promise is on disk before it is sent; messages leave in the order of their
 * numbers.
 *
 * Used by the client towards its scheduler and by the scheduler towards each provider.
 * @module
 */
import type { Address } from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain, Change, Clock, Logger, Store, Transport } from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { decodePayer, encodePayer } from '../../contracts/money/accountCodec.ts'
import {
  exposureLimit,
  exposureOf,
  freeBalance,
  type PayerEffect,
  type PayerEvent,
  type PayerState,
  payerCredit,
  startPayer,
  stepPayer,
} from '../../contracts/money/payer.ts'
import { AccountMessageSchema } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { fromRefused } from '../../contracts/wire/messages.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import { type ChannelConfig, readChannel } from '../../contracts/wrappers/Channel.ts'
import { type MessageStream, messageStream } from '../net/messageStream.ts'
import { openMessage } from './accountWire.ts'
import { channelAddress } from './channelKind.ts'
import { witness } from './contradictions.ts'
import { ackStatement, openedEvent, toWire } from './payerWire.ts'
import { PAYER_TABLE } from './savedPayer.ts'

export interface PayerDeps {
  readonly transport: Transport
  readonly store: Store
  readonly chain: Chain
  readonly clock: Clock
  readonly logger: Logger
  readonly networkId: number
}

export interface PayerOptions {
  /** The connected peer that is the payee. */
  readonly peer: string
  /** Who signs the payee's acknowledgements. */
  readonly payeeIdentity: Bytes
  readonly config: ChannelConfig
  readonly voucherKey: SigningKey
  readonly maxExposure?: NanoTon
  /** Told once when the account can be used no more. */
  readonly onEnd?: (error: MarketError) => void
}

/** How a job ended for the payer. */
export interface Settlement {
  readonly charge: NanoTon
  readonly receiptHash?: Bytes
  readonly clientSignature?: Bytes
  readonly disputed?: boolean
}

export interface PayerAccount {
  readonly channel: Address
  state(): PayerState
  /** Grants `amount` to a job: resolves when the promise is durable and on its way. */
  grant(jobId: string, amount: NanoTon, options?: { consent?: boolean }): Promise<void>
  /** Says what a job's delivered work has cost so far. */
  delivered(jobId: string, cost: NanoTon): void
  /** Ends a job at its charge; what it was granted beyond returns to credit. */
  settle(jobId: string, settlement: Settlement): Promise<void>
  /** Reads the channel on chain again: deposits and claims made meanwhile. */
  refresh(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the account of a channel at its payee and brings both sides' books together. Throws what
 * the payee refuses with, `timeout`, `unreachable`, `account-conflict`.
 */
export async function openPayerAccount(
  deps: PayerDeps,
  options: PayerOptions,
): Promise<PayerAccount> {
  const account = new OpenAccount(deps, options)
  await account.start()
  return account
}

/** What a job could be granted now without anyone's consent: credit, and vouchers within limits. */
export function headroomOf(state: PayerState): NanoTon {
  const credit = payerCredit(state)
  const free = freeBalance(state)
  const byExposure = credit + exposureLimit(state) - exposureOf(state) - state.unproven
  const most = byExposure < credit ? credit : byExposure
  return most < free ? most : free
}

class OpenAccount implements PayerAccount {
  readonly channel: Address
  private readonly deps: PayerDeps
  private readonly options: PayerOptions
  private readonly key: string
  private books!: PayerState
  private stream!: MessageStream<typeof AccountMessageSchema>
  private outbox: Promise<void> = Promise.resolve()
  private ended?: MarketError
  /** Until the account stands, its caller hears of an error by the rejection alone. */
  private open = false

  constructor(deps: PayerDeps, options: PayerOptions) {
    this.deps = deps
    this.options = options
    this.channel = channelAddress(options.config)
    this.key = this.channel.toRawString()
  }

  async start(): Promise<void> {
    await this.restore()
    const { transport, clock } = this.deps
    const { peer, config, voucherKey } = this.options
    const raw = await transport.open(peer, PROTOCOLS.account)
    this.stream = messageStream(AccountMessageSchema, raw, clock)
    try {
      const open = openMessage(config, voucherKey, transport.peerKey, peer)
      await this.stream.send({ kind: { case: 'open', value: open } })
      const answer = await this.stream.next(LIMITS.helloMs)
      if (answer?.kind.case === 'refused') throw fromRefused(answer.kind.value)
      if (answer?.kind.case !== 'opened') throw new MarketError('unreachable', { peer })
      await this.dispatch(openedEvent(answer.kind.value, this.options))
    } catch (error) {
      this.stream.abort(asMarketError(error))
      throw error
    }
    this.open = true
    void this.read()
  }

  state(): PayerState {
    return this.books
  }

  grant(jobId: string, amount: NanoTon, options: { consent?: boolean } = {}): Promise<void> {
    const consent = options.consent ? this.books.deposit : undefined
    return this.dispatch({ type: 'grant', jobId, amount, consent })
  }

  delivered(jobId: string, cost: NanoTon): void {
    // Not worth a write: after a restart the payee's word decides what was delivered.
    this.books = stepPayer(this.books, { type: 'delivered', jobId, cost }).state
  }

  settle(jobId: string, settlement: Settlement): Promise<void> {
    return this.dispatch({ type: 'settle', jobId, ...settlement })
  }

  async refresh(): Promise<void> {
    const view = await readChannel(this.deps.chain, this.channel)
    await this.dispatch({ ...view, type: 'chain', deposit: view.deposited })
  }

  async close(): Promise<void> {
    this.ended ??= new MarketError('unreachable', { channel: this.key })
    await this.outbox.catch(() => undefined)
    await this.stream.close().catch(() => undefined)
  }

  private async restore(): Promise<void> {
    const { store, chain, networkId: network } = this.deps
    const { deposited: deposit, claimed, status } = await readChannel(chain, this.channel)
    const saved = store.get(PAYER_TABLE, this.key)
    const { maxExposure } = this.options
    this.books = saved
      ? decodePayer(saved)
      : startPayer({ network, channel: this.key, deposit, claimed, maxExposure })
    await this.dispatch({ type: 'chain', deposit, claimed, status })
  }

  /** One step: state first, then disk, then the wire, in order. */
  private dispatch(event: PayerEvent, also: readonly Change[] = []): Promise<void> {
    if (this.ended && (event.type === 'grant' || event.type === 'settle')) {
      return Promise.reject(this.ended)
    }
    let effects: readonly PayerEffect[]
    try {
      const step = stepPayer(this.books, event)
      this.books = step.state
      effects = step.effects
    } catch (error) {
      return Promise.reject(error)
    }
    const saved = this.deps.store.write([
      { table: PAYER_TABLE, key: this.key, value: encodePayer(this.books) },
      ...also,
    ])
    const done = this.outbox.then(async () => {
      await saved
      for (const effect of effects) await this.perform(effect)
    })
    saved.catch(() => undefined) // awaited above, in order
    this.outbox = done.catch((error) => this.end(asMarketError(error, 'unreachable')))
    return done
  }

  private async perform(effect: PayerEffect): Promise<void> {
    switch (effect.type) {
      case 'send':
        return this.stream.send(toWire(effect.message, this.options))
      case 'adopted':
        this.deps.logger.warn({ channel: this.key }, 'adopted the books shown by the payee')
        return
      case 'conflict':
        this.deps.logger.error({ channel: this.key, ...printable(effect.facts) }, effect.code)
        throw new MarketError(effect.code, effect.facts)
    }
  }

  private async read(): Promise<void> {
    try {
      for await (const { kind } of this.stream) {
        if (kind.case === 'refused') throw fromRefused(kind.value)
        if (kind.case !== 'ack') throw new MarketError('bad-frame', { unexpected: kind.case })
        const statement = ackStatement(kind.value, this.options)
        const kept = witness(this.deps.store, this.options, statement, kind.value.signature)
        await this.dispatch({ type: 'acked', ...statement }, kept)
      }
      this.end(new MarketError('unreachable', { channel: this.key }))
    } catch (error) {
      this.end(asMarketError(error))
    }
  }

  /** Nothing more is sent: a message that failed to leave must not be followed by the next one. */
  private end(error: MarketError): void {
    if (this.ended) return
    this.ended = error
    this.deps.logger.debug({ channel: this.key, code: error.code }, 'account stream ended')
    this.stream?.abort(error)
    if (this.open) this.options.onEnd?.(error)
  }
}

function printable(facts: MarketError['facts']): object {
  return new MarketError('internal', facts).report().facts ?? {}
}
