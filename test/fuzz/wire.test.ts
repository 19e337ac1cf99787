/**
 * What peers send, under broken bytes: frames, messages, job specifications, signed records.
 * @module
 */
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf'
import { describe, it } from 'vitest'
import { type Bytes, equal } from '../../contracts/base/bytes.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { decodeVoucher, encodeVoucher } from '../../contracts/money/voucher.ts'
import {
  AccountMessageSchema,
  HelloSchema,
  JobMessageSchema,
  OfferMessageSchema,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import { decodeMessage, encodeMessage, fromRefused } from '../../contracts/wire/messages.ts'
import type { RecordCodec } from '../../contracts/wire/records/codec.ts'
import {
  accept,
  binding,
  epochKey,
  lease,
  parseRecord,
  receipt,
  recordBytes,
} from '../../contracts/wire/records.ts'
import { parseSubmit } from '../../contracts/wire/submit.ts'
import { createFrameDecoder, encodeFrames } from '../../node/net/framing.ts'
import {
  ACCEPT,
  BINDING,
  EPOCH_KEY,
  fill,
  LEASE,
  RECEIPT,
} from '../contracts/wire/recordSamples.ts'
import { fuzz, tell } from './awkward.ts'

const address = `0:${'5a'.repeat(32)}`
const SUBMIT = {
  jobId: fill(1, 16),
  channel: address,
  clientJobKey: fill(4),
  model: 'tiny-chat',
  maxTick: 60,
  promptTokens: 64,
  maxTokens: 100,
  minTier: 'open',
  regions: ['eu'],
  gpus: ['h100', 'a100'],
  exclude: ['ab'.repeat(32)],
  speedWeight: 1_000,
  priority: -1,
  deadlineMs: 5_000,
}
const usage = { prompt: 64, cachedPrompt: 0, completion: 32, reasoning: 0 }
const signed = { record: recordBytes(lease.encode(LEASE)), signature: fill(1, 64) }
const accepted = {
  record: recordBytes(accept.encode(ACCEPT)),
  signature: fill(2, 64),
  epochKey: recordBytes(epochKey.encode(EPOCH_KEY)),
  epochSignature: fill(3, 64),
  evidence: fill(9, 200),
}

const JOB: readonly MessageInitShape<typeof JobMessageSchema>[] = [
  { kind: { case: 'submit', value: SUBMIT } },
  { kind: { case: 'placed', value: { lease: signed, accepted, attempt: 1, contextTokens: 512 } } },
  { kind: { case: 'lease', value: { ...signed, channel: address } } },
  { kind: { case: 'frames', value: { frames: [fill(1, 273), fill(2, 273)], billed: usage } } },
  { kind: { case: 'request', value: { bytes: fill(1, 4_465) } } },
  { kind: { case: 'finished', value: { receipt: fill(1, 300), signature: fill(2, 64) } } },
  { kind: { case: 'refused', value: { code: 'price', facts: { lowestTick: '44' } } } },
  { kind: { case: 'lost', value: { attempt: 1, code: 'cannot-open', mayRetry: true } } },
]
const OFFER: readonly MessageInitShape<typeof OfferMessageSchema>[] = [
  { kind: { case: 'offer', value: { slot: 's', model: 'm', tick: 9, tier: 'open' } } },
  { kind: { case: 'models', value: { models: [{ model: 'm', tiers: ['open'], places: 2 }] } } },
]
const ACCOUNT: readonly MessageInitShape<typeof AccountMessageSchema>[] = [
  { kind: { case: 'pay', value: { sequence: 3n, jobId: fill(1, 16), amount: '1000' } } },
  { kind: { case: 'opened', value: { sequence: 1n, active: [{ jobId: fill(1), granted: '5' }] } } },
  { kind: { case: 'settle', value: { sequence: 4n, charge: '9', receiptHash: fill(3) } } },
]
const HELLO: readonly MessageInitShape<typeof HelloSchema>[] = [
  { version: 1, network: -3, agent: 'x', role: 'provider', binding: { record: fill(1, 300) } },
]

function messages<D extends DescMessage>(
  schema: D,
  inits: readonly MessageInitShape<D>[],
): [string, Bytes[], (input: Bytes) => unknown] {
  const corpus = inits.map((init) => encodeMessage(schema, init))
  return [schema.typeName, corpus, (input) => decodeMessage(schema, input)]
}

/** What is accepted must be the one encoding of what it says. */
function record<T>(codec: RecordCodec<T>, network: number) {
  return (input: Bytes) => {
    const cell = parseRecord(input)
    const again = codec.encode(codec.decode(cell, network))
    if (!equal(again.hash(), cell.hash())) throw new Error('two encodings of one record')
  }
}

describe('fuzzing the wire', () => {
  it('frames, in pieces as they come', () => {
    const corpus = [[fill(1, 5)], [fill(2, 200), fill(3, 1)], [fill(4, 20_000)]].map((frames) =>
      encodeFrames(frames),
    )
    const decode = (input: Bytes) => {
      const decoder = createFrameDecoder()
      const frames: Bytes[] = []
      for (let at = 0; at < input.length; at += 1_000) {
        decoder.push(input.subarray(at, at + 1_000), frames)
        if (decoder.heldBytes > 2 * Math.max(4_096, input.length)) throw new Error('held too much')
      }
      if (frames.some(({ length }) => length > LIMITS.frameBytes)) throw new Error('too long')
    }
    tell(fuzz({ name: 'wire frames', corpus, decode, inputs: 500 }))
  })

  it.each([
    messages(JobMessageSchema, JOB),
    messages(OfferMessageSchema, OFFER),
    messages(AccountMessageSchema, ACCOUNT),
    messages(HelloSchema, HELLO),
  ])('messages: %s', (name, corpus, decode) => {
    tell(fuzz({ name, corpus, decode, inputs: 500 }))
  })

  it('job specifications and refusals inside messages', () => {
    const corpus = [JOB[0]!, JOB[6]!].map((init) => encodeMessage(JobMessageSchema, init))
    const decode = (input: Bytes) => {
      const { kind } = decodeMessage(JobMessageSchema, input)
      if (kind.case === 'submit') parseSubmit(kind.value)
      if (kind.case === 'refused') fromRefused(kind.value).report()
    }
    tell(fuzz({ name: 'submit and refused', corpus, decode, inputs: 500 }))
  })

  it.each([
    ['lease', recordBytes(lease.encode(LEASE)), record(lease, LEASE.network)],
    ['accept', recordBytes(accept.encode(ACCEPT)), record(accept, ACCEPT.network)],
    ['receipt', recordBytes(receipt.encode(RECEIPT)), record(receipt, RECEIPT.network)],
    ['binding', recordBytes(binding.encode(BINDING)), record(binding, BINDING.network)],
    ['epoch key', recordBytes(epochKey.encode(EPOCH_KEY)), record(epochKey, EPOCH_KEY.network)],
  ])('records: %s', (name, bytes, decode) => {
    tell(fuzz({ name, corpus: [bytes], decode, inputs: 300 }))
  })

  it('vouchers', () => {
    const voucher = { network: -3, channel: BINDING.wallet, cumulative: 9n, receiptsHash: fill(1) }
    const bytes = recordBytes(encodeVoucher(voucher))
    const decode = (input: Bytes) => decodeVoucher(parseRecord(input))
    tell(fuzz({ name: 'voucher', corpus: [bytes], decode, inputs: 300 }))
  })
})
