/**
 * The strict reader of DER: what each type accepts, and every form that has another encoding.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  bitBytes,
  boolean,
  type Der,
  DerItems,
  derOf,
  itemsOf,
  listOf,
  namedBits,
  oidOf,
  smallInteger,
  TAG,
  timeMs,
  unsignedBytes,
} from '../../../../contracts/attest/x509/der.ts'
import { type Bytes, concat, fromHex, toHex, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import * as write from '../../../support/derWriter.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { refusal } from '../../../support/refusal.ts'

const MALFORMED = refusal('evidence-malformed', 'bad DER')
const of = (hex: string, tag: number): Der => derOf(fromHex(hex), tag)
const wide = (length: number): Bytes => write.octets(new Uint8Array(length))

describe('a value', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000])('of %i bytes is read', (length) => {
    const value = derOf(wide(length), TAG.octetString)
    expect(value.body.length).toBe(length)
    expect(value.whole.length).toBe(wide(length).length)
  })

  it.each([
    ['an indefinite length', '308000000000'],
    ['a length in two bytes where one does', '04810100'],
    ['a length in three bytes where two do', `048200ff${'00'.repeat(255)}`],
    ['a length of four bytes', '048400000001ff'],
    ['a length beyond the end', '040200'],
    ['a length that is cut', '0482'],
    ['no length', '04'],
    ['nothing', ''],
    ['bytes left over', '0400ff'],
    ['another tag', '0500'],
  ])('with %s is refused', (_, hex) => {
    expect(() => of(hex, hex.startsWith('30') ? TAG.sequence : TAG.octetString)).toThrow(MALFORMED)
  })

  it('with a tag of several bytes is refused', () => {
    expect(() => new DerItems(fromHex('1f810100'), 0).any()).toThrow(MALFORMED)
  })

  it('nested to the bound is read, beyond it refused', () => {
    const nested = (levels: number): Bytes =>
      levels === 0 ? write.octets(new Uint8Array()) : write.sequence(nested(levels - 1))
    const deepest = (value: Der): number =>
      value.tag === TAG.sequence ? deepest(listOf(value)[0]!) : value.depth
    expect(deepest(derOf(nested(LIMITS.derDepth), TAG.sequence))).toBe(LIMITS.derDepth)
    const deeper = derOf(nested(LIMITS.derDepth + 1), TAG.sequence)
    expect(() => deepest(deeper)).toThrow(refusal('evidence-malformed', 'nested too deeply'))
  })

  it('inside another is read in order, and all of them', () => {
    const items = itemsOf(derOf(write.sequence(write.integer(7), write.text('x')), TAG.sequence))
    expect(items.optional(TAG.boolean)).toBeUndefined()
    expect(smallInteger(items.next(TAG.integer))).toBe(7)
    expect(() => items.end()).toThrow(MALFORMED)
    expect(items.optional(0x0c)?.body).toEqual(utf8('x'))
    items.end()
    expect(items.any()).toBeUndefined()
    expect(() => itemsOf(of('0400', TAG.octetString))).toThrow(MALFORMED)
  })
})

describe('an integer', () => {
  it.each([
    ['020100', '00'],
    ['02017f', '7f'],
    ['02020080', '80'],
    ['020900ffffffffffffffff', 'ffffffffffffffff'],
  ])('%s is read', (hex, bytes) => {
    expect(toHex(unsignedBytes(of(hex, TAG.integer)))).toBe(bytes)
  })

  it.each(['0200', '020180', '0202007f', '02020000'])('%s is refused', (hex) => {
    expect(() => unsignedBytes(of(hex, TAG.integer))).toThrow(MALFORMED)
  })

  it('is small up to 32 bits', () => {
    expect(smallInteger(of('020500ffffffff', TAG.integer))).toBe(0xffff_ffff)
    expect(() => smallInteger(of('02050100000000', TAG.integer))).toThrow(MALFORMED)
    expect(() => smallInteger(of('0400', TAG.octetString))).toThrow(MALFORMED)
  })
})

describe('booleans and bits', () => {
  it('are read', () => {
    expect(boolean(of('0101ff', TAG.boolean))).toBe(true)
    expect(boolean(of('010100', TAG.boolean))).toBe(false)
    expect(bitBytes(of('030300abcd', TAG.bitString))).toEqual(fromHex('abcd'))
    expect(namedBits(of('03020106', TAG.bitString))).toBe(0x0600)
    expect(namedBits(of('03020104', TAG.bitString))).toBe(0x0400)
    expect(namedBits(of('030307fe80', TAG.bitString))).toBe(0xfe80)
    expect(namedBits(of('030100', TAG.bitString))).toBe(0)
  })

  it.each(['010101', '0100', '01020000'])('%s is no boolean', (hex) => {
    expect(() => boolean(of(hex, TAG.boolean))).toThrow(MALFORMED)
  })

  it.each(['0300', '03020180', '03020780'])('%s is not of whole bytes', (hex) => {
    expect(() => bitBytes(of(hex, TAG.bitString))).toThrow(MALFORMED)
  })

  it.each(['0300', '03020880', '03020107', '030101', '030400808080'])('%s names no bits', (hex) => {
    expect(() => namedBits(of(hex, TAG.bitString))).toThrow(MALFORMED)
  })
})

describe('an identifier', () => {
  it.each(['1.2.840.113741.1.13.1.2.17', '2.5.29.19', '2.999.1', '0.9', '1.39.16384'])(
    '%s is read',
    (dotted) => {
      expect(oidOf(derOf(write.oid(dotted), TAG.oid))).toBe(dotted)
    },
  )

  it.each(['0600', '06022a80', '06032a8001', '06062affffffff7f', `0621${'01'.repeat(33)}`])(
    '%s is refused',
    (hex) => {
      expect(() => oidOf(of(hex, TAG.oid))).toThrow(MALFORMED)
    },
  )
})

describe('a time', () => {
  const utc = (text: string): Der => derOf(write.der(TAG.utcTime, utf8(text)), TAG.utcTime)
  const general = (text: string): Der =>
    derOf(write.der(TAG.generalizedTime, utf8(text)), TAG.generalizedTime)

  it('is read to the second', () => {
    expect(timeMs(utc('250704010203Z'))).toBe(Date.UTC(2025, 6, 4, 1, 2, 3))
    expect(timeMs(utc('491231235959Z'))).toBe(Date.UTC(2049, 11, 31, 23, 59, 59))
    expect(timeMs(utc('500101000000Z'))).toBe(Date.UTC(1950, 0, 1))
    expect(timeMs(general('99991231235959Z'))).toBe(Date.UTC(9999, 11, 31, 23, 59, 59))
  })

  it.each(['250229000000Z', '2507040102Z', '250704010203', '25070401020ZZ', '250704240000Z'])(
    '%s is refused',
    (text) => {
      expect(() => timeMs(utc(text))).toThrow(MALFORMED)
    },
  )

  it.each(['20250704010203.5Z', '20250704010203+0100', '20251301000000Z'])('%s too', (text) => {
    expect(() => timeMs(general(text))).toThrow(MALFORMED)
    expect(() => timeMs(derOf(write.integer(1), TAG.integer))).toThrow(MALFORMED)
  })
})

const READERS: Readonly<Record<number, (value: Der) => unknown>> = {
  [TAG.integer]: unsignedBytes,
  [TAG.boolean]: boolean,
  [TAG.bitString]: bitBytes,
  [TAG.oid]: oidOf,
  [TAG.utcTime]: timeMs,
  [TAG.generalizedTime]: timeMs,
}

it('only ever answers or refuses, whatever the bytes', () => {
  const value = write.sequence(
    write.integer(2n ** 80n),
    write.context(0, write.oid('1.2.840.113741.1.13.1'), write.boolean(true)),
    write.set(write.bits(fromHex('abcdef')), write.time(0), wide(300)),
  )
  const walk = (each: Der): void => {
    READERS[each.tag]?.(each)
    if (each.tag & 0x20) listOf(each).forEach(walk)
  }
  const corpus = [value, concat(value, value), write.sequence(value)]
  const decode = (input: Bytes) => walk(derOf(input, TAG.sequence))
  const report = fuzz({ name: 'der', corpus, decode })
  console.log(JSON.stringify(report))
  expect(report.refused).toBeGreaterThan(report.inputs / 4)
  expect(report.accepted).toBeGreaterThan(0)
})
