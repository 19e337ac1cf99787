/**
 * Getters of contracts that may not be there: an account without code, or with another contract's,
 * is a fault of the address that was given, not of a message.
 * @module
 */
import type { Address, TupleReader } from '@ton/core'
import { type ErrorCode, MarketError } from '../base/errors.ts'
import type { Chain } from '../base/ports.ts'

/** What a getter exits with where an account has no code: toncenter's number, and tonlib's. */
const NO_CODE: readonly unknown[] = [-13, -256]
/** And where its code has no such getter. */
const NO_GETTER = 11

/** Runs a getter; throws `code` where the account is not there, or another contract is. */
export async function getterOr(
  code: ErrorCode,
  chain: Chain,
  address: Address,
  method: string,
): Promise<TupleReader> {
  try {
    return await chain.getter(address, method)
  } catch (cause) {
    const exitCode = cause instanceof MarketError && cause.facts.exitCode
    const isEmpty = NO_CODE.includes(exitCode)
    if (!isEmpty && exitCode !== NO_GETTER) throw cause
    const found = isEmpty ? 'no contract' : 'another contract'
    throw new MarketError(code, { address: address.toString(), found }, { cause })
  }
}
