/**
 * Where a running job waits for money: asked before each token, open while the grant covers it.
 * @module
 */
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock } from '../../contracts/base/ports.ts'

export interface Gate {
  /** True once `tokens` and one more are paid for; false after `LIMITS.unpaidMs`, or at the end. */
  pass(tokens: number): true | Promise<boolean>
  /** Something has changed: those who wait look again. */
  wake(): void
}

/** A gate that `covered` opens and `over` gives up on. */
export function createGate(
  clock: Clock,
  covered: (tokens: number) => boolean,
  over: () => boolean,
): Gate {
  const waiters = new Set<() => void>()

  const wait = (tokens: number) =>
    new Promise<boolean>((resolve) => {
      const settle = (paid: boolean) => {
        waiters.delete(look)
        cancel()
        resolve(paid)
      }
      const look = () => {
        if (over()) settle(false)
        else if (covered(tokens)) settle(true)
      }
      const cancel = clock.after(LIMITS.unpaidMs, () => settle(false))
      waiters.add(look)
      look()
    })

  return {
    pass: (tokens) => (!over() && covered(tokens) ? true : wait(tokens)),
    wake() {
      for (const look of [...waiters]) look()
    },
  }
}
