/**
 * Assets: found by name or minter where a network lists them, and nowhere else; amounts exact.
 * @module
 */
import { Address } from '@ton/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  amountOf,
  assetKey,
  assetNamed,
  assetOf,
  assetsOf,
  sameAsset,
  TON_ASSET,
} from '../../../contracts/base/assets.ts'
import { formatTon, formatUnits, parseTon, parseUnits } from '../../../contracts/base/units.ts'

const minter = new Address(0, Buffer.alloc(32, 7))
const other = new Address(0, Buffer.alloc(32, 8))
const network = { assets: [{ name: 'usdt-test', minter: minter.toString(), decimals: 6 }] }

describe('an asset', () => {
  it('is found by its name and by either form of its minter', () => {
    const named = { name: 'usdt-test', unit: 'USDT-TEST', decimals: 6 }
    for (const text of ['usdt-test', minter.toString(), minter.toRawString()]) {
      expect(assetNamed(network, text)).toMatchObject(named)
    }
    expect(assetNamed(network, 'ton')).toBe(TON_ASSET)
    expect(assetsOf({})).toEqual([TON_ASSET])
  })

  it('is refused where it is not listed, whatever it calls itself', () => {
    for (const text of ['usdt', '', other.toString(), other.toRawString()]) {
      expect(() => assetNamed(network, text)).toThrow(
        expect.objectContaining({ code: 'bad-asset' }),
      )
    }
    const wrong = { assets: [{ name: 'x', minter: 'A'.repeat(48), decimals: 6 }] }
    expect(() => assetsOf(wrong)).toThrow(expect.objectContaining({ code: 'bad-config' }))
  })

  it('may be listed by the registry, by minter and with the decimals of the price table', () => {
    const registered = (scale: bigint, decimals: number) =>
      new Map([
        ['ton', { scale: 1_000_000n, decimals: 9 }],
        [other.toRawString(), { scale, decimals }],
      ])
    const found = assetNamed(network, other.toString(), registered(1_000n, 6))
    expect(sameAsset(found.asset, other)).toBe(true)
    for (const wrong of [registered(1_000n, 9), registered(1_000_000n, 6)]) {
      expect(() => assetNamed(network, other.toString(), wrong)).toThrow(
        expect.objectContaining({ code: 'bad-asset' }),
      )
    }
  })

  it('has one key, and no two have the same', () => {
    for (const asset of ['ton', minter, other] as const) {
      expect(sameAsset(assetOf(assetKey(asset)), asset)).toBe(true)
    }
    expect(sameAsset(minter, other)).toBe(false)
    expect(sameAsset(minter, 'ton')).toBe(false)
    expect(sameAsset(undefined, 'ton')).toBe(true)
    expect(() => assetOf('dollars')).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })
})

describe('an amount that a person wrote', () => {
  it('is above 0, in base units', () => {
    expect(amountOf('1.5', TON_ASSET)).toBe(1_500_000_000n)
    for (const text of ['0', '-1', '1.0000000001', '']) {
      expect(() => amountOf(text, TON_ASSET)).toThrow(
        expect.objectContaining({ code: 'bad-input' }),
      )
    }
  })
})

describe('amounts in units', () => {
  it('are exact both ways', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 1n << 60n), fc.constantFrom(6, 9), (amount, decimals) => {
        expect(parseUnits(formatUnits(amount, decimals), decimals)).toBe(amount)
      }),
      { seed: 3 },
    )
  })

  it('are those of TON where the decimals are', () => {
    for (const amount of [0n, 1n, 1_500_000_000n, -2_000_000_001n]) {
      expect(formatUnits(amount, 9)).toBe(formatTon(amount))
    }
    expect(parseUnits('1.5', 9)).toBe(parseTon('1.5'))
    expect(parseUnits('2', 6)).toBe(2_000_000n)
  })

  it.each(['', '-1', '1.0000001', '1e3', '.5'])('refuse %s', (text) => {
    expect(() => parseUnits(text, 6)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })
})
