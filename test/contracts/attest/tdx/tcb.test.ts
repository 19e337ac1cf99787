/**
 * The state of updates: levels of platform, module and quoting enclave, alone and together.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { STATUSES, type TcbStatus } from '../../../../contracts/attest/tdx/published.ts'
import { together } from '../../../../contracts/attest/tdx/tcb.ts'
import { verifyTdxQuote } from '../../../../contracts/attest/tdx/verify.ts'
import { fromHex } from '../../../../contracts/base/bytes.ts'
import type { ErrorCode } from '../../../../contracts/base/errors.ts'
import {
  AT_MS,
  COMPONENTS,
  type IntelChanges,
  intelTree,
  sgxExtension,
  TEST_ROOTS,
} from '../../../support/intelTree.ts'
import { refusal } from '../../../support/refusal.ts'

const stateOf = (changes: IntelChanges) => {
  const { quote, collateral } = intelTree(changes)
  const verdict = verifyTdxQuote(quote, collateral, { atMs: AT_MS, roots: TEST_ROOTS })
  return [verdict.tcbStatus, ...verdict.advisoryIds]
}
const zeros = (count: number): number[] => Array.from({ length: count }, () => 0)
const svn = (...first: number[]) => ({
  quote: { teeTcbSvn: [...first, ...zeros(16 - first.length)] },
})
/** A platform whose component of this number has another version. */
const platform = (n: number, svn: number): IntelChanges => {
  const value = sgxExtension({ components: COMPONENTS.map((own, i) => (i === n ? svn : own)) })
  return { pck: { extensions: [{ id: '1.2.840.113741.1.13.1', value }] } }
}
/** TCB info whose first level of platforms is changed. */
const firstLevel = (change: object): IntelChanges => ({
  tcbInfo: (json) => {
    const { tcbLevels } = json
    if (!Array.isArray(tcbLevels)) throw new Error('TCB info without levels')
    return { ...json, tcbLevels: [{ ...tcbLevels[0], ...change }, ...tcbLevels.slice(1)] }
  },
})
/** Changes TCB info or identity as text. */
const edit = (from: string | RegExp, to: string) => (json: Record<string, unknown>) =>
  JSON.stringify(json).replace(from, to)
const isvSvn = (value: number) => ({ quote: { qe: { 258: Uint8Array.of(value, 0) } } })

