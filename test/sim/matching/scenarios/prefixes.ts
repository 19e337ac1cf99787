/**
 * Prefix affinity: the prompts of the Mooncake trace share beginnings, and slots keep the blocks
 * they worked through last. How many blocks need no work, by what a remembered tag is worth.
 * @module
 */
import { createHmac } from 'node:crypto'
import type { StrategyName } from '../../../../node/matching/events.ts'
import type { Request } from '../arrivals.ts'
import { chanceOf } from '../chance.ts'
import { mean, meanPrice, measured, served, waits } from '../figures.ts'
import { drawJobs } from '../jobs.ts'
import type { JobRecord } from '../plan.ts'
import { type Row, type Scenario, type Size, settingOf } from '../setting.ts'
import type { Figures } from '../table.ts'
import { simulate } from '../world.ts'

const LOAD = 0.6
const SLOTS = 100
/** Millionths of a nanoTON off the score for each tag that a slot remembers. */
const BONUSES = [0, 1e10, 1e11, 1e12]

export const prefixes: Scenario = {
  name: 'prefix hits',
  about:
    'A hundred slots at 60 % load, each with a cache of the blocks it used last. A job has tags ' +
    'for its first 2, 4, 8, ... blocks. By strategy and bonus a tag: prompt blocks found in ' +
    'the cache of the slot chosen, per cent (the first block, which all prompts share, not ' +
    'counted), with a cache without bounds for the whole fleet as the ceiling; mean time to the ' +
    'first token after the start and mean wait, seconds; price as above.',
  source: 'mooncake',
  run: (seed, size) =>
    (['exact', 'p2c'] as const).flatMap((strategy) =>
      BONUSES.map(
        (bonus): Row => ({
          label: `${strategy}, bonus ${bonus === 0 ? '0' : `10^${Math.log10(bonus)}`}`,
          figures: tagged(seed, size, strategy, bonus),
        }),
      ),
    ),
}

export function tagged(seed: number, size: Size, strategy: StrategyName, bonus: number): Figures {
  const small = { ...size, slots: Math.min(size.slots, SLOTS) }
  const { fleet, requests } = settingOf(seed, small, { load: LOAD })
  const jobs = drawJobs(requests, chanceOf(seed, 'jobs'), { tagsOf })
  const matcher = { affinityBonus: bonus }
  const records = measured(simulate({ seed, strategy, fleet, jobs, matcher }).records)
  return {
    'hits %': 100 * hitRate(records),
    'ceiling %': 100 * ceiling(requests),
    'first token': mean(served(records).map(prefillS)),
    'wait mean': mean(waits(records)),
    price: meanPrice(records) / 1e6,
  }
}

function hitRate(records: readonly JobRecord[]): number {
  let hits = 0
  let blocks = 0
  for (const { job, cachedBlocks } of served(records)) {
    hits += Math.max(0, cachedBlocks - 1)
    blocks += Math.max(0, job.request.blocks.length - 1)
  }
  return hits / Math.max(1, blocks)
}

function ceiling(requests: readonly Request[]): number {
  const seen = new Set<number>()
  let hits = 0
  let blocks = 0
  for (const each of requests) {
    for (const block of each.blocks.slice(1)) {
      if (seen.has(block)) hits++
      seen.add(block)
      blocks++
    }
  }
  return hits / Math.max(1, blocks)
}

/** Seconds of work on the prompt that the cache did not save. */
function prefillS({ startedMs, endedMs, job, slot }: JobRecord): number {
  return (endedMs - startedMs) / 1000 - job.request.outputTokens / slot!.decodeTps
}

const tags = new Map<number, string>()

/** Tags of one client: 64 bits under its key, for the first 2, 4, 8, ... blocks. */
function tagsOf({ blocks }: Request): readonly string[] {
  const found: string[] = []
  for (let depth = 2; depth <= blocks.length; depth *= 2) found.push(tagOf(blocks[depth - 1]!))
  return found
}

/** A block's id in the trace already stands for all that comes before it. */
function tagOf(block: number): string {
  const known = tags.get(block)
  if (known) return known
  const tag = createHmac('sha256', 'key').update(String(block)).digest('hex').slice(0, 16)
  tags.set(block, tag)
  return tag
}
