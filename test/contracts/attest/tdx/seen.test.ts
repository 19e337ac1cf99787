/**
 * What was seen of collateral: the newer of each counts, and it has one encoding.
 * @module
 */
import { expect, it } from 'vitest'
import type { Evaluations } from '../../../../contracts/attest/tdx/evaluations.ts'
import { encodeSeen, newestSeen, type TdxSeen } from '../../../../contracts/attest/tdx/seen.ts'

const crl = (number: bigint, thisUpdateMs: number) => ({ number, thisUpdateMs })
const at = (number: number, issueMs = 9): Evaluations => [[number, issueMs]]
const one: TdxSeen = { tcbInfo: at(17), qeIdentity: at(18), crls: { a: crl(1n, 5), b: crl(7n, 5) } }
const other: TdxSeen = {
  tcbInfo: at(18),
  qeIdentity: at(17),
  crls: { b: crl(6n, 6), c: crl(1n, 1) },
}

it('the newer of each is kept, whichever way round', () => {
  const crls = { a: crl(1n, 5), b: crl(7n, 6), c: crl(1n, 1) }
  const both = [...at(18), ...at(17)]
  expect(newestSeen(one, other)).toEqual({ tcbInfo: both, qeIdentity: both, crls })
  expect(newestSeen(other, one)).toEqual({ tcbInfo: both, qeIdentity: both, crls })
  expect(newestSeen(one, one)).toEqual(one)
})

it('has one encoding, which changes with everything in it', () => {
  const turned = { ...one, crls: { b: crl(7n, 5), a: crl(1n, 5) } }
  expect(encodeSeen(turned)).toEqual(encodeSeen(one))
  const changed: TdxSeen[] = [
    { ...one, tcbInfo: at(18) },
    { ...one, tcbInfo: at(17, 10) },
    { ...one, qeIdentity: at(17) },
    { ...one, crls: { ...one.crls, a: crl(2n, 5) } },
    { ...one, crls: { ...one.crls, a: crl(1n, 6) } },
    { ...one, crls: { a: crl(1n, 5) } },
  ]
  const texts = [one, ...changed].map((each) => Buffer.from(encodeSeen(each)).toString())
  expect(new Set(texts).size).toBe(texts.length)
})
