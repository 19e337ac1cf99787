/**
 * The signature algorithms of vendors: each verifies, none is taken for another.
 * @module
 */
import { createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isSignedBy } from '../../../../contracts/attest/x509/signature.ts'
import { fromHex, utf8 } from '../../../../contracts/base/bytes.ts'
import { sign, signRaw, testKey } from '../../../support/testPki.ts'

const PSS =
  'a00f300d06096086480165030402020500' +
  'a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130'
const ALGORITHMS = {
  'P-256': fromHex('300a06082a8648ce3d040302'),
  'P-384': fromHex('300a06082a8648ce3d040303'),
  RSA: fromHex(`304106092a864886f70d01010a3034${PSS}`),
  'RSA with its trailer': fromHex(`304606092a864886f70d01010a3039${PSS}a303020101`),
}
const keys = { 'P-256': testKey('P-256'), 'P-384': testKey('P-384'), RSA: testKey('RSA') }
const publicKey = (kind: keyof typeof keys) =>
  createPublicKey({ key: Buffer.from(keys[kind].spki), format: 'der', type: 'spki' })
const DATA = utf8('what is signed')

describe.each(['P-256', 'P-384', 'RSA'] as const)('%s', (kind) => {
  const signature = sign(keys[kind], DATA)

  it('verifies what it signed and nothing else', () => {
    expect(isSignedBy(publicKey(kind), ALGORITHMS[kind], DATA, signature)).toBe(true)
    expect(isSignedBy(publicKey(kind), ALGORITHMS[kind], utf8('other'), signature)).toBe(false)
    expect(isSignedBy(publicKey(kind), ALGORITHMS[kind], DATA, signature.subarray(1))).toBe(false)
    expect(isSignedBy(publicKey(kind), ALGORITHMS[kind], DATA, new Uint8Array())).toBe(false)
  })

  it('is not taken for another algorithm', () => {
    for (const [name, algorithm] of Object.entries(ALGORITHMS)) {
      if (name.startsWith(kind)) continue
      expect(isSignedBy(publicKey(kind), algorithm, DATA, signature)).toBe(false)
    }
  })
})

it('RSA-PSS is known with its default trailer spelt out', () => {
  const algorithm = ALGORITHMS['RSA with its trailer']
  expect(isSignedBy(publicKey('RSA'), algorithm, DATA, sign(keys.RSA, DATA))).toBe(true)
})

it.each([
  ['ECDSA with SHA-1', '300906072a8648ce3d0401'],
  ['RSA with SHA-1', '300d06092a864886f70d0101050500'],
  ['RSA with SHA-256', '300d06092a864886f70d01010b0500'],
  ['nothing', ''],
])('%s is not known', (_, hex) => {
  const signature = sign(keys['P-256'], DATA)
  expect(isSignedBy(publicKey('P-256'), fromHex(hex), DATA, signature)).toBe(false)
})

it('a signature that is not DER is refused', () => {
  const raw = signRaw(keys['P-256'], DATA)
  expect(isSignedBy(publicKey('P-256'), ALGORITHMS['P-256'], DATA, raw)).toBe(false)
})
