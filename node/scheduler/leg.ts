/**
 * The scheduler's leg to one provider for one attempt: lease out, accept in, frames and receipt back.
 *
 * Checks what the provider signs before the client sees it, grants within what the client granted, and
 * after a loss keeps reading in the background, so that work that was done is settled by its receipt
 * and never by a guess.
 * @module
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { equal, fromHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Logger, Transport } from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { cost, DEFAULT_PARAMETERS, feeOn } from '../../contracts/money/price.ts'
import { type ReceiptFile, receiptFile } from '../../contracts/money/receiptFile.ts'
import {
  type Accepted,
  type Finished,
  JobMessageSchema,
  type PlacedSchema,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import { fromRefused, fromUsage } from '../../contracts/wire/messages.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import {
  accept,
  checkRecord,
  type Lease,
  lease as leaseRecord,
  parseRecord,
  type Receipt,
  receipt as receiptRecord,
  recordBytes,
  recordHash,
  signRecord,
} from '../../contracts/wire/records.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'
import type { StrategyName } from '../matching/events.ts'
import { type MessageStream, messageStream } from '../net/messageStream.ts'
import type { PayerAccount } from '../settlement/payerAccount.ts'
import type { JobEvent } from './job.ts'
import type { OfferView } from './pool.ts'

/** A connected provider that can be paid. */
export interface PaidProvider {
  readonly peer: string
  readonly account: PayerAccount
}

export interface LegDeps {
  readonly transport: Transport
  readonly clock: Clock
  readonly logger: Logger
  readonly networkId: number
  readonly identity: SigningKey
  readonly fee: number
  readonly strategy: StrategyName
}

/** A receipt that was found true to its lease. */
export interface CheckedReceipt {
  readonly receipt: Receipt
  readonly hash: Uint8Array
  readonly finished: Finished
}

export interface Leg {
  readonly lease: Lease
  readonly offer: OfferView
  readonly provider: PaidProvider
  /** What the client is shown, once accepted. */
  placed(attempt: number): MessageInitShape<typeof PlacedSchema>
  /** Starts reading; call it once, when the leg is in its place. */
  listen(): void
  accepted(): Accepted | undefined
  send(message: Parameters<MessageStream<typeof JobMessageSchema>['send']>[0]): Promise<void>
  /** Grants the provider the cost that the client's total covers. */
  cover(clientTotal: NanoTon): Promise<void>
  /** The receipt with everything that proves it. */
  receiptFile(finished: Finished): ReceiptFile
  /** Checks a receipt against the lease and the grant. Throws `bad-receipt`, `bad-signature`. */
  check(finished: Finished): CheckedReceipt
  /** The sealed request goes on; from here on there may be work to pay for. */
  forward(bytes: Uint8Array): Promise<void>
  /** Ends the attempt for the client; what was worked is still settled in the background. */
  abandon(): void
  /** Pays the provider what its receipt says. */
  pay(checked: CheckedReceipt, clientSignature?: Uint8Array): Promise<void>
}

