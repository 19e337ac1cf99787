/**
 * An audit on real weights: the committed demo model against itself, against itself in other
 * arithmetic, and against what cheats would serve in its place.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuditReport, auditModel, type Side } from '../../../node/audit/auditModel.ts'
import { probesFor, probesFrom } from '../../../node/audit/probes.ts'
import type { Backend, BackendRequest } from '../../../node/backends/backend.ts'
import { startEmbedded } from '../../../node/backends/embedded/embedded.ts'
import { hashFile } from '../../../node/backends/embedded/supervisor.ts'
import { TINY_CHAT } from '../../../node/backends/tinyChat.ts'
import { createClock } from '../../../node/system/clock.ts'
import { halfFloatModel, roundedModel } from '../../support/alteredModel.ts'
import { keptLogger } from '../../support/quietLogger.ts'

const SEED = 11
console.log(`seed ${SEED}`)
const folder = mkdtempSync(join(tmpdir(), 'chrysalis-audit-'))
const model = TINY_CHAT.modelId
const original = readFileSync(TINY_CHAT.modelPath)
const backends: Backend[] = []
let reference: Side

async function serving(name: string, weights: Buffer): Promise<Side> {
  const modelPath = join(folder, `${name}.gguf`)
  writeFileSync(modelPath, weights)
  const expectedHash = await hashFile(modelPath)
  const places = { places: 1, clock: createClock(), logger: keptLogger() }
  const backend = await startEmbedded({ ...TINY_CHAT, modelPath, expectedHash, ...places })
  backends.push(backend)
  return { backend, model }
}

/** The honest backend, with each request changed on its way. */
function cheating(change: (request: BackendRequest) => Partial<BackendRequest>): Side {
  const { backend } = reference
  const run: Backend['run'] = (request, signal) =>
    backend.run({ ...request, ...change(request) }, signal)
  return { backend: { ...backend, run }, model }
}

async function audit(suspect: Side, more: { maxProbes?: number; tolerance?: number } = {}) {
  const report = await auditModel({ suspect, reference, probes: probesFor(model, SEED), ...more })
  const { text, logprobs } = report
  console.log(
    `${report.verdict} after ${report.probes}: text ${text.deviations}, ` +
      `logprobs ${logprobs?.deviations}, mean distance ${logprobs?.meanDistance.toFixed(4)}`,
  )
  return report
}

beforeAll(async () => {
  reference = await serving('original', original)
}, 60_000)
afterAll(async () => {
  for (const backend of backends) await backend.stop()
  rmSync(folder, { recursive: true })
})

describe('the demo model', { timeout: 120_000 }, () => {
  it('is the same as itself', async () => {
    const report = await audit(reference)
    expect(report.verdict).toBe('same')
    expect(report.probes).toBeLessThanOrEqual(20)
    expect(report.logprobs?.meanDistance).toBe(0)
    expect(report.errors.falselyDifferent).toBeLessThan(0.001_1)
    expect(report.errors.falselySame).toBeLessThan(0.010_1)
  })

  it('is the same as itself computed another way', async () => {
    const report = await audit(await serving('half', halfFloatModel(original)))
    expect(report.verdict).toBe('same')
    expect(report.logprobs?.meanDistance).toBeGreaterThan(0)
  })

  it('rounded to 4 bits it is different within 40 probes', async () => {
    const report = await audit(await serving('int4', roundedModel(original, 4)))
    expect(report.verdict).toBe('different')
    expect(report.probes).toBeLessThanOrEqual(40)
  })

  it('at another temperature than asked, without chances, it is found by its texts', async () => {
    const hot = { temperature: 1.2, seed: 7, topLogprobs: undefined }
    const report = await audit(cheating(() => hot))
    expect(report.verdict).toBe('different')
    expect(report.logprobs).toBeUndefined()
    expect(report.probes).toBeLessThanOrEqual(40)
  })

  it('cut short it is found at once', async () => {
    const report = await audit(cheating(() => ({ maxTokens: 12 })))
    expect(report.verdict).toBe('different')
  })

  it('is undecided where too few probes were allowed', async () => {
    const report: AuditReport = await audit(reference, { maxProbes: 3 })
    expect([report.verdict, report.probes]).toEqual(['undecided', 3])
  })

  it('needs probes, and settings that make sense', async () => {
    const sides = { suspect: reference, reference }
    await expect(auditModel({ ...sides, probes: [] })).rejects.toThrow(/probes/)
    for (const more of [{ tolerance: 0 }, { tolerance: Number.NaN }, { maxProbes: 0 }]) {
      const probes = probesFor(model, 1)
      await expect(auditModel({ ...sides, probes, ...more })).rejects.toThrow(/tolerance/)
    }
  })
})

describe('probes', () => {
  const first = (count: number, probes: Iterable<{ messages: readonly { content: string }[] }>) => {
    const texts: string[] = []
    for (const { messages } of probes) {
      if (texts.push(messages[0]?.content ?? '') === count) break
    }
    return texts
  }

  it('follow from the seed, differ by it, and are many', () => {
    for (const name of [model, 'llama-3.1-8b']) {
      expect(first(50, probesFor(name, 1))).toEqual(first(50, probesFor(name, 1)))
      expect(first(50, probesFor(name, 2))).not.toEqual(first(50, probesFor(name, 1)))
      expect(new Set(first(200, probesFor(name, 3))).size).toBeGreaterThan(100)
    }
  })

  it('can be the auditor’s own, each once', () => {
    const own = ['one', ' two ', '', 'three']
    expect(first(9, probesFrom(own, 1)).sort()).toEqual(['one', 'three', 'two'])
    expect(() => [...probesFrom(['', ' '], 1)]).toThrow(/prompts/)
  })
})
