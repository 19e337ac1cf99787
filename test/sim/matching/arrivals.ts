/**
 * Who asks when, for how many tokens: from the public traces of `TRACES_DIR`, or drawn where that
 * folder is absent. A trace gives the shape of the arrivals; its time is scaled to a chosen rate.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Chance } from './chance.ts'

export interface Request {
  readonly atMs: number
  readonly promptTokens: number
  readonly outputTokens: number
  /** The prompt's prefix blocks; equal ids mean equal text up to there. Empty where not known. */
  readonly blocks: readonly number[]
}

export type Source = 'azure' | 'mooncake' | 'synthetic'

/** Tokens of one prefix block, as the Mooncake trace counts them. */
export const BLOCK_TOKENS = 512

const folder = process.env.TRACES_DIR ?? '../shared/traces'
const FILES = {
  azure: join(folder, 'azure_llm_2023_conv.csv'),
  mooncake: join(folder, 'mooncake_conversation.jsonl'),
} as const

/** The requests of a trace in order, or nothing where the folder is absent. */
export function trace(source: 'azure' | 'mooncake'): readonly Request[] | undefined {
  const file = FILES[source]
  if (!existsSync(file)) return undefined
  const lines = readFileSync(file, 'utf8').trim().split(/\r?\n/)
  return source === 'azure' ? azure(lines.slice(1)) : mooncake(lines)
}

function azure(lines: readonly string[]): Request[] {
  return lines.map((line) => {
    const [time, prompt, output] = line.split(',')
    const atMs = Date.parse(`${time!.slice(0, 23).replace(' ', 'T')}Z`)
    return { atMs, promptTokens: Number(prompt), outputTokens: Number(output), blocks: [] }
  })
}

interface MooncakeLine {
  readonly timestamp: number
  readonly input_length: number
  readonly output_length: number
  readonly hash_ids: readonly number[]
}

/** Its clock ticks every three seconds: requests of one tick are spread evenly until the next. */
function mooncake(lines: readonly string[]): Request[] {
  const parsed = lines.map((line): MooncakeLine => JSON.parse(line))
  const perTick = new Map<number, number>()
  for (const { timestamp } of parsed) perTick.set(timestamp, (perTick.get(timestamp) ?? 0) + 1)
  const seen = new Map<number, number>()
  return parsed.map((each) => {
    const nth = seen.get(each.timestamp) ?? 0
    seen.set(each.timestamp, nth + 1)
    return {
      atMs: each.timestamp + (3000 * nth) / perTick.get(each.timestamp)!,
      promptTokens: each.input_length,
      outputTokens: each.output_length,
      blocks: each.hash_ids,
    }
  })
}

/** Talks that are open at a time, in drawn arrivals: each turn repeats the turns before. */
const TALKS = 400

/** Arrivals between two changes of the rate, and how far it strays (deviation of its logarithm). */
const STRETCH = 400
const STRAYS = 0.15

/**
 * Poisson arrivals around one a millisecond (scale them) at a rate that strays, as those of the
 * traces do; log-normal tokens, prompts that grow.
 */
export function synthetic(chance: Chance, count: number): Request[] {
  const talks: { blocks: number[]; turns: number }[] = []
  let atMs = 0
  let gapMs = 1
  let fresh = 1
  return Array.from({ length: count }, (_, i) => {
    if (i % STRETCH === 0) gapMs = chance.logNormal(1, STRAYS)
    atMs += chance.exponential(gapMs)
    const at = chance.below(TALKS)
    const old = talks[at]
    const talk = old && chance.unit() < 0.8 ? old : { blocks: [0], turns: 0 } // 0: system prompt
    talks[at] = talk
    talk.turns++
    const added = 1 + Math.floor(chance.exponential(1.5))
    for (let i = 0; i < added; i++) talk.blocks.push(fresh++)
    const promptTokens = Math.round(talk.blocks.length * BLOCK_TOKENS - chance.below(BLOCK_TOKENS))
    const outputTokens = Math.max(1, Math.min(4096, Math.round(chance.logNormal(150, 0.9))))
    return { atMs, promptTokens, outputTokens, blocks: [...talk.blocks] }
  })
}

/**
 * The same requests at another mean rate, from time 0. The start is drawn (the trace is a ring), so
 * that seeds see different arrivals of one trace.
 */
export function scaled(all: readonly Request[], perSecond: number, chance: Chance): Request[] {
  const first = all[0]?.atMs ?? 0
  const span = (all.at(-1)?.atMs ?? 0) - first
  const factor = (all.length * 1000) / perSecond / Math.max(1, span)
  const start = chance.below(all.length)
  const origin = all[start]?.atMs ?? 0
  const turned = [...all.slice(start), ...all.slice(0, start)]
  return turned.map((each, i) => {
    const lap = i < all.length - start ? 0 : span
    return { ...each, atMs: (each.atMs - origin + lap) * factor }
  })
}
