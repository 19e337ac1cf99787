/**
 * `chrysalis audit model` as a person runs it, over HTTP and on real weights: the demo model is
 * found to be itself, a rounded copy is found out, and the exit code says which.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Backend } from '../../node/backends/backend.ts'
import { startEmbedded } from '../../node/backends/embedded/embedded.ts'
import { hashFile } from '../../node/backends/embedded/supervisor.ts'
import { TINY_CHAT } from '../../node/backends/tinyChat.ts'
import { createClock } from '../../node/system/clock.ts'
import { roundedModel } from '../support/alteredModel.ts'
import { type BackendServer, serveBackend } from '../support/backendServer.ts'
import { lastJson, openProcesses, type Processes } from '../support/marketProcesses.ts'
import { keptLogger } from '../support/quietLogger.ts'

const SEED = '11'
let processes: Processes
const servers: BackendServer[] = []
const backends: Backend[] = []

beforeAll(async () => {
  processes = await openProcesses()
})
afterAll(async () => {
  for (const server of servers) await server.close()
  for (const backend of backends) await backend.stop()
  await processes?.end()
})

/** A server of the demo model's weights at `bits` bits; 8 are the original. */
async function serve(bits: number, refuses: boolean): Promise<string> {
  const modelPath = join(processes.home, `int${bits}.gguf`)
  const original = readFileSync(TINY_CHAT.modelPath)
  writeFileSync(modelPath, bits === 8 ? original : roundedModel(original, bits))
  const expectedHash = await hashFile(modelPath)
  const ports = { clock: createClock(), logger: keptLogger() }
  const backend = await startEmbedded({
    ...{ ...TINY_CHAT, modelPath, expectedHash, places: 1 },
    ...ports,
  })
  backends.push(backend)
  const server = await serveBackend(backend, refuses)
  servers.push(server)
  return server.baseUrl
}

async function audit(url: string, ...more: string[]) {
  const args = ['--backend-url', url, '--model', 'tiny-chat', '--seed', SEED, '--json', ...more]
  const { exit, out, error } = await processes.run(['audit', 'model', ...args])
  return { exit, result: lastJson(out), error }
}

it('the demo model is the same, also by its texts alone', async () => {
  const { exit, result, error } = await audit(await serve(8, true))
  expect([exit, result.verdict], error).toEqual([0, 'same'])
  expect(result).not.toHaveProperty('logprobs')
  expect(result.probes).toBe(15)
})

it('its copy rounded to 3 bits is different', async () => {
  const url = await serve(3, false)
  const { exit, result } = await audit(url)
  expect([exit, result.verdict]).toEqual([5, 'different'])
  expect(result.probes).toBeLessThan(15)
  expect(result.logprobs).toMatchObject({ decision: 'different', tolerance: 0.05 })
  const few = await audit(url, '--probes', '1')
  expect([few.exit, few.result.verdict]).toEqual([3, 'undecided'])
})

it('a server that does not answer, and a model without a reference, are errors', async () => {
  const gone = await audit('http://127.0.0.1:1/v1')
  expect([gone.exit, gone.result.error]).toEqual([
    3,
    expect.objectContaining({ code: 'backend-failed' }),
  ])
  const args = ['--backend-url', 'http://127.0.0.1:1/v1', '--model', 'llama', '--json']
  const { exit, out } = await processes.run(['audit', 'model', ...args])
  expect([exit, lastJson(out).error]).toEqual([2, expect.objectContaining({ code: 'bad-input' })])
})