/** Opens a stream to the provider, sends the lease and reports what comes back as job events. */
export async function openLeg(
  deps: LegDeps,
  job: { spec: JobSpec; attempt: number; offer: OfferView; provider: PaidProvider },
  dispatch: (event: JobEvent) => Promise<void>,
): Promise<Leg> {
  const { spec, attempt, offer, provider } = job
  const lease = makeLease(deps, spec, attempt, offer)
  const cell = leaseRecord.encode(lease)
  const leaseHash = recordHash(cell)
  const signed = { record: recordBytes(cell), signature: signRecord(cell, deps.identity) }
  const raw = await deps.transport.open(provider.peer, PROTOCOLS.job)
  const stream = messageStream(JobMessageSchema, raw, deps.clock)
  const channel = provider.account.channel.toRawString()
  await stream.send({ kind: { case: 'lease', value: { ...signed, channel } } })
  let accepted: Accepted | undefined
  let granted = 0n
  let abandoned = false
  let forwarded = false

  const check = (finished: Finished): CheckedReceipt => {
    const record = parseRecord(finished.receipt)
    checkRecord(record, finished.signature, identityOf(offer))
    const receipt = receiptRecord.decode(record, deps.networkId)
    const fits =
      equal(receipt.leaseHash, leaseHash) &&
      equal(receipt.modelHash, lease.modelHash) &&
      receipt.cost === cost(receipt.billed, lease) &&
      receipt.fee === feeOn(receipt.cost, lease) &&
      receipt.cost <= granted
    if (!fits) throw new MarketError('bad-receipt', { provider: offer.provider })
    return { receipt, hash: recordHash(record), finished }
  }

  const pay = async ({ receipt, hash }: CheckedReceipt, clientSignature?: Uint8Array) => {
    const settlement = { charge: receipt.cost, receiptHash: hash, clientSignature }
    await provider.account.settle(spec.jobId, { ...settlement, disputed: !clientSignature })
  }

  const settleQuietly = async (settling: Promise<void>) => {
    await settling.catch((error) => {
      deps.logger.warn({ job: spec.jobId, code: asMarketError(error).code }, 'settled later')
    })
  }

  const receive = async (message: Awaited<ReturnType<typeof stream.next>> & object) => {
    const { kind } = message
    if (abandoned) {
      if (kind.case === 'finished') await settleQuietly(pay(check(kind.value)))
      if (kind.case === 'refused') await settleQuietly(forgive())
      return
    }
    switch (kind.case) {
      case 'accepted':
        checkAccept(kind.value, leaseHash, offer, deps.networkId)
        accepted = kind.value
        return dispatch({ type: 'accepted' })
      case 'frames': {
        const { frames } = kind.value
        const billed = fromUsage(kind.value.billed)
        provider.account.delivered(spec.jobId, cost(billed, lease))
        return dispatch({ type: 'frames', frames, billed })
      }
      case 'finished': {
        const { receipt, signature } = check(kind.value).finished
        return dispatch({ type: 'finished', receipt, signature })
      }
      case 'refused': {
        await settleQuietly(forgive())
        return dispatch({ type: 'attemptFailed', code: fromRefused(kind.value, 'busy').code })
      }
      default:
        throw new MarketError('bad-frame', { unexpected: kind.case ?? 'nothing' })
    }
  }

  const forgive = () => provider.account.settle(spec.jobId, { charge: 0n, disputed: false })

  const read = async () => {
    try {
      for await (const message of stream) {
        await receive(message)
        const { case: said } = message.kind
        // Nothing follows either: a stream left open counts against the bound of a peer's streams.
        if (said === 'finished' || said === 'refused') await stream.close().catch(() => undefined)
      }
      await dispatch({ type: 'attemptFailed', code: 'provider-lost' })
    } catch (thrown) {
      const { code } = asMarketError(thrown)
      stream.abort(asMarketError(thrown))
      const lost = code === 'unreachable' || code === 'stalled'
      await dispatch({ type: 'attemptFailed', code: lost ? 'provider-lost' : code })
    }
  }
  return {
    listen: () => void read(),
    lease,
    offer,
    provider,
    accepted: () => accepted,
    placed: (number) => ({
      lease: signed,
      accepted,
      attempt: number,
      contextTokens: offer.contextTokens,
    }),
    send: (message) => stream.send(message),
    async cover(clientTotal) {
      const most = costWithin(clientTotal, deps.fee)
      if (most <= granted) return
      const amount = most - granted
      granted = most
      await provider.account.grant(spec.jobId, amount)
    },
    check,
    pay,
    receiptFile: (finished) => fileOf(signed, accepted!, finished),
    async forward(bytes) {
      forwarded = true
      await stream.send({ kind: { case: 'request', value: { bytes } } })
    },
    abandon() {
      if (abandoned) return
      abandoned = true
      // Abort where the stream still stands: the receipt, if there is one, comes within the grace;
      // after it, the provider shows the receipt when the account is opened again.
      stream.send({ kind: { case: 'abort', value: {} } }).catch(() => undefined)
      if (!forwarded) void settleQuietly(forgive())
      deps.clock.after(LIMITS.acceptMs, () =>
        stream.abort(new MarketError('timeout', { waiting: 'receipt' })),
      )
    },
  }
}

/** The largest cost whose fee still fits: `c + ceil(c * fee / 10,000) <= total`. */
export function costWithin(total: NanoTon, fee: number): NanoTon {
  return (total * 10_000n) / (10_000n + BigInt(fee))
}

function makeLease(deps: LegDeps, spec: JobSpec, attempt: number, offer: OfferView): Lease {
  const { tick, multipliers, steps, window, modelHash } = offer
  return {
    network: deps.networkId,
    jobId: fromHex(spec.jobId),
    attempt,
    scheduler: deps.identity.publicKey,
    provider: identityOf(offer),
    clientJobKey: spec.clientJobKey,
    modelHash,
    minTier: spec.minTier,
    asset: 'ton',
    tick,
    fee: deps.fee,
    multipliers,
    steps,
    window,
    parameterVersion: DEFAULT_PARAMETERS.version,
    strategy: deps.strategy,
    expiryS: Math.ceil((deps.clock.nowMs() + LIMITS.leaseMs) / 1000),
  }
}

function fileOf(
  signed: { record: Uint8Array; signature: Uint8Array },
  accepted: Accepted,
  finished: Finished,
): ReceiptFile {
  return receiptFile({
    receipt: finished.receipt,
    lease: signed.record,
    accept: accepted.record,
    epochKey: accepted.epochKey,
    evidence: accepted.evidence,
    signatures: {
      lease: signed.signature,
      accept: accepted.signature,
      epochKey: accepted.epochSignature,
      receipt: finished.signature,
    },
  })
}

function checkAccept(
  accepted: Accepted,
  leaseHash: Uint8Array,
  offer: OfferView,
  networkId: number,
): void {
  const cell = parseRecord(accepted.record)
  checkRecord(cell, accepted.signature, identityOf(offer))
  if (!equal(accept.decode(cell, networkId).leaseHash, leaseHash)) {
    throw new MarketError('bad-lease', { field: 'accept.leaseHash' })
  }
}

function identityOf(offer: OfferView): Uint8Array {
  return fromHex(offer.provider, 32)
}
