/**
 * Quotes as bytes: what is read of versions 4 and 5, and every form that is refused.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseTdxQuote } from '../../../../contracts/attest/tdx/quote.ts'
import { concat, fromHex } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { intelTree, type QuoteChanges } from '../../../support/intelTree.ts'
import { refusal } from '../../../support/refusal.ts'

const make = (quote: QuoteChanges = {}) => intelTree({ quote }).quote
const V4 = make()
const V5 = make({ version: 5 })
const V5_NEW = make({ version: 5, bodyType: 3, body: { 600: new Uint8Array(48).fill(9) } })
const set = (bytes: Uint8Array, at: number, value: number) => {
  const changed = bytes.slice()
  changed[at] = value
  return changed
}
/** Where the length of the signature data stands. */
const AUTH = { v4: 48 + 584, v5: 48 + 6 + 584 }

describe('a quote', () => {
  it.each([
    ['of version 4', V4, 4, 632],
    ['of version 5', V5, 5, 638],
    ['of version 5 with a body of TDX 1.5', V5_NEW, 5, 702],
  ])('%s is read', (_, bytes, version, signed) => {
    const quote = parseTdxQuote(bytes)
    expect(quote).toMatchObject({ version, signed: bytes.subarray(0, signed) })
    expect(quote.report.reportData).toEqual(new Uint8Array(64).fill(0x5a))
    expect(quote.report.mrTd).toEqual(new Uint8Array(48).fill(0xd1))
    expect(quote.report.rtmrs).toEqual(Array(4).fill(new Uint8Array(48).fill(0xa7)))
    expect(quote.report.mrServiceTd).toEqual(new Uint8Array(48).fill(bytes === V5_NEW ? 9 : 0))
    expect(quote.qeAuthData).toHaveLength(32)
    expect(quote.pckChain).toMatch(/^-----BEGIN CERTIFICATE-----\n[\s\S]*-----\n$/)
  })

  it('may stand in a larger buffer of zeros, and in nothing else', () => {
    const padded = concat(V4, new Uint8Array(3_000))
    expect(parseTdxQuote(padded)).toEqual(parseTdxQuote(V4))
    for (const at of [V4.length, padded.length - 1]) {
      expect(() => parseTdxQuote(set(padded, at, 1))).toThrow(
        refusal('evidence-malformed', 'left over'),
      )
    }
    const long = concat(V4, new Uint8Array(LIMITS.quoteBytes))
    expect(() => parseTdxQuote(long)).toThrow(refusal('evidence-malformed', 'too long'))
  })

  it('that is cut anywhere is refused', () => {
    for (let length = 0; length < V5.length; length += 7) {
      expect(() => parseTdxQuote(V5.subarray(0, length))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^evidence-(?:malformed|kind)$/) }),
      )
    }
  })

  it.each<[string, QuoteChanges]>([
    ['of SGX', { header: { 4: fromHex('00000000') } }],
    ['of version 3', { header: { 0: fromHex('0300') } }],
    ['of version 6', { header: { 0: fromHex('0600') } }],
    ['signed on P-384', { header: { 2: fromHex('0300') } }],
    ['of another quoting enclave', { header: { 12: fromHex('00') } }],
    ['with a body of SGX', { version: 5, bodyType: 1 }],
    ['with a body that is not known', { version: 5, bodyType: 4 }],
    ['certified otherwise', { certificationType: 5 }],
    ['without a certificate chain', { pckType: 3 }],
  ])('%s is of another kind', (_, changes) => {
    expect(() => parseTdxQuote(make(changes))).toThrow(refusal('evidence-kind'))
  })

  it.each<[string, Uint8Array]>([
    ['a body of another size', set(V5, 50, 0x49)],
    ['a body of one type and the size of another', set(V5_NEW, 48, 2)],
    ['more in its signature data', set(concat(V4, new Uint8Array(1)), AUTH.v4, V4[AUTH.v4]! + 1)],
    ['signature data that ends early', set(V4, AUTH.v4, V4[AUTH.v4]! - 1)],
    ['signature data that ends late', set(V4, AUTH.v4, V4[AUTH.v4]! + 1)],
    ['a certification that ends early', set(V4, AUTH.v4 + 134, V4[AUTH.v4 + 134]! - 1)],
    ['a length beyond the end', set(V5, AUTH.v5 + 3, 0xff)],
    ['a chain that ends early', set(V4, AUTH.v4 + 622, V4[AUTH.v4 + 622]! - 1)],
    ['nothing in it', new Uint8Array()],
  ])('with %s is malformed', (_, bytes) => {
    expect(() => parseTdxQuote(bytes)).toThrow(refusal('evidence-malformed', 'bad quote'))
  })

  it('only ever is read or refused, whatever the bytes', () => {
    const corpus = [V4, V5, V5_NEW, concat(V4, new Uint8Array(100))]
    const report = fuzz({ name: 'tdx quote', corpus, decode: parseTdxQuote })
    console.log(JSON.stringify(report))
    expect(report.refused).toBeGreaterThan(0)
    expect(report.accepted).toBeGreaterThan(0)
  })
})
