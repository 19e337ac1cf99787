/**
 * `npm start -- --once --json`, exactly as a reader types it: a whole market comes up, one real
 * prompt is answered, and everything is settled on chain to the nanoTON.
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { lastJson } from '../support/marketProcesses.ts'
import { ROOT } from '../support/tree.ts'

const WITHIN_MS = 30_000

it('answers, settles, adds up and exits, within half a minute', async () => {
  const startMs = performance.now()
  const child = spawn('npm', ['start', '--', '--once', '--json'], {
    cwd: ROOT,
    env: { ...process.env, CHRYSALIS_HOME: undefined },
  })
  const out: Buffer[] = []
  const error: Buffer[] = []
  child.stdout.on('data', (data) => out.push(data))
  child.stderr.on('data', (data) => error.push(data))
  const [exit] = await once(child, 'close')
  const tookMs = Math.round(performance.now() - startMs)
  expect(exit, Buffer.concat(error).toString()).toBe(0)

  const summary = lastJson(Buffer.concat(out).toString())
  const amount = expect.stringMatching(/^[1-9]\d*$/)
  const hash = expect.stringMatching(/^[0-9a-f]{64}$/)
  const count = expect.any(Number)
  expect(summary).toStrictEqual({
    ok: true,
    job: {
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      model: 'tiny-chat',
      text: 'The capital of Peru is Lima.',
      usage: { prompt: count, cachedPrompt: 0, completion: count, reasoning: 0 },
      ttftMs: count,
      totalMs: count,
    },
    receipt: { hash, verified: true },
    settlement: {
      claimed: { clientChannel: amount, providerChannel: amount },
      transactions: [expect.any(String), expect.any(String)],
      conserved: true,
    },
    timings: { upMs: count, jobMs: count, settleMs: count },
  })
  console.info(`once: ${tookMs} ms in all, ${JSON.stringify(summary.timings)}`)
  expect(tookMs).toBeLessThan(WITHIN_MS)
}, 60_000)
