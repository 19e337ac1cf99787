/**
 * How far two answers to one probe are apart. Pure.
 *
 * Both backends answered greedily (temperature 0). The texts are equal or not: that is the canary.
 * Where both name likely tokens, their log-probabilities are compared at every place up to and
 * including the first at which the tokens differ: until there both models have read the same text.
 * At a place each of the reference's likely tokens counts by the difference of its log-probability,
 * both bounded below by `FLOOR`: what is unlikelier is noise. A token that the other side does not
 * name is at most as likely as the last that it names.
 * @module
 */
import type { TokenChance, TokenLogprob } from '../backends/backend.ts'

/** The answer to one probe. */
export interface ProbeAnswer {
  readonly text: string
  /** One entry a token; empty where the backend names no chances. */
  readonly tokens: readonly TokenLogprob[]
}

/** One part in 3,000. */
const FLOOR = -8

/** True where the greedy texts differ. */
export function textDiffers(suspect: ProbeAnswer, reference: ProbeAnswer): boolean {
  return suspect.text !== reference.text
}

/**
 * Mean distance of log-probabilities, 0 to 8; undefined where either side names none. 0 is equal;
 * the same weights in other arithmetic stay below 0.05.
 */
export function logprobDistance(suspect: ProbeAnswer, reference: ProbeAnswer): number | undefined {
  const places = Math.min(suspect.tokens.length, reference.tokens.length)
  const distances: number[] = []
  for (let at = 0; at < places; at++) {
    const [own, other] = [suspect.tokens[at]!, reference.tokens[at]!]
    if (own.top.length === 0 || other.top.length === 0) break
    distances.push(placeDistance(own.top, other.top))
    if (own.token !== other.token) break
  }
  return distances.length === 0 ? undefined : mean(distances)
}

function placeDistance(suspect: readonly TokenChance[], reference: readonly TokenChance[]): number {
  const named = new Map(suspect.map(({ token, logprob }) => [token, logprob]))
  const least = Math.min(...named.values())
  return mean(
    reference.map(({ token, logprob }) => {
      const known = named.get(token)
      const difference = bounded(logprob) - bounded(known ?? least)
      return known === undefined ? Math.max(0, difference) : Math.abs(difference)
    }),
  )
}

/** A claim above 1 or that is no number is a claim like any other: it is compared, bounded. */
function bounded(logprob: number): number {
  return Number.isNaN(logprob) ? FLOOR : Math.min(0, Math.max(FLOOR, logprob))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
