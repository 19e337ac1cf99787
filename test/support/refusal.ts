/**
 * How a test names the refusal that it expects: the code, and words of the reason.
 * @module
 */
import { expect } from 'vitest'
import type { ErrorCode } from '../../contracts/base/errors.ts'

/** For `toThrow`: a MarketError with this code whose reason has these words. */
export function refusal(code: ErrorCode, because = ''): unknown {
  const facts = expect.objectContaining({ because: expect.stringContaining(because) })
  return expect.objectContaining({ code, facts })
}
