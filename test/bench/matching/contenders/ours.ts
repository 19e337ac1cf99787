/**
 * The project's own indexes, by the name under which the tables show them.
 * @module
 */
import type { ContenderFactory } from '../contender.ts'

export const OURS: readonly ContenderFactory[] = []
