/**
 * NVIDIA-shaped GPU evidence below a root that is made anew: a chain of five certificates and SPDM
 * measurements, for choosing defects. A production verifier takes the root only from a test.
 * @module
 */
import type { GpuEvidence, NvidiaContext } from '../../contracts/attest/nvidia/verify.ts'
import { type Bytes, concat, fromHex, toBase64, toHex, utf8 } from '../../contracts/base/bytes.ts'
import { integer, octets, oid, sequence } from './derWriter.ts'
import {
  type CertificateArgs,
  pemOf,
  signRaw,
  type TestKey,
  testCertificate,
  testCrl,
  testKey,
} from './testPki.ts'

const DAY = 86_400_000
export const NVIDIA_AT_MS = Date.UTC(2026, 10, 1)
export const NONCE = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
export const FIRMWARE = new Uint8Array(48).fill(0xf1)

export interface SpdmArgs {
  readonly nonce?: Bytes
  readonly slot?: number
  /** Blocks as bytes, in place of four good ones. */
  readonly blocks?: readonly Bytes[]
  /** How many blocks the head says; by default as many as there are. */
  readonly count?: number
  /** Opaque fields by type; null removes one. */
  readonly opaque?: Readonly<Record<number, Bytes | null>>
  /** The whole of the opaque data. */
  readonly opaqueBytes?: Bytes
  readonly patch?: readonly (readonly [number, number])[]
  readonly tail?: Bytes
  readonly signer?: TestKey
}

export interface ChainArgs {
  /** The device identity in the leaf; null leaves the extension out. */
  readonly identity?: Bytes | null
  readonly leaf?: Partial<CertificateArgs>
  readonly chip?: Partial<CertificateArgs>
  /** How many certificates, from the leaf on; the root is always last. */
  readonly length?: number
}

/** A block of the measurement record. */
export function block(index: number, value: Bytes = new Uint8Array(48).fill(index)): Bytes {
  const inner = concat(Uint8Array.of(1), le(value.length, 2), value)
  return concat(Uint8Array.of(index, 1), le(inner.length, 2), inner)
}

/** One GPU's identity below a root; `authority` shares the upper part between GPUs. */
export function nvidiaTree(authority = nvidiaAuthority()) {
  const { root, line, maker } = authority
  const chip = { subject: 'GH100 A01 GSP BROM', key: testKey('P-384') }
  const leaf = { subject: 'GH100 A01 GSP FMC LF', key: testKey('P-384') }

  const chain = (args: ChainArgs = {}): string => {
    const identity = args.identity === undefined ? deviceIdentity(chip.key) : args.identity
    const certificates = [
      testCertificate({
        ...leaf,
        issuer: chip,
        extensions: identity ? [{ id: '2.23.133.5.4.1', value: identity }] : [],
        ...LIFE,
        ...args.leaf,
      }),
      testCertificate({ ...chip, issuer: maker, ca: true, keyUsage: '04', ...LIFE, ...args.chip }),
      testCertificate({ ...maker, issuer: line, ca: true, extensions: [LISTED], ...LIFE }),
      testCertificate({ ...line, issuer: root, ca: true, extensions: [LISTED], ...LIFE }),
    ].slice(0, args.length === undefined ? 4 : args.length - 1)
    const own = testCertificate({ ...root, ca: true, ...LIFE })
    return [...certificates, own].map((der) => pemOf(der)).join('')
  }
  const evidence = (spdm: SpdmArgs = {}, args: ChainArgs = {}): GpuEvidence => ({
    report: spdmReport({ signer: leaf.key, ...spdm }),
    chain: chain(args),
  })
  const entry = (spdm: SpdmArgs = {}, more: Record<string, unknown> = {}) => {
    const { report, chain } = evidence(spdm)
    return {
      arch: 'HOPPER',
      evidence: toBase64(report),
      certificate: toBase64(utf8(chain)),
      nonce: toHex(spdm.nonce ?? NONCE),
      driver_version: '590.12',
      vbios_version: '96.00.A5.00.01',
      ...more,
    }
  }
  const context: NvidiaContext = { atMs: NVIDIA_AT_MS, roots: [root.key.keyHash] }
  return { authority, root, line, maker, chip, leaf, chain, evidence, entry, context }
}

/** The part of NVIDIA's tree that all GPUs of a line share. */
export function nvidiaAuthority() {
  return {
    root: { subject: 'NVIDIA Device Identity CA', key: testKey('P-384') },
    line: { subject: 'NVIDIA GH100 Identity', key: testKey('P-384') },
    maker: { subject: 'NVIDIA GH100 Provisioner ICA 1', key: testKey('P-384') },
  }
}

const LIFE = { notBeforeMs: NVIDIA_AT_MS - 30 * DAY, notAfterMs: NVIDIA_AT_MS + 365 * DAY }
/** A distribution point: what it names does not matter here. */
const LISTED = { id: '2.5.29.31', value: sequence() }

/** A revocation list of one of the authorities. */
export function nvidiaCrl(
  issuer: { subject: string; key: TestKey },
  args: { revoked?: string[]; number?: number; untilDays?: number; signer?: TestKey } = {},
): Bytes {
  return testCrl({
    issuer,
    number: args.number ?? 7,
    revoked: args.revoked ?? [],
    thisUpdateMs: NVIDIA_AT_MS - DAY,
    nextUpdateMs: NVIDIA_AT_MS + (args.untilDays ?? 30) * DAY,
    ...(args.signer && { signer: args.signer }),
  })
}

/** What a leaf says of its chip and firmware. */
export function deviceIdentity(
  chip: TestKey,
  { version = 1, hash = '2.16.840.1.101.3.4.2.2', firmware = FIRMWARE } = {},
): Bytes {
  return sequence(integer(version), chip.spki, sequence(oid(hash), octets(firmware)))
}

const OPAQUE: Readonly<Record<number, Bytes>> = {
  6: fromHex('00a5009601000000'),
  3: utf8('590.12\0'),
  12: new Uint8Array(16),
  20: FIRMWARE,
  21: Uint8Array.of(0x55),
  34: Uint8Array.of(1, 0),
}

/** Request and response, signed; `patch` changes bytes before that, by offset. */
export function spdmReport(args: SpdmArgs & { signer: TestKey }): Bytes {
  const { nonce = NONCE, slot = 0, blocks = [1, 2, 3, 9].map((i) => block(i)) } = args
  const record = concat(...blocks)
  const fields = Object.entries({ ...OPAQUE, ...args.opaque })
  const opaque =
    args.opaqueBytes ??
    concat(
      ...fields.flatMap(([type, value]) =>
        value ? [le(Number(type), 2), le(value.length, 2), value] : [],
      ),
    )
  const bytes = concat(
    Uint8Array.of(0x11, 0xe0, 1, 0xff),
    nonce,
    Uint8Array.of(slot),
    Uint8Array.of(0x11, 0x60, 0, slot, args.count ?? blocks.length),
    le(record.length, 3),
    record,
    new Uint8Array(32).fill(0x77),
    le(opaque.length, 2),
    opaque,
  )
  for (const [at, value] of args.patch ?? []) bytes[at] = value
  return concat(bytes, signRaw(args.signer, bytes), args.tail ?? new Uint8Array())
}

const le = (value: number, length: number): Bytes =>
  Uint8Array.from({ length }, (_, i) => (value >> (8 * i)) & 0xff)
