/**
 * The vendors' verifiers behind the kinds of evidence that need them: parts of a proof in, what the
 * hardware proved out, remembered where a cache is handed in.
 *
 * Everything that a vendor publishes has to be there: a document without a revocation list is
 * refused here, although the raw verifiers can do without one.
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { type Bytes, toHex } from '../base/bytes.ts'
import {
  type CheckedHardware,
  CPU_PARTS,
  type CpuVerifier,
  confidentialVerifier,
  type GpuVerifier,
} from './confidential.ts'
import { isTokenBundle, jsonOf } from './detect.ts'
import { malformed, refused } from './hardware.ts'
import { verifyNvidiaEvidence } from './nvidia/evidence.ts'
import { encodeCollateralSeen } from './seen.ts'
import type { SnpRoots } from './snp/roots.ts'
import { verifySnpReport } from './snp/verify.ts'
import { verifyTdxQuote } from './tdx/verify.ts'
import { type VerdictCache, verdictKey } from './verdictCache.ts'
import type { EvidenceVerifier } from './verifier.ts'
import { parseCertificate } from './x509/certificate.ts'

export interface VendorOptions {
  /** Verdicts on CPUs that hold already; a GPU's is cheap beside its job. */
  readonly cache?: VerdictCache<CheckedHardware>
  /** Keys of NVIDIA's service: without them its tokens are refused. */
  readonly nvidiaKeys?: ReadonlyMap<string, KeyObject>
  /** For tests: other roots than the vendors'. */
  readonly unsafeRoots?: {
    readonly tdx?: readonly Bytes[]
    readonly snp?: SnpRoots
    readonly nvidia?: readonly Bytes[]
  }
}

/** The verifiers of kinds `tdx` and `sev-snp`. */
export function vendorVerifiers(options: VendorOptions = {}): readonly EvidenceVerifier[] {
  const gpu = gpuVerifier(options)
  const { cache } = options
  return [
    confidentialVerifier({ kind: 'tdx', cpu: cached('tdx', tdxVerifier(options), cache), gpu }),
    confidentialVerifier({
      kind: 'sev-snp',
      cpu: cached('sev-snp', snpVerifier(options), cache),
      gpu,
    }),
  ]
}

function tdxVerifier({ unsafeRoots }: VendorOptions): CpuVerifier {
  return ({ quote, collateral }, { atMs, seen }) => {
    const roots = unsafeRoots?.tdx
    const verdict = verifyTdxQuote(quote!, collateral!, { atMs, seen: seen?.tdx, roots })
    return { ...verdict, newest: { tdx: verdict.seen } }
  }
}

function snpVerifier({ unsafeRoots }: VendorOptions): CpuVerifier {
  return ({ report, vek, ask, ark, crl }, { atMs, seen }) => {
    const issuer = toHex(parseCertificate(ark!).keyHash)
    const known = seen?.crls?.[issuer]
    const verdict = verifySnpReport(
      report!,
      { vek: vek!, ask: ask!, ark: ark!, crl: crl! },
      { atMs, requireCrl: true, ...(known && { seen: known }), ...rootsOf(unsafeRoots?.snp) },
    )
    return { ...verdict, newest: { crls: { [issuer]: verdict.crl! } } }
  }
}

function gpuVerifier({ nvidiaKeys, unsafeRoots }: VendorOptions): GpuVerifier {
  return async (proof, nonce, { atMs, seen }) => {
    const text = textOf(proof.nvidia!)
    if (isTokenBundle(jsonOf(proof.nvidia!))) {
      if (!nvidiaKeys) {
        throw refused(
          'evidence-root',
          "it is a token of NVIDIA's service, whose keys are not named",
        )
      }
      const { verifyEat } = await import('./nvidia/eat.ts') // with a library that few need
      return verifyEat(text, { atMs, nonce, keys: nvidiaKeys })
    }
    const lists = [proof.nvidiaRootCrl, proof.nvidiaLineCrl].filter((list) => list !== undefined)
    const known = seen?.crls && new Map(Object.entries(seen.crls))
    const verdict = verifyNvidiaEvidence(text, {
      atMs,
      nonce,
      crls: lists,
      requireCrl: true,
      ...(known && { seen: known }),
      ...rootsOf(unsafeRoots?.nvidia),
    })
    const newest = verdict.gpus.flatMap(({ crls }) => [...crls])
    return { ...verdict, newest: { crls: Object.fromEntries(newest) } }
  }
}

function cached(
  kind: keyof typeof CPU_PARTS,
  verify: CpuVerifier,
  cache: VendorOptions['cache'],
): CpuVerifier {
  if (!cache) return verify
  return async (proof, context) => {
    const parts = CPU_PARTS[kind].map((name) => proof[name]!)
    const key = verdictKey(...parts, encodeCollateralSeen(context.seen ?? {}))
    const known = cache.get(key, context.atMs)
    if (known) return known
    const verdict = await verify(proof, context)
    cache.put(key, context.atMs, verdict)
    return verdict
  }
}

function textOf(bytes: Bytes): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw malformed('the evidence of the GPU is no text', {}, cause)
  }
}

function rootsOf<T>(roots: T | undefined): { roots?: T } {
  return roots === undefined ? {} : { roots }
}
