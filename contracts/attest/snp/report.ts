/**
 * The attestation report of AMD SEV-SNP: 1,184 bytes, little-endian, versions 2 to 5 (AMD 56860,
 * table ATTESTATION_REPORT). Version 3 added the CPU's family. Mitigation vectors are documented
 * for version 5; chips are said to write them in version 4 too, so there they are read as well.
 *
 * Strict: the length is exact and every reserved byte and bit is zero, the unused part of the
 * signature field too, so that one signed statement has one encoding. Nothing is verified here;
 * `verify.ts` does that.
 * @module
 */
import { type Bytes, concat } from '../../base/bytes.ts'
import { refused } from '../hardware.ts'

/** Bytes of a report, and of its signed part: all that stands before the signature. */
export const SNP_REPORT_BYTES = 0x4a0
const SIGNED_BYTES = 0x2a0
/** r and s: 72 bytes each, little-endian, of which a P-384 number fills 48. */
const SIGNATURE_PART_BYTES = 72
const P384_BYTES = 48
const ECDSA_P384_SHA384 = 1
/** VMPL of a report that the host asked for: no software of the guest chose its report data. */
export const HOST_VMPL = 0xffff_ffff
/** Defined bits of PLATFORM_INFO: all up to 7 but 6. */
const PLATFORM_INFO_BITS = 0b1011_1111n
/** Highest defined bit of the guest policy: PAGE_SWAP_DISABLE. */
const POLICY_BITS = 26n

/** What the guest's owner allows, fixed at launch and measured with it. */
export interface SnpPolicy {
  readonly smt: boolean
  readonly migrationAgent: boolean
  readonly debug: boolean
  readonly singleSocket: boolean
}

/** State of the machine that the secure processor reports. */
export interface SnpPlatform {
  readonly smt: boolean
  readonly ecc: boolean
  /** The firmware found no two addresses for one memory cell at boot (BadRAM). */
  readonly aliasChecked: boolean
}

export interface SnpReport {
  readonly version: number
  readonly guestSvn: number
  readonly policy: SnpPolicy
  readonly platform: SnpPlatform
  readonly familyId: Bytes
  readonly imageId: Bytes
  /** Privilege level of who asked: 0 the highest, 3 the lowest, `HOST_VMPL` the host. */
  readonly vmpl: number
  readonly signedBy: 'vcek' | 'vlek'
  readonly authorKeyEnabled: boolean
  readonly reportData: Bytes
  readonly measurement: Bytes
  readonly hostData: Bytes
  readonly idKeyDigest: Bytes
  readonly authorKeyDigest: Bytes
  /** Security versions, eight bytes each as they stand; `tcb.ts` reads them. */
  readonly reportedTcb: Bytes
  readonly committedTcb: Bytes
  /** Family, model and stepping of the CPU, from version 3 on. */
  readonly cpu?: { readonly family: number; readonly model: number; readonly stepping: number }
  readonly chipId: Bytes
  /** Mitigations in force at launch and now, bits of AMD's; from version 4 on. */
  readonly mitigations?: { readonly atLaunch: bigint; readonly now: bigint }
  /** The signed part, and r || s big-endian as node:crypto takes them. */
  readonly signed: Bytes
  readonly signature: Bytes
}

