/**
 * Collateral as bytes: one encoding, bounded, and the form that other tools write.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  encodeCollateral,
  importCollateral,
  parseCollateral,
  type TdxCollateral,
} from '../../../../contracts/attest/tdx/collateral.ts'
import { concat, toHex, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { intelTree } from '../../../support/intelTree.ts'
import { refusal } from '../../../support/refusal.ts'

const { parts, collateral } = intelTree()
const text = Buffer.from(collateral).toString()
const BAD = refusal('evidence-collateral', 'bad collateral')

describe('collateral', () => {
  it('is read as it was written', () => {
    expect(parseCollateral(collateral)).toEqual(parts)
    expect(text).toMatch(/^\{"version":1,"kind":"intel-tdx-collateral","tcbInfo":"/)
  })

  it.each<[string, string]>([
    ['that is not there', ''],
    ['that is no JSON', 'collateral'],
    ['that is no object', '[]'],
    ['of another version', text.replace('"version":1', '"version":2')],
    ['of another kind', text.replace('intel-tdx', 'intel-sgx')],
    ['with white space', text.replace('{', '{ ')],
    ['with one more member', text.replace('"version"', '"more":1,"version"')],
    ['with a member less', text.replace(/"pckCrl":"[^"]*",/, '')],
    ['with a member that is no text', text.replace(/"rootCrl":"[^"]*"/, '"rootCrl":null')],
    ['with hex in upper case', text.replace(toHex(parts.tcbInfoSignature), upper(parts))],
    ['with a short signature', text.replace(toHex(parts.qeIdentitySignature), 'ab')],
    ['with base64 that is none', text.replace('"rootCrl":"M', '"rootCrl":"?')],
  ])('%s is refused', (_, bad) => {
    expect(() => parseCollateral(utf8(bad))).toThrow(BAD)
  })

  it('of bytes that are no text, or of too many, is refused', () => {
    expect(() => parseCollateral(concat(collateral, Uint8Array.of(0xff)))).toThrow(BAD)
    const long = encodeCollateral({ ...parts, tcbInfo: 'x'.repeat(LIMITS.collateralBytes) })
    expect(() => parseCollateral(long)).toThrow(refusal('evidence-collateral', 'too long'))
    expect(() => importCollateral(' '.repeat(LIMITS.collateralBytes + 1))).toThrow(
      refusal('evidence-collateral', 'too long'),
    )
  })

  it('only ever is read or refused, whatever the bytes', () => {
    const decode = (input: Uint8Array) => {
      const found = parseCollateral(input)
      expect(encodeCollateral(found)).toEqual(input)
    }
    const report = fuzz({ name: 'tdx collateral', corpus: [collateral], decode })
    console.log(JSON.stringify(report))
    expect(report.refused).toBeGreaterThan(0)
  })
})

describe('the form of other tools', () => {
  const theirs = {
    pck_crl_issuer_chain: parts.pckCrlChain,
    root_ca_crl: toHex(parts.rootCrl),
    pck_crl: toHex(parts.pckCrl),
    tcb_info_issuer_chain: parts.tcbInfoChain,
    tcb_info: parts.tcbInfo,
    tcb_info_signature: toHex(parts.tcbInfoSignature),
    qe_identity_issuer_chain: parts.qeIdentityChain,
    qe_identity: parts.qeIdentity,
    qe_identity_signature: toHex(parts.qeIdentitySignature),
  }

  it('is read, with members that are not needed', () => {
    const json = JSON.stringify({ ...theirs, pck_certificate_chain: 'x' })
    expect(importCollateral(json)).toEqual(parts)
  })

  it('with anything missing or malformed is refused', () => {
    for (const name of Object.keys(theirs)) {
      const json = JSON.stringify({ ...theirs, [name]: undefined })
      expect(() => importCollateral(json)).toThrow(BAD)
    }
    expect(() => importCollateral(JSON.stringify({ ...theirs, pck_crl: 'zz' }))).toThrow(BAD)
    expect(() => importCollateral('null')).toThrow(BAD)
    expect(() => importCollateral('{')).toThrow(BAD)
  })

  it('only ever is read or refused, whatever the bytes', () => {
    const decode = (input: Uint8Array) => importCollateral(Buffer.from(input).toString())
    const corpus = [utf8(JSON.stringify(theirs))]
    const report = fuzz({ name: 'tdx collateral of others', corpus, decode })
    console.log(JSON.stringify(report))
    expect(report.refused).toBeGreaterThan(0)
  })
})

function upper({ tcbInfoSignature }: TdxCollateral): string {
  return toHex(tcbInfoSignature).toUpperCase()
}
