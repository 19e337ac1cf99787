/**
 * The quick way through the door: events that are good at a glance.
 *
 * Most events are well-formed jobs and ends. `isPlain` says so of them in some twenty nanoseconds;
 * of anything else it says nothing, and `check.ts` looks at every field by its table. A test holds
 * that whatever is plain also passes the table.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import { TIERS, type Tier } from '../../contracts/base/tier.ts'
import type { EndEvent, JobEvent } from './events.ts'

const INT31 = 2 ** 31

type Loose<T> = { readonly [Field in keyof T]?: unknown }

/** True only of events that `checkEvent` accepts. */
export function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const event: Loose<JobEvent | EndEvent> = value
  switch (event.type) {
    case 'job':
      return isPlainJob(event)
    case 'done':
    case 'fail':
    case 'cancel':
      return isName(event.id, 1) && count(event) === 2 + timed(event)
    default:
      return false
  }
}

/** Good fields are counted: where a field is unknown, bad or undefined, the counts differ. */
function isPlainJob(job: Loose<JobEvent>): boolean {
  if (!isName(job.id, 1) || !isName(job.model, 1)) return false
  let good = 3 + timed(job)
  if (isName(job.tenant, 0)) good++
  if (isCount(job.maxTick)) good++
  if (isCount(job.expectedTokens)) good++
  if (isCount(job.speedWeight)) good++
  if (isInteger(job.priority)) good++
  if (isQuantity(job.minMemoryGiB)) good++
  if (isQuantity(job.deadline)) good++
  if (job.minTier !== undefined && isTier(job.minTier)) good++
  if (isNames(job.regions)) good++
  if (isNames(job.gpus)) good++
  if (isNames(job.exclude)) good++
  if (isNames(job.tags)) good++
  return good === count(job)
}

const timed = (event: { readonly at?: unknown }): number => (isQuantity(event.at) ? 1 : 0)

/** Fields of an object, inherited ones too: an event that inherits is not plain. */
function count(event: object): number {
  let fields = 0
  for (const _ in event) fields++
  return fields
}

function isName(value: unknown, least: number): boolean {
  return typeof value === 'string' && value.length >= least && value.length <= LIMITS.nameLength
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < INT31 && Math.floor(value) === value
}

function isInteger(value: unknown): boolean {
  return typeof value === 'number' && (value | 0) === value
}

function isQuantity(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}

function isTier(value: unknown): boolean {
  return value === '' || TIERS.includes(value as Tier)
}

function isNames(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > LIMITS.listItems) return false
  for (const name of value) if (!isName(name, 1)) return false
  return true
}
