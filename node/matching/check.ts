/**
 * The door of the matching core: is a value an event? Shapes and bounds only; what depends on the
 * state (a known slot, a time that goes back) the matcher checks itself.
 *
 * An unknown field is refused: a misspelt requirement that was ignored would accept anything.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { TIERS } from '../../contracts/base/tier.ts'
import type { MatchEvent } from './events.ts'
import { isPlain } from './plain.ts'

interface Check {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
  readonly required?: true
}

/** Below this every count, weight and priority fits a signed 32-bit integer. */
const INT31 = 2 ** 31

const name = (least: number): Check => ({
  expected: `text of ${least} to ${LIMITS.nameLength} characters`,
  holds: (v) => typeof v === 'string' && v.length >= least && v.length <= LIMITS.nameLength,
})
const integer = (from: number, below: number): Check => ({
  expected: `an integer from ${from} to ${below - 1}`,
  holds: (v) => typeof v === 'number' && Number.isInteger(v) && v >= from && v < below,
})
const quantity: Check = {
  expected: 'a number from 0 to 2^53 - 1',
  holds: (v) => typeof v === 'number' && v >= 0 && v <= Number.MAX_SAFE_INTEGER,
}
const word = name(1)
const names: Check = {
  expected: `a list of at most ${LIMITS.listItems} names`,
  holds: (v) => Array.isArray(v) && v.length <= LIMITS.listItems && v.every(word.holds),
}
const oneOf = (values: readonly string[]): Check => ({
  expected: values.map((value) => value || "''").join(', '),
  holds: (v) => typeof v === 'string' && values.includes(v),
})
const required = (check: Check): Check => ({ ...check, required: true })

const TIMED = { type: name(1), at: quantity }
const OF_SLOT = { ...TIMED, slot: required(name(1)) }
const OF_JOB = { ...TIMED, id: required(name(1)) }

const FIELDS: ReadonlyMap<unknown, ReadonlyMap<string, Check>> = new Map(
  Object.entries({
    offer: {
      ...OF_SLOT,
      provider: name(1),
      model: name(1),
      tick: integer(0, 96),
      capacity: integer(0, INT31),
      serviceMs: quantity,
      tier: oneOf(TIERS),
      region: name(0),
      gpu: name(0),
      memoryGiB: quantity,
    },
    load: { ...OF_SLOT, running: required(integer(0, INT31)), own: integer(0, INT31) },
    service: { ...OF_SLOT, serviceMs: required(quantity) },
    drain: OF_SLOT,
    leave: OF_SLOT,
    job: {
      ...OF_JOB,
      tenant: name(0),
      model: required(name(1)),
      maxTick: integer(0, INT31),
      expectedTokens: integer(0, INT31),
      speedWeight: integer(0, INT31),
      minTier: oneOf(['', ...TIERS]),
      regions: names,
      gpus: names,
      minMemoryGiB: quantity,
      exclude: names,
      priority: integer(-INT31, INT31),
      tags: names,
      deadline: quantity,
    },
    done: OF_JOB,
    fail: OF_JOB,
    cancel: OF_JOB,
  }).map(([type, fields]) => [type, new Map<string, Check>(Object.entries(fields))]),
)

/**
 * Refuses what is not an event. Throws `bad-input` naming the first wrong field.
 *
 * @example
 * checkEvent(JSON.parse('{"type":"done","id":"j1"}'))
 */
export function checkEvent(value: unknown): asserts value is MatchEvent {
  if (!isPlain(value)) checkFields(value)
}

/** The same, field by field. */
export function checkFields(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MarketError('bad-input', { field: 'event', expected: 'an object' })
  }
  const fields = FIELDS.get('type' in value ? value.type : undefined)
  if (!fields) {
    throw new MarketError('bad-input', { field: 'type', expected: [...FIELDS.keys()].join(', ') })
  }
  const given: Readonly<Record<string, unknown>> = { ...value }
  for (const key in given) {
    const check = fields.get(key)
    if (!check) throw new MarketError('bad-input', { field: key.slice(0, 64), expected: 'no such' })
    if (given[key] !== undefined && !check.holds(given[key])) throw wrong(key, check)
  }
  for (const [key, check] of fields) {
    if (check.required && given[key] === undefined) throw wrong(key, check)
  }
}

function wrong(field: string, check: Check): MarketError {
  return new MarketError('bad-input', { field, expected: check.expected })
}
