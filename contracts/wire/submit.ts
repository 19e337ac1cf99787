/**
 * The job specification that a client submits: no prompt, no money, only what matching needs.
 *
 * Decoded once at the scheduler's edge, with every bound checked; inside, types hold.
 * @module
 */

import type { MessageInitShape } from '@bufbuild/protobuf'
import { Address } from '@ton/core'
import { type Bytes, fromHex, toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { Asset } from '../base/terms.ts'
import { TIERS, type Tier } from '../base/tier.ts'
import type { Submit, SubmitSchema } from './generated/chrysalis_pb.ts'

/** Bytes of a prefix tag. */
export const TAG_BYTES = 8

/** What a client asks for. Token figures are upper bounds; times in milliseconds. */
export interface JobSpec {
  /** 128 bits, hex: the idempotency key. */
  readonly jobId: string
  readonly channel: Address
  /** What the channel is of, where the scheduler has looked; never sent. Absent: TON. */
  readonly asset?: Asset
  /** One-job Ed25519 public key. */
  readonly clientJobKey: Bytes
  readonly model: string
  readonly maxTick: number
  readonly promptTokens: number
  readonly maxTokens: number
  readonly minTier: Tier
  readonly regions: readonly string[]
  readonly gpus: readonly string[]
  readonly minMemoryGiB: number
  /** Provider identities, hex, that must not serve this job. */
  readonly exclude: readonly string[]
  readonly speedWeight: number
  readonly priority: number
  readonly deadlineMs: number
  /** Of the prompt's prefixes, 64 bits in hex under the client's secret, shortest first. */
  readonly tags: readonly string[]
}

/** A submit message as a specification. Throws `bad-input` naming the field. */
export function parseSubmit(submit: Submit): JobSpec {
  return {
    jobId: toHex(bytes('jobId', submit.jobId, 16)),
    channel: address(submit.channel),
    clientJobKey: bytes('clientJobKey', submit.clientJobKey, 32),
    model: name('model', submit.model),
    maxTick: integer('maxTick', submit.maxTick, 0, 95),
    promptTokens: integer('promptTokens', submit.promptTokens, 0, LIMITS.requestBytes),
    maxTokens: integer('maxTokens', submit.maxTokens, 1, LIMITS.maxTokens),
    minTier: tier(submit.minTier),
    regions: names('regions', submit.regions),
    gpus: names('gpus', submit.gpus),
    minMemoryGiB: integer('minMemoryGiB', submit.minMemoryGib, 0, 1 << 20),
    exclude: list('exclude', submit.exclude).map((id) => toHex(fromHex(id, 32))),
    speedWeight: integer('speedWeight', submit.speedWeight, 0, 2 ** 31 - 1),
    priority: integer('priority', submit.priority, -100, 100),
    deadlineMs: integer('deadlineMs', submit.deadlineMs, 0, LIMITS.deadlineMs),
    tags: list('tags', submit.tags).map((tag) => toHex(bytes('tags', tag, TAG_BYTES))),
  }
}

/** A specification as the message that carries it. */
export function toSubmit(spec: JobSpec): MessageInitShape<typeof SubmitSchema> {
  return {
    jobId: fromHex(spec.jobId),
    channel: spec.channel.toRawString(),
    clientJobKey: spec.clientJobKey,
    model: spec.model,
    maxTick: spec.maxTick,
    promptTokens: spec.promptTokens,
    maxTokens: spec.maxTokens,
    minTier: spec.minTier,
    regions: [...spec.regions],
    gpus: [...spec.gpus],
    minMemoryGib: spec.minMemoryGiB,
    exclude: [...spec.exclude],
    speedWeight: spec.speedWeight,
    priority: spec.priority,
    deadlineMs: spec.deadlineMs,
    tags: spec.tags.map((tag) => fromHex(tag, TAG_BYTES)),
  }
}

/** A raw address of the basechain. Throws `bad-input`. */
export function address(text: string): Address {
  try {
    return Address.parseRaw(text)
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'address' }, { cause })
  }
}

/** A model, region, GPU class or slot name: printable, short, no path. Throws `bad-input`. */
export function name(field: string, text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$/.test(text) || text.length > LIMITS.nameLength) {
    throw new MarketError('bad-input', { field, expected: 'letters, digits and ._:/@+-' })
  }
  return text
}

/** A whole number between two bounds, both included. Throws `bad-input`. */
export function integer(field: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new MarketError('bad-input', { field, least, most })
  }
  return value
}

/** A tier by name. Throws `bad-input`. */
export function tier(text: string): Tier {
  const known = TIERS.find((each) => each === text)
  if (!known) throw new MarketError('bad-input', { field: 'tier', expected: TIERS.join(' | ') })
  return known
}

function bytes(field: string, value: Bytes, length: number): Bytes {
  if (value.length !== length) throw new MarketError('bad-input', { field, bytes: length })
  return value
}

function names(field: string, values: readonly string[]): string[] {
  return list(field, values).map((value) => name(field, value))
}

function list<Item>(field: string, values: readonly Item[]): readonly Item[] {
  if (values.length > LIMITS.listItems) {
    throw new MarketError('bad-input', { field, most: LIMITS.listItems })
  }
  return values
}
