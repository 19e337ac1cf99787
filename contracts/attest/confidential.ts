/**
 * Evidence of confidential machines: kinds `tdx` and `sev-snp`, perhaps with a confidential GPU.
 *
 * The vendors' verifiers say that hardware signed some report data; here that is bound to the
 * claims, and the tier follows from what is bound (README.md, "Confidential machines"). Whose
 * measurement, which platform and how patched is enough is the policy's question, not asked here.
 * @module
 */
import { type Bytes, equal } from '../base/bytes.ts'
import { sha256 } from '../base/signing.ts'
import type { Tier } from '../base/tier.ts'
import {
  type Claims,
  type EvidenceDocument,
  evidenceDigest,
  gpuNonce,
  parseEvidence,
  reportData,
} from './document.ts'
import { type HardwareVerdict, refused } from './hardware.ts'
import { newestCollateral, type SeenCollateral } from './seen.ts'
import {
  checkClaims,
  checkParts,
  checkRegistered,
  type EvidenceContext,
  type EvidenceVerifier,
  settleTier,
  type Verdict,
} from './verifier.ts'

type Proof = EvidenceDocument['proof']

/** What a vendor's hardware proved, and how new the vendor's own statements were. */
export interface CheckedHardware extends HardwareVerdict {
  readonly newest?: SeenCollateral
}

/** Verifies the CPU's parts of a proof; bound to nothing yet. Throws `evidence-..`. */
export type CpuVerifier = (
  proof: Proof,
  context: EvidenceContext,
) => CheckedHardware | Promise<CheckedHardware>

/** Verifies the GPU's parts, which answer `nonce`. Throws `evidence-..`. */
export type GpuVerifier = (
  proof: Proof,
  nonce: Bytes,
  context: EvidenceContext,
) => CheckedHardware | Promise<CheckedHardware>

export interface ConfidentialKind {
  readonly kind: ConfidentialKindName
  readonly cpu: CpuVerifier
  readonly gpu: GpuVerifier
}

/** The CPU's parts by kind, all of them needed, in the order of README.md. */
export const CPU_PARTS = {
  tdx: ['quote', 'collateral'],
  'sev-snp': ['report', 'vek', 'ask', 'ark', 'crl'],
} as const
export type ConfidentialKindName = keyof typeof CPU_PARTS

/** The GPU's parts: evidence, and the revocation lists that its certificates name. */
export const GPU_PARTS = ['nvidia', 'nvidiaRootCrl', 'nvidiaLineCrl'] as const
const NO_GPU = new Uint8Array(32)

/** The verifier of one kind of confidential machine. */
export function confidentialVerifier(of: ConfidentialKind): EvidenceVerifier {
  return { kind: of.kind, verify: (bytes, context) => verify(of, bytes, context) }
}

async function verify(
  of: ConfidentialKind,
  bytes: Bytes,
  context: EvidenceContext,
): Promise<Verdict> {
  const document = parseEvidence(bytes)
  const { claims, proof } = document
  if (document.kind !== of.kind) throw refused('evidence-kind', 'it is of another kind')
  checkParts(document, [...CPU_PARTS[of.kind], ...gpuPartsOf(proof)])
  const checked = checkClaims(claims, context)
  checkGpuClaims(claims, proof.nvidia)

  const cpu = await of.cpu(proof, context)
  if (!equal(cpu.reportData, reportData(claims))) {
    throw refused('evidence-binding', 'the machine has signed other claims')
  }
  const nonce = gpuNonce(claims)
  const gpu = proof.nvidia && (await of.gpu(proof, nonce, context))
  if (gpu && !equal(gpu.reportData, nonce)) {
    throw refused('evidence-binding', 'the GPU has signed the nonce of other claims')
  }
  const tier = settleTier(claims, provedTier(claims, gpu))
  const registered = tier === 'open' ? checkRegistered(claims.identity, context) : NOTHING_ASKED
  const hardware = gpu ? [cpu, gpu] : [cpu]
  return {
    kind: of.kind,
    tier,
    claims,
    hardware,
    digest: evidenceDigest(bytes),
    deviceId: cpu.platformId,
    seen: newestCollateral(cpu.newest ?? {}, gpu?.newest ?? {}),
    validUntilS: Math.min(checked.validUntilS, ...hardware.map((each) => each.validUntilS)),
    ...sentences(tier, claims, hardware, {
      proved: [...registered.proved, ...checked.proved],
      notProved: [...registered.notProved, ...checked.notProved],
    }),
  }
}

/** Above `open` the hardware answers for the identity: no registry has to. */
const NOTHING_ASKED = { proved: [], notProved: [] }

/** Which of the GPU's parts are there; without evidence there are no lists either. */
function gpuPartsOf(proof: Proof): readonly string[] {
  return proof.nvidia ? GPU_PARTS.filter((name) => Object.hasOwn(proof, name)) : []
}

/** A GPU part stands exactly where the claims have its hash, and only where a GPU computes. */
function checkGpuClaims(claims: Claims, gpuPart: Bytes | undefined): void {
  const hash = gpuPart ? sha256(gpuPart) : NO_GPU
  if (!equal(claims.gpuEvidenceHash, hash)) {
    throw refused('evidence-binding', 'the GPU evidence is not the one that the claims name')
  }
  if (gpuPart && claims.compute !== 'gpu') {
    throw refused('evidence-binding', 'there is GPU evidence, and the claims name no GPU')
  }
}

/** What the machine is worth for the work it does: see the table in README.md. */
function provedTier({ compute }: Claims, gpu: HardwareVerdict | undefined): Tier {
  if (gpu) return 'gpu-tee'
  return compute === 'cpu' ? 'cpu-tee' : 'open'
}

function sentences(
  tier: Tier,
  { compute }: Claims,
  hardware: readonly HardwareVerdict[],
  checked: { readonly proved: readonly string[]; readonly notProved: readonly string[] },
): Pick<Verdict, 'proved' | 'notProved'> {
  const proved = [
    'the protected machine itself made these claims, with the identity key, tier and model in them',
    ...hardware.flatMap((each) => each.proved),
    ...checked.proved,
  ]
  const notProved = hardware.flatMap((each) => each.notProved)
  if (tier === 'open') notProved.push(OPEN_BECAUSE[compute])
  if (tier === 'gpu-tee') {
    proved.push('the GPU answered for these claims and no others')
    notProved.push(
      'that GPU and CPU are one machine, beyond the measured software having to check it',
    )
  }
  notProved.push('that nobody has opened the machine and taken its memory apart')
  return { proved, notProved: [...notProved, ...checked.notProved] }
}

const OPEN_BECAUSE: Readonly<Record<Claims['compute'], string>> = {
  cpu: 'that nobody reads the prompt: the provider itself claims no more than `open`',
  gpu: 'that nobody reads the prompt: it goes to a GPU that is not confidential',
  outside: 'that nobody reads the prompt: it goes to a server outside of the protected machine',
}
