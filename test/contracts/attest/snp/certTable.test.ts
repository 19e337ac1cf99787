/**
 * The certificate table that a host hands to its guest: read, refused where it is broken, fuzzed.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseCertTable } from '../../../../contracts/attest/snp/certTable.ts'
import { concat, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { tell } from '../../../fuzz/awkward.ts'
import { certTable, GUID } from '../../../support/amdTree.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { refusal } from '../../../support/refusal.ts'
import { pemOf } from '../../../support/testPki.ts'

const A = Uint8Array.of(0x30, 1, 2)
const B = Uint8Array.of(0x30, 3)
const OTHER = 'ecae0c0f-9502-43b1-afa2-0ae2e0d565b6'
const table = certTable([
  [GUID.vcek, A],
  [OTHER, B],
  [GUID.ask, utf8(pemOf(B))],
  [GUID.ark, A],
])
const malformed = (because: string) => refusal('evidence-malformed', because)

describe('a certificate table', () => {
  it('gives what it has, PEM as DER, other entries passed over', () => {
    expect(parseCertTable(table)).toEqual({ vcek: A, ask: B, ark: A })
    expect(parseCertTable(certTable([[GUID.vlek, B]]))).toEqual({ vlek: B })
    expect(parseCertTable(new Uint8Array(24))).toEqual({})
  })

  it('is refused without an end, cut, doubled or too long', () => {
    expect(() => parseCertTable(new Uint8Array())).toThrow(malformed('no end'))
    expect(() => parseCertTable(table.slice(0, 90))).toThrow(malformed(''))
    expect(() => parseCertTable(table.slice(0, -1))).toThrow(malformed('cut'))
    const twice = certTable([
      [GUID.ask, A],
      [GUID.ask, B],
    ])
    expect(() => parseCertTable(twice)).toThrow(malformed('two certificates of kind ask'))
    const long = concat(table, new Uint8Array(LIMITS.snpCertTableBytes))
    expect(() => parseCertTable(long)).toThrow(malformed('too long'))
  })

  it('survives fuzzing', () => {
    const seen = fuzz({ name: 'certificate table', corpus: [table], decode: parseCertTable })
    expect(tell(seen).refused).toBeGreaterThan(0)
  })
})
