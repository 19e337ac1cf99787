/**
 * What a provider may say of itself on this machine: tier and place of computing go together, the
 * weights are those that were named, and without the hardware there is an error that says what is
 * needed.
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import { silentLogger } from '../../../node/system/logger.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'
import {
  type ConfidentialChoice,
  confidentialCollector,
} from '../../../scripts/market/confidentialSetup.ts'
import { chooseProving, type ProvingChoice } from '../../../scripts/market/proving.ts'
import { CLAIMS } from '../../contracts/attest/evidence.ts'
import { recordedMachine } from '../../support/recordedMachine.ts'

const WEIGHTS = utf8('weights')
const HASH = toHex(sha256(WEIGHTS))
let folder: string
let weightsFile: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chrysalis-proving-'))
  weightsFile = join(folder, 'weights')
  await writeFile(weightsFile, WEIGHTS)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const choose = (choice: Partial<ProvingChoice>) =>
  chooseProving({ tier: 'open', ...choice }, folder)
const LOCAL = 'http://127.0.0.1:8000/v1'

describe('tier and place of computing', () => {
  it.each<[Partial<ProvingChoice>, string]>([
    [{}, 'cpu'],
    [{ backendUrl: 'http://10.0.0.2/v1' }, 'outside'],
    [{ backendUrl: LOCAL, compute: 'gpu' }, 'gpu'],
    [{ tier: 'cpu-tee' }, 'cpu'],
  ])('%j computes on %s', async (choice, compute) => {
    expect((await choose(choice)).compute).toBe(compute)
  })

  it('a confidential GPU needs a server inside and its weights', async () => {
    const { compute, weightsHash, collect } = await choose({
      ...{ tier: 'gpu-tee', backendUrl: LOCAL, weightsFile },
    })
    expect([compute, weightsHash]).toEqual(['gpu', HASH])
    expect(collect).toBeTypeOf('function')
  })

  it.each<[string, Partial<ProvingChoice>]>([
    ['compute', { tier: 'cpu-tee', compute: 'outside' }],
    ['compute', { tier: 'cpu-tee', compute: 'gpu' }],
    ['compute', { tier: 'gpu-tee', compute: 'cpu' }],
    ['backend-url', { tier: 'gpu-tee' }],
    ['backend-url', { tier: 'gpu-tee', backendUrl: 'http://10.0.0.2/v1', weightsFile: 'w' }],
    ['backend-url', { tier: 'cpu-tee', backendUrl: 'http://127.0.0.1.example/v1' }],
    ['weights-file', { tier: 'gpu-tee', backendUrl: LOCAL }],
  ])('is refused by the setting at fault: %s', async (setting, choice) => {
    const given = choice.weightsFile ? { ...choice, weightsFile } : choice
    await expect(choose(given)).rejects.toMatchObject({ code: 'bad-config', facts: { setting } })
  })
})

describe('weights', () => {
  it('are measured, and others than named are refused before anything starts', async () => {
    expect((await choose({ weightsFile })).weightsHash).toBe(HASH)
    await choose({ weightsFile, weightsHash: HASH.toUpperCase() })
    const other = choose({ weightsFile, weightsHash: '00'.repeat(32) })
    await expect(other).rejects.toMatchObject({ code: 'bad-model', facts: { found: HASH } })
    const absent = choose({ weightsFile: join(folder, 'absent') })
    await expect(absent).rejects.toMatchObject({ code: 'bad-model' })
  })
})

describe('a machine without the hardware', () => {
  const ports = { clock: createSimulatedClock({ startMs: 0 }), logger: silentLogger }
  const choice: ConfidentialChoice = {
    tier: 'cpu-tee',
    collateral: '/nowhere',
    kept: '/nowhere',
  }

  it('says what is needed: a guest, or the files of its kind', async () => {
    const machine = recordedMachine({})
    const none = confidentialCollector({ ...choice, machine }, ports)
    await expect(none).rejects.toMatchObject({
      code: 'no-device',
      facts: { needs: expect.stringContaining('inside an Intel TDX or AMD SEV-SNP guest') },
    })
    const amd = confidentialCollector({ ...choice, tee: 'sev-snp', machine }, ports)
    await expect(amd).rejects.toMatchObject({
      code: 'no-device',
      facts: { because: expect.stringContaining('/nowhere/ark.der') },
    })
    const tdx = await confidentialCollector({ ...choice, tee: 'tdx', machine }, ports)
    await expect(tdx(CLAIMS)).rejects.toMatchObject({ code: 'no-device' })
  })
})
