/**
 * One call at a time, in order, whatever each of them does.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { createWriter } from '../../../node/localnet/writer.ts'

describe('writer', () => {
  it('never runs two tasks at once and keeps their order', async () => {
    const { run } = createWriter()
    const log: string[] = []
    const task = (name: string, turns: number) =>
      run(async () => {
        log.push(`${name} begins`)
        for (let i = 0; i < turns; i++) await Promise.resolve()
        log.push(`${name} ends`)
      })
    await Promise.all([task('a', 9), task('b', 1), task('c', 4)])
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  it('goes on after a task that failed, and tells that task only', async () => {
    const { run } = createWriter()
    const failing = run(() => {
      throw new Error('mine')
    })
    const next = run(() => 'fine')
    await expect(failing).rejects.toThrow('mine')
    expect(await next).toBe('fine')
  })

  it('refuses more waiting tasks than its bound, and takes them again later', async () => {
    const { run } = createWriter()
    const waiting = Array.from({ length: LIMITS.localnetWaiting }, (_, i) => run(() => i))
    await expect(run(() => -1)).rejects.toMatchObject({ code: 'limit-exceeded' })
    expect((await Promise.all(waiting)).at(-1)).toBe(LIMITS.localnetWaiting - 1)
    expect(await run(() => 'again')).toBe('again')
  })
})
