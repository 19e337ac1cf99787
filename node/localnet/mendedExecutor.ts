/**
 * An emulator that outlives what it runs.
 *
 * TON's emulator is a WebAssembly module with a small stack. A contract that nests data some
 * hundred levels deep overruns it, and the module is broken from then on: every later call fails.
 * Here the call that did it fails, and the next one gets a new module.
 * @module
 */
import type { IExecutor } from '@ton/sandbox'
import { MarketError } from '../../contracts/base/errors.ts'

/**
 * Throws `contract-failed` from a call that broke the module. `create` takes about 200 ms.
 *
 * @example
 * const executor = mendedExecutor(await Executor.create(), () => Executor.create())
 */
export function mendedExecutor(first: IExecutor, create: () => Promise<IExecutor>): IExecutor {
  let executor = first
  const mending = async <T>(run: (executor: IExecutor) => Promise<T>): Promise<T> => {
    try {
      return await run(executor)
    } catch (cause) {
      if (!isBroken(cause)) throw cause
      executor = await create()
      throw new MarketError('contract-failed', { detail: 'the emulator broke down' }, { cause })
    }
  }
  return {
    runGetMethod: (args) => mending((current) => current.runGetMethod(args)),
    runTickTock: (args) => mending((current) => current.runTickTock(args)),
    runTransaction: (args) => mending((current) => current.runTransaction(args)),
  }
}

/** Traps of the module (`WebAssembly.RuntimeError`), and its overrun of JavaScript's own stack. */
function isBroken(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'RuntimeError' || thrown instanceof RangeError)
}
