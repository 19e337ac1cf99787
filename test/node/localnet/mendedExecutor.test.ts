/**
 * A broken emulator is replaced, an emulator that refuses is not.
 * @module
 */
import type { IExecutor } from '@ton/sandbox'
import { describe, expect, it } from 'vitest'
import { mendedExecutor } from '../../../node/localnet/mendedExecutor.ts'

/** An emulator whose every call ends so. */
function ending(how: () => never): IExecutor {
  return { runGetMethod: how, runTickTock: how, runTransaction: how }
}

function trap(): never {
  const error = new Error('memory access out of bounds')
  error.name = 'RuntimeError'
  throw error
}

describe('a mended executor', () => {
  it.each<[string, () => never]>([
    ['a trap', trap],
    [
      'an overrun stack',
      () => {
        throw new RangeError('Maximum call stack size exceeded')
      },
    ],
  ])('gets a new module after %s, and fails only the call that did it', async (_name, how) => {
    let made = 0
    const good = { success: true } as never
    const executor = mendedExecutor(ending(how), async () => {
      made++
      return { ...ending(how), runGetMethod: async () => good }
    })
    const args = {} as never
    await expect(executor.runTransaction(args)).rejects.toMatchObject({ code: 'contract-failed' })
    expect(made).toBe(1)
    expect(await executor.runGetMethod(args)).toBe(good)
    await expect(executor.runTickTock(args)).rejects.toMatchObject({ code: 'contract-failed' })
    expect(made).toBe(2)
  })

  it('keeps its module where the caller was wrong', async () => {
    const refusing = ending(() => {
      throw new TypeError('no such stack')
    })
    const executor = mendedExecutor(refusing, () => Promise.reject(new Error('not needed')))
    await expect(executor.runGetMethod({} as never)).rejects.toThrow('no such stack')
  })
})
