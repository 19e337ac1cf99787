/**
 * The verdict on a quote: what it says, and what only quote and collateral together can show.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { verifyTdxQuote } from '../../../../contracts/attest/tdx/verify.ts'
import { fromHex, toHex } from '../../../../contracts/base/bytes.ts'
import type { ErrorCode } from '../../../../contracts/base/errors.ts'
import { fuzz } from '../../../support/fuzz.ts'
import {
  AT_MS,
  DAY_MS,
  type IntelChanges,
  intelTree,
  PUBLISHED,
  type QuoteChanges,
  TEST_KEYS,
  TEST_ROOTS,
} from '../../../support/intelTree.ts'
import { refusal } from '../../../support/refusal.ts'
import { serialOf } from '../../../support/testPki.ts'

const context = { atMs: AT_MS, roots: TEST_ROOTS }
const verify = (changes: IntelChanges = {}, more = {}) => {
  const { quote, collateral } = intelTree(changes)
  return verifyTdxQuote(quote, collateral, { ...context, ...more })
}
/** The bytes of the TD attributes, lowest first. */
const attributes = (hex: string): QuoteChanges => ({ body: { 120: fromHex(hex) } })

describe('a verdict', () => {
  it.each([{}, { version: 5 }, { version: 5, bodyType: 3 }])('says what was found: %o', (quote) => {
    const verdict = verify({ quote })
    expect(verdict).toMatchObject({
      vendor: 'intel-tdx',
      tcbStatus: 'UpToDate',
      advisoryIds: [],
      reportData: new Uint8Array(64).fill(0x5a),
      validUntilS: PUBLISHED.until / 1_000,
    })
    expect(verdict.proved).toContain('its security updates are complete')
    expect(verdict.seen.tcbInfo).toEqual([[17, PUBLISHED.from]])
  })

  it('measures the same machine alike in every version of quotes', () => {
    const [one, ...others] = [{}, { version: 5 }, { version: 5, bodyType: 3 }].map((quote) =>
      toHex(verify({ quote }).measurement),
    )
    expect(others).toEqual([one, one])
  })

  it('has another measurement for each thing that was measured', () => {
    const offsets = [128, 136, 184, 232, 280, 328, 376, 424, 472]
    const changed = offsets.map((at) =>
      toHex(verify({ quote: { body: { [at]: fromHex('77') } } }).measurement),
    )
    const harmless = verify({ quote: attributes('00000010000000' + '80') }).measurement
    const all = [toHex(verify().measurement), ...changed, toHex(harmless)]
    expect(new Set(all).size).toBe(all.length)
    const reported = verify({ quote: { body: { 520: fromHex('77') } } }).measurement
    expect(toHex(reported)).toBe(all[0])
  })

  it('names the machine by its processor', () => {
    const { platformId } = verify()
    expect(platformId).toHaveLength(32)
    expect(verify({ quote: { body: { 136: fromHex('77') } } }).platformId).toEqual(platformId)
  })

  it('says what a platform lacks, and leaves the judgement to policy', () => {
    const verdict = verify({ quote: { qe: { 258: fromHex('0300') } } })
    expect(verdict.tcbStatus).toBe('OutOfDate')
    expect(verdict.proved.join()).not.toContain('updates')
    expect(verdict.notProved.join()).toContain('OutOfDate')
  })

  it('ends with the first end of anything', () => {
    const soon = AT_MS + DAY_MS
    expect(verify({ pck: { notAfterMs: soon } }).validUntilS).toBe(soon / 1_000)
    expect(verify({ pckCrl: { nextUpdateMs: soon } }).validUntilS).toBe(soon / 1_000)
  })
})

