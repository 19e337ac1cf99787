/**
 * Protocol Buffers in and out: decoding is strict about shape, and unknown fields are dropped, so
 * that nothing a peer invents is carried on.
 *
 * @example
 * const bytes = encodeMessage(JobMessageSchema, { kind: { case: 'abort', value: {} } })
 * decodeMessage(JobMessageSchema, bytes).kind.case // 'abort'
 * @module
 */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import type { Bytes } from '../base/bytes.ts'
import { type ErrorCode, isErrorCode, MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { TokenUsage } from '../base/terms.ts'
import type { Refused, Usage } from './generated/chrysalis_pb.ts'

/** A message as bytes. Throws `limit-exceeded` where it would not fit a frame. */
export function encodeMessage<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Bytes {
  const bytes = toBinary(schema, create(schema, init))
  if (bytes.length > LIMITS.frameBytes) {
    throw new MarketError('limit-exceeded', { bytes: bytes.length, most: LIMITS.frameBytes })
  }
  return bytes
}

/** Bytes as a message. Throws `bad-frame`. */
export function decodeMessage<D extends DescMessage>(schema: D, bytes: Bytes): MessageShape<D> {
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false })
  } catch (cause) {
    throw new MarketError('bad-frame', { message: schema.typeName }, { cause })
  }
}

/** Usage as the money room counts it; an absent message is no usage. */
export function fromUsage(usage: Usage | undefined): TokenUsage {
  return {
    prompt: usage?.prompt ?? 0,
    cachedPrompt: usage?.cachedPrompt ?? 0,
    completion: usage?.completion ?? 0,
    reasoning: usage?.reasoning ?? 0,
  }
}

/** The wire form of an error that the other side may know: code and printable facts. */
export function toRefused(error: MarketError): { code: string; facts: Record<string, string> } {
  const facts = Object.entries(error.report().facts ?? {}).slice(0, 8)
  return {
    code: error.code,
    facts: Object.fromEntries(facts.map(([k, v]) => [k, String(v).slice(0, LIMITS.nameLength)])),
  }
}

/** A refusal that came over the wire as an error; an unknown code becomes `fallback`. */
export function fromRefused(refused: Refused, fallback: ErrorCode = 'bad-frame'): MarketError {
  const code = isErrorCode(refused.code) ? refused.code : fallback
  const facts = Object.entries(refused.facts).slice(0, 8)
  const bounded = facts.map(([k, v]) => [k.slice(0, 32), v.slice(0, LIMITS.nameLength)] as const)
  return new MarketError(code, Object.fromEntries(bounded))
}
