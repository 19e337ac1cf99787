/**
 * A job as the matching core hears of it.
 * @module
 */
import type { JobSpec } from '../../contracts/wire/submit.ts'
import type { MatchEvent } from '../matching/events.ts'
import { saleOf } from './poolTypes.ts'

/** The event of a job that asks for a place until `deadline`, in the pool's own time. */
export function matchJob(
  id: string,
  spec: JobSpec,
  exclude: readonly string[],
  deadline: number,
): MatchEvent {
  return {
    type: 'job',
    id,
    tenant: spec.channel.toRawString(),
    model: saleOf(spec),
    maxTick: spec.maxTick,
    expectedTokens: spec.maxTokens,
    speedWeight: spec.speedWeight,
    minTier: spec.minTier,
    regions: spec.regions,
    gpus: spec.gpus,
    minMemoryGiB: spec.minMemoryGiB,
    exclude,
    priority: spec.priority,
    tags: spec.tags,
    deadline,
  }
}
