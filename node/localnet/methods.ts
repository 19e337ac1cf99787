/**
 * What a method of toncenter's API is here: parameters in, the `result` of the answer out.
 * @module
 */
import type { Params } from './params.ts'

/** One method. What it reads from the parameters it checks; throws `bad-input`. */
export type Method = (params: Params) => object | string | Promise<object | string>

export type MethodTable = Readonly<Record<string, Method>>

/** As toncenter divides them: what takes cells or sends is asked by POST and by JSON-RPC only. */
export interface Methods {
  readonly anyVerb: MethodTable
  readonly postOnly: MethodTable
}
