/**
 * A request of an application, checked once and completed with the policy's defaults.
 *
 * Everything after this point works on values that hold: bounds are those of the wire
 * (`contracts/wire/submit.ts`), so that a scheduler refuses nothing that passed here.
 * @module
 */
import { type Bytes, fromHex, toHex } from '../contracts/base/bytes.ts'
import { MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import { type Secret, secret } from '../contracts/base/secret.ts'
import { encodeRequest } from '../contracts/wire/request.ts'
import { integer, type JobSpec, name, tier } from '../contracts/wire/submit.ts'
import { type JobBounds, promptBound } from './payAhead.ts'
import type { SettledPolicy } from './policy.ts'
import type { JobRequest } from './types.ts'

/** A job ready to be submitted: what the scheduler learns, and what only the provider will. */
export interface PreparedJob {
  readonly spec: Omit<JobSpec, 'channel' | 'clientJobKey'>
  readonly bounds: JobBounds
  /** The request in the clear, to be sealed. */
  readonly body: Secret<Bytes>
  readonly consent: boolean
  readonly resume: boolean
}

export const DEFAULT_MAX_TOKENS = 512
const DEFAULT_DEADLINE_MS = 60_000

/**
 * Checks a request. `count` counts a text's tokens for the bound on the prompt (bytes, where no
 * tokenizer is known); `newJobId` gives 16 random bytes, `tagsOf` the prefix tags of a request that
 * asks for affinity. Throws `bad-input` naming the field,
 * `too-large` for a prompt beyond `LIMITS.requestBytes`, `tier-too-low` for a tier below the
 * policy.
 */
export function prepareJob(
  request: JobRequest,
  policy: SettledPolicy,
  count: (text: string) => number,
  newJobId: () => Bytes,
  tagsOf: (request: JobRequest) => readonly string[] = () => [],
): PreparedJob {
  onlyKnown(request)
  const maxTokens = request.maxTokens ?? DEFAULT_MAX_TOKENS
  const { messages, temperature, topP, seed, stop } = request
  const body = encodeRequest({
    messages,
    maxTokens,
    temperature,
    topP,
    seed,
    stop,
  })
  const promptTokens = promptBound(messages, count)
  const { maxCost } = request
  if (maxCost !== undefined && (typeof maxCost !== 'bigint' || maxCost <= 0n)) {
    throw new MarketError('bad-input', { field: 'maxCost', expected: 'a positive bigint' })
  }
  return {
    spec: {
      jobId: jobId(request.jobId, newJobId),
      model: name('model', request.model),
      maxTick: integer('maxTick', request.maxTick ?? policy.maxTick, 0, 95),
      promptTokens,
      maxTokens,
      minTier: tier(request.minTier ?? policy.minTier),
      regions: names('regions', request.regions),
      gpus: names('gpus', request.gpus),
      minMemoryGiB: integer('minMemoryGiB', request.minMemoryGiB ?? 0, 0, 1 << 20),
      exclude: list('exclude', request.exclude).map((id) => toHex(fromHex(id, 32))),
      speedWeight: integer('speedWeight', request.speedWeight ?? 0, 0, 2 ** 31 - 1),
      priority: integer('priority', request.priority ?? 0, -100, 100),
      deadlineMs: integer(
        'deadlineMs',
        request.deadlineMs ?? DEFAULT_DEADLINE_MS,
        0,
        LIMITS.deadlineMs,
      ),
      tags: request.affinity === true ? tagsOf(request) : [],
    },
    bounds: { promptTokens, maxTokens, maxCost },
    body: secret('request', body),
    consent: request.consent === true,
    resume: request.resume === true,
  }
}

/** Said behind a lost answer: model servers answer a user's message, they do not go on with one. */
const GO_ON = 'Continue your answer exactly where it stopped. Repeat nothing.'

/** The request that continues a lost answer: the same conversation and what was delivered of it. */
export function continuation(request: JobRequest, text: string, tokens: number): JobRequest {
  const maxTokens = (request.maxTokens ?? DEFAULT_MAX_TOKENS) - tokens
  const said = { role: 'assistant' as const, content: text }
  const messages = [...request.messages, said, { role: 'user' as const, content: GO_ON }]
  return { ...request, messages, maxTokens, jobId: undefined }
}

const KEYS: Readonly<Record<keyof JobRequest, true>> = {
  model: true,
  messages: true,
  maxTokens: true,
  temperature: true,
  topP: true,
  seed: true,
  stop: true,
  minTier: true,
  maxTick: true,
  maxCost: true,
  regions: true,
  gpus: true,
  minMemoryGiB: true,
  exclude: true,
  deadlineMs: true,
  speedWeight: true,
  priority: true,
  affinity: true,
  resume: true,
  consent: true,
  jobId: true,
  signal: true,
}

/** A misspelt cap would be no cap: unknown keys are refused. */
function onlyKnown(request: JobRequest): void {
  const unknown = Object.keys(request).find((key) => !Object.hasOwn(KEYS, key))
  if (unknown !== undefined) {
    throw new MarketError('bad-input', { unknownKey: unknown.slice(0, LIMITS.nameLength) })
  }
}

function jobId(given: string | undefined, newJobId: () => Bytes): string {
  return toHex(given === undefined ? newJobId() : fromHex(given, 16))
}

function names(field: string, values: readonly string[] | undefined): readonly string[] {
  return list(field, values).map((value) => name(field, value))
}

function list(field: string, values: readonly string[] | undefined): readonly string[] {
  if (values !== undefined && (!Array.isArray(values) || values.length > LIMITS.listItems)) {
    throw new MarketError('bad-input', { field, most: LIMITS.listItems })
  }
  return values ?? []
}
