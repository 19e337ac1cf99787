/**
 * One call at a time: everything that reads or changes a localnet runs through here, in order, so
 * that no call ever sees a block half made.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'

export interface Writer {
  /** Runs `task` after all earlier ones. Throws `limit-exceeded` where too many wait. */
  run<T>(task: () => T | Promise<T>): Promise<T>
}

export function createWriter(): Writer {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return {
    async run(task) {
      if (waiting >= LIMITS.localnetWaiting) {
        throw new MarketError('limit-exceeded', { limit: 'localnetWaiting' })
      }
      waiting++
      const turn = last.then(task)
      last = turn.catch(() => {}) // a task that failed has told its own caller
      try {
        return await turn
      } finally {
        waiting--
      }
    },
  }
}
