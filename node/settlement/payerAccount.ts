/**
 * The payer's end of one channel: drives the pure machine (`contracts/money/payer.ts`) over an account
 * stream. A promise is on disk before it is sent, and messages leave in the order of their numbers.
 *
 * Used by the client towards its scheduler and by the scheduler towards each provider.
 * @module
 */
import type { Address, Cell } from '@ton/core'
import { type Bytes, fromHex, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain, Clock, Logger, Store, Transport } from '../../contracts/base/ports.ts'
import { type SigningKey, verifySignature } from '../../contracts/base/signing.ts'
import { type NanoTon, parseNano } from '../../contracts/base/units.ts'
import type { PayerMessage } from '../../contracts/money/account.ts'
import { decodePayer, encodePayer } from '../../contracts/money/accountCodec.ts'
import {
  type PayerEffect,
  type PayerEvent,
  type PayerState,
  startPayer,
  stepPayer,
} from '../../contracts/money/payer.ts'
import {
  decodeVoucher,
  encodeVoucher,
  signVoucher,
  verifyVoucher,
} from '../../contracts/money/voucher.ts'
import {
  AccountMessageSchema,
  type Ack,
  type Opened,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import { fromRefused } from '../../contracts/wire/messages.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import { parseRecord, recordBytes } from '../../contracts/wire/records.ts'
import {
  type ChannelConfig,
  channelAddress,
  readChannel,
} from '../../contracts/wrappers/Channel.ts'
import { type MessageStream, messageStream } from '../net/messageStream.ts'
import { ackHash, openMessage } from './accountWire.ts'

const TABLE = 'payer'

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
 * Opens the account of a channel at its payee and brings both sides' books together. Throws what the
 * payee refuses with, `timeout`, `unreachable`, `account-conflict`.
 */
export async function openPayerAccount(
  deps: PayerDeps,
  options: PayerOptions,
): Promise<PayerAccount> {
  const account = new OpenAccount(deps, options)
  await account.start()
  return account
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
    const open = openMessage(config, voucherKey, transport.peerKey, peer)
    await this.stream.send({ kind: { case: 'open', value: open } })
    const answer = await this.stream.next(LIMITS.helloMs)
    if (answer?.kind.case === 'refused') throw fromRefused(answer.kind.value)
    if (answer?.kind.case !== 'opened') throw new MarketError('unreachable', { peer })
    await this.dispatch(this.openedEvent(answer.kind.value))
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
    const { deposited, claimed, status } = await readChannel(this.deps.chain, this.channel)
    await this.dispatch({ type: 'chain', deposit: deposited, claimed, status })
  }

  async close(): Promise<void> {
    this.ended ??= new MarketError('unreachable', { channel: this.key })
    await this.outbox.catch(() => undefined)
    await this.stream.close().catch(() => undefined)
  }

  private async restore(): Promise<void> {
    const { store, chain, networkId } = this.deps
    const view = await readChannel(chain, this.channel)
    const saved = store.get(TABLE, this.key)
    const { deposited, claimed, status } = view
    this.books = saved
      ? decodePayer(saved)
      : startPayer({
          network: networkId,
          channel: this.key,
          deposit: deposited,
          claimed,
          maxExposure: this.options.maxExposure,
        })
    await this.dispatch({ type: 'chain', deposit: deposited, claimed, status })
  }

  /** One step: state first, then disk, then the wire, in order. */
  private dispatch(event: PayerEvent): Promise<void> {
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
      { table: TABLE, key: this.key, value: encodePayer(this.books) },
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
        return this.stream.send(this.wireMessage(effect.message))
      case 'adopted':
        this.deps.logger.warn({ channel: this.key }, 'adopted the books shown by the payee')
        return
      case 'conflict':
        this.deps.logger.error({ channel: this.key, ...printable(effect.facts) }, effect.code)
        throw new MarketError(effect.code, effect.facts)
    }
  }

  private wireMessage(message: PayerMessage) {
    const jobId = fromHex(message.jobId)
    const sequence = BigInt(message.sequence)
    if (message.kind === 'pay') {
      const { record, signature } = this.signed(message.voucher)
      const amount = message.amount.toString()
      const value = { sequence, jobId, amount, voucher: record, signature }
      return { kind: { case: 'pay' as const, value } }
    }
    const { charge, receiptHash, clientSignature, disputed } = message
    const value = {
      sequence,
      jobId,
      charge: charge.toString(),
      receiptHash,
      clientSignature,
      disputed,
    }
    return { kind: { case: 'settle' as const, value } }
  }

  private signed(promise?: { cumulative: NanoTon; receiptsHash: Bytes }) {
    if (!promise) return {}
    const voucher = { network: this.deps.networkId, channel: this.channel, ...promise }
    const record = recordBytes(encodeVoucher(voucher))
    return { record, signature: signVoucher(voucher, this.options.voucherKey) }
  }

  private async read(): Promise<void> {
    try {
      for await (const { kind } of this.stream) {
        if (kind.case === 'ack') await this.acknowledged(kind.value)
        else if (kind.case === 'refused') throw fromRefused(kind.value)
        else throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
      }
      this.end(new MarketError('unreachable', { channel: this.key }))
    } catch (error) {
      this.stream.abort(asMarketError(error))
      this.end(asMarketError(error))
    }
  }

  private end(error: MarketError): void {
    if (this.ended) return
    this.ended = error
    this.deps.logger.debug({ channel: this.key, code: error.code }, 'account stream ended')
    this.options.onEnd?.(error)
  }

  private acknowledged(ack: Ack): Promise<void> {
    const sequence = Number(ack.sequence)
    const statement = {
      sequence,
      cumulative: parseNano(ack.cumulative),
      credit: parseNano(ack.credit),
    }
    const hash = ackHash({ config: this.options.config, ...statement })
    if (!verifySignature(hash, ack.signature, this.options.payeeIdentity)) {
      throw new MarketError('bad-signature', { record: 'acknowledgement' })
    }
    return this.dispatch({ type: 'acked', ...statement })
  }

  private openedEvent(opened: Opened): PayerEvent {
    const shown = this.shownVoucher(opened)
    return {
      type: 'opened',
      sequence: Number(opened.sequence),
      cumulative: parseNano(opened.cumulative),
      spent: parseNano(opened.spent),
      unsettled: opened.unsettled.slice(0, LIMITS.accountJobs).map((job) => ({
        jobId: toHex(job.jobId),
        charge: parseNano(job.charge),
        receiptHash: job.receiptHash.length === 32 ? job.receiptHash : undefined,
      })),
      active: opened.active.slice(0, LIMITS.accountJobs).map((job) => ({
        jobId: toHex(job.jobId),
        granted: parseNano(job.granted),
      })),
      voucher: shown?.voucher,
      ownVoucherValid: shown?.valid ?? false,
    }
  }

  private shownVoucher(opened: Opened) {
    if (opened.voucher.length === 0) return undefined
    const cell: Cell = parseRecord(opened.voucher)
    const voucher = decodeVoucher(cell)
    const own = voucher.network === this.deps.networkId && voucher.channel.equals(this.channel)
    const valid = own && verifyVoucher(voucher, opened.signature, this.options.voucherKey.publicKey)
    return { voucher, valid }
  }
}

function printable(facts: MarketError['facts']): object {
  return new MarketError('internal', facts).report().facts ?? {}
}
