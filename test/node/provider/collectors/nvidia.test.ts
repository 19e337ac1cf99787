/**
 * Collecting evidence of GPUs through NVIDIA's tools: recorded answers, as no such hardware is
 * at hand.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { verifyNvidiaEvidence } from '../../../../contracts/attest/nvidia/evidence.ts'
import { toHex } from '../../../../contracts/base/bytes.ts'
import {
  checkGpuMode,
  collectGpuEvidence,
  collectGpuTokens,
} from '../../../../node/provider/collectors/nvidia.ts'
import { NONCE, nvidiaTree } from '../../../support/nvidiaTree.ts'
import { recordedMachine } from '../../../support/recordedMachine.ts'

const tree = nvidiaTree()
const other = nvidiaTree(tree.authority)
const READY = {
  'nvidia-smi conf-compute -f': 'CC status: ON\n',
  'nvidia-smi conf-compute -grs': 'Confidential Compute GPUs Ready state: ready\n',
}
const answer = (more: object) => JSON.stringify({ result_code: 0, result_message: 'Ok', ...more })
const evidences = [tree.entry({}, { uuid: 'GPU-1', note: 'x' }), other.entry()]
const COLLECT = 'nvattest collect-evidence'
const ATTEST = 'nvattest attest'
const machine = (programs: Parameters<typeof recordedMachine>[0]['programs']) =>
  recordedMachine({ programs: { ...READY, ...programs } })
const noDevice = (because: string, needs: string) =>
  expect.objectContaining({
    code: 'no-device',
    facts: {
      because: expect.stringContaining(because),
      needs: expect.stringContaining(needs),
    },
  })

describe('the evidence of GPUs', () => {
  it('is asked of the tool by its nonce, and verifies', async () => {
    const { run, ran } = machine({ [COLLECT]: answer({ evidences }) })
    const json = Buffer.from(await collectGpuEvidence(run, NONCE)).toString()
    expect(json).not.toContain('uuid')
    const verdict = verifyNvidiaEvidence(json, { ...tree.context, nonce: NONCE })
    expect(verdict.gpus).toHaveLength(2)
    expect(ran.at(-1)).toBe(
      `nvattest collect-evidence --device gpu --nonce ${toHex(NONCE)} --format json`,
    )
  })

  it.each([
    ['no driver', { 'nvidia-smi': { code: 9, stdout: '' } }, 'exit code 9', 'Hopper or later'],
    ['mode off', { 'nvidia-smi conf-compute -f': 'CC status: OFF\n' }, 'OFF', 'set-cc-mode=on'],
    [
      'GPUs not released',
      { 'nvidia-smi conf-compute -grs': 'Confidential Compute GPUs Ready state: not-ready\n' },
      'not-ready',
      'conf-compute -srs 1',
    ],
    ['no tool', {}, 'nvattest cannot be run (ENOENT)', 'install'],
    ['a tool that fails', { [COLLECT]: { code: 1, stdout: '' } }, 'exit code 1 and no JSON', ''],
    [
      'a tool that says so',
      { [COLLECT]: JSON.stringify({ result_code: 7, result_message: 'no\nGPU' }) },
      'nvattest failed: "no GPU" (7)',
      'Hopper or later',
    ],
    [
      'an answer for another nonce',
      { [COLLECT]: answer({ evidences: [tree.entry({ nonce: new Uint8Array(32) })] }) },
      'another nonce',
      'nvattest',
    ],
  ])('needs what is named: %s', async (_name, programs, because, needs) => {
    // Answers are looked up in order: those of the case come first.
    const { run } = recordedMachine({ programs: { ...programs, ...READY, ...programs } })
    await expect(collectGpuEvidence(run, NONCE)).rejects.toThrow(noDevice(because, needs))
  })

  it('is refused where it is none', async () => {
    for (const broken of [{}, { evidences: [] }, { evidences: [1] }, { evidences: [null] }]) {
      const { run } = machine({ [COLLECT]: answer(broken) })
      await expect(collectGpuEvidence(run, NONCE)).rejects.toMatchObject({
        code: 'evidence-malformed',
      })
    }
  })

  it('is asked for with 32 bytes', async () => {
    const { run } = machine({})
    await expect(collectGpuEvidence(run, NONCE.subarray(1))).rejects.toMatchObject({
      code: 'bad-input',
    })
  })

  it('is not asked for on a machine without the driver', async () => {
    const { run } = recordedMachine({})
    await expect(checkGpuMode(run)).rejects.toThrow(
      noDevice('nvidia-smi cannot be run (ENOENT)', 'Hopper or later'),
    )
  })
})

describe('tokens about GPUs', () => {
  const bundle = [['JWT', 'a.b.c'], { 'GPU-0': 'd.e.f' }]

  it('are asked of the tool, and passed on as they are', async () => {
    const { run, ran } = machine({ [ATTEST]: answer({ detached_eat: bundle, claims: [] }) })
    expect(JSON.parse(Buffer.from(await collectGpuTokens(run, NONCE)).toString())).toEqual(bundle)
    expect(ran.at(-1)).toContain('attest --device gpu --verifier remote --nonce')
  })

  it('are missing where the tool gave none', async () => {
    const { run } = machine({ [ATTEST]: answer({}) })
    await expect(collectGpuTokens(run, NONCE)).rejects.toThrow(noDevice('no tokens', 'nvattest'))
  })
})
