/**
 * Whether a submitted job may enter: the client's channel is live and can pay for a first window
 * that no other open job has been promised, and the client has not too many jobs open.
 *
 * Pure. Credit is reserved per job before a lease, so that one deposit is never promised twice.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { credit, type PayeeState } from '../../contracts/money/payee.ts'
import { billed, charge, type Parameters, windowFor } from '../../contracts/money/price.ts'
import type { JobSpec } from '../../contracts/wire/submit.ts'

/** Amounts set aside for the open jobs of a channel, by job id. */
export type Reservations = ReadonlyMap<string, NanoTon>

/**
 * What a job must be able to pay before it is matched: prompt bound and first window, at the lowest
 * tick on offer. Throws `no-funds`, `too-many-jobs`, `channel-closing`.
 */
export function admit(
  spec: JobSpec,
  state: PayeeState,
  reserved: Reservations,
  terms: Parameters & { readonly lowestTick: number; readonly fee: number },
): NanoTon {
  if (state.status !== 'open') throw new MarketError('channel-closing', { channel: state.channel })
  if (reserved.size >= LIMITS.jobsPerChannel) {
    throw new MarketError('too-many-jobs', { open: reserved.size })
  }
  const { multipliers, steps, window } = terms
  const usage = {
    prompt: spec.promptTokens,
    cachedPrompt: 0,
    completion: Math.min(spec.maxTokens, windowFor(0, window)),
    reasoning: 0,
  }
  const { asset } = spec
  const lease = { asset, tick: terms.lowestTick, fee: terms.fee, multipliers, steps, window }
  const needed = charge(billed(usage, steps), lease, true)
  const free = freeOf(state, reserved)
  if (needed > free) throw new MarketError('no-funds', { needed, free: free > 0n ? free : 0n })
  return needed
}

/** The deposit not promised, and the credit, less what open jobs have not drawn of their share. */
function freeOf(state: PayeeState, reserved: Reservations): NanoTon {
  let free = state.deposit - state.cumulative + credit(state)
  for (const [jobId, amount] of reserved) {
    const drawn = state.jobs.get(jobId)?.granted ?? 0n
    if (amount > drawn) free -= amount - drawn
  }
  return free
}
