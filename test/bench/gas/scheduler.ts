/**
 * Gas of a scheduler's item: every message, and the same among many of them.
 * @module
 */
import { itemGas } from '../itemGas.ts'

export const gas = itemGas('scheduler')
