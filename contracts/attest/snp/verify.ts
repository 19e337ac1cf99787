/**
 * Verifies an SEV-SNP attestation report: its signature, and the chip's key, AMD's signing
 * authority and AMD's root above it, at a time that is an argument.
 *
 * Whoever holds a verdict knows: AMD made this processor, it runs firmware of these versions, and
 * software that measured so asked for this report with these 64 bytes. The README names what that
 * leaves open; so does `notProved`.
 * @module
 */
import { type Bytes, equal, lengthPrefixed, utf8 } from '../../base/bytes.ts'
import { sha256 } from '../../base/signing.ts'
import { type HardwareVerdict, refused } from '../hardware.ts'
import { isSignedP384 } from '../p384.ts'
import { type Certificate, parseCertificate } from '../x509/certificate.ts'
import { checkChain } from '../x509/chain.ts'
import { checkCrl, checkNotRevoked, parseCrl, type SeenCrl } from '../x509/crl.ts'
import { type Endorsement, parseEndorsement } from './endorsement.ts'
import { HOST_VMPL, parseSnpReport, type SnpReport } from './report.ts'
import { AMD_ROOTS, type SnpRoots } from './roots.ts'
import { checkLeastTcb, parseTcb, productOfCpu, type SnpProduct, type SnpTcb } from './tcb.ts'
import { provedBy, unprovedBy } from './words.ts'

/** Certificates in DER, the list in DER or PEM, as AMD publishes them. */
export interface SnpCollateral {
  /** The key that signs reports: the chip's (VCEK) or the cloud provider's (VLEK). */
  readonly vek: Bytes
  /** The signing authority above it (ASK, or ASVK above a VLEK), and AMD's root (ARK). */
  readonly ask: Bytes
  readonly ark: Bytes
  /** AMD's revocation list for the product. Without it, the verdict says so. */
  readonly crl?: Bytes
}

export interface SnpContext {
  readonly atMs: number
  /** The newest list seen before: an older one is refused. */
  readonly seen?: SeenCrl
  /** Refuse where there is no revocation list. */
  readonly requireCrl?: boolean
  /** The least security versions accepted, by product. */
  readonly leastTcb?: Readonly<Partial<Record<SnpProduct, SnpTcb>>>
  /** Lowest privilege level that may have asked (by number the highest): 0 where absent. */
  readonly mostVmpl?: number
  /** For tests: other roots than AMD's. */
  readonly roots?: SnpRoots
}

export interface SnpVerdict extends HardwareVerdict {
  readonly vendor: 'amd-snp'
  readonly product: SnpProduct
  readonly tcb: SnpTcb
  /** What to remember of the revocation list; nothing where none was given. */
  readonly crl?: SeenCrl
}

/**
 * Throws one `evidence-*` error, or proves what the verdict says.
 *
 * @example
 * const verdict = verifySnpReport(report, { vek, ask, ark, crl }, { atMs, requireCrl: true })
 */
export function verifySnpReport(
  bytes: Bytes,
  collateral: SnpCollateral,
  context: SnpContext,
): SnpVerdict {
  const report = parseSnpReport(bytes)
  const vek = parseCertificate(collateral.vek)
  const ask = parseCertificate(collateral.ask)
  const ark = parseCertificate(collateral.ark)
  // First, because it is one check and the chain is several: garbage costs little.
  if (!isSignedP384(vek.publicKey, report.signed, report.signature)) {
    throw refused('evidence-signature', 'the report is not signed by the key of the chip')
  }
  const { atMs, roots = AMD_ROOTS } = context
  const pins = Object.values(roots)
  const chain = checkChain([vek, ask, ark], { roots: pins, atMs, forged: 'evidence-collateral' })
  const product = productOf(ark, roots)
  const revocation = checkRevocation(collateral.crl, ask, ark, context)
  const endorsement = parseEndorsement(vek, product)
  checkSamePlatform(report, endorsement, product)
  checkGuest(report, context.mostVmpl ?? 0)
  checkLeastTcb(endorsement.tcb, context.leastTcb?.[product])
  return verdictOf(report, endorsement, vek, {
    product,
    untilMs: Math.min(chain.notAfterMs, revocation?.nextUpdateMs ?? Number.POSITIVE_INFINITY),
    crl: revocation?.seen,
  })
}