/** Reads a report. Throws `evidence-malformed`, and `evidence-signature` where it is unsigned. */
export function parseSnpReport(bytes: Bytes): SnpReport {
  if (bytes.length !== SNP_REPORT_BYTES) {
    throw malformed(`a report has ${SNP_REPORT_BYTES} bytes, not ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const part = (from: number, length: number): Bytes => bytes.slice(from, from + length)
  const version = view.getUint32(0, true)
  if (version < 2 || version > 5) throw malformed(`report version ${version} is not known here`)
  if (view.getUint32(0x34, true) !== ECDSA_P384_SHA384) {
    throw malformed('its signature algorithm is not ECDSA P-384 with SHA-384')
  }
  checkReserved(bytes, version)
  return {
    version,
    guestSvn: view.getUint32(4, true),
    policy: policy(view.getBigUint64(8, true)),
    platform: platform(view.getBigUint64(0x40, true)),
    familyId: part(0x10, 16),
    imageId: part(0x20, 16),
    vmpl: vmpl(view.getUint32(0x30, true)),
    ...signer(view.getUint32(0x48, true)),
    reportData: part(0x50, 64),
    measurement: part(0x90, 48),
    hostData: part(0xc0, 32),
    idKeyDigest: part(0xe0, 48),
    authorKeyDigest: part(0x110, 48),
    reportedTcb: part(0x180, 8),
    committedTcb: part(0x1e0, 8),
    ...(version >= 3 && {
      cpu: { family: bytes[0x188]!, model: bytes[0x189]!, stepping: bytes[0x18a]! },
    }),
    chipId: part(0x1a0, 64),
    ...(version >= 4 && {
      mitigations: {
        atLaunch: view.getBigUint64(0x1f8, true),
        now: view.getBigUint64(0x200, true),
      },
    }),
    signed: part(0, SIGNED_BYTES),
    signature: concat(p384(bytes, 0), p384(bytes, 1)),
  }
}

/** Reserved bytes, by version: `[from, to)`. */
function checkReserved(bytes: Bytes, version: number): void {
  const ranges: readonly (readonly [number, number])[] = [
    [0x4c, 0x50],
    [version >= 3 ? 0x18b : 0x188, 0x1a0],
    [0x1eb, 0x1ec],
    [0x1ef, 0x1f0],
    [version >= 4 ? 0x208 : 0x1f8, SIGNED_BYTES],
    [SIGNED_BYTES + 2 * SIGNATURE_PART_BYTES, SNP_REPORT_BYTES],
  ]
  for (const [from, to] of ranges) {
    if (bytes.subarray(from, to).some((byte) => byte !== 0)) {
      throw malformed(`reserved bytes at 0x${from.toString(16)} are not zero`)
    }
  }
}

function policy(bits: bigint): SnpPolicy {
  const has = (bit: bigint): boolean => ((bits >> bit) & 1n) === 1n
  if (!has(17n)) throw malformed('bit 17 of its policy must be one')
  if (bits >> POLICY_BITS !== 0n) throw malformed('its policy has bits that are not known here')
  return { smt: has(16n), migrationAgent: has(18n), debug: has(19n), singleSocket: has(20n) }
}

function platform(bits: bigint): SnpPlatform {
  if ((bits & ~PLATFORM_INFO_BITS) !== 0n) {
    throw malformed('its platform information has bits that are not known here')
  }
  const has = (bit: bigint): boolean => ((bits >> bit) & 1n) === 1n
  return { smt: has(0n), ecc: has(2n), aliasChecked: has(5n) }
}

function vmpl(value: number): number {
  if (value > 3 && value !== HOST_VMPL) throw malformed(`there is no privilege level ${value}`)
  return value
}

/** KEY_INFO: bit 0 author key, bit 1 chip key masked, bits 2 to 4 the signing key. */
function signer(bits: number): Pick<SnpReport, 'signedBy' | 'authorKeyEnabled'> {
  if (bits >>> 5 !== 0) throw malformed('its key information has bits that are not known here')
  const key = (bits >>> 2) & 7
  if (key === 7) throw refused('evidence-signature', 'the machine did not sign this report')
  if (key > 1) throw malformed(`there is no signing key ${key}`)
  return { signedBy: key === 0 ? 'vcek' : 'vlek', authorKeyEnabled: (bits & 1) === 1 }
}

/** One number of the signature, big-endian; its upper 24 bytes have to be zero. */
function p384(bytes: Bytes, index: number): Bytes {
  const from = SIGNED_BYTES + index * SIGNATURE_PART_BYTES
  const part = bytes.slice(from, from + SIGNATURE_PART_BYTES)
  if (part.subarray(P384_BYTES).some((byte) => byte !== 0)) {
    throw malformed('its signature has numbers beyond 384 bits')
  }
  return part.subarray(0, P384_BYTES).reverse()
}

const malformed = (because: string) => refused('evidence-malformed', because)
