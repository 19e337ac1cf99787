/**
 * The strict reader of SPDM measurements: forms, lengths, order, opaque fields, fuzz.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseSpdmReport } from '../../../../contracts/attest/nvidia/spdm.ts'
import { concat, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { tell } from '../../../fuzz/awkward.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { block, FIRMWARE, NONCE, type SpdmArgs, spdmReport } from '../../../support/nvidiaTree.ts'
import { refusal } from '../../../support/refusal.ts'
import { testKey } from '../../../support/testPki.ts'

const signer = testKey('P-384')
const report = (args: SpdmArgs = {}) => spdmReport({ signer, ...args })
const malformed = (because: string) => refusal('evidence-malformed', because)
/** Offset of the first block. */
const RECORD = 45
const OPAQUE_CUT = Uint8Array.of(3, 0, 9, 0, 0x35)
const OPAQUE_TWICE = Uint8Array.of(3, 0, 1, 0, 0x35, 3, 0, 1, 0, 0x35)

describe('measurements', () => {
  it('are read', () => {
    const bytes = report()
    const read = parseSpdmReport(bytes)
    expect(read).toMatchObject({
      nonce: NONCE,
      slot: 0,
      driverVersion: '590.12',
      vbiosVersion: '96.00.A5.00.01',
      firmwareId: FIRMWARE,
      protectedPcie: false,
      record: concat(...[1, 2, 3, 9].map((i) => block(i))),
    })
    expect(read.measurements.map(({ index }) => index)).toEqual([1, 2, 3, 9])
    expect(read.signed).toEqual(bytes.slice(0, -96))
    expect(read.signature).toEqual(bytes.slice(-96))
  })

  it('may lack the firmware id and the flag, and say yes', () => {
    const lacking = parseSpdmReport(report({ opaque: { 20: null, 21: null } }))
    expect([lacking.firmwareId, lacking.protectedPcie]).toEqual([undefined, undefined])
    const yes = parseSpdmReport(report({ opaque: { 21: Uint8Array.of(0xaa) } }))
    expect(yes.protectedPcie).toBe(true)
  })

  it.each([
    ['another version of the request', { patch: [[0, 0x12]] }, 'version of the request'],
    ['another request', { patch: [[1, 0xe1]] }, 'code of the request'],
    ['no wish for a signature', { patch: [[2, 0]] }, 'request for a signature'],
    ['a wish for one block', { patch: [[3, 1]] }, 'request for all'],
    ['a slot that is none', { slot: 8 }, 'no key slot 8'],
    ['another version of the response', { patch: [[37, 0x12]] }, 'version of the response'],
    ['an error response', { patch: [[38, 0x7f]] }, 'code of the response'],
    ['the answer of another slot', { patch: [[40, 1]] }, 'another key slot'],
    ['no blocks', { count: 0, blocks: [] }, 'no measurements'],
    ['fewer blocks than said', { count: 5 }, 'ends too early'],
    ['more blocks than said', { count: 3 }, 'after its measurements'],
    ['a record longer than the message', { patch: [[44, 0xff]] }, 'ends too early'],
    ['blocks out of order', { blocks: [block(2), block(1)] }, 'out of order'],
    ['a block twice', { blocks: [block(1), block(1)] }, 'out of order'],
    ['a block of index 0', { blocks: [block(0)] }, 'out of order'],
    ['another specification', { patch: [[RECORD + 1, 2]] }, 'specification of a measurement'],
    ['lengths that differ', { patch: [[RECORD + 5, 47]] }, 'lengths of measurement 1'],
    ['opaque data longer than the message', { opaqueBytes: OPAQUE_CUT }, 'too early'],
    ['an opaque field twice', { opaqueBytes: OPAQUE_TWICE }, 'appears twice'],
    ['no driver version', { opaque: { 3: null } }, 'driver version'],
    ['a driver version of control bytes', { opaque: { 3: utf8('5\n9') } }, 'driver version'],
    ['a driver version that is too long', { opaque: { 3: utf8('5'.repeat(65)) } }, 'driver'],
    ['no VBIOS version', { opaque: { 6: null } }, 'VBIOS version'],
    ['a VBIOS version of other length', { opaque: { 6: Uint8Array.of(1) } }, 'VBIOS version'],
    ['a firmware id of other length', { opaque: { 20: Uint8Array.of(1) } }, 'firmware id'],
    ['a flag that is neither', { opaque: { 21: Uint8Array.of(1) } }, 'neither yes nor no'],
    ['bytes after the signature', { tail: Uint8Array.of(0) }, 'after its signature'],
    ['too many bytes', { tail: new Uint8Array(LIMITS.spdmReportBytes) }, 'too long'],
  ] as readonly (readonly [string, SpdmArgs, string])[])(
    'are refused with %s',
    (_name, args, because) => {
      expect(() => parseSpdmReport(report(args))).toThrow(malformed(because))
    },
  )

  it('are refused wherever they are cut', () => {
    const bytes = report()
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseSpdmReport(bytes.slice(0, length))).toThrow(malformed(''))
    }
  })

  it('survive fuzzing', () => {
    const corpus = [report(), report({ opaque: { 20: null } }), report({ slot: 3 })]
    const seen = fuzz({ name: 'SPDM report', corpus, decode: parseSpdmReport, inputs: 5_000 })
    expect(tell(seen).refused).toBeGreaterThan(0)
  })
})
