/**
 * Vouchers: their cell, their hash and their signature, and that no byte of them can be changed.
 * @module
 */
import { Address, beginCell, type Cell } from '@ton/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { MAX_COINS } from '../../../contracts/base/units.ts'
import {
  decodeVoucher,
  encodeVoucher,
  JETTON_VOUCHER_TAG,
  signVoucher,
  VOUCHER_TAG,
  type Voucher,
  verifyVoucher,
  voucherHash,
} from '../../../contracts/money/voucher.ts'

const SEED = 5
const key = signingKey(sha256(utf8('payer')))
const channel = Address.parseRaw(`0:${'11'.repeat(32)}`)
const voucher: Voucher = {
  network: -239,
  channel,
  cumulative: 1_500_000_000n,
  receiptsHash: sha256(utf8('receipts')),
}

describe('voucher', () => {
  it('has a tag that comes from its name', () => {
    expect(toHex(sha256(utf8('chrysalis voucher 1'))).slice(0, 8)).toBe(VOUCHER_TAG.toString(16))
  })

  it('for a jetton-channel has a tag of its own', () => {
    const name = utf8('chrysalis jetton voucher 1')
    expect(toHex(sha256(name)).slice(0, 8)).toBe(JETTON_VOUCHER_TAG.toString(16))
    const jetton = { ...voucher, asset: 'jetton' } as const
    expect(decodeVoucher(encodeVoucher(jetton)).asset).toBe('jetton')
    expect(decodeVoucher(encodeVoucher(voucher)).asset).toBeUndefined()
    const signature = signVoucher(jetton, key)
    expect(verifyVoucher(jetton, signature, key.publicKey)).toBe(true)
    expect(verifyVoucher(voucher, signature, key.publicKey)).toBe(false)
  })

  it('is the same after encoding and decoding', () => {
    fc.assert(
      fc.property(anyVoucher(), (one) => {
        const again = decodeVoucher(encodeVoucher(one))
        expect(again.channel.equals(one.channel)).toBe(true)
        expect({ ...again, channel: 0 }).toEqual({ ...one, channel: 0 })
      }),
      { seed: SEED, numRuns: 300 },
    )
  })

  it.each([0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, MAX_COINS])(
    'keeps an amount of %d exactly',
    (cumulative) => {
      expect(decodeVoucher(encodeVoucher({ ...voucher, cumulative })).cumulative).toBe(cumulative)
    },
  )

  it.each<[string, Partial<Voucher>]>([
    ['cumulative', { cumulative: -1n }],
    ['cumulative', { cumulative: MAX_COINS + 1n }],
    ['network', { network: 2 ** 31 }],
    ['network', { network: 1.5 }],
    ['receiptsHash', { receiptsHash: new Uint8Array(31) }],
  ])('is refused with %s out of range', (field, change) => {
    expect(() => encodeVoucher({ ...voucher, ...change })).toThrowError(
      expect.objectContaining({ code: 'bad-input', facts: { record: 'voucher', field } }),
    )
  })

  it('is refused in any form but its own', () => {
    const whole = encodeVoucher(voucher)
    const wrong: Cell[] = [
      beginCell().endCell(),
      beginCell()
        .storeUint(VOUCHER_TAG + 1, 32)
        .storeSlice(skip(whole, 32))
        .endCell(),
      beginCell().storeSlice(whole.beginParse()).storeBit(true).endCell(),
      beginCell().storeSlice(whole.beginParse()).storeRef(whole).endCell(),
      beginCell()
        .storeBits(whole.beginParse().loadBits(whole.bits.length - 1))
        .endCell(),
      paddedAmount(),
    ]
    for (const cell of wrong) {
      expect(() => decodeVoucher(cell)).toThrowError(expect.objectContaining({ code: 'bad-frame' }))
    }
  })

  it('verifies under its key, and under no other and with no field changed', () => {
    const signature = signVoucher(voucher, key)
    expect(verifyVoucher(voucher, signature, key.publicKey)).toBe(true)
    expect(verifyVoucher(voucher, signature, signingKey(sha256(utf8('b'))).publicKey)).toBe(false)
    fc.assert(
      fc.property(anyVoucher(), fc.constantFrom(...FIELDS), (other, field) => {
        const changed = { ...voucher, [field]: other[field] }
        const same = toHex(voucherHash(changed)) === toHex(voucherHash(voucher))
        expect(verifyVoucher(changed, signature, key.publicKey)).toBe(same)
      }),
      { seed: SEED, numRuns: 200 },
    )
  })
})

const FIELDS = ['network', 'channel', 'cumulative', 'receiptsHash'] as const

function anyVoucher(): fc.Arbitrary<Voucher> {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
  return fc.record({
    network: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    channel: fc
      .tuple(fc.constantFrom(0, -1), bytes)
      .map(([workchain, hash]) => new Address(workchain, Buffer.from(hash))),
    cumulative: fc.bigInt({ min: 0n, max: MAX_COINS }),
    receiptsHash: bytes,
  })
}

/** The same voucher with a leading zero byte in its amount. */
function paddedAmount(): Cell {
  return beginCell()
    .storeUint(VOUCHER_TAG, 32)
    .storeInt(voucher.network, 32)
    .storeAddress(channel)
    .storeUint(5, 4)
    .storeUint(voucher.cumulative, 40)
    .storeBuffer(Buffer.from(voucher.receiptsHash))
    .endCell()
}

function skip(cell: Cell, bits: number) {
  const slice = cell.beginParse()
  slice.skip(bits)
  return slice
}