describe('a quote is refused', () => {
  it.each<[string, string, ErrorCode, string]>([
    ['in debug', '0100001000000000', 'evidence-debug', 'under debug'],
    ['under profiling', '2000001000000000', 'evidence-debug', 'under debug'],
    ['open to injected exceptions', '0000000000000000', 'evidence-isolation', 'exceptions'],
    ['that can be migrated', '0000003000000000', 'evidence-isolation', 'move it'],
    ['with an unknown attribute', '0001001000000000', 'evidence-isolation', 'unknown'],
    ['with another one', '0000001000000040', 'evidence-isolation', 'unknown'],
  ])('of a machine %s', (_, hex, code, because) => {
    expect(() => verify({ quote: attributes(hex) })).toThrow(refusal(code, because))
  })

  it('of a machine with a service TD', () => {
    const quote = { version: 5, bodyType: 3, body: { 647: fromHex('01') } }
    expect(() => verify({ quote })).toThrow(refusal('evidence-isolation', 'service TD'))
  })

  it('of a machine in debug, by its signature where the bit was flipped afterwards', () => {
    const { quote, collateral } = intelTree()
    quote[48 + 120]! |= 1
    expect(() => verifyTdxQuote(quote, collateral, context)).toThrow(refusal('evidence-signature'))
  })

  it.each<[string, IntelChanges]>([
    ['platform', { pckCrl: { revoked: [serialOf('Intel SGX PCK Certificate')] } }],
    ['authority', { rootCrl: { revoked: [serialOf('Intel SGX PCK Platform CA')] } }],
  ])('where the %s is revoked', (_, changes) => {
    expect(() => verify(changes)).toThrow(refusal('evidence-revoked'))
  })

  it('where its authority is revoked by one certificate of two', () => {
    const { quote } = intelTree({ authority: { serial: 'aa' } })
    const { collateral } = intelTree({ rootCrl: { revoked: ['aa'] } })
    expect(() => verifyTdxQuote(quote, collateral, context)).toThrow(refusal('evidence-revoked'))
  })

  it('where the lists are those of another authority', () => {
    const { quote } = intelTree()
    const { collateral } = intelTree({
      authority: { key: TEST_KEYS.stranger },
      pckCrl: { signer: TEST_KEYS.stranger },
    })
    expect(() => verifyTdxQuote(quote, collateral, context)).toThrow(
      refusal('evidence-collateral', 'another authority'),
    )
  })

  it('without collateral', () => {
    const { quote } = intelTree()
    expect(() => verifyTdxQuote(quote, new Uint8Array(), context)).toThrow(
      refusal('evidence-collateral', 'there is none'),
    )
  })

  it('where collateral is older than what was seen', () => {
    const { seen } = verify()
    expect(verify({}, { seen }).seen).toEqual(seen)
    expect(() => verify({}, { seen: { ...seen, tcbInfo: [[18, AT_MS]] } })).toThrow(
      refusal('evidence-rollback'),
    )
  })

  it('at any time outside of its collateral', () => {
    for (const atMs of [PUBLISHED.from - 1, PUBLISHED.until + 1]) {
      expect(() => verify({}, { atMs })).toThrow(refusal('evidence-expired'))
    }
  })

  it('below any root but that of Intel, unless a test says otherwise', () => {
    const { quote, collateral } = intelTree()
    expect(() => verifyTdxQuote(quote, collateral, { atMs: AT_MS })).toThrow(
      refusal('evidence-root'),
    )
  })
})

it('broken evidence and broken collateral are refused, never an accident', () => {
  const { quote, collateral } = intelTree()
  const decode = (input: Uint8Array) => {
    const isQuote = input[0] !== 0x7b
    if (isQuote) verifyTdxQuote(input, collateral, context)
    else verifyTdxQuote(quote, input, context)
  }
  // Almost all of the time goes into signatures, so a campaign over decoders leaves this one out.
  const report = fuzz({ name: 'tdx verify', corpus: [quote, collateral], decode, inputs: 200 })
  console.log(JSON.stringify(report))
  expect(report.refused).toBeGreaterThan(0.8 * report.inputs)
})
