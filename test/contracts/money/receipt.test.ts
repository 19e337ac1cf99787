/**
 * Receipt files: what verifies, what each wrong part fails with, what is said not to be proved.
 * @module
 */
import { Cell } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../../contracts/base/signing.ts'
import {
  NO_RECEIPTS,
  nextReceiptsHash,
  parseReceiptFile,
  type ReceiptFile,
  verifyReceipt,
} from '../../../contracts/money/receipt.ts'
import { BINDING, fill, RECEIPT } from '../wire/recordSamples.ts'
import { type Changes, KEYS, signedJob } from './receiptWorld.ts'

const evidence = fill(77, 100)

describe('a receipt file', () => {
  it('verifies alone, after a trip through JSON', () => {
    const file = parseReceiptFile(JSON.parse(JSON.stringify(signedJob({ evidence }))))
    const verdict = verifyReceipt(file, { network: -3, atS: RECEIPT.endS })
    expect(verdict.failed).toBeUndefined()
    expect(verdict.ok).toBe(true)
    expect(verdict.proved.join()).toContain('countersigned')
    expect(verdict.fields).toMatchObject({
      outcome: 'completed',
      cost: expect.stringMatching(/^\d+$/),
      receiptHash: Cell.fromBase64(file.receipt).hash().toString('hex'),
    })
  })

  it('says what is not proved', () => {
    const open = verifyReceipt(signedJob({ client: null })).notProved.join('; ')
    expect(open).toContain('that the money moved')
    expect(open).toContain('that the token counts are true')
    expect(open).toContain('there is no evidence')
    const all = verifyReceipt(signedJob({ evidence })).notProved.join('; ')
    expect(all).toContain('that the money moved')
    expect(all).not.toContain('token counts')
    const simulated = { lease: { minTier: 'simulated' }, receipt: { tier: 'simulated' } } as const
    expect(verifyReceipt(signedJob(simulated)).notProved.join()).toContain('the tier is simulated')
  })

  it('verifies for a jetton at its own table', () => {
    expect(verifyReceipt(signedJob({ lease: { asset: BINDING.wallet } })).ok).toBe(true)
  })

  const { stranger } = KEYS
  const wrong: readonly [string, Changes, string][] = [
    ['a lease by a stranger', { signers: { lease: stranger } }, 'bad-signature'],
    ['an accept by a stranger', { signers: { accept: stranger } }, 'bad-signature'],
    ['an epoch key by a stranger', { signers: { epochKey: stranger } }, 'bad-signature'],
    ['a receipt by a stranger', { signers: { receipt: stranger } }, 'bad-signature'],
    ['a countersignature by a stranger', { client: stranger }, 'bad-signature'],
    ['an accept of another lease', { accept: { leaseHash: fill(9) } }, 'another lease'],
    ['an accept with another key', { accept: { epochKeyHash: fill(9) } }, 'another epoch key'],
    ['a receipt of another lease', { receipt: { leaseHash: fill(9) } }, 'another lease'],
    ['another model', { receipt: { modelHash: fill(9) } }, 'another model'],
    ['a lower tier', { lease: { minTier: 'cpu-tee' } }, 'a lower tier'],
    ['other evidence', { evidence, shownEvidence: fill(1) }, 'other evidence'],
    ['a cost too high', { receipt: { cost: 999_999n } }, 'the cost should be'],
    ['a fee too high', { receipt: { fee: 999_999n } }, 'the fee should be'],
    [
      'usage that is not in whole steps',
      { receipt: { billed: { ...RECEIPT.billed, prompt: 65 } } },
      'not billed in whole steps',
    ],
    ['a start after the lease', { lease: { expiryS: 1_799_990_000 } }, 'after its lease'],
    ['a start after the accept', { accept: { expiryS: 1_799_990_000 } }, 'after its accept'],
    [
      'a key that was not valid yet',
      { epochKey: { notBeforeS: 1_800_000_400, notAfterS: 1_800_000_500 } },
      'not valid',
    ],
    [
      'a key past its time',
      { epochKey: { notBeforeS: 1_799_000_000, notAfterS: 1_799_000_001 } },
      'not valid',
    ],
    ['records of two networks', { receipt: { network: -239 } }, 'wrong-network'],
  ]

  it.each(wrong)('%s: fails', (_, changes, reason) => {
    const verdict = verifyReceipt(signedJob(changes))
    expect(verdict.ok).toBe(false)
    expect(verdict.proved).toEqual([])
    expect(`${verdict.failed?.code} ${verdict.failed?.message}`).toContain(reason)
  })

  it('fails on another network than expected, and from the future', () => {
    expect(verifyReceipt(signedJob(), { network: -239 }).failed?.code).toBe('wrong-network')
    expect(verifyReceipt(signedJob(), { atS: RECEIPT.endS - 400 }).failed?.code).toBe('bad-receipt')
  })

  it('fails, and does not throw, on cells that are none', () => {
    const file: ReceiptFile = { ...signedJob(), lease: 'AAAA' }
    expect(verifyReceipt(file).failed?.code).toBe('bad-frame')
  })
})

describe('the parser', () => {
  const good = signedJob()
  const { accept: _, ...noAccept } = good
  const { receipt: __, ...noReceipt } = good.signatures

  it.each([
    ['no object', 'text'],
    ['null', null],
    ['a list', [good]],
    ['another version', { ...good, version: 2 }],
    ['an unknown key', { ...good, note: 'trust me' }],
    ['an unknown signature', { ...good, signatures: { ...good.signatures, notary: 'AAAA' } }],
    ['a missing cell', noAccept],
    ['a missing signature', { ...good, signatures: noReceipt }],
    ['a cell that is no text', { ...good, lease: 7 }],
    ['text that is no base64', { ...good, lease: '$$$$' }],
    ['base64 that is not canonical', { ...good, lease: `${good.lease}=` }],
    ['a short signature', { ...good, signatures: { ...good.signatures, lease: 'AAAA' } }],
    ['a cell beyond the bound', { ...good, lease: 'A'.repeat(8_000) }],
    ['evidence beyond the bound', { ...good, evidence: 'A'.repeat(360_000) }],
  ])('refuses %s', (_, json) => {
    const refused = expect.objectContaining({ code: 'bad-receipt' })
    expect(() => parseReceiptFile(json)).toThrow(refused)
  })

  it('takes a file without evidence and countersignature', () => {
    const bare = signedJob({ client: null })
    expect(parseReceiptFile(bare)).toEqual(bare)
    expect(Object.keys(bare)).not.toContain('evidence')
  })
})

it('chains receipts by SHA-256, from 32 zero bytes', () => {
  expect(NO_RECEIPTS).toEqual(new Uint8Array(32))
  const joined = new Uint8Array(64)
  joined.set(fill(5), 32)
  expect(nextReceiptsHash(NO_RECEIPTS, fill(5))).toEqual(sha256(joined))
})
