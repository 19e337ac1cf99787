/**
 * Revocation lists: one that holds, and every way in which one is no answer.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseCertificate } from '../../../../contracts/attest/x509/certificate.ts'
import { checkCrl, checkNotRevoked, parseCrl } from '../../../../contracts/attest/x509/crl.ts'
import { type Bytes, concat, fromHex, toHex, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import * as write from '../../../support/derWriter.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { refusal } from '../../../support/refusal.ts'
import { type CrlArgs, pemOf, testCertificate, testCrl, testKey } from '../../../support/testPki.ts'

const AT = Date.UTC(2026, 6, 1)
const MONTH = 2_592_000_000
const keys = { ca: testKey(), leaf: testKey(), other: testKey() }
const CA = { subject: 'ca', key: keys.ca }
const dates = { notBeforeMs: AT - MONTH, notAfterMs: AT + MONTH }
const updates = { thisUpdateMs: AT - MONTH, nextUpdateMs: AT + MONTH }
const issuer = parseCertificate(testCertificate({ ...CA, ca: 0, ...dates }))
const leafOf = (serial: string) =>
  parseCertificate(
    testCertificate({ subject: 'leaf', key: keys.leaf, issuer: CA, serial, ...dates }),
  )
const make = (more: Partial<CrlArgs> = {}): Bytes => testCrl({ issuer: CA, ...updates, ...more })
const critical = { id: '2.5.29.28', critical: true, value: write.sequence() }
const check = (bytes: Bytes, atMs = AT) => checkCrl(parseCrl(bytes), issuer, atMs)

describe('a revocation list', () => {
  it('names whom it revokes, and nobody else', () => {
    const crl = parseCrl(make({ revoked: ['1234', '00ff'], number: 7 }))
    checkCrl(crl, issuer, AT)
    expect(crl).toMatchObject({ number: 7n, ...updates, revoked: new Set(['1234', 'ff']) })
    checkNotRevoked(crl, leafOf('1235'))
    expect(() => checkNotRevoked(crl, leafOf('1234'))).toThrow(refusal('evidence-revoked'))
    expect(() => checkNotRevoked(crl, leafOf('00ff'))).toThrow(refusal('evidence-revoked'))
  })

  it('may be PEM, may revoke nobody, may have extensions that are not critical', () => {
    const bytes = make({ extensions: [{ id: '1.3.9', value: write.sequence() }] })
    check(bytes)
    expect(parseCrl(utf8(pemOf(bytes, 'X509 CRL')))).toEqual(parseCrl(bytes))
    expect(parseCrl(bytes).revoked.size).toBe(0)
  })

  it.each<[string, () => Bytes]>([
    ['empty', () => new Uint8Array()],
    ['garbage', () => utf8('no revocation list at all')],
    ['an empty sequence', () => write.sequence()],
    ['a certificate', () => testCertificate({ ...CA, ca: 0, ...dates })],
    ['a certificate in PEM', () => utf8(pemOf(testCertificate({ ...CA, ...dates })))],
    ['two blocks of PEM', () => utf8(pemOf(make(), 'X509 CRL').repeat(2))],
    ['cut', () => make().subarray(0, -1)],
    ['longer than itself', () => concat(make(), new Uint8Array(1))],
    ['too long', () => concat(make(), new Uint8Array(LIMITS.crlBytes))],
    ['with a list that is empty', () => make({ emptyList: true })],
    ['of version 1', () => edited('020101300a', '020100300a')],
    ['signed in two ways', () => edited('04030230', '04030330')],
    ['without a number', () => make({ number: null })],
    ['with an unknown critical extension', () => make({ extensions: [critical] })],
    ['with an unknown critical extension of an entry', () => entry(critical)],
    ['ended before it began', () => make({ nextUpdateMs: updates.thisUpdateMs - 1_000 })],
  ])('that is %s is refused', (_, bad) => {
    expect(() => parseCrl(bad())).toThrow(refusal('evidence-collateral', 'bad revocation list'))
  })

  it.each<[string, () => Bytes, string]>([
    ['of another issuer', () => make({ issuer: { ...CA, subject: 'x' } }), 'of another issuer'],
    ['signed by another key', () => make({ signer: keys.other }), 'not signed'],
  ])('%s is refused', (_, bad, because) => {
    expect(() => check(bad())).toThrow(refusal('evidence-collateral', because))
  })

  it('with any bit changed is refused', () => {
    const bytes = make({ revoked: ['1234'] })
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = bytes.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => check(changed)).toThrow(refusal('evidence-collateral'))
    }
  })

  it('of an issuer that may not sign lists is refused', () => {
    const mute = parseCertificate(testCertificate({ ...CA, ca: 0, keyUsage: '04', ...dates }))
    expect(() => checkCrl(parseCrl(make()), mute, AT)).toThrow(
      refusal('evidence-collateral', 'may not sign lists'),
    )
  })

  it('holds within its dates only', () => {
    check(make(), updates.thisUpdateMs)
    check(make(), updates.nextUpdateMs)
    expect(() => check(make(), updates.thisUpdateMs - 1)).toThrow(
      refusal('evidence-expired', 'of the future'),
    )
    expect(() => check(make(), updates.nextUpdateMs + 1)).toThrow(
      refusal('evidence-expired', 'has expired'),
    )
  })

  it('older than one that was seen is refused, by number or by time', () => {
    const crl = parseCrl(make({ number: 7 }))
    const { thisUpdateMs } = updates
    checkCrl(crl, issuer, AT, { number: 7n, thisUpdateMs })
    for (const seen of [
      { number: 8n, thisUpdateMs },
      { number: 7n, thisUpdateMs: thisUpdateMs + 1_000 },
    ]) {
      expect(() => checkCrl(crl, issuer, AT, seen)).toThrow(refusal('evidence-rollback'))
    }
  })

  it('says nothing about certificates of another issuer', () => {
    const foreign = { subject: 'x', key: keys.other, serial: '1234', ...dates }
    const crl = parseCrl(make({ revoked: ['1234'] }))
    expect(() => checkNotRevoked(crl, parseCertificate(testCertificate(foreign)))).toThrow(
      refusal('evidence-collateral', 'of another issuer'),
    )
  })

  it('only ever is read or refused, whatever the bytes', () => {
    const list = make({ revoked: ['1234', '5678'] })
    const corpus = [make(), list, utf8(pemOf(list, 'X509 CRL'))]
    const report = fuzz({ name: 'crl', corpus, decode: parseCrl })
    console.log(JSON.stringify(report))
    expect(report.refused).toBeGreaterThan(0)
  })
})

const entry = (extension: typeof critical): Bytes =>
  make({ revoked: ['1234'], entryExtensions: [extension] })
/** The list with the first of some bytes exchanged. */
const edited = (from: string, to: string): Bytes => {
  const hex = toHex(make())
  expect(hex).toContain(from)
  return fromHex(hex.replace(from, to))
}
