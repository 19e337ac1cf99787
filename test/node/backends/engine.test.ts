/**
 * The life of the engine process: aborts, deaths, silence, restarts, its owner's end.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Clock } from '../../../contracts/base/ports.ts'
import { type BackendRequest, prompt } from '../../../node/backends/backend.ts'
import { type EmbeddedBackend, startEmbedded } from '../../../node/backends/embedded/embedded.ts'
import { TINY_CHAT } from '../../../node/backends/tinyChat.ts'
import { createClock } from '../../../node/system/clock.ts'
import { codeOf, collect } from '../../support/backendCompliance.ts'
import { keptLogger } from '../../support/quietLogger.ts'

const clock = createClock()
const logger = keptLogger()
const STORY = 'Tell me a story about a fox and a lantern.'
const never = new AbortController().signal
const ask = (content: string, more: Partial<BackendRequest> = {}): BackendRequest => ({
  model: 'tiny-chat',
  messages: prompt([{ role: 'user', content }]),
  maxTokens: 150,
  ...more,
})
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('engine process', { timeout: 60_000 }, () => {
  let backend: EmbeddedBackend
  beforeAll(async () => {
    backend = await startEmbedded({ ...TINY_CHAT, places: 1, clock, logger })
  }, 60_000)
  afterAll(() => backend.stop())

  it('stops computing on abort: the next job does not wait', async () => {
    const abort = new AbortController()
    for await (const piece of backend.run(ask(STORY), abort.signal)) {
      if (piece.type === 'text' && piece.completionTokens === 5) abort.abort()
    }
    const beganMs = performance.now()
    for await (const piece of backend.run(ask('Hello!'), never)) {
      if (piece.type !== 'text') continue
      const waitedMs = performance.now() - beganMs
      console.log(`abort to first token of the next job: ${waitedMs.toFixed(1)} ms`)
      expect(waitedMs).toBeLessThan(100)
      break
    }
  })

  it('fails running jobs when the engine dies, and comes back', async () => {
    const { pid = 0 } = (await backend.engine()) ?? {}
    const mayContinue = (tokens: number) => {
      if (tokens === 3) process.kill(pid, 'SIGKILL')
      return tokens < 20 ? true : new Promise<boolean>(() => {})
    }
    const killedMs = performance.now()
    expect(await codeOf(collect(backend, ask(STORY, { mayContinue })))).toBe('backend-failed')
    const seenMs = performance.now() - killedMs
    const { text } = await collect(backend, ask('What is 7 times 8?'))
    expect(text).toBe('7 * 8 = 56.')
    const backMs = performance.now() - killedMs
    console.log(`death seen after ${seenMs.toFixed(0)} ms, served after ${backMs.toFixed(0)} ms`)
    expect((await backend.engine())?.pid).not.toBe(pid)
    expect(logger.lines.map(({ message }) => message)).toContain('the inference engine is back')
    expect(JSON.stringify(logger.lines)).not.toContain('fox')
  })

  it('waits longer after each death', async () => {
    const deaths = () => logger.lines.filter(({ message }) => message.endsWith('engine died'))
    const { pid = 0 } = (await backend.engine()) ?? {}
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => deaths().length).toBe(2)
    expect(deaths().map(({ facts }) => ('backoffMs' in facts ? facts.backoffMs : 0))).toEqual([
      LIMITS.engineRestartMinMs,
      2 * LIMITS.engineRestartMinMs,
    ])
    expect((await collect(backend, ask('Hello!'))).end.finishReason).toBe('stop')
  })

  it('kills an engine that says nothing', async () => {
    const hurried: Clock = {
      ...clock,
      after: (ms, task) => clock.after(ms === LIMITS.engineStallMs ? 100 : ms, task),
    }
    const other = await startEmbedded({ ...TINY_CHAT, places: 1, clock: hurried, logger })
    const { pid = 0 } = (await other.engine()) ?? {}
    const mayContinue = (tokens: number) => {
      if (tokens === 3) process.kill(pid, 'SIGSTOP')
      return true as const
    }
    expect(await codeOf(collect(other, ask(STORY, { mayContinue })))).toBe('backend-failed')
    await other.stop()
  })

  it('dies with its owner', async () => {
    const script = `
      import { startEmbedded } from './node/backends/embedded/embedded.ts'
      import { TINY_CHAT } from './node/backends/tinyChat.ts'
      import { createClock } from './node/system/clock.ts'
      import { silentLogger as logger } from './node/system/logger.ts'
      const options = { ...TINY_CHAT, places: 1, clock: createClock(), logger }
      console.log((await (await startEmbedded(options)).engine()).pid)`
    const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(owner.stdout, 'data')
    const pid = Number(line)
    process.kill(pid, 0) // alive
    owner.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false)
  })

  it('refuses everything once stopped', async () => {
    const other = await startEmbedded({ ...TINY_CHAT, places: 1, clock, logger })
    const { pid = 0 } = (await other.engine()) ?? {}
    await other.stop()
    expect(await codeOf(collect(other, ask('Hello!')))).toBe('backend-failed')
    expect(isAlive(pid)).toBe(false)
  })
})
