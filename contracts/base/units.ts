/**
 * Units: money as branded `bigint`, times as numbers whose names carry the unit.
 *
 * `NanoTon` is the only type of an amount of TON; other assets count in their base units with the
 * same type rules. A `number` never holds an amount.
 * @module
 */
import { MarketError } from './errors.ts'

declare const nano: unique symbol
/** An amount in base units of an asset (nanoTON for TON). Signed arithmetic is plain bigint. */
export type NanoTon = bigint & { readonly [nano]?: true }

/** One TON in nanoTON. */
export const TON = 1_000_000_000n

/** The largest amount that `coins` holds: 120 bits. */
export const MAX_COINS = (1n << 120n) - 1n

/** `1234567890n` as `"1.23456789"`: exact, no rounding. */
export function formatTon(amountNano: NanoTon): string {
  return formatUnits(amountNano, 9)
}

/** `"1.5"` as `1500000000n`. Throws `bad-input` on anything but a plain non-negative decimal. */
export function parseTon(text: string): NanoTon {
  const match = /^(\d{1,20})(?:\.(\d{1,9}))?$/.exec(text)
  if (!match) throw new MarketError('bad-input', { field: 'amount', expected: 'TON, like 1.5' })
  return BigInt(match[1]!) * TON + BigInt((match[2] ?? '').padEnd(9, '0'))
}

/** `1234567n` of 6 decimals as `"1.234567"`: exact, no rounding. */
export function formatUnits(amount: bigint, decimals: number): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0')
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return `${sign}${digits.slice(0, digits.length - decimals)}${fraction && `.${fraction}`}`
}

/** `"1.5"` in base units. Throws `bad-input` on anything but a plain non-negative decimal. */
export function parseUnits(text: string, decimals: number): bigint {
  const match = /^(\d{1,20})(?:\.(\d+))?$/.exec(text)
  const fraction = match?.[2] ?? ''
  if (!match || fraction.length > decimals) {
    throw new MarketError('bad-input', { field: 'amount', expected: 'a number, like 1.5' })
  }
  return BigInt(match[1]!) * 10n ** BigInt(decimals) + BigInt(fraction.padEnd(decimals, '0') || '0')
}

/** A decimal string of nanoTON as an amount. Throws `bad-input`. */
export function parseNano(text: string): NanoTon {
  if (!/^\d{1,37}$/.test(text)) {
    throw new MarketError('bad-input', { field: 'amount', expected: 'nanoTON as decimal digits' })
  }
  const amount = BigInt(text)
  if (amount > MAX_COINS) throw new MarketError('bad-input', { field: 'amount', most: MAX_COINS })
  return amount
}

/** The smaller of two amounts. */
export function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

/** The larger of two amounts. */
export function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
