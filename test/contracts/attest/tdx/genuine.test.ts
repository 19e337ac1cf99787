/**
 * Whether a quote is genuine: each link from the root to the report, broken once.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { genuineQuote } from '../../../../contracts/attest/tdx/genuine.ts'
import { parseTdxQuote } from '../../../../contracts/attest/tdx/quote.ts'
import { INTEL_ROOTS } from '../../../../contracts/attest/tdx/roots.ts'
import { concat, fromHex, utf8 } from '../../../../contracts/base/bytes.ts'
import type { ErrorCode } from '../../../../contracts/base/errors.ts'
import * as write from '../../../support/derWriter.ts'
import {
  AT_MS,
  COMPONENTS,
  DAY_MS,
  FMSPC,
  type IntelChanges,
  intelTree,
  PCE_ID,
  PPID,
  sgxExtension,
  TEST_KEYS,
  TEST_ROOTS,
} from '../../../support/intelTree.ts'
import { refusal } from '../../../support/refusal.ts'
import { rawPoint } from '../../../support/testPki.ts'

const check = (changes: IntelChanges = {}, roots = TEST_ROOTS, atMs = AT_MS) =>
  genuineQuote(parseTdxQuote(intelTree(changes).quote), { roots, atMs })
const { stranger, attestation, authority } = TEST_KEYS
const SGX = '1.2.840.113741.1.13.1'
const extension = (value: Uint8Array) => ({ pck: { extensions: [{ id: SGX, value }] } })
const without = (n: number) => extension(sgxExtension({ without: n }))
const { chains } = intelTree()

describe('a genuine quote', () => {
  it('leads to its platform', () => {
    const { platform, notAfterMs } = check()
    expect(platform).toEqual({
      ppid: PPID,
      fmspc: FMSPC,
      pceId: PCE_ID,
      components: COMPONENTS,
      pceSvn: 11,
    })
    expect(notAfterMs).toBe(AT_MS + 700 * DAY_MS)
  })

  it('of the processor authority is genuine too', () => {
    const subject = 'Intel SGX PCK Processor CA'
    const pck = { issuer: { subject, key: authority } }
    expect(check({ authority: { subject }, pck }).platform.fmspc).toBe(FMSPC)
  })

  it('ends with its first certificate', () => {
    const notAfterMs = AT_MS + DAY_MS
    expect(check({ pck: { notAfterMs } }).notAfterMs).toBe(notAfterMs)
    expect(() => check({ pck: { notAfterMs } }, TEST_ROOTS, notAfterMs + 1)).toThrow(
      refusal('evidence-expired'),
    )
  })
})

describe('a quote is not genuine', () => {
  const other = concat(rawPoint(stranger), new Uint8Array(32))
  const cases: [string, IntelChanges, ErrorCode, string][] = [
    ['signed by another key', { quote: { signer: stranger } }, 'evidence-signature', 'attestation'],
    ['of another key', { quote: { vouched: other } }, 'evidence-signature', 'vouch'],
    [
      'with more in what is vouched for',
      { quote: { qe: { 352: fromHex('01') } } },
      'evidence-signature',
      'vouch',
    ],
    [
      'with a report of another platform',
      { quote: { qeSigner: stranger } },
      'evidence-signature',
      'not signed by the platform',
    ],
    ['with a forged PCK', { pck: { forged: true } }, 'evidence-signature', 'not signed by its'],
    ['with a PCK of another name', { pck: { subject: 'x' } }, 'evidence-signature', 'is not of'],
    ['with a PCK that may not sign', { pck: { keyUsage: '20' } }, 'evidence-signature', 'may not'],
    ['with a PCK that is an authority', { pck: { ca: true } }, 'evidence-signature', 'the leaf'],
    [
      'with an authority of another name',
      {
        authority: { subject: 'x' },
        pck: { issuer: { subject: 'x', key: authority } },
      },
      'evidence-signature',
      'is not of',
    ],
    [
      'with two certificates',
      { quote: { chain: utf8(chains.authority) } },
      'evidence-signature',
      'three',
    ],
    ['with no certificate', { quote: { chain: utf8('') } }, 'evidence-malformed', 'bad PEM'],
    [
      'with two zero bytes after the chain',
      { quote: { chain: utf8(`${chains.pck}\0\0`) } },
      'evidence-malformed',
      'bad PEM',
    ],
    ['without an SGX extension', { pck: { extensions: [] } }, 'evidence-malformed', 'no SGX'],
    ['without a PPID', without(1), 'evidence-malformed', 'missing'],
    ['without security versions', without(2), 'evidence-malformed', 'missing'],
    ['without a PCE id', without(3), 'evidence-malformed', 'missing'],
    ['without an FMSPC', without(4), 'evidence-malformed', 'missing'],
    [
      'with an FMSPC of another length',
      extension(sgxExtension({ fmspc: 'b0c06f' })),
      'evidence-malformed',
      'another length',
    ],
    [
      'with too few security versions',
      extension(sgxExtension({ components: COMPONENTS.slice(2) })),
      'evidence-malformed',
      'missing',
    ],
    [
      'with a security version that is too large',
      extension(sgxExtension({ components: [256, ...COMPONENTS.slice(1)] })),
      'evidence-malformed',
      'too large',
    ],
    [
      'with a member twice',
      extension(sgxExtension({ more: [write.sequence(write.oid(`${SGX}.5`), write.integer(1))] })),
      'evidence-malformed',
      'pairs',
    ],
  ]
  it.each(cases)('%s', (_, changes, code, because) => {
    expect(() => check(changes)).toThrow(refusal(code, because))
  })

  it('below another root, also of the same name', () => {
    expect(() => check({}, INTEL_ROOTS)).toThrow(refusal('evidence-root'))
    expect(() => check({}, [attestation.keyHash])).toThrow(refusal('evidence-root'))
    const subject = 'Intel SGX Root CA'
    const issuer = { subject, key: stranger }
    expect(() => check({ root: { key: stranger, issuer }, authority: { issuer } })).toThrow(
      refusal('evidence-root'),
    )
  })
})
