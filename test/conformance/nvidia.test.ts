/**
 * Real NVIDIA evidence, as `MANIFEST.json` beside it says what each file must give. The folder is
 * named by `VECTORS_DIR`; where it is absent the tests are skipped.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { verifyEat } from '../../contracts/attest/nvidia/eat.ts'
import {
  parseNvidiaEvidence,
  verifyNvidiaEvidence,
} from '../../contracts/attest/nvidia/evidence.ts'
import { NVIDIA_ROOTS } from '../../contracts/attest/nvidia/roots.ts'
import { type GpuEvidence, verifyGpu } from '../../contracts/attest/nvidia/verify.ts'
import { parsePemChain } from '../../contracts/attest/x509/certificate.ts'
import { fromHex, toHex } from '../../contracts/base/bytes.ts'
import { counted, flips } from '../support/mutations.ts'
import { refusal } from '../support/refusal.ts'

const FOLDER = join(process.env.VECTORS_DIR ?? '../shared/vectors', 'nvidia')
const PRESENT = existsSync(FOLDER)
if (!PRESENT) console.warn(`skipped: ${FOLDER} is absent, VECTORS_DIR names the folder of vectors`)

const AT_MS = Date.UTC(2026, 10, 1)
const text = (name: string): string => readFileSync(join(FOLDER, name), 'latin1')
const hopper = (): GpuEvidence => ({
  report: fromHex(text('hopperAttestationReport.txt').trim()),
  chain: text('hopperCertChain.txt'),
})
const accepts = (evidence: GpuEvidence): boolean => {
  try {
    verifyGpu(evidence, { atMs: AT_MS })
    return true
  } catch {
    return false
  }
}
/** One bit in so many is changed: 1 for all of them (odd: all places in a byte come). */
const EVERY = Number(process.env.MUTATION_EVERY ?? 0)
const NONCE = '4760e30534a0621357d458b1a7936551b5dc4cd1e69718adf7ed9fb0252a537e'

describe.skipIf(!PRESENT)('NVIDIA', () => {
  it('has the root that is pinned', () => {
    const [root] = parsePemChain(text('verifier_device_root.pem'))
    expect([root!.keyHash]).toEqual(NVIDIA_ROOTS)
  })

  it('made the GPU of the Hopper sample', () => {
    const verdict = verifyGpu(hopper(), { atMs: AT_MS })
    expect(verdict).toMatchObject({
      model: 'GH100 A01 GSP BROM',
      driverVersion: '550.90.07',
      vbiosVersion: '96.00.9F.00.01',
    })
    expect(verdict.proved).toContain('its key was made for the firmware that it reports')
  })

  it('made the eight GPUs of one machine, each another, all for one nonce', () => {
    const nonce = fromHex(NONCE)
    const verdict = verifyNvidiaEvidence(text('ppcie_gpu_evidence.json'), { atMs: AT_MS, nonce })
    expect(verdict.gpus).toHaveLength(8)
    expect(new Set(verdict.gpus.map(({ platformId }) => toHex(platformId))).size).toBe(8)
    expect(new Set(verdict.gpus.map(({ measurement }) => toHex(measurement))).size).toBe(1)
    expect(verdict.tcbStatus).toBe('driver=590.12 vbios=96.00.A5.00.01')
    expect(verdict.proved).toContain('its links to other GPUs are in protected mode')
    expect(toHex(verdict.reportData)).toBe(NONCE)
  })

  it('did not answer any other nonce, nor is the evidence about one GPU that of another', () => {
    const nonce = new Uint8Array(32)
    const evidence = text('ppcie_gpu_evidence.json')
    expect(() => verifyNvidiaEvidence(evidence, { atMs: AT_MS, nonce })).toThrow(
      refusal('evidence-binding', 'another nonce'),
    )
    const [first, second] = parseNvidiaEvidence(evidence)
    const mixed = { report: first!.report, chain: second!.chain }
    expect(() => verifyGpu(mixed, { atMs: AT_MS })).toThrow(refusal('evidence-signature'))
  })

  it('did not sign a token of its local verifier, and it is refused', async () => {
    const context = { atMs: AT_MS, nonce: new Uint8Array(32).fill(0x11), keys: new Map() }
    const refused = refusal('evidence-signature', 'signed with "none"')
    await expect(verifyEat(text('dstack_gpu_attestation_h100.json'), context)).rejects.toThrow(
      refused,
    )
  })
})

describe.skipIf(!PRESENT)('a change of one bit is refused', () => {
  it('in the measurements of the Hopper sample', { timeout: 3_600_000 }, () => {
    const given = hopper()
    const every = EVERY || 7
    const tried = counted(flips(given.report, every), (report) => accepts({ ...given, report }))
    expect(tried).toEqual({ tried: Math.ceil((given.report.length * 8) / every), accepted: 0 })
  })

  it('in the measurements of each of the eight GPUs', { timeout: 3_600_000 }, () => {
    for (const given of parseNvidiaEvidence(text('ppcie_gpu_evidence.json'))) {
      const every = EVERY || 101
      const tried = counted(flips(given.report, every), (report) => accepts({ ...given, report }))
      expect(tried).toEqual({ tried: Math.ceil((given.report.length * 8) / every), accepted: 0 })
    }
  })

  it('in the chain of the Hopper sample', { timeout: 3_600_000 }, () => {
    const given = hopper()
    const bytes = new Uint8Array(Buffer.from(given.chain, 'latin1'))
    const every = EVERY || 31
    const tried = counted(flips(bytes, every), (chain) =>
      accepts({ ...given, chain: Buffer.from(chain).toString('latin1') }),
    )
    expect(tried).toEqual({ tried: Math.ceil((bytes.length * 8) / every), accepted: 0 })
  })
})
