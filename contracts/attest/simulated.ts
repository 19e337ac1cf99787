/**
 * Evidence of kind `simulated`: the whole shape of TEE evidence, worth nothing, for development.
 *
 * A simulated device signs a report that carries the hash of the claims, and chains to a root
 * whose private key stands below for all to read. It is a kind of its own and its report begins
 * with a magic that no TDX, SEV-SNP or SPDM parser takes for a version, so that nothing real can
 * mistake it; and it verifies only where the context says that the network is for development.
 *
 * Report: magic (32), report data (64), measurement (32), debug (1), not after (u64 seconds).
 * Device: magic (32), device key (32), not after (u64 seconds), signed by the root.
 * @module
 */
import { type Bytes, concat, equal, toBigInt, u64, utf8 } from '../base/bytes.ts'
import {
  type SigningKey,
  sha256,
  signingKey,
  taggedHash,
  verifySignature,
} from '../base/signing.ts'
import {
  type Claims,
  type EvidenceDocument,
  encodeEvidence,
  evidenceDigest,
  parseEvidence,
  reportData,
} from './document.ts'
import { malformed, refused } from './hardware.ts'
import {
  checkClaims,
  checkParts,
  type EvidenceVerifier,
  proofPart,
  settleTier,
} from './verifier.ts'

const KIND = 'simulated'
/**
 * PUBLISHED on purpose: whoever reads this can make simulated evidence, and that is its meaning.
 */
export const SIMULATED_ROOT_SEED = utf8('chrysalis-simulated-root-PUBLIC!')
/** The one measurement of a simulated image; a verifier has an allow-list here. */
const SIMULATED_MEASUREMENT = sha256(utf8('chrysalis simulated image 1'))

const REPORT_MAGIC = utf8('CHRYSALIS SIMULATED EVIDENCE v1\n')
const DEVICE_MAGIC = utf8('CHRYSALIS SIMULATED DEVICE v1  \n')
const REPORT_TAG = 'chrysalis/evidence/simulated-report/1'
const DEVICE_TAG = 'chrysalis/evidence/simulated-device/1'
const REPORT_BYTES = 32 + 64 + 32 + 1 + 8
const DEVICE_BYTES = 32 + 32 + 8
const PARTS = ['report', 'reportSignature', 'device', 'deviceSignature']

/**
 * Makes simulated evidence for `claims`, by the device of `deviceKey`, until `notAfterS`. `debug`
 * and `measurement` are for trying refusals.
 */
export function makeSimulatedEvidence(args: {
  claims: Claims
  deviceKey: SigningKey
  notAfterS: number
  debug?: boolean
  measurement?: Bytes
  rootKey?: SigningKey
}): Bytes {
  const { claims, deviceKey, notAfterS } = args
  const { network } = claims
  const debug = Uint8Array.of(args.debug ? 1 : 0)
  const measurement = args.measurement ?? SIMULATED_MEASUREMENT
  const report = concat(REPORT_MAGIC, reportData(claims), measurement, debug, u64(notAfterS))
  const device = concat(DEVICE_MAGIC, deviceKey.publicKey, u64(notAfterS))
  const rootKey = args.rootKey ?? signingKey(SIMULATED_ROOT_SEED)
  const proof = {
    report,
    reportSignature: deviceKey.sign(taggedHash(REPORT_TAG, network, report)),
    device,
    deviceSignature: rootKey.sign(taggedHash(DEVICE_TAG, network, device)),
  }
  return encodeEvidence({ kind: KIND, claims, proof })
}

/** Throws `evidence-..` on everything but a whole, current chain on a development network. */
export const simulatedVerifier: EvidenceVerifier = {
  kind: KIND,
  verify(bytes, context) {
    const document = parseEvidence(bytes)
    const { claims } = document
    if (document.kind !== KIND) throw refused('evidence-kind', 'it is of another kind')
    if (context.development !== true) {
      throw refused('evidence-root', 'it is simulated, and this is no development network')
    }
    const checked = checkClaims(claims, context)
    const device = checkDevice(document)
    const report = checkReport(document, device.key)
    const validUntilS = Math.min(checked.validUntilS, device.notAfterS, report.notAfterS)
    if (context.atMs > validUntilS * 1_000) {
      throw refused('evidence-expired', 'it has expired', { validUntilS })
    }
    return {
      kind: KIND,
      tier: settleTier(claims, 'simulated'),
      hardware: [],
      claims,
      digest: evidenceDigest(bytes),
      deviceId: sha256(device.key),
      validUntilS,
      proved: ['the simulated device signed these claims', ...checked.proved],
      notProved: [
        'anything about a real machine: the root key of simulated evidence is public',
        ...checked.notProved,
      ],
    }
  },
}

function checkDevice(document: EvidenceDocument): { key: Bytes; notAfterS: number } {
  checkParts(document, PARTS)
  const device = proofPart(document, 'device', DEVICE_BYTES)
  const message = taggedHash(DEVICE_TAG, document.claims.network, device)
  const root = signingKey(SIMULATED_ROOT_SEED).publicKey
  if (!equal(device.subarray(0, 32), DEVICE_MAGIC)) throw malformed('it names no device')
  if (!verifySignature(message, proofPart(document, 'deviceSignature', 64), root)) {
    throw refused('evidence-root', 'its device does not chain to the simulated root')
  }
  return { key: device.subarray(32, 64), notAfterS: Number(toBigInt(device.subarray(64))) }
}

function checkReport(document: EvidenceDocument, deviceKey: Bytes): { notAfterS: number } {
  const report = proofPart(document, 'report', REPORT_BYTES)
  const message = taggedHash(REPORT_TAG, document.claims.network, report)
  if (!equal(report.subarray(0, 32), REPORT_MAGIC)) throw malformed('it has no report')
  if (!verifySignature(message, proofPart(document, 'reportSignature', 64), deviceKey)) {
    throw refused('evidence-signature', 'its device has not signed the report')
  }
  if (!equal(report.subarray(32, 96), reportData(document.claims))) {
    throw refused('evidence-binding', 'the report is about other claims')
  }
  if (!equal(report.subarray(96, 128), SIMULATED_MEASUREMENT)) {
    throw refused('evidence-measurement', 'the measured image is not an accepted one')
  }
  if (report[128] !== 0) throw refused('evidence-debug', 'the machine is in debug mode')
  return { notAfterS: Number(toBigInt(report.subarray(129))) }
}