describe('the state of a platform', () => {
  it.each<[string, IntelChanges, string[]]>([
    ['complete', {}, ['UpToDate']],
    ['above a level', platform(0, 9), ['UpToDate']],
    [
      'below a level in one component',
      platform(7, 4),
      ['OutOfDate', 'INTEL-SA-00001', 'INTEL-SA-00002'],
    ],
    [
      'below a level in the PCE',
      { tcbInfo: edit('"pcesvn":11', '"pcesvn":12') },
      ['ConfigurationNeeded', 'INTEL-SA-00003'],
    ],
    ['with an old module', svn(3, 1, 3), ['OutOfDate', 'INTEL-SA-00002']],
    ['with a module whose number is below those of none', svn(4, 1, 3), ['UpToDate']],
    ['with an old quoting enclave', isvSvn(3), ['OutOfDate']],
    ['with a newer quoting enclave', isvSvn(200), ['UpToDate']],
    ['without a module version', svn(5, 0, 2), ['UpToDate']],
    [
      'in want of configuration, with an old enclave',
      { ...isvSvn(3), ...firstLevel({ tcbStatus: 'ConfigurationNeeded' }) },
      ['OutOfDateConfigurationNeeded'],
    ],
  ])('%s is said', (_, changes, expected) => {
    expect(stateOf(changes)).toEqual(expected)
  })

  const refusals: [string, IntelChanges, ErrorCode, string][] = [
    ['below every level', platform(0, 1), 'evidence-tcb', 'platform'],
    ['of an old TDX component', svn(6, 1, 1), 'evidence-tcb', 'platform'],
    ['of an old module without a version', svn(4, 0, 2), 'evidence-tcb', 'platform'],
    ['of a module below every level', svn(0, 1, 3), 'evidence-tcb', 'TDX module'],
    ['of an unknown module', svn(6, 2, 3), 'evidence-tcb', 'no published identity'],
    ['of an enclave below every level', isvSvn(2), 'evidence-tcb', 'quoting enclave'],
    ['of a revoked module', svn(1, 1, 3), 'evidence-revoked', 'revoked'],
    ['of a revoked platform', firstLevel({ tcbStatus: 'Revoked' }), 'evidence-revoked', 'revoked'],
    [
      'of a revoked enclave',
      { qeIdentity: edit('"UpToDate"', '"Revoked"') },
      'evidence-revoked',
      'revoked',
    ],
    [
      'of another FMSPC',
      { tcbInfo: edit('"fmspc":"B0', '"fmspc":"90') },
      'evidence-collateral',
      'another platform',
    ],
    [
      'of another PCE',
      { tcbInfo: edit('"pceId":"0000"', '"pceId":"0001"') },
      'evidence-collateral',
      'another platform',
    ],
    [
      'of a module of another signer',
      { quote: { body: { 64: fromHex('01') } } },
      'evidence-signature',
      'TDX module',
    ],
    [
      'of a module with other attributes',
      { quote: { body: { 112: fromHex('01') } } },
      'evidence-signature',
      'TDX module',
    ],
    [
      'of a module without a version, of another signer',
      { quote: { teeTcbSvn: [5, 0, 2, ...zeros(13)], body: { 64: fromHex('01') } } },
      'evidence-signature',
      'TDX module',
    ],
  ]
  it.each(refusals)('%s is refused', (_, changes, code, because) => {
    expect(() => stateOf(changes)).toThrow(refusal(code, because))
  })

  it.each<[string, number, string]>([
    ['signer', 128, '01'],
    ['product', 256, '0300'],
    ['miscellaneous bits', 16, '01'],
    ['attributes', 48, '35'],
    ['attributes further on', 55, '01'],
  ])('an enclave of another %s is not that of Intel', (_, at, hex) => {
    expect(() => stateOf({ quote: { qe: { [at]: fromHex(hex) } } })).toThrow(
      refusal('evidence-signature', 'quoting enclave'),
    )
  })

  it('attributes outside of the mask do not count', () => {
    expect(stateOf({ quote: { qe: { 48: fromHex('15'), 56: fromHex('ff') } } })).toEqual([
      'UpToDate',
    ])
    expect(stateOf({ quote: { qe: { 48: fromHex('11') } } })).toEqual(['UpToDate'])
  })

  it('an enclave in debug is refused even where the mask would let it pass', () => {
    const changes: IntelChanges = {
      qeIdentity: edit('"attributesMask":"FB', '"attributesMask":"F9'),
      quote: { qe: { 48: fromHex('13') } },
    }
    expect(() => stateOf(changes)).toThrow(refusal('evidence-debug', 'quoting enclave'))
  })
})

describe('states together', () => {
  const of = (...statuses: TcbStatus[]) =>
    together(statuses.map((status) => ({ status, advisoryIds: [] }))).status

  it.each(STATUSES)('%s alone, or with what is complete, stays itself', (status) => {
    expect(of(status)).toBe(status)
    expect(of('UpToDate', status)).toBe(status)
    expect(of(status, status)).toBe(status)
    expect(of(status, 'Revoked')).toBe('Revoked')
  })

  it.each<[TcbStatus, TcbStatus, TcbStatus]>([
    ['SWHardeningNeeded', 'OutOfDate', 'OutOfDate'],
    ['ConfigurationNeeded', 'OutOfDate', 'OutOfDateConfigurationNeeded'],
    ['ConfigurationAndSWHardeningNeeded', 'OutOfDate', 'OutOfDateConfigurationNeeded'],
    ['ConfigurationNeeded', 'SWHardeningNeeded', 'ConfigurationAndSWHardeningNeeded'],
    ['OutOfDateConfigurationNeeded', 'SWHardeningNeeded', 'OutOfDateConfigurationNeeded'],
  ])('%s and %s are %s', (one, other, both) => {
    expect(of(one, other)).toBe(both)
    expect(of(other, one)).toBe(both)
  })

  it('name every advisory once', () => {
    const state = together([
      { status: 'OutOfDate', advisoryIds: ['b', 'a'] },
      { status: 'UpToDate', advisoryIds: ['a', 'c'] },
    ])
    expect(state.advisoryIds).toEqual(['a', 'b', 'c'])
  })
})
