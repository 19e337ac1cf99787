/**
 * A path to a pinned root: it holds, and with each single defect it does not.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseCertificate } from '../../../../contracts/attest/x509/certificate.ts'
import { type ChainOptions, checkChain } from '../../../../contracts/attest/x509/chain.ts'
import { fromHex } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { refusal } from '../../../support/refusal.ts'
import { type CertificateArgs, testCertificate, testKey } from '../../../support/testPki.ts'

const keys = { root: testKey(), ca: testKey('P-384'), leaf: testKey(), other: testKey() }
const YEAR = 31_536_000_000
const AT = Date.UTC(2026, 6, 1)
const ROOT = { subject: 'root', key: keys.root }
const CA = { subject: 'ca', key: keys.ca }
const dates = { notBeforeMs: AT - YEAR, notAfterMs: AT + YEAR }

type Changes = Partial<Record<'root' | 'ca' | 'leaf', Partial<CertificateArgs>>>

/** Leaf, authority and root, with changes. */
const path = (changes: Changes = {}) =>
  [
    { subject: 'leaf', key: keys.leaf, issuer: CA, ...dates, ...changes.leaf },
    { ...CA, ca: 0, issuer: ROOT, ...dates, ...changes.ca },
    { ...ROOT, ca: 1, ...dates, ...changes.root },
  ].map((args) => parseCertificate(testCertificate(args)))

const options: ChainOptions = { roots: [keys.root.keyHash], atMs: AT }
const critical = { id: '1.3.9', critical: true, value: fromHex('3000') }

describe('a chain', () => {
  it('to a pinned root holds until its first end', () => {
    const chain = path({ ca: { notAfterMs: AT + 5_000 } })
    const checked = checkChain(chain, { ...options, roots: [keys.other.keyHash, ...options.roots] })
    expect(checked).toMatchObject({ leaf: chain[0], root: chain[2], notAfterMs: AT + 5_000 })
  })

  it('holds to the last millisecond of its dates and from the first', () => {
    for (const atMs of [dates.notBeforeMs, dates.notAfterMs]) {
      expect(checkChain(path(), { ...options, atMs }).notAfterMs).toBe(dates.notAfterMs)
    }
  })

  it('may begin with an authority where that is asked for', () => {
    const [, ca, root] = path()
    expect(checkChain([ca!, root!], { ...options, ofAuthority: true }).leaf).toBe(ca)
    expect(() => checkChain([ca!, root!], options)).toThrow(
      refusal('evidence-signature', 'the leaf is a certificate authority'),
    )
    expect(() => checkChain(path(), { ...options, ofAuthority: true })).toThrow(
      refusal('evidence-signature', 'no certificate authority'),
    )
  })

  it('may have critical extensions that the caller understands', () => {
    const chain = path({ leaf: { extensions: [critical] } })
    expect(checkChain(chain, { ...options, understood: ['1.3.9'] }).leaf).toBe(chain[0])
  })

  it.each<[string, Changes, string]>([
    ['a forged leaf', { leaf: { forged: true } }, 'not signed by its issuer'],
    ['a forged authority', { ca: { forged: true } }, 'not signed by its issuer'],
    ['a forged root', { root: { forged: true } }, 'not signed by its issuer'],
    ['another issuer', { leaf: { issuer: { ...CA, subject: 'x' } } }, 'another issuer'],
    ['a leaf of another key', { leaf: { issuer: { ...CA, key: keys.other } } }, 'not signed'],
    ['an authority that is none', { ca: { ca: false } }, 'no certificate authority'],
    ['a root that is no authority', { root: { ca: false } }, 'no certificate authority'],
    ['an authority without the usage', { ca: { keyUsage: '80' } }, 'may not sign'],
    ['an authority that says no usage', { ca: { keyUsage: null } }, 'may not sign'],
    ['a path longer than the root allows', { root: { ca: 0 } }, 'longer than allowed'],
    ['a leaf that is an authority', { leaf: { ca: true } }, 'the leaf is'],
    ['an unknown critical extension', { leaf: { extensions: [critical] } }, '1.3.9'],
  ])('with %s is refused', (_, changes, because) => {
    expect(() => checkChain(path(changes), options)).toThrow(refusal('evidence-signature', because))
  })

  it('of collateral is refused by the code of collateral', () => {
    const chain = path({ leaf: { forged: true } })
    expect(() => checkChain(chain, { ...options, forged: 'evidence-collateral' })).toThrow(
      refusal('evidence-collateral'),
    )
  })

  it.each([
    ['before it is valid', dates.notBeforeMs - 1, 'not yet valid'],
    ['after its end', dates.notAfterMs + 1, 'has expired'],
  ])('%s is refused', (_, atMs, because) => {
    expect(() => checkChain(path(), { ...options, atMs })).toThrow(
      refusal('evidence-expired', because),
    )
  })

  it.each(['root', 'ca', 'leaf'] as const)('with an expired %s is refused', (which) => {
    const chain = path({ [which]: { notAfterMs: AT - 1_000 } })
    expect(() => checkChain(chain, options)).toThrow(refusal('evidence-expired'))
  })

  it('to another root of the same name is refused', () => {
    const chain = path({
      ca: { issuer: { ...ROOT, key: keys.other } },
      root: { key: keys.other },
    })
    expect(() => checkChain(chain, options)).toThrow(refusal('evidence-root'))
    expect(() => checkChain(path(), { ...options, roots: [] })).toThrow(refusal('evidence-root'))
  })

  it('without its root, without its middle, empty, or with more than itself is refused', () => {
    const [leaf, ca, root] = path()
    expect(() => checkChain([leaf!, ca!], options)).toThrow(refusal('evidence-root'))
    expect(() => checkChain([leaf!, root!], options)).toThrow(refusal('evidence-signature'))
    expect(() => checkChain([], options)).toThrow(refusal('evidence-signature'))
    expect(() => checkChain([leaf!, ca!, root!, root!], options)).toThrow(
      refusal('evidence-signature'),
    )
    expect(() => checkChain([leaf!, leaf!, ca!, root!], options)).toThrow(
      refusal('evidence-signature'),
    )
    const long = Array.from({ length: LIMITS.chainCertificates + 1 }, () => root!)
    expect(() => checkChain(long, options)).toThrow(refusal('evidence-signature', 'length'))
  })
})
