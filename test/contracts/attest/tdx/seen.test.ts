/**
 * What was seen of collateral: the newer of each counts, and it has one encoding.
 * @module
 */
import { expect, it } from 'vitest'
import { encodeSeen, newestSeen, type TdxSeen } from '../../../../contracts/attest/tdx/seen.ts'

const crl = (number: bigint, thisUpdateMs: number) => ({ number, thisUpdateMs })
const one: TdxSeen = { tcbInfo: 17, qeIdentity: 18, crls: { a: crl(1n, 5), b: crl(7n, 5) } }
const other: TdxSeen = { tcbInfo: 18, qeIdentity: 17, crls: { b: crl(6n, 6), c: crl(1n, 1) } }

it('the newer of each is kept, whichever way round', () => {
  const crls = { a: crl(1n, 5), b: crl(7n, 6), c: crl(1n, 1) }
  expect(newestSeen(one, other)).toEqual({ tcbInfo: 18, qeIdentity: 18, crls })
  expect(newestSeen(other, one)).toEqual({ tcbInfo: 18, qeIdentity: 18, crls })
  expect(newestSeen(one, one)).toEqual(one)
})

it('has one encoding, which changes with everything in it', () => {
  const turned = { ...one, crls: { b: crl(7n, 5), a: crl(1n, 5) } }
  expect(encodeSeen(turned)).toEqual(encodeSeen(one))
  const changed: TdxSeen[] = [
    { ...one, tcbInfo: 18 },
    { ...one, qeIdentity: 17 },
    { ...one, crls: { ...one.crls, a: crl(2n, 5) } },
    { ...one, crls: { ...one.crls, a: crl(1n, 6) } },
    { ...one, crls: { a: crl(1n, 5) } },
  ]
  const texts = [one, ...changed].map((each) => Buffer.from(encodeSeen(each)).toString())
  expect(new Set(texts).size).toBe(texts.length)
})
