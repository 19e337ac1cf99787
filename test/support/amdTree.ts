/**
 * SEV-SNP evidence shaped like AMD's, below a root that is made anew: for choosing defects. A
 * production verifier takes the root only where a test hands it in.
 * @module
 */

import type { SnpProduct, SnpTcb } from '../../contracts/attest/snp/tcb.ts'
import type { SnpCollateral, SnpContext } from '../../contracts/attest/snp/verify.ts'
import { type Bytes, concat, fromHex, utf8 } from '../../contracts/base/bytes.ts'
import { der, integer } from './derWriter.ts'
import {
  type CertificateArgs,
  signRaw,
  type TestExtension,
  type TestKey,
  testCertificate,
  testCrl,
  testKey,
} from './testPki.ts'

const AMD = '1.3.6.1.4.1.3704.1'
const DAY = 86_400_000
/** The time at which the trees of tests are looked at. */
export const AMD_AT_MS = Date.UTC(2026, 10, 1)

export const CHIP = Uint8Array.from({ length: 64 }, (_, i) => (i * 7 + 1) & 0xff)
export const TCB: SnpTcb = { bootloader: 4, tee: 0, snp: 23, microcode: 213 }
export const TURIN_TCB: SnpTcb = { fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 80 }
export const TURIN_CHIP = concat(CHIP.subarray(0, 8), new Uint8Array(56))

/** What a report says; everything has a good default. */
export interface ReportArgs {
  readonly version?: number
  readonly policy?: bigint
  readonly vmpl?: number
  readonly platform?: bigint
  readonly keyInfo?: number
  readonly reportedTcb?: Bytes
  readonly cpu?: readonly [number, number, number]
  readonly chipId?: Bytes
  /** Bytes put at offsets before the report is signed, and after. */
  readonly patch?: readonly (readonly [number, Bytes])[]
  readonly tamper?: readonly (readonly [number, Bytes])[]
  readonly signer?: TestKey
}

export interface VekArgs {
  readonly name?: string
  readonly tcb?: SnpTcb
  readonly chipId?: Bytes | null
  readonly cloud?: string
  /** Extensions that replace those below AMD's identifier with the same suffix; null removes. */
  readonly replace?: Readonly<Record<string, Bytes | null>>
  readonly certificate?: Partial<CertificateArgs>
}

/** A tree for a product line; RSA as AMD has it, or P-384, which is quicker to make. */
export function amdTree(product: SnpProduct = 'Milan', kind: 'RSA' | 'P-384' = 'P-384') {
  const ark = { subject: `ARK-${product}`, key: testKey(kind) }
  const ask = { subject: `SEV-${product}`, key: testKey(kind) }
  const vek = testKey('P-384')
  const life = { notBeforeMs: AMD_AT_MS - 30 * DAY, notAfterMs: AMD_AT_MS + 365 * DAY }
  const askSerial = '010001'

  const vekDer = (args: VekArgs = {}): Bytes =>
    testCertificate({
      subject: args.cloud ? 'SEV-VLEK' : 'SEV-VCEK',
      key: vek,
      issuer: ask,
      serial: '00',
      keyUsage: null,
      extensions: vekExtensions(product, args),
      ...life,
      ...args.certificate,
    })
  const collateral = (more: Partial<SnpCollateral> & { vekArgs?: VekArgs } = {}): SnpCollateral => {
    const { vekArgs, ...given } = more
    return {
      vek: vekDer(vekArgs),
      ask: testCertificate({
        ...ask,
        issuer: ark,
        serial: askSerial,
        ca: 0,
        keyUsage: '04',
        ...life,
      }),
      ark: testCertificate({ ...ark, ca: true, ...life }),
      ...given,
    }
  }
  const crl = (args: { revoked?: string[]; number?: number; from?: number; until?: number } = {}) =>
    testCrl({
      issuer: ark,
      number: args.number ?? 5,
      revoked: args.revoked ?? [],
      thisUpdateMs: AMD_AT_MS + (args.from ?? -10) * DAY,
      nextUpdateMs: AMD_AT_MS + (args.until ?? 90) * DAY,
    })
  const context: SnpContext = { atMs: AMD_AT_MS, roots: { [product]: ark.key.keyHash } }
  const report = (args: ReportArgs = {}) => reportOf(product, { signer: vek, ...args })
  return { product, ark, ask, vek, askSerial, collateral, crl, report, context }
}

