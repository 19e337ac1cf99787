/**
 * A job refused for want of funds is looked at twice: the client may just have topped up, and the
 * books learn of that at the next look at the chain only.
 * @module
 */
import { asMarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import type { PayeeAccount } from '../settlement/payeeAccount.ts'

/**
 * Wraps admission: where it throws `no-funds`, the chain is asked about the channel, at most every
 * `LIMITS.lookAgainMs` for one channel, and admission tried once more. Throws what it throws.
 */
export function createFreshFunds(clock: Clock) {
  const looked = new WeakMap<PayeeAccount, number>()
  return async <T>(account: PayeeAccount | undefined, enter: () => T): Promise<T> => {
    try {
      return enter()
    } catch (thrown) {
      if (!account || asMarketError(thrown).code !== 'no-funds') throw thrown
      const nowMs = clock.monotonicMs()
      const beforeMs = looked.get(account) ?? Number.NEGATIVE_INFINITY
      if (nowMs - beforeMs < LIMITS.lookAgainMs) throw thrown
      looked.set(account, nowMs)
      await account.look()
      return enter()
    }
  }
}
