/**
 * The shape of claims in NVIDIA's tokens, and the refusals that reading them needs.
 * @module
 */
import { refused } from '../hardware.ts'

/** Claims of a verified token: `exp` is there and a number, the rest is looked at one by one. */
export interface TokenClaims extends Readonly<Record<string, unknown>> {
  readonly exp: number
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const malformed = (because: string, cause?: unknown) =>
  refused('evidence-malformed', because, {}, cause)

export const expired = (name: string, cause: unknown) =>
  refused('evidence-expired', `${name} is not valid at this time`, {}, cause)
