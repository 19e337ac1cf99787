/**
 * A document of kind `tdx` or `sev-snp`, collected from this machine: the order that binds GPU and
 * CPU to one set of claims stands in `contracts/attest/README.md` (GPU first, its hash into the
 * claims, then the report over all of them).
 * @module
 */
import {
  type Claims,
  encodeEvidence,
  gpuNonce,
  reportData,
} from '../../../contracts/attest/document.ts'
import type { Bytes } from '../../../contracts/base/bytes.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import type { CollateralCache } from './collateral.ts'
import type { Machine } from './machine.ts'
import { collectGpuEvidence, collectGpuTokens } from './nvidia.ts'
import { collectSnpReport, type SnpOptions } from './snp.ts'
import { collectTdxQuote } from './tdx.ts'
import type { TsmOptions } from './tsm.ts'

/** How this machine proves what it is. */
export interface ConfidentialSetup {
  readonly machine: Machine
  readonly cpu:
    | ({ readonly kind: 'tdx'; readonly collateral: CollateralCache } & TsmOptions)
    | ({ readonly kind: 'sev-snp'; readonly crl: CollateralCache } & SnpOptions)
  /** Absent where the model runs on the CPU. */
  readonly gpu?:
    | {
        readonly kind: 'evidence'
        /** NVIDIA's revocation lists: of its root, and of the line of the GPU. */
        readonly rootCrl: CollateralCache
        readonly lineCrl: CollateralCache
      }
    | { readonly kind: 'tokens' }
}

/**
 * Collects a document for claims whose GPU hash is not known yet. Throws `no-device` saying what is
 * needed, or what refused the collateral. What it gives is checked by nobody so far: a provider
 * verifies it as a client would before it offers a tier.
 */
export async function collectConfidential(
  setup: ConfidentialSetup,
  claims: Omit<Claims, 'gpuEvidenceHash'>,
): Promise<Bytes> {
  const gpu = await gpuParts(setup, gpuNonce(claims))
  const gpuEvidenceHash = gpu.nvidia ? sha256(gpu.nvidia) : new Uint8Array(32)
  const bound: Claims = { ...claims, gpuEvidenceHash }
  const cpu = await cpuParts(setup, reportData(bound))
  return encodeEvidence({ kind: setup.cpu.kind, claims: bound, proof: { ...cpu, ...gpu } })
}

/** Parts by name, in the order of `CPU_PARTS`. */
async function cpuParts(
  { machine: { files }, cpu }: ConfidentialSetup,
  data: Bytes,
): Promise<Record<string, Bytes>> {
  if (cpu.kind === 'tdx') {
    const collateral = await cpu.collateral.current()
    return { quote: await collectTdxQuote(files, data, cpu), collateral }
  }
  const crl = await cpu.crl.current()
  return { ...(await collectSnpReport(files, data, cpu)), crl }
}

/** Parts by name, in the order of `GPU_PARTS`. */
async function gpuParts(
  { machine: { run }, gpu }: ConfidentialSetup,
  nonce: Bytes,
): Promise<Record<string, Bytes>> {
  if (!gpu) return {}
  if (gpu.kind === 'tokens') return { nvidia: await collectGpuTokens(run, nonce) }
  const [nvidiaRootCrl, nvidiaLineCrl] = await Promise.all([
    gpu.rootCrl.current(),
    gpu.lineCrl.current(),
  ])
  return { nvidia: await collectGpuEvidence(run, nonce), nvidiaRootCrl, nvidiaLineCrl }
}
