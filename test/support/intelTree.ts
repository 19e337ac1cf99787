/**
 * Intel's whole tree in small, below a root of the test's own: PCK authority and certificate, the
 * signer of TCB info, revocation lists, TCB info and identity, quotes of versions 4 and 5.
 *
 * Everything holds as it is made; each test changes one thing and names the refusal that follows.
 * @module
 */

import { encodeCollateral, type TdxCollateral } from '../../contracts/attest/tdx/collateral.ts'
import { type Bytes, concat, fromHex, toHex, utf8 } from '../../contracts/base/bytes.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { enumerated, integer, octets, oid, sequence } from './derWriter.ts'
import {
  type CertificateArgs,
  type CrlArgs,
  pemOf,
  rawPoint,
  signRaw,
  type TestKey,
  testCertificate,
  testCrl,
  testKey,
} from './testPki.ts'

/** The time at which everything holds. */
export const AT_MS = Date.UTC(2026, 6, 4)
export const DAY_MS = 86_400_000
const CERTIFIED = { notBeforeMs: AT_MS - 700 * DAY_MS, notAfterMs: AT_MS + 700 * DAY_MS }
export const PUBLISHED = { from: AT_MS - 5 * DAY_MS, until: AT_MS + 25 * DAY_MS }

export const FMSPC = 'b0c06f000000'
export const PCE_ID = '0000'
export const PPID = fromHex('811dca2a26b952e85bb6448b097ba4fd')
export const COMPONENTS = [3, 3, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0]
const QE_SIGNER = sha256(utf8('signer of the quoting enclave'))
const SGX = '1.2.840.113741.1.13.1'

const NAME = {
  root: 'Intel SGX Root CA',
  authority: 'Intel SGX PCK Platform CA',
  pck: 'Intel SGX PCK Certificate',
  signing: 'Intel SGX TCB Signing',
}

/** Keys are made once a process: they cost more than everything else. */
const KEYS = {
  root: testKey(),
  authority: testKey(),
  pck: testKey(),
  signing: testKey(),
  attestation: testKey(),
  stranger: testKey(),
}
export const TEST_KEYS: Readonly<typeof KEYS> = KEYS
export const TEST_ROOTS: readonly Bytes[] = [KEYS.root.keyHash]

type JsonObject = Record<string, unknown>

/** What a test may change. Functions change JSON before it is signed. */
export interface IntelChanges {
  readonly root?: Partial<CertificateArgs>
  readonly authority?: Partial<CertificateArgs>
  readonly pck?: Partial<CertificateArgs>
  readonly signing?: Partial<CertificateArgs>
  readonly rootCrl?: Partial<CrlArgs>
  readonly pckCrl?: Partial<CrlArgs>
  readonly tcbInfo?: (json: JsonObject) => unknown
  readonly qeIdentity?: (json: JsonObject) => unknown
  /** Signs TCB info and identity in Intel's stead. */
  readonly publisher?: TestKey
  readonly quote?: QuoteChanges
}

export interface QuoteChanges {
  readonly version?: number
  /** Type of the body in version 5: 2 (TDX 1.0) or 3 (TDX 1.5). */
  readonly bodyType?: number
  readonly teeTcbSvn?: readonly number[]
  /** Fields of the body by their offset, over zeros and a few values that hold. */
  readonly body?: Readonly<Record<number, Bytes>>
  readonly header?: Readonly<Record<number, Bytes>>
  /** Fields of the quoting enclave's report by their offset. */
  readonly qe?: Readonly<Record<number, Bytes>>
  /** Signs the quoting enclave's report. */
  readonly qeSigner?: TestKey
  /** Signs the quote. */
  readonly signer?: TestKey
  /** What the quoting enclave vouches for; by default the attestation key. */
  readonly vouched?: Bytes
  readonly certificationType?: number
  readonly pckType?: number
  /** In the place of the certificate chain. */
  readonly chain?: Bytes
}

export interface IntelTree {
  readonly quote: Bytes
  /** Encoded. */
  readonly collateral: Bytes
  readonly parts: TdxCollateral
  readonly chains: { readonly pck: string; readonly authority: string; readonly signing: string }
}

