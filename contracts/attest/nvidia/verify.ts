/**
 * Verifies what an NVIDIA GPU (Hopper and later) signs about itself: the chain from its leaf to
 * NVIDIA's pinned root, firmware id in leaf and report, signature, nonce.
 *
 * A GPU's chain has two keys of its own: the leaf, which its firmware got at boot and which signs,
 * and above it the key burnt into the chip, by which it is known over reboots. What nothing here
 * can know is whether the measurements are those that NVIDIA published: hold `measurement` against
 * an allow-list, or ask for the service's token (`eat.ts`). The README says the rest.
 * @module
 */
import { type Bytes, equal, lengthPrefixed, utf8 } from '../../base/bytes.ts'
import { sha256 } from '../../base/signing.ts'
import { type HardwareVerdict, refused } from '../hardware.ts'
import { isSignedP384 } from '../p384.ts'
import { type Certificate, KEY_USAGE, parsePemChain } from '../x509/certificate.ts'
import { checkChain } from '../x509/chain.ts'
import type { SeenCrl } from '../x509/crl.ts'
import { deviceIdentityOf, shownNameOf } from './dice.ts'
import { checkRevocation, type Revocation } from './revocation.ts'
import { NVIDIA_ROOTS } from './roots.ts'
import { parseSpdmReport, type SpdmReport } from './spdm.ts'

/** What one GPU gives: request and response as bytes, and its chain as PEM, leaf first. */
export interface GpuEvidence {
  readonly report: Bytes
  readonly chain: string
}

export interface NvidiaContext {
  readonly atMs: number
  /** What the caller put in. Absent, the verdict's `reportData` is for the caller to compare. */
  readonly nonce?: Bytes
  /** NVIDIA's revocation lists: of its root, and of the line of the GPU. */
  readonly crls?: readonly Bytes[]
  /** The newest list seen before, by the key hash of its issuer in hex. */
  readonly seen?: ReadonlyMap<string, SeenCrl>
  /** Refuse where a certificate that names a revocation list has none here. */
  readonly requireCrl?: boolean
  /** For tests: other roots than NVIDIA's. */
  readonly roots?: readonly Bytes[]
}

export interface GpuVerdict extends HardwareVerdict {
  readonly vendor: 'nvidia'
  /** The chip, as its certificate names it: `GH100 A01 GSP BROM`. */
  readonly model: string
  readonly driverVersion: string
  readonly vbiosVersion: string
  /** What to remember of the revocation lists, by the key hash of their issuer in hex. */
  readonly crls: ReadonlyMap<string, SeenCrl>
}

/** Leaf, chip, and at least one authority of NVIDIA's. */
const LEAST_CHAIN = 3

/**
 * Throws one `evidence-*` error, or proves what the verdict says of one GPU.
 *
 * @example
 * const verdict = verifyGpu({ report, chain: pem }, { atMs, nonce })
 */
export function verifyGpu(evidence: GpuEvidence, context: NvidiaContext): GpuVerdict {
  const report = parseSpdmReport(evidence.report)
  const path = parsePemChain(evidence.chain)
  const { atMs, nonce, roots = NVIDIA_ROOTS } = context
  const [leaf, chip] = path
  if (!leaf || !chip || path.length < LEAST_CHAIN) {
    throw signature('the chain is too short to be of a GPU')
  }
  // First, because it is one check and the chain is several: garbage costs little.
  if (!isSignedP384(leaf.publicKey, report.signed, report.signature)) {
    throw signature('the measurements are not signed by the key of the GPU')
  }
  const { notAfterMs } = checkChain(path, { roots, atMs })
  checkLeaf(report, leaf, chip)
  const revocation = checkRevocation(path, context)
  if (nonce && !equal(nonce, report.nonce)) {
    throw refused('evidence-binding', 'the GPU answered another nonce')
  }
  const untilMs = Math.min(notAfterMs, revocation.untilMs)
  return verdictOf(report, chip, revocation, Math.floor(untilMs / 1_000))
}

/** The leaf may sign, is of this chip, and was made for the firmware that the report names. */
function checkLeaf(report: SpdmReport, leaf: Certificate, chip: Certificate): void {
  if (!((leaf.keyUsage ?? 0) & KEY_USAGE.digitalSignature)) {
    throw signature('the key of the GPU may not sign measurements')
  }
  const { keyHash, firmwareId } = deviceIdentityOf(leaf)
  if (!equal(keyHash, chip.keyHash)) {
    throw signature('the signing key was made for another chip than its certificate is below')
  }
  if (report.firmwareId && !equal(report.firmwareId, firmwareId)) {
    throw refused('evidence-measurement', 'the GPU runs other firmware than its key was made for')
  }
}

function verdictOf(
  report: SpdmReport,
  chip: Certificate,
  { seen, unchecked }: Revocation,
  validUntilS: number,
): GpuVerdict {
  const { driverVersion, vbiosVersion } = report
  const model = shownNameOf(chip)
  return {
    vendor: 'nvidia',
    model,
    driverVersion,
    vbiosVersion,
    reportData: report.nonce,
    measurement: tagged('measurement', report.record),
    platformId: tagged('platform', chip.keyHash),
    tcbStatus: `driver=${driverVersion} vbios=${vbiosVersion}`,
    proved: [
      `a genuine NVIDIA ${model} signed ${report.measurements.length} measurements for this nonce`,
      `it reports driver ${driverVersion} and VBIOS ${vbiosVersion}`,
      ...(report.firmwareId ? ['its key was made for the firmware that it reports'] : []),
      ...(report.protectedPcie ? ['its links to other GPUs are in protected mode'] : []),
    ],
    notProved: [
      "that the measurements are NVIDIA's own, and so that confidential mode is on and not its " +
        'variant for developers: hold them against an allow-list or ask for a token of the service',
      'that the GPU is in the machine that shows this: only report data that names it says so',
      ...(report.firmwareId ? [] : ['that its key was made for the firmware that runs']),
      ...unchecked.map((name) => `whether ${name} was revoked: no revocation list was given`),
      'whether this one chip was revoked: NVIDIA says so online only, or in a token of its service',
    ],
    validUntilS,
    crls: seen,
  }
}

/** Digests of this vendor are no others': label, then parts behind their lengths. */
export const tagged = (what: string, ...parts: readonly Bytes[]): Bytes =>
  sha256(lengthPrefixed(utf8(`chrysalis/${what}/nvidia/1`), ...parts))

const signature = (because: string) => refused('evidence-signature', because)