function vekExtensions(product: SnpProduct, args: VekArgs): TestExtension[] {
  const turin = product === 'Turin'
  const { tcb = turin ? TURIN_TCB : TCB, cloud } = args
  const chip = args.chipId ?? (turin ? TURIN_CHIP.subarray(0, 8) : CHIP)
  const values: Record<string, Bytes | null> = {
    '1': integer(0),
    '2': ia5(args.name ?? (cloud ? product : `${product}-B0`)),
    '3.1': integer(tcb.bootloader ?? 0),
    '3.2': integer(tcb.tee ?? 0),
    '3.3': integer(tcb.snp ?? 0),
    '3.8': integer(tcb.microcode ?? 0),
    '3.9': turin ? integer(tcb.fmc ?? 0) : null,
    '4': cloud || args.chipId === null ? null : chip,
    '5': cloud ? ia5(cloud) : null,
    ...args.replace,
  }
  return Object.entries(values).flatMap(([suffix, value]) =>
    value ? [{ id: `${AMD}.${suffix}`, value }] : [],
  )
}

export const ia5 = (text: string): Bytes => der(0x16, utf8(text))

/** Milan and Genoa: bootloader, tee, 4 reserved, snp, microcode; Turin has fmc first. */
export function tcbBytes(product: SnpProduct, tcb: SnpTcb): Bytes {
  const { fmc = 0, bootloader = 0, tee = 0, snp = 0, microcode = 0 } = tcb
  return product === 'Turin'
    ? Uint8Array.of(fmc, bootloader, tee, snp, 0, 0, 0, microcode)
    : Uint8Array.of(bootloader, tee, 0, 0, 0, 0, snp, microcode)
}

const CPU = { Milan: [0x19, 1, 1], Genoa: [0x19, 0x11, 1], Turin: [0x1a, 2, 1] } as const

function reportOf(product: SnpProduct, args: ReportArgs & { signer: TestKey }): Bytes {
  const { version = 3, signer } = args
  const bytes = new Uint8Array(1_184)
  const view = new DataView(bytes.buffer)
  const turin = product === 'Turin'
  const tcb = args.reportedTcb ?? tcbBytes(product, turin ? TURIN_TCB : TCB)
  view.setUint32(0, version, true)
  view.setBigUint64(8, args.policy ?? 0x30000n, true)
  view.setUint32(0x30, args.vmpl ?? 0, true)
  view.setUint32(0x34, 1, true)
  view.setBigUint64(0x40, args.platform ?? 0x25n, true)
  view.setUint32(0x48, args.keyInfo ?? 0, true)
  bytes.set(new Uint8Array(64).fill(0xda), 0x50)
  bytes.set(new Uint8Array(48).fill(0x3e), 0x90)
  bytes.fill(0xff, 0x160, 0x180)
  for (const at of [0x38, 0x180, 0x1e0, 0x1f0]) bytes.set(tcb, at)
  if (version >= 3) bytes.set(args.cpu ?? CPU[product], 0x188)
  bytes.set(args.chipId ?? (turin ? TURIN_CHIP : CHIP), 0x1a0)
  for (const [at, patch] of args.patch ?? []) bytes.set(patch, at)
  const raw = signRaw(signer, bytes.slice(0, 0x2a0))
  bytes.set(raw.slice(0, 48).reverse(), 0x2a0)
  bytes.set(raw.slice(48).reverse(), 0x2a0 + 72)
  for (const [at, patch] of args.tamper ?? []) bytes.set(patch, at)
  return bytes
}

/** A certificate table as a host writes it. */
export function certTable(entries: readonly (readonly [string, Bytes])[]): Bytes {
  const head = 24 * (entries.length + 1)
  let offset = head
  const rows = entries.map(([guid, bytes]) => {
    const row = new Uint8Array(24)
    row.set(fromHex(guid.replaceAll('-', '')))
    new DataView(row.buffer).setUint32(16, offset, true)
    new DataView(row.buffer).setUint32(20, bytes.length, true)
    offset += bytes.length
    return row
  })
  return concat(...rows, new Uint8Array(24), ...entries.map(([, bytes]) => bytes))
}

export const GUID = {
  vcek: '63da758d-e664-4564-adc5-f4b93be8accd',
  vlek: 'a8074bc2-a25a-483e-aae6-39c045a0b8a1',
  ask: '4ab7b379-bbac-4fe4-a02f-05aef327c782',
  ark: 'c0b406a4-a803-4952-9743-3fb6014cd0ae',
} as const
