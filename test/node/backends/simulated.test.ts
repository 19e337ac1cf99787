/**
 * The simulated backend: compliance, determinism by seed, faults on request.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { prompt } from '../../../node/backends/backend.ts'
import { startSimulated } from '../../../node/backends/simulated.ts'
import { createClock } from '../../../node/system/clock.ts'
import { backendCompliance, codeOf, collect } from '../../support/backendCompliance.ts'

const clock = createClock()

const models = [{ id: 'sim', places: 2 }]
const long = {
  model: 'sim',
  messages: prompt([{ role: 'user', content: 'Say a lot of words.' }]),
  maxTokens: 64,
}
const answerTokens = () => 40
const fast = { models, clock, seed: 7, tokenMs: 1, answerTokens }

backendCompliance('simulated', async () => {
  const backend = startSimulated(fast)
  return { backend, long, stop: () => backend.stop() }
})

describe('simulated backend', () => {
  it('says that it is a demo, and hashes to no real weights', () => {
    const [a, b] = startSimulated({ ...fast, models: [...models, { id: 'two', places: 1 }] }).models
    expect(a?.demo).toBe(true)
    expect(a?.weightsHash).not.toEqual(b?.weightsHash)
  })

  it('depends on its seed', async () => {
    const seven = await collect(startSimulated(fast), long)
    const eight = await collect(startSimulated({ ...fast, seed: 8 }), long)
    expect(eight.text).not.toBe(seven.text)
    expect((await collect(startSimulated(fast), long)).text).toBe(seven.text)
  })

  it('ends by itself at its natural length', async () => {
    const { end } = await collect(startSimulated(fast), long)
    expect(end).toMatchObject({ finishReason: 'stop', usage: { prompt: 5, completion: 40 } })
  })

  it('dies where it is told to', async () => {
    const fault = (run: number) => (run === 1 ? { dieAfter: 4 } : undefined)
    const backend = startSimulated({ ...fast, fault })
    expect((await collect(backend, long)).end.usage.completion).toBe(40)
    expect(await codeOf(collect(backend, long))).toBe('backend-failed')
  })

  it('stalls where it is told to, until it is aborted or stopped', async () => {
    const backend = startSimulated({ ...fast, fault: () => ({ stallAfter: 2 }) })
    const abort = new AbortController()
    let last = 0
    const reading = (async () => {
      for await (const piece of backend.run(long, abort.signal)) {
        if (piece.type === 'text' && piece.completionTokens === 2) setImmediate(() => abort.abort())
        if (piece.type === 'end') last = piece.usage.completion
      }
    })()
    await reading
    expect(last).toBe(2)
    const stalled = codeOf(collect(backend, long))
    await clock.sleep(20)
    await backend.stop()
    expect(await stalled).toBe('backend-failed')
    expect(await codeOf(collect(backend, long))).toBe('backend-failed')
  })

  it('refuses a prompt beyond its context, with figures', async () => {
    const backend = startSimulated({
      ...fast,
      models: [{ id: 'sim', places: 1, contextTokens: 5 }],
    })
    await expect(collect(backend, long)).rejects.toMatchObject({
      code: 'prompt-too-long',
      facts: { promptTokens: 5, contextTokens: 5 },
    })
  })
})