function productOf(ark: Certificate, roots: SnpRoots): SnpProduct {
  const found = Object.entries(roots).find(([, pin]) => equal(pin, ark.keyHash))
  return found![0] as SnpProduct // checkChain has matched one of them
}

/** AMD's list is signed by the root and names signing authorities: all chip keys have serial 0. */
function checkRevocation(
  bytes: Bytes | undefined,
  ask: Certificate,
  ark: Certificate,
  { atMs, seen, requireCrl }: SnpContext,
) {
  if (!bytes) {
    if (!requireCrl) return undefined
    throw refused('evidence-collateral', "AMD's revocation list is missing")
  }
  const crl = parseCrl(bytes)
  checkCrl(crl, ark, atMs, seen)
  checkNotRevoked(crl, ask)
  const { number, thisUpdateMs, nextUpdateMs } = crl
  return { seen: { number, thisUpdateMs }, nextUpdateMs }
}

/** The key is that of the chip, the firmware and the product that the report speaks of. */
function checkSamePlatform(
  report: SnpReport,
  { kind, tcb, chipId }: Endorsement,
  product: SnpProduct,
) {
  const other = (because: string) => refused('evidence-collateral', because)
  if (kind !== report.signedBy) {
    throw other(`the report names a ${report.signedBy} as its key, the certificate is of a ${kind}`)
  }
  if (chipId && !equal(chipId, report.chipId)) {
    throw other('the key is that of another chip than the report names')
  }
  const reported = parseTcb(product, report.reportedTcb)
  if (Object.entries(reported).some(([part, version]) => tcb[part as keyof SnpTcb] !== version)) {
    throw other('the key is for other firmware than the report names')
  }
  if (report.cpu && productOfCpu(report.cpu) !== product) {
    throw other('the key is for another product than the processor of the report')
  }
}

/** What the guest's policy must not allow, and who must have asked. */
function checkGuest({ policy, vmpl }: SnpReport, mostVmpl: number): void {
  if (policy.debug) {
    throw refused('evidence-debug', 'its policy allows the host to read and write its memory')
  }
  if (policy.migrationAgent) {
    const because = 'its policy allows a migration agent, which was not measured, to take it over'
    throw refused('evidence-isolation', because)
  }
  if (vmpl === HOST_VMPL) {
    throw refused('evidence-binding', 'the host asked for the report, not the protected machine')
  }
  if (vmpl > mostVmpl) {
    const because = `software of privilege level ${vmpl} asked: at most ${mostVmpl} is accepted`
    throw refused('evidence-binding', because)
  }
}

function verdictOf(
  report: SnpReport,
  endorsement: Endorsement,
  vek: Certificate,
  { product, untilMs, crl }: { product: SnpProduct; untilMs: number; crl: SeenCrl | undefined },
): SnpVerdict {
  const { tcb, cloud } = endorsement
  const isHidden = report.chipId.every((byte) => byte === 0)
  return {
    vendor: 'amd-snp',
    product,
    reportData: report.reportData,
    measurement: tagged('measurement', report.measurement, report.hostData),
    // A cloud may hide the chip behind its own key: then that key is all there is to tell.
    platformId: tagged('platform', isHidden ? vek.keyHash : report.chipId),
    tcb,
    tcbStatus: statusOf(tcb),
    proved: provedBy(report, product, tcb, crl !== undefined),
    notProved: unprovedBy(report, { cloud, isHidden, revocationChecked: crl !== undefined }),
    validUntilS: Math.floor(untilMs / 1_000),
    ...(crl && { crl }),
  }
}

/** Digests of this vendor are no others': label, then parts behind their lengths. */
const tagged = (what: string, ...parts: readonly Bytes[]): Bytes =>
  sha256(lengthPrefixed(utf8(`chrysalis/${what}/amd-snp/1`), ...parts))

/** `bootloader=4 tee=0 snp=23 microcode=213`: AMD has numbers, not words. */
function statusOf(tcb: SnpTcb): string {
  return Object.entries(tcb)
    .map(([part, version]) => `${part}=${version}`)
    .join(' ')
}
