/**
 * A document has one encoding, is bounded, and every claim enters the report data.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeEvidence,
  evidenceDigest,
  parseEvidence,
  reportData,
} from '../../../contracts/attest/document.ts'
import { verifyEvidence } from '../../../contracts/attest/verify.ts'
import { toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import { badEvidence, CHANGED_CLAIMS, CLAIMS, CONTEXT, open, simulated } from './evidence.ts'

const text = new TextDecoder().decode(open())
const json = () => JSON.parse(text)
const edited = (edit: (document: ReturnType<typeof json>) => void) => {
  const document = json()
  edit(document)
  return utf8(JSON.stringify(document))
}

describe('an evidence document', () => {
  it('comes back from its bytes', () => {
    const document = parseEvidence(simulated())
    expect(document).toMatchObject({ kind: 'simulated', claims: CLAIMS })
    expect(encodeEvidence(document)).toEqual(simulated())
    expect(evidenceDigest(open())).toEqual(sha256(open()))
  })

  it.each([
    ['no JSON', utf8('{')],
    ['nothing', new Uint8Array(0)],
    ['null', utf8('null')],
    ['an array', utf8('[]')],
    ['bytes that are not UTF-8', Uint8Array.of(0xff, 0xfe)],
    ['white space', utf8(`${text} `)],
    ['white space inside', utf8(text.replace(':', ': '))],
    ['a key twice', utf8(text.replace('"kind"', '"kind":"simulated","kind"'))],
    ['an escaped letter', utf8(text.replace('"open"', '"\\u006fpen"'))],
    ['an unknown key', edited((d) => Object.assign(d, { extra: 1 }))],
    ['an unknown claim', edited((d) => Object.assign(d.claims, { extra: 1 }))],
    ['a missing claim', edited((d) => delete d.claims.modelHash)],
    ['claims in another order', edited((d) => Object.assign(d, { claims: swap(d.claims) }))],
    ['another version', edited((d) => Object.assign(d, { version: 2 }))],
    ['a kind that is no word', edited((d) => Object.assign(d, { kind: 'Open!' }))],
    ['a kind that is no string', edited((d) => Object.assign(d, { kind: 1 }))],
    ['a short hash', edited((d) => Object.assign(d.claims, { modelHash: '00' }))],
    ['a hash in capitals', edited((d) => Object.assign(d.claims, { modelHash: 'AB'.repeat(32) }))],
    ['a network beyond 32 bits', edited((d) => Object.assign(d.claims, { network: 2 ** 31 }))],
    ['a time that is negative', edited((d) => Object.assign(d.claims, { freshAtS: -1 }))],
    ['a time with a fraction', edited((d) => Object.assign(d.claims, { freshAtS: 1.5 }))],
    ['a proof that is a list', edited((d) => Object.assign(d, { proof: [] }))],
    ['a part that is no base64', edited((d) => Object.assign(d.proof, { signature: '*' }))],
    ['a part of another name', edited((d) => Object.assign(d.proof, { 'a b': '' }))],
    ['a part named __proto__', utf8(text.replace('"signature"', '"__proto__"'))],
    ['too many parts', edited((d) => Object.assign(d.proof, manyParts()))],
  ])('is refused: %s', (_, bytes) => {
    expect(() => parseEvidence(bytes)).toThrow(badEvidence)
  })

  it('is bounded before it is parsed', () => {
    const part = new Uint8Array(LIMITS.evidenceBytes)
    const document = { kind: 'open', claims: CLAIMS, proof: { part } }
    expect(() => parseEvidence(encodeEvidence(document))).toThrow(badEvidence)
    const fits = { ...document, proof: { part: part.subarray(0, LIMITS.evidenceBytes / 2) } }
    expect(parseEvidence(encodeEvidence(fits)).kind).toBe('open')
  })

  it('of a kind nobody knows is refused', () => {
    const bytes = encodeEvidence({ kind: 'tdx', claims: CLAIMS, proof: {} })
    expect(() => verifyEvidence(bytes, CONTEXT)).toThrow(badEvidence)
  })

  it('in hostile bytes ends in its own error', () => {
    const mutated = fc
      .tuple(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), fc.nat(4))
      .map(([at, put, cut]) => utf8(text.slice(0, at) + put + text.slice(at + cut)))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), mutated), (bytes) => {
        try {
          verifyEvidence(bytes, CONTEXT)
          expect(new TextDecoder().decode(bytes)).toBe(text)
        } catch (error) {
          if (!(error instanceof MarketError)) throw error
          expect(error.code).toBe('bad-evidence')
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('report data', () => {
  it('is SHA-512 of the typed claims', () => {
    expect(toHex(reportData(CLAIMS))).toBe(
      '98034e72ca97ba477165e39d670a8a80d9387f8d7b4de031c13dff73ee9bed05' +
        'a260a1036d2d8cc513d611674be937a0290d148c629066b7532453a759a5caf0',
    )
  })

  it.each(CHANGED_CLAIMS)('changes with %s', (_, claims) => {
    expect(reportData(claims)).not.toEqual(reportData(CLAIMS))
  })

  it('covers every claim in these tests', () => {
    expect(CHANGED_CLAIMS.map(([field]) => field)).toEqual(Object.keys(CLAIMS))
  })
})

function swap(claims: Record<string, unknown>) {
  return Object.fromEntries(Object.entries(claims).toReversed())
}

function manyParts() {
  return Object.fromEntries(Array.from({ length: 17 }, (_, i) => ['a'.repeat(i + 1), '']))
}
