/**
 * A document has one encoding, is bounded, and every claim enters the report data.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  encodeEvidence,
  evidenceDigest,
  gpuNonce,
  parseEvidence,
  reportData,
} from '../../../contracts/attest/document.ts'
import { verifyEvidence } from '../../../contracts/attest/verify.ts'
import { toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import { fuzz } from '../../support/fuzz.ts'
import { CHANGED_CLAIMS, CLAIMS, CONTEXT, coded, open, simulated } from './evidence.ts'
import { playedEvidence } from './hardware.ts'

const malformed = coded('evidence-malformed')
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
    expect(document).toMatchObject({
      kind: 'simulated',
      claims: { ...CLAIMS, tier: 'simulated' },
    })
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
    ['another version', edited((d) => Object.assign(d, { version: 1 }))],
    ['a tier that is none', edited((d) => Object.assign(d.claims, { tier: 'tee' }))],
    ['a place of computing that is none', edited((d) => Object.assign(d.claims, { compute: '' }))],
    ['a kind that is no word', edited((d) => Object.assign(d, { kind: 'Open!' }))],
    ['a kind that is no string', edited((d) => Object.assign(d, { kind: 1 }))],
    ['a short hash', edited((d) => Object.assign(d.claims, { modelHash: '00' }))],
    ['a hash in capitals', edited((d) => Object.assign(d.claims, { modelHash: 'AB'.repeat(32) }))],
    ['a network beyond 32 bits', edited((d) => Object.assign(d.claims, { network: 2 ** 31 }))],
    ['a block without number', edited((d) => Reflect.deleteProperty(d.claims, 'freshSeqno'))],
    ['a number of 33 bits', edited((d) => Object.assign(d.claims, { freshSeqno: 2 ** 32 }))],
    ['a time that is negative', edited((d) => Object.assign(d.claims, { freshAtS: -1 }))],
    ['a time with a fraction', edited((d) => Object.assign(d.claims, { freshAtS: 1.5 }))],
    ['a proof that is a list', edited((d) => Object.assign(d, { proof: [] }))],
    ['a part that is no base64', edited((d) => Object.assign(d.proof, { signature: '*' }))],
    ['a part of another name', edited((d) => Object.assign(d.proof, { 'a b': '' }))],
    ['a part named __proto__', utf8(text.replace('"signature"', '"__proto__"'))],
    ['too many parts', edited((d) => Object.assign(d.proof, manyParts()))],
  ])('is refused: %s', (_, bytes) => {
    expect(() => parseEvidence(bytes)).toThrow(malformed)
  })

  it('is bounded before it is parsed', () => {
    const part = new Uint8Array(LIMITS.evidenceBytes)
    const document = { kind: 'open', claims: CLAIMS, proof: { part } }
    expect(() => parseEvidence(encodeEvidence(document))).toThrow(malformed)
    const fits = { ...document, proof: { part: part.subarray(0, LIMITS.evidenceBytes / 2) } }
    expect(parseEvidence(encodeEvidence(fits)).kind).toBe('open')
  })

  it('of a kind nobody knows is refused', async () => {
    const bytes = encodeEvidence({ kind: 'trustzone', claims: CLAIMS, proof: {} })
    await expect(verifyEvidence(bytes, CONTEXT)).rejects.toThrow(coded('evidence-kind'))
  })

  it('in hostile bytes ends in its own error', () => {
    const corpus = [open(), simulated(), playedEvidence(CLAIMS, { gpu: true })]
    const report = fuzz({ name: 'evidence', corpus, decode: parseEvidence })
    console.info(`fuzz: ${JSON.stringify(report)}`)
    expect(report.refused).toBeGreaterThan(0)
  }, 600_000)
})

describe('report data', () => {
  it('is SHA-512 of the typed claims', () => {
    expect(toHex(reportData(CLAIMS))).toBe(
      '73c0706fe7778988a6b4850c2d02882b2eeca357deeec9885687a8f89792cbf8' +
        '66daeb51b612a8beb4b97ac9c18f85a8122ccd2b084a01ab280d026cfe92b62d',
    )
  })

  it('and the nonce of a GPU SHA-256 of those that stand before it', () => {
    expect(toHex(gpuNonce(CLAIMS))).toBe(
      'd5b0a13acfe7bdfeae96e0089cc09c7fa3d72af16b452ba4e178c51e61dd7f47',
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
