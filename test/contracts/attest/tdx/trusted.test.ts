/**
 * Whether collateral may be believed: every part missing, forged, of another time, revoked or
 * older.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { INTEL_ROOTS } from '../../../../contracts/attest/tdx/roots.ts'
import type { TdxSeen } from '../../../../contracts/attest/tdx/seen.ts'
import { trustedCollateral } from '../../../../contracts/attest/tdx/trusted.ts'
import { toHex, utf8 } from '../../../../contracts/base/bytes.ts'
import type { ErrorCode } from '../../../../contracts/base/errors.ts'
import {
  AT_MS,
  DAY_MS,
  type IntelChanges,
  intelTree,
  PUBLISHED,
  TEST_KEYS,
  TEST_ROOTS,
} from '../../../support/intelTree.ts'
import { refusal } from '../../../support/refusal.ts'
import { serialOf } from '../../../support/testPki.ts'

const { parts, chains } = intelTree()
const trust = { roots: TEST_ROOTS, atMs: AT_MS }
const check = (changes: IntelChanges = {}, atMs = AT_MS, seen?: TdxSeen) =>
  trustedCollateral(intelTree(changes).parts, { ...trust, atMs, seen })
const { stranger, root, authority } = TEST_KEYS

describe('collateral', () => {
  it('that holds says until when, and what was seen', () => {
    const trusted = check()
    const crl = { number: 1n, thisUpdateMs: PUBLISHED.from }
    expect(trusted.notAfterMs).toBe(PUBLISHED.until)
    expect(trusted.seen).toEqual({
      tcbInfo: [[17, PUBLISHED.from]],
      qeIdentity: [[17, PUBLISHED.from]],
      crls: { [toHex(root.keyHash)]: crl, [toHex(authority.keyHash)]: crl },
    })
  })

  it.each<[string, IntelChanges]>([
    ['TCB info', { tcbInfo: (json) => ({ ...json, nextUpdate: '2026-07-05T00:00:00Z' }) }],
    ['identity', { qeIdentity: (json) => ({ ...json, nextUpdate: '2026-07-05T00:00:00Z' }) }],
    ['root list', { rootCrl: { nextUpdateMs: AT_MS + DAY_MS } }],
    ['PCK list', { pckCrl: { nextUpdateMs: AT_MS + DAY_MS } }],
    ['signer', { signing: { notAfterMs: AT_MS + DAY_MS } }],
    ['authority', { authority: { notAfterMs: AT_MS + DAY_MS } }],
  ])('ends with its %s', (_, changes) => {
    expect(check(changes, AT_MS + DAY_MS).notAfterMs).toBe(AT_MS + DAY_MS)
    expect(() => check(changes, AT_MS + DAY_MS + 1)).toThrow(refusal('evidence-expired'))
  })

  it.each<[string, IntelChanges]>([
    ['TCB info', { tcbInfo: (json) => ({ ...json, issueDate: '2026-07-05T00:00:00Z' }) }],
    ['identity', { qeIdentity: (json) => ({ ...json, issueDate: '2026-07-05T00:00:00Z' }) }],
    ['root list', { rootCrl: { thisUpdateMs: AT_MS + DAY_MS } }],
    ['PCK list', { pckCrl: { thisUpdateMs: AT_MS + DAY_MS } }],
    ['signer', { signing: { notBeforeMs: AT_MS + DAY_MS } }],
    ['authority', { authority: { notBeforeMs: AT_MS + DAY_MS } }],
  ])('with a %s of the future is refused', (_, changes) => {
    expect(() => check(changes)).toThrow(refusal('evidence-expired'))
  })

  const forged: [string, IntelChanges, ErrorCode, string][] = [
    ['published by a stranger', { publisher: stranger }, 'evidence-collateral', 'not signed by'],
    ['with a forged signer', { signing: { forged: true } }, 'evidence-collateral', 'not signed'],
    [
      'with a signer of another name',
      { signing: { subject: 'x' } },
      'evidence-collateral',
      'not of',
    ],
    [
      'signed by an authority',
      { signing: { ca: 0, keyUsage: '04' } },
      'evidence-collateral',
      'authority',
    ],
    ['with a forged authority', { authority: { forged: true } }, 'evidence-collateral', 'signed'],
    ['with a forged root list', { rootCrl: { signer: stranger } }, 'evidence-collateral', 'signed'],
    ['with a forged PCK list', { pckCrl: { signer: stranger } }, 'evidence-collateral', 'signed'],
    [
      'with the list of another authority',
      { pckCrl: { issuer: { subject: 'x', key: stranger } } },
      'evidence-collateral',
      'of another issuer',
    ],
    [
      'with a revoked authority',
      { rootCrl: { revoked: [serialOf('Intel SGX PCK Platform CA')] } },
      'evidence-revoked',
      'revoked',
    ],
    [
      'with a revoked signer',
      { rootCrl: { revoked: [serialOf('Intel SGX TCB Signing')] } },
      'evidence-revoked',
      'revoked',
    ],
    ['for SGX', { tcbInfo: (json) => ({ ...json, id: 'SGX' }) }, 'evidence-collateral', 'id'],
    [
      'of another version',
      { tcbInfo: (json) => ({ ...json, version: 2 }) },
      'evidence-collateral',
      'version',
    ],
    [
      'of an enclave of SGX',
      { qeIdentity: (json) => ({ ...json, id: 'QE' }) },
      'evidence-collateral',
      'id',
    ],
    [
      'without levels',
      { tcbInfo: (json) => ({ ...json, tcbLevels: null }) },
      'evidence-collateral',
      'list',
    ],
    ['with an unknown status', { qeIdentity: unknownStatus }, 'evidence-collateral', 'status'],
    [
      'with a bad date',
      { tcbInfo: (json) => ({ ...json, nextUpdate: '2026-02-30T00:00:00Z' }) },
      'evidence-collateral',
      'date',
    ],
    [
      'with a bad FMSPC',
      { tcbInfo: (json) => ({ ...json, fmspc: 'zz' }) },
      'evidence-collateral',
      'hex',
    ],
    [
      'with a bad number',
      { tcbInfo: (json) => ({ ...json, tcbEvaluationDataNumber: -1 }) },
      'evidence-collateral',
      'number',
    ],
    ['that is no JSON', { tcbInfo: () => 'tcb info' }, 'evidence-collateral', 'JSON'],
  ]
  it.each(forged)('%s is refused', (_, changes, code, because) => {
    expect(() => check(changes)).toThrow(refusal(code, because))
  })

  it('with any part missing, garbage, or in the place of another is refused', () => {
    const lists = { empty: new Uint8Array(), garbage: utf8('nothing is revoked') }
    for (const name of ['rootCrl', 'pckCrl'] as const) {
      for (const bytes of [
        ...Object.values(lists),
        parts[name === 'rootCrl' ? 'pckCrl' : 'rootCrl'],
      ]) {
        expect(() => trustedCollateral({ ...parts, [name]: bytes }, trust)).toThrow(
          refusal('evidence-collateral', 'bad revocation list'),
        )
      }
    }
    for (const name of ['tcbInfoChain', 'qeIdentityChain', 'pckCrlChain'] as const) {
      const other = name === 'pckCrlChain' ? chains.signing : chains.authority
      for (const pem of ['', 'garbage', other, chains.pck]) {
        expect(() => trustedCollateral({ ...parts, [name]: pem }, trust)).toThrow(
          refusal('evidence-collateral'),
        )
      }
    }
    const { qeIdentity, tcbInfo } = parts
    const exchanged = { ...parts, tcbInfo: qeIdentity, qeIdentity: tcbInfo }
    expect(() => trustedCollateral(exchanged, trust)).toThrow(refusal('evidence-collateral'))
  })

  it('signed by somebody whom only the PCK authority vouches for is refused', () => {
    const issuer = { subject: 'Intel SGX PCK Platform CA', key: authority }
    const own = intelTree({ signing: { issuer } })
    const leaf = own.chains.signing.slice(0, own.chains.signing.indexOf('-----BEGIN', 1))
    const tcbInfoChain = leaf + own.chains.authority
    expect(() => trustedCollateral({ ...own.parts, tcbInfoChain }, trust)).toThrow(
      refusal('evidence-collateral', 'not two certificates'),
    )
  })

  it('of two roots, each of them trusted, is refused: one list does not answer for both', () => {
    const issuer = { subject: 'Intel SGX Root CA', key: stranger }
    const other = intelTree({ root: { key: stranger, issuer }, signing: { issuer } })
    const roots = [root.keyHash, stranger.keyHash]
    const { tcbInfoChain } = other.parts
    expect(() => trustedCollateral({ ...parts, tcbInfoChain }, { ...trust, roots })).toThrow(
      refusal('evidence-root'),
    )
  })

  it('below another root is refused', () => {
    expect(() => trustedCollateral(parts, { ...trust, roots: INTEL_ROOTS })).toThrow(
      refusal('evidence-root'),
    )
  })
})

describe('collateral older than what was seen', () => {
  const { seen } = check()
  const newer = (issuer: Uint8Array, more: { number: bigint; thisUpdateMs: number }): TdxSeen => ({
    ...seen,
    crls: { ...seen.crls, [toHex(issuer)]: more },
  })
  const { from } = PUBLISHED

  it('is refused, and the same is not', () => {
    expect(check({}, AT_MS, seen).seen).toEqual(seen)
    const cases: TdxSeen[] = [
      { ...seen, tcbInfo: [[18, from + DAY_MS]] },
      { ...seen, qeIdentity: [[18, from + DAY_MS]] },
      newer(root.keyHash, { number: 2n, thisUpdateMs: from }),
      newer(root.keyHash, { number: 1n, thisUpdateMs: from + 1_000 }),
      newer(authority.keyHash, { number: 2n, thisUpdateMs: from }),
      newer(authority.keyHash, { number: 1n, thisUpdateMs: from + 1_000 }),
    ]
    for (const each of cases) {
      expect(() => check({}, AT_MS, each)).toThrow(refusal('evidence-rollback'))
    }
    const sameDay: TdxSeen = { ...seen, tcbInfo: [[18, from + 3_600_000]] }
    expect(check({}, AT_MS, sameDay).seen).toEqual(seen)
    const elsewhere = newer(stranger.keyHash, { number: 9n, thisUpdateMs: AT_MS })
    expect(check({}, AT_MS, elsewhere).seen).toEqual(seen)
  })
})

function unknownStatus(json: Record<string, unknown>): unknown {
  return JSON.stringify(json).replace('"OutOfDate"', '"Fine"')
}
