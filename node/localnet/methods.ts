/**
 * What a method of toncenter's API is here: parameters in, the `result` of the answer out.
 * @module
 */
import type { Params } from './params.ts'

/** One method. What it reads from the parameters it checks; throws `bad-input`. */
export type Method = (params: Params) => object | string | Promise<object | string>

export interface Methods {
  /** Change nothing; may also be asked by GET. */
  readonly reads: Readonly<Record<string, Method>>
  /** By POST only. */
  readonly writes: Readonly<Record<string, Method>>
}