/** Quote and collateral that verify below `TEST_ROOTS` at `AT_MS`, but for the changes. */
export function intelTree(changes: IntelChanges = {}): IntelTree {
  const certificate = (args: CertificateArgs, change: Partial<CertificateArgs> = {}) =>
    pemOf(testCertificate({ ...args, ...change }))
  const root = { subject: NAME.root, key: KEYS.root }
  const authority = { subject: NAME.authority, key: KEYS.authority }
  const pckArgs = {
    subject: NAME.pck,
    key: KEYS.pck,
    issuer: authority,
    keyUsage: 'c0',
    extensions: [{ id: SGX, value: sgxExtension() }],
    ...CERTIFIED,
  }
  const rootPem = certificate({ ...root, ca: 1, ...CERTIFIED }, changes.root)
  const authorityPem =
    certificate({ ...authority, issuer: root, ca: 0, ...CERTIFIED }, changes.authority) + rootPem
  const signingArgs = { subject: NAME.signing, key: KEYS.signing, issuer: root, ...CERTIFIED }
  const signingPem = certificate({ ...signingArgs, keyUsage: 'c0' }, changes.signing) + rootPem
  const pckPem = certificate(pckArgs, changes.pck) + authorityPem
  const updates = { thisUpdateMs: PUBLISHED.from, nextUpdateMs: PUBLISHED.until }
  const publisher = changes.publisher ?? KEYS.signing
  const tcbInfo = published(tcbInfoJson(), changes.tcbInfo)
  const qeIdentity = published(qeIdentityJson(), changes.qeIdentity)
  const parts: TdxCollateral = {
    tcbInfo,
    tcbInfoSignature: signRaw(publisher, utf8(tcbInfo)),
    tcbInfoChain: signingPem,
    qeIdentity,
    qeIdentitySignature: signRaw(publisher, utf8(qeIdentity)),
    qeIdentityChain: signingPem,
    rootCrl: testCrl({ issuer: root, ...updates, ...changes.rootCrl }),
    pckCrl: testCrl({ issuer: authority, revoked: ['1234'], ...updates, ...changes.pckCrl }),
    pckCrlChain: authorityPem,
  }
  return {
    quote: testQuote(pckPem, changes.quote),
    collateral: encodeCollateral(parts),
    parts,
    chains: { pck: pckPem, authority: authorityPem, signing: signingPem },
  }
}

/** Intel's extension of a PCK certificate; members may be left out or exchanged. */
export function sgxExtension(
  args: { components?: readonly number[]; fmspc?: string; without?: number; more?: Bytes[] } = {},
): Bytes {
  const { components = COMPONENTS, fmspc = FMSPC, without, more = [] } = args
  const svns = [...components, 11].map((svn, i) => sequence(oid(`${SGX}.2.${i + 1}`), integer(svn)))
  const cpuSvn = sequence(oid(`${SGX}.2.18`), octets(Uint8Array.from(components)))
  const members = [
    sequence(oid(`${SGX}.1`), octets(PPID)),
    sequence(oid(`${SGX}.2`), sequence(...svns, cpuSvn)),
    sequence(oid(`${SGX}.3`), octets(fromHex(PCE_ID))),
    sequence(oid(`${SGX}.4`), octets(fromHex(fmspc))),
    sequence(oid(`${SGX}.5`), enumerated(1)),
  ]
  return sequence(...members.filter((_, i) => i + 1 !== without), ...more)
}

function published(json: JsonObject, change: (json: JsonObject) => unknown = () => undefined) {
  const changed = change(json) ?? json
  return typeof changed === 'string' ? changed : JSON.stringify(changed)
}

const isoOf = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')
const dates = () => ({
  issueDate: isoOf(PUBLISHED.from),
  nextUpdate: isoOf(PUBLISHED.until),
  tcbEvaluationDataNumber: 17,
})
const level = (tcb: unknown, tcbStatus: string, ...advisoryIDs: string[]) => ({
  tcb,
  tcbDate: '2024-03-13T00:00:00Z',
  tcbStatus,
  ...(advisoryIDs.length > 0 && { advisoryIDs }),
})
const svns = (values: readonly number[]) => values.map((svn) => ({ svn }))
const zeros = (count: number): number[] => Array.from({ length: count }, () => 0)

