/**
 * Books as bytes: all of them come back, and a row that is not books stops everything.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import {
  decodePayee,
  decodePayer,
  encodePayee,
  encodePayer,
} from '../../../contracts/money/accountCodec.ts'
import { type PayeeState, startPayee } from '../../../contracts/money/payee.ts'
import { type PayerState, startPayer } from '../../../contracts/money/payer.ts'
import { fill } from '../wire/recordSamples.ts'

const A = 'aa'.repeat(16)
const channel = { network: -3, channel: `0:${'ab'.repeat(32)}`, deposit: 10n ** 30n }
const promise = { cumulative: 7n, receiptsHash: fill(3) }
const books = { cumulative: 7n, credit: 1n }

const payer: PayerState = {
  ...startPayer({ ...channel, maxExposure: 5n }),
  status: 'closing',
  sequence: 4,
  jobs: new Map([[A, { granted: 6n, delivered: 2n }]]),
  unacked: [
    { message: { kind: 'pay', sequence: 2, jobId: A, amount: 6n, voucher: promise }, ...books },
    { message: { kind: 'pay', sequence: 3, jobId: A, amount: 1n }, ...books },
    {
      message: {
        kind: 'settle',
        sequence: 4,
        jobId: A,
        charge: 2n,
        receiptHash: fill(4),
        clientSignature: fill(5, 64),
        disputed: true,
      },
      ...books,
    },
  ],
}

const payee: PayeeState = {
  ...startPayee(channel),
  voucher: { record: fill(1, 90), signature: fill(2, 64) },
  anchored: false,
  jobs: new Map([[A, { granted: 6n, cost: 2n }]]),
  unsettled: new Map([[A, { jobId: A, charge: 2n, receiptHash: fill(6) }]]),
}

describe('books as bytes', () => {
  it('come back as they were; a payer is not synced', () => {
    expect(decodePayer(encodePayer({ ...payer, synced: true }))).toEqual(payer)
    expect(decodePayer(encodePayer(startPayer(channel)))).toEqual(startPayer(channel))
    // A Buffer, as libraries give them, has a JSON form of its own.
    const lent = { ...payer, receiptsHash: Buffer.from(payer.receiptsHash) }
    expect(decodePayer(encodePayer(lent))).toEqual(payer)
    expect(decodePayee(encodePayee(payee))).toEqual(payee)
    expect(decodePayee(encodePayee(startPayee(channel)))).toEqual(startPayee(channel))
  })

  const text = new TextDecoder().decode(encodePayer(payer))
  it.each([
    ['not JSON', 'x'],
    ['no object', '7'],
    ['cut short', text.slice(0, -9)],
    ['of another version', text.replace('"version":1', '"version":2')],
    ['of the other side', text.replace('"payer"', '"payee"')],
    ['with a number for an amount', text.replace('"spent":"0"', '"spent":0')],
    ['with a negative amount', text.replace('"spent":"0"', '"spent":"-1"')],
    ['with an unknown status', text.replace('"closing"', '"asleep"')],
    ['with a short hash', text.replace(`"${'04'.repeat(32)}"`, '"04"')],
    ['with a fraction', text.replace('"sequence":4', '"sequence":4.5')],
    ['with a negative count', text.replace('"sequence":4', '"sequence":-4')],
    ['without its jobs', text.replace('"jobs"', '"works"')],
    ['with a word for a flag', text.replace('"conflicted":false', '"conflicted":"no"')],
  ])('stop everything where they are %s', (_, row) => {
    expect(row).not.toBe(text)
    expect(() => decodePayer(utf8(row))).toThrow(expect.objectContaining({ code: 'store-failed' }))
  })
})
