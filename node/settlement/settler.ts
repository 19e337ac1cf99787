/**
 * What a payee does about its channels: claims on request, and watches them while it runs.
 *
 * Claims of one payee run one after the other: two at a time would pay the fees twice. When the
 * watch claims, and what it keeps fresh, is `watch.ts`.
 * @module
 */
import { asMarketError } from '../../contracts/base/errors.ts'
import { type ClaimReport, claimAll } from './claims.ts'
import type { PayeeAccount } from './payeeAccount.ts'
import { type ChannelWatch, lookAt, type WatchDeps, watchChannels } from './watch.ts'

export interface Settler {
  /** Claims the best voucher of every account; waits until that is final. */
  settle(signal?: AbortSignal): Promise<readonly ClaimReport[]>
  /** Looks at every channel that is not closed once, and claims where it must. */
  look(signal?: AbortSignal): Promise<void>
  /** Watches the channels until `stop`. */
  start(): void
  /** Ends the watch. A claim that was sent may still arrive. */
  stop(): Promise<void>
}

/** A settler over the accounts that `accounts` gives at each look. */
export function createSettler(deps: WatchDeps, accounts: () => readonly PayeeAccount[]): Settler {
  let watching: ChannelWatch | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const done = turn.then(task)
    turn = done.catch(() => undefined) // the caller has the error
    return done
  }
  const claim = (account: PayeeAccount, signal?: AbortSignal) =>
    inTurn(() => claimAll(deps, [account], signal))

  return {
    settle: (signal) => inTurn(() => claimAll(deps, accounts(), signal)),
    async look(signal) {
      for (const account of accounts()) {
        if (signal?.aborted) return
        if (account.state().status === 'closed') continue
        try {
          await lookAt(deps, account, { claim }, signal)
        } catch (thrown) {
          const { code } = asMarketError(thrown)
          deps.logger.warn({ channel: account.channel, code }, 'channel not looked at')
          if (code === 'store-failed') throw thrown
        }
      }
    },
    start() {
      watching ??= watchChannels(deps, accounts, { claim })
    },
    stop: async () => watching?.stop(),
  }
}