function tcbInfoJson(): JsonObject {
  const below = COMPONENTS.map((svn) => Math.max(0, svn - 1))
  const platform = (components: readonly number[], pcesvn: number) => ({
    sgxtcbcomponents: svns(components),
    pcesvn,
    tdxtcbcomponents: svns([5, 0, 2, ...zeros(13)]),
  })
  const module = {
    mrsigner: '00'.repeat(48),
    attributes: '00'.repeat(8),
    attributesMask: 'FF'.repeat(8),
  }
  const levels = [
    level({ isvsvn: 4 }, 'UpToDate'),
    level({ isvsvn: 2 }, 'OutOfDate', 'INTEL-SA-00002'),
    level({ isvsvn: 1 }, 'Revoked'),
  ]
  return {
    id: 'TDX',
    version: 3,
    ...dates(),
    fmspc: FMSPC.toUpperCase(),
    pceId: PCE_ID,
    tcbType: 0,
    tdxModule: module,
    tdxModuleIdentities: [{ id: 'TDX_01', ...module, tcbLevels: levels }],
    tcbLevels: [
      level(platform(COMPONENTS, 11), 'UpToDate'),
      level(platform(COMPONENTS, 5), 'ConfigurationNeeded', 'INTEL-SA-00003'),
      level(platform(below, 5), 'OutOfDate', 'INTEL-SA-00001', 'INTEL-SA-00002'),
    ],
  }
}

function qeIdentityJson(): JsonObject {
  return {
    id: 'TD_QE',
    version: 2,
    ...dates(),
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: `11${'00'.repeat(15)}`,
    attributesMask: `FB${'FF'.repeat(7)}${'00'.repeat(8)}`,
    mrsigner: toHex(QE_SIGNER).toUpperCase(),
    isvprodid: 2,
    tcbLevels: [level({ isvsvn: 4 }, 'UpToDate'), level({ isvsvn: 3 }, 'OutOfDate')],
  }
}

function testQuote(pckPem: string, changes: QuoteChanges = {}): Bytes {
  const { version = 4, bodyType = 2 } = changes
  const header = patched(
    new Uint8Array(48),
    { 0: u16(version), 2: u16(2), 4: u32(0x81), 12: fromHex(QE_VENDOR) },
    changes.header,
  )
  const body = patched(
    new Uint8Array(version === 4 || bodyType === 2 ? 584 : 648),
    {
      0: Uint8Array.from(changes.teeTcbSvn ?? [6, 1, 3, ...zeros(13)]),
      120: fromHex('0000001000000000'), // SEPT_VE_DISABLE
      128: fromHex('e702060000000000'),
      136: new Uint8Array(48).fill(0xd1),
      328: new Uint8Array(192).fill(0xa7),
      520: new Uint8Array(64).fill(0x5a),
    },
    changes.body,
  )
  const descriptor = version === 4 ? [] : [u16(bodyType), u32(body.length)]
  const signed = concat(header, ...descriptor, body)
  const authData = Uint8Array.from({ length: 32 }, (_, i) => i)
  const point = rawPoint(KEYS.attestation)
  const qeReport = patched(
    new Uint8Array(384),
    {
      48: fromHex(`15${'00'.repeat(7)}e7${'00'.repeat(7)}`),
      128: QE_SIGNER,
      256: u16(2),
      258: u16(4),
      320: sha256(changes.vouched ?? concat(point, authData)),
    },
    changes.qe,
  )
  const certification = concat(
    qeReport,
    signRaw(changes.qeSigner ?? KEYS.pck, qeReport),
    u16(authData.length),
    authData,
    tagged(changes.pckType ?? 5, changes.chain ?? utf8(`${pckPem}\0`)),
  )
  const signature = signRaw(changes.signer ?? KEYS.attestation, signed)
  const auth = concat(signature, point, tagged(changes.certificationType ?? 6, certification))
  return concat(signed, u32(auth.length), auth)
}

const QE_VENDOR = '939a7233f79c4ca9940a0db3957f0607'

function patched(
  bytes: Bytes,
  ...patches: readonly (Readonly<Record<number, Bytes>> | undefined)[]
): Bytes {
  for (const patch of patches) {
    for (const [at, value] of Object.entries(patch ?? {})) bytes.set(value, Number(at))
  }
  return bytes
}

const tagged = (type: number, body: Bytes): Bytes => concat(u16(type), u32(body.length), body)
const u16 = (value: number): Bytes => Uint8Array.of(value & 0xff, value >> 8)
const u32 = (value: number): Bytes => concat(u16(value & 0xffff), u16(value >>> 16))
