/**
 * Every refusal of an SEV-SNP report by one chosen defect, each with its own code and a sentence.
 * The tree is below a root of the test's own.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { HOST_VMPL } from '../../../../contracts/attest/snp/report.ts'
import { AMD_ROOTS } from '../../../../contracts/attest/snp/roots.ts'
import {
  type SnpCollateral,
  type SnpContext,
  verifySnpReport,
} from '../../../../contracts/attest/snp/verify.ts'
import type { Bytes } from '../../../../contracts/base/bytes.ts'
import type { ErrorCode } from '../../../../contracts/base/errors.ts'
import { AMD_AT_MS, amdTree, CHIP, ia5, TCB } from '../../../support/amdTree.ts'
import { integer, octets } from '../../../support/derWriter.ts'
import { refusal } from '../../../support/refusal.ts'
import { testCertificate, testKey } from '../../../support/testPki.ts'

const tree = amdTree('Milan')
const turin = amdTree('Turin')
const { ark, ask, context } = tree
const DAY = 86_400_000

interface Case {
  readonly report?: Bytes
  readonly collateral?: SnpCollateral
  readonly context?: Partial<SnpContext>
}
const verify = (given: Case = {}) =>
  verifySnpReport(given.report ?? tree.report(), given.collateral ?? tree.collateral(), {
    ...context,
    ...given.context,
  })
const flipped = (bytes: Bytes, at: number): Bytes => bytes.map((b, i) => (i === at ? b ^ 1 : b))

const vekOf = (vekArgs: Parameters<typeof tree.collateral>[0] & object) => tree.collateral(vekArgs)
const crlCase = (args: Parameters<typeof tree.crl>[0], more: Partial<SnpContext> = {}): Case => ({
  collateral: tree.collateral({ crl: tree.crl(args) }),
  context: more,
})
const life = { notBeforeMs: AMD_AT_MS - DAY, notAfterMs: AMD_AT_MS + DAY }
const stranger = testKey('P-384')

const DEFECTS: readonly (readonly [string, ErrorCode, string, () => Case])[] = [
  ['a short report', 'evidence-malformed', '1184 bytes', () => ({ report: new Uint8Array(4) })],
  [
    'garbage for a certificate',
    'evidence-malformed',
    'bad DER',
    () => ({
      collateral: tree.collateral({ vek: new Uint8Array(9) }),
    }),
  ],
  [
    'reserved bytes in its security version',
    'evidence-malformed',
    'reserved bytes set',
    () => ({
      report: tree.report({ reportedTcb: Uint8Array.of(4, 0, 1, 0, 0, 0, 23, 213) }),
    }),
  ],
  [
    "roots that are not AMD's",
    'evidence-root',
    'not a pinned root',
    () => ({
      context: { roots: AMD_ROOTS },
    }),
  ],
  [
    'an authority of another tree',
    'evidence-collateral',
    'another issuer',
    () => ({
      collateral: tree.collateral({ ask: turin.collateral().ask }),
    }),
  ],
  [
    'a forged chip key',
    'evidence-collateral',
    'not signed by its issuer',
    () => ({
      collateral: vekOf({ vekArgs: { certificate: { forged: true } } }),
    }),
  ],
  [
    'a chip key that is an authority',
    'evidence-collateral',
    'the leaf is',
    () => ({
      collateral: vekOf({ vekArgs: { certificate: { ca: true } } }),
    }),
  ],
  [
    'a signing authority that is none',
    'evidence-collateral',
    'no certificate authority',
    () => ({
      collateral: tree.collateral({ ask: testCertificate({ ...ask, issuer: ark, ...life }) }),
    }),
  ],
  [
    'an expired chip key',
    'evidence-expired',
    'has expired',
    () => ({
      context: { atMs: AMD_AT_MS + 366 * DAY },
    }),
  ],
  [
    'a chip key of the future',
    'evidence-expired',
    'not yet valid',
    () => ({
      context: { atMs: AMD_AT_MS - 31 * DAY },
    }),
  ],
  [
    'a signature of another key',
    'evidence-signature',
    'not signed by the key',
    () => ({
      report: tree.report({ signer: stranger }),
    }),
  ],
  [
    'a changed measurement',
    'evidence-signature',
    'not signed by the key',
    () => ({
      report: flipped(tree.report(), 0x90),
    }),
  ],
  [
    'no signature',
    'evidence-signature',
    'did not sign',
    () => ({
      report: tree.report({ keyInfo: 7 << 2 }),
    }),
  ],
  [
    'the key of another chip',
    'evidence-collateral',
    'another chip',
    () => ({
      report: tree.report({ chipId: flipped(CHIP, 3) }),
    }),
  ],
  [
    "a hidden chip below a chip's key",
    'evidence-collateral',
    'another chip',
    () => ({
      report: tree.report({ chipId: new Uint8Array(64) }),
    }),
  ],
  [
    'the key of other firmware',
    'evidence-collateral',
    'other firmware',
    () => ({
      collateral: vekOf({ vekArgs: { tcb: { ...TCB, snp: 22 } } }),
    }),
  ],
  [
    'another processor than its key',
    'evidence-collateral',
    'another product',
    () => ({
      report: tree.report({ cpu: [0x19, 0x11, 0] }),
    }),
  ],
  [
    'a key of another kind than it names',
    'evidence-collateral',
    'names a vlek',
    () => ({
      report: tree.report({ keyInfo: 4 }),
    }),
  ],
  [
    'a key for another product',
    'evidence-collateral',
    'it is for Genoa-B1',
    () => ({
      collateral: vekOf({ vekArgs: { name: 'Genoa-B1' } }),
    }),
  ],
  [
    'a key without a security version',
    'evidence-collateral',
    'no security version of snp',
    () => ({
      collateral: vekOf({ vekArgs: { replace: { '3.3': null } } }),
    }),
  ],
  [
    'a key with a huge security version',
    'evidence-collateral',
    'too large',
    () => ({
      collateral: vekOf({ vekArgs: { replace: { '3.3': integer(256) } } }),
    }),
  ],
  [
    'a key without a product',
    'evidence-collateral',
    'names no product',
    () => ({
      collateral: vekOf({ vekArgs: { replace: { '2': null } } }),
    }),
  ],
  [
    'a key with an unreadable extension',
    'evidence-collateral',
    'cannot be read',
    () => ({
      collateral: vekOf({ vekArgs: { replace: { '2': new Uint8Array(3) } } }),
    }),
  ],
  [
    'a key of chip and cloud',
    'evidence-collateral',
    'neither',
    () => ({
      collateral: vekOf({ vekArgs: { replace: { '5': ia5('cloud') } } }),
    }),
  ],
  [
    'a key of neither',
    'evidence-collateral',
    'neither',
    () => ({
      collateral: vekOf({ vekArgs: { chipId: null } }),
    }),
  ],
  [
    'a chip number of another length',
    'evidence-collateral',
    'another length',
    () => ({
      collateral: vekOf({ vekArgs: { replace: { '4': octets(CHIP.subarray(1)) } } }),
    }),
  ],
  [
    'debugging allowed',
    'evidence-debug',
    'read and write its memory',
    () => ({
      report: tree.report({ policy: 0xb0000n }),
    }),
  ],
  [
    'a migration agent allowed',
    'evidence-isolation',
    'migration agent',
    () => ({
      report: tree.report({ policy: 0x70000n }),
    }),
  ],
  [
    'the host asking',
    'evidence-binding',
    'the host asked',
    () => ({
      report: tree.report({ vmpl: HOST_VMPL }),
      context: { mostVmpl: 3 },
    }),
  ],
  [
    'a low privilege level',
    'evidence-binding',
    'level 1 asked',
    () => ({
      report: tree.report({ vmpl: 1 }),
    }),
  ],
  [
    'old firmware',
    'evidence-tcb',
    'its snp has security version 23, below 24',
    () => ({
      context: { leastTcb: { Milan: { snp: 24 } } },
    }),
  ],
  [
    'no list where one is asked for',
    'evidence-collateral',
    'list is missing',
    () => ({
      context: { requireCrl: true },
    }),
  ],
  [
    'a revoked authority',
    'evidence-revoked',
    'is revoked',
    () => crlCase({ revoked: [tree.askSerial] }),
  ],
  ['an expired list', 'evidence-expired', 'has expired', () => crlCase({ until: -1 })],
  ['a list of the future', 'evidence-expired', 'future', () => crlCase({ from: 1 })],
  [
    'an old list',
    'evidence-rollback',
    'older than one seen',
    () => crlCase({}, { seen: { number: 6n, thisUpdateMs: 0 } }),
  ],
  [
    'an empty list',
    'evidence-collateral',
    'bad revocation list',
    () => ({
      collateral: tree.collateral({ crl: new Uint8Array() }),
    }),
  ],
  [
    'a list of another product',
    'evidence-collateral',
    'another issuer',
    () => ({
      collateral: tree.collateral({ crl: turin.crl() }),
    }),
  ],
]

describe('a report is refused', () => {
  it.each(DEFECTS)('for %s', (_name, code, because, make) => {
    expect(() => verify(make())).toThrow(refusal(code, because))
  })

  it('each time with a sentence that a person can read', () => {
    for (const [, , , make] of DEFECTS) {
      try {
        verify(make())
      } catch (error) {
        const { because } = (error as { facts: { because: string } }).facts
        expect(because).toMatch(/^[A-Za-z][ -~]{15,160}[a-z0-9)A-Z-]$/)
        expect(because.split(' ').length).toBeGreaterThan(3)
      }
    }
  })
})
