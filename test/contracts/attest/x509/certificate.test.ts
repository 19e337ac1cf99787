/**
 * Certificates: every field that is read, and every form that is refused.
 * @module
 */
import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  KEY_USAGE,
  parseCertificate,
  parsePemChain,
} from '../../../../contracts/attest/x509/certificate.ts'
import { type Bytes, concat, fromHex, toHex } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import * as write from '../../../support/derWriter.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { refusal } from '../../../support/refusal.ts'
import { nameOf, pemOf, testCertificate, testKey } from '../../../support/testPki.ts'

const key = testKey()
const FROM = Date.UTC(2025, 0, 1)
const UNTIL = Date.UTC(2055, 0, 1)
const dates = { notBeforeMs: FROM, notAfterMs: UNTIL }
const MALFORMED = refusal('evidence-malformed')
const extension = { id: '1.2.840.113741.1.13.1', value: fromHex('3000') }
const make = (more: Partial<Parameters<typeof testCertificate>[0]> = {}): Bytes =>
  testCertificate({ subject: 'one', key, ...dates, ...more })

describe('a certificate', () => {
  it('is read field by field, as node:crypto reads it', () => {
    const der = make({ ca: 1, serial: '00f1', extensions: [extension] })
    const certificate = parseCertificate(der)
    expect(certificate).toMatchObject({
      der,
      serial: 'f1',
      subject: nameOf('one'),
      issuer: nameOf('one'),
      notBeforeMs: FROM,
      notAfterMs: UNTIL,
      isCa: true,
      pathLength: 1,
      keyUsage: KEY_USAGE.certSign | KEY_USAGE.crlSign,
      keyHash: key.keyHash,
    })
    expect(certificate.extensions.get(extension.id)).toEqual({
      critical: false,
      value: extension.value,
    })
    const theirs = new X509Certificate(der)
    expect(theirs.serialNumber.toLowerCase()).toBe(certificate.serial)
    expect(theirs.validToDate.getTime()).toBe(certificate.notAfterMs)
    expect(theirs.publicKey.equals(certificate.publicKey)).toBe(true)
  })

  it('of a leaf is no authority', () => {
    expect(parseCertificate(make())).toMatchObject({ isCa: false, pathLength: undefined })
    expect(parseCertificate(make({ keyUsage: null })).keyUsage).toBeUndefined()
  })

  it.each<[string, () => Bytes]>([
    ['of version 1', () => make({ version: 0 })],
    ['with bytes left over', () => concat(make(), fromHex('00'))],
    ['that is cut', () => make().subarray(0, -1)],
    ['with a serial number of 21 bytes', () => make({ serial: '11'.repeat(21) })],
    ['with a default', () => make({ extensions: [{ ...extension, critical: false }] })],
    ['with an extension twice', () => make({ extensions: [extension, extension] })],
    ['with too many extensions', () => make({ extensions: many(LIMITS.certificateExtensions) })],
    ['that is too long', () => make({ extensions: [long()] })],
    ['with a key that is none', () => make({ key: { ...key, spki: write.sequence() } })],
    ['with two algorithms', () => exchange(make(), '06082a8648ce3d040302')],
  ])('%s is refused', (_, bad) => {
    expect(() => parseCertificate(bad())).toThrow(MALFORMED)
  })

  it.each([
    ['a default written out', '3003010100', 'bad basic constraints'],
    ['a path length of a leaf', '3003020100', 'bad basic constraints'],
    ['bytes left over', '30030101ff00', 'bytes are left over'],
  ])('with basic constraints with %s is refused', (_, hex, because) => {
    const changed = make({ constraints: fromHex(hex) })
    expect(() => parseCertificate(changed)).toThrow(refusal('evidence-malformed', because))
  })

  it('only ever is read or refused, whatever the bytes', () => {
    const corpus = [make({ ca: 0, extensions: [extension] }), make({ keyUsage: '03' })]
    const report = fuzz({ name: 'certificate', corpus, decode: parseCertificate })
    console.log(JSON.stringify(report))
    expect(report.refused).toBeGreaterThan(0)
  })
})

describe('a chain in PEM', () => {
  it('keeps its order and its bound', () => {
    const other = make({ subject: 'two' })
    const found = parsePemChain(pemOf(make()) + pemOf(other))
    expect(found.map(({ subject }) => subject)).toEqual([nameOf('one'), nameOf('two')])
    const most = pemOf(make()).repeat(LIMITS.chainCertificates)
    expect(parsePemChain(most)).toHaveLength(LIMITS.chainCertificates)
    expect(() => parsePemChain(most + pemOf(other))).toThrow(refusal('evidence-malformed', 'more'))
  })
})

const many = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `1.3.9.${i}`, value: fromHex('3000') }))
const long = () => ({ id: '1.3.9', value: new Uint8Array(LIMITS.certificateBytes) })

/** Exchanges the last algorithm identifier, the outer one, for another of the same length. */
function exchange(der: Bytes, algorithm: string): Bytes {
  const hex = toHex(der)
  const at = hex.lastIndexOf(algorithm)
  return fromHex(`${hex.slice(0, at)}${algorithm.slice(0, -1)}3${hex.slice(at + algorithm.length)}`)
}
