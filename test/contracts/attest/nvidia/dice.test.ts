/**
 * What a GPU's certificates say of chip and firmware: read, refused where malformed, fuzzed.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { deviceIdentityOf, shownNameOf } from '../../../../contracts/attest/nvidia/dice.ts'
import {
  type Certificate,
  parseCertificate,
} from '../../../../contracts/attest/x509/certificate.ts'
import { type Bytes, concat } from '../../../../contracts/base/bytes.ts'
import { tell } from '../../../fuzz/awkward.ts'
import { der, integer, octets, oid, sequence, set, text } from '../../../support/derWriter.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { deviceIdentity, FIRMWARE, NVIDIA_AT_MS } from '../../../support/nvidiaTree.ts'
import { refusal } from '../../../support/refusal.ts'
import { nameOf, testCertificate, testKey } from '../../../support/testPki.ts'

const chip = testKey('P-384')
const life = { notBeforeMs: NVIDIA_AT_MS - 1_000, notAfterMs: NVIDIA_AT_MS + 1_000 }
const certificate = (value?: Bytes, subject = 'leaf'): Certificate =>
  parseCertificate(
    testCertificate({
      subject,
      key: chip,
      extensions: value ? [{ id: '2.23.133.5.4.1', value }] : [],
      ...life,
    }),
  )
const good = deviceIdentity(chip)
const SHA384 = oid('2.16.840.1.101.3.4.2.2')

describe('a device identity', () => {
  it('names chip and firmware', () => {
    const { keyHash, firmwareId } = deviceIdentityOf(certificate(good))
    expect([keyHash, firmwareId]).toEqual([chip.keyHash, FIRMWARE])
  })

  it.each([
    ['is missing', undefined, 'names no firmware'],
    ['is no sequence', octets(good), 'another type'],
    ['has a new form', deviceIdentity(chip, { version: 2 }), 'new form'],
    ['has more members', sequence(integer(1), chip.spki, sequence(), integer(1)), 'left over'],
    ['has another hash', deviceIdentity(chip, { hash: '1.2.3' }), 'no SHA-384'],
    ['has a short digest', deviceIdentity(chip, { firmware: new Uint8Array(32) }), 'no SHA-384'],
    [
      'has more in the digest',
      sequence(integer(1), chip.spki, sequence(SHA384, octets(FIRMWARE), integer(1))),
      'left over',
    ],
    ['is followed by bytes', concat(good, integer(1)), 'left over'],
  ])('is refused where it %s', (_name, value, because) => {
    expect(() => deviceIdentityOf(certificate(value))).toThrow(
      refusal('evidence-malformed', because),
    )
  })

  it('survives fuzzing', () => {
    const leaf = certificate(good)
    const decode = (value: Bytes) =>
      deviceIdentityOf({
        ...leaf,
        extensions: new Map([['2.23.133.5.4.1', { critical: false, value }]]),
      })
    const seen = fuzz({ name: 'device identity', corpus: [good], decode })
    expect(tell(seen).refused).toBeGreaterThan(0)
  })
})

describe('a name for showing', () => {
  it('is the one common name, where it is readable', () => {
    expect(shownNameOf(certificate(good, 'GH100 A01'))).toBe('GH100 A01')
    const unreadable = [
      nameOf('a\nb'),
      nameOf('x'.repeat(65)),
      sequence(),
      sequence(set(sequence(oid('2.5.4.10'), text('O')))),
    ]
    for (const subject of unreadable) {
      expect(() => shownNameOf({ ...certificate(good), subject })).toThrow(
        refusal('evidence-malformed', 'no readable name'),
      )
    }
    const broken = { ...certificate(good), subject: der(0x31) }
    expect(() => shownNameOf(broken)).toThrow(refusal('evidence-malformed'))
  })
})
