/**
 * Gas of a gpu's item: every message, and the same among many of them.
 * @module
 */
import { itemGas } from '../itemGas.ts'

export const gas = itemGas('gpu')
