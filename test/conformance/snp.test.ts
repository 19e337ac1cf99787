/**
 * Real SEV-SNP reports and AMD's real certificates, as `MANIFEST.json` beside them says what each
 * must give. The folder is named by `VECTORS_DIR`; where it is absent the tests are skipped.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AMD_ROOTS } from '../../contracts/attest/snp/roots.ts'
import { type SnpCollateral, verifySnpReport } from '../../contracts/attest/snp/verify.ts'
import { parsePemChain } from '../../contracts/attest/x509/certificate.ts'
import { checkChain } from '../../contracts/attest/x509/chain.ts'
import { type Bytes, utf8 } from '../../contracts/base/bytes.ts'
import type { MarketError } from '../../contracts/base/errors.ts'
import { counted, flips } from '../support/mutations.ts'
import { refusal } from '../support/refusal.ts'

const FOLDER = join(process.env.VECTORS_DIR ?? '../shared/vectors', 'sev-snp')
const PRESENT = existsSync(FOLDER)
if (!PRESENT) console.warn(`skipped: ${FOLDER} is absent, VECTORS_DIR names the folder of vectors`)

const AT_MS = Date.UTC(2026, 10, 1)
const read = (name: string): Bytes => new Uint8Array(readFileSync(join(FOLDER, name)))
const chainOf = (name: string) => parsePemChain(Buffer.from(read(name)).toString('latin1'))
const collateral = (vek: string): SnpCollateral => {
  const [ask, ark] = chainOf('ask_ark_milan.pem')
  return { vek: read(vek), ask: ask!.der, ark: ark!.der }
}
/** A report refused for debugging alone would be accepted as what it is: genuine. */
const accepts = (report: Bytes, given: SnpCollateral): boolean => {
  try {
    verifySnpReport(report, given, { atMs: AT_MS })
    return true
  } catch (error) {
    return (error as MarketError).code === 'evidence-debug'
  }
}
/** Of the certificates, one bit in so many is changed (odd: all places in a byte come). */
const EVERY = Number(process.env.MUTATION_EVERY ?? 31)

describe.skipIf(!PRESENT)('AMD', () => {
  it.each([
    ['ask_ark_milan.pem', 'Milan'],
    ['gsg_milan.testcer', 'Milan'],
    ['gsg_milanvlek.testcer', 'Milan'],
    ['ask_ark_genoa.pem', 'Genoa'],
    ['ask_ark_turin_vcek.pem', 'Turin'],
  ] as const)('vouches in %s for an authority under the root pinned for %s', (file, product) => {
    const path = chainOf(file)
    const roots = [AMD_ROOTS[product]!]
    const { root } = checkChain(path, { roots, atMs: AT_MS, ofAuthority: true })
    expect(root.keyHash).toEqual(roots[0])
    const others = Object.entries(AMD_ROOTS).filter(([name]) => name !== product)
    const wrong = { roots: others.map(([, pin]) => pin), atMs: AT_MS, ofAuthority: true }
    expect(() => checkChain(path, wrong)).toThrow(refusal('evidence-root'))
  })

  it('signed a report on Milan, debug off, that is accepted', () => {
    const report = read('dstack_snp_report.bin')
    const verdict = verifySnpReport(report, collateral('dstack_snp_vcek.der'), { atMs: AT_MS })
    expect(verdict).toMatchObject({
      product: 'Milan',
      tcbStatus: 'bootloader=4 tee=0 snp=23 microcode=213',
      validUntilS: Date.UTC(2033, 5, 17, 1, 5, 4) / 1_000,
    })
    expect(verdict.reportData.subarray(0, 24)).toEqual(utf8('attest-test-fixture-2026'))
    expect(verdict.notProved.join()).toContain('revocation list was not given')
  })

  it('signed a report with debugging allowed, which is refused for that alone', () => {
    const report = read('gsg_attestation.bin')
    expect(() => verifySnpReport(report, collateral('gsg_vcek.testcer'), { atMs: AT_MS })).toThrow(
      refusal('evidence-debug', 'its policy allows the host'),
    )
  })

  it('is not mixed up: the key of one chip does not vouch for the report of another', () => {
    const given = collateral('gsg_vcek.testcer')
    expect(() => verifySnpReport(read('dstack_snp_report.bin'), given, { atMs: AT_MS })).toThrow(
      refusal('evidence-signature'),
    )
    const vlek = { ...given, ask: chainOf('gsg_milanvlek.testcer')[0]!.der }
    expect(() => verifySnpReport(read('gsg_attestation.bin'), vlek, { atMs: AT_MS })).toThrow(
      refusal('evidence-collateral', 'another issuer'),
    )
  })

  it('has keys with an end and a beginning', () => {
    const given = collateral('dstack_snp_vcek.der')
    const at = (atMs: number) => () =>
      verifySnpReport(read('dstack_snp_report.bin'), given, { atMs })
    expect(at(Date.UTC(2026, 5, 17, 1, 5, 4))).not.toThrow()
    expect(at(Date.UTC(2026, 5, 17, 1, 5, 3))).toThrow(refusal('evidence-expired', 'not yet'))
    expect(at(Date.UTC(2033, 5, 17, 1, 5, 5))).toThrow(refusal('evidence-expired', 'has expired'))
  })
})

describe.skipIf(!PRESENT)('a change of one bit is refused', () => {
  it.each([
    ['dstack_snp_report.bin', 'dstack_snp_vcek.der'],
    ['gsg_attestation.bin', 'gsg_vcek.testcer'],
  ])('in %s, every bit', (name, vek) => {
    const given = collateral(vek)
    const report = read(name)
    expect(accepts(report, given)).toBe(true)
    const tried = counted(flips(report), (changed) => accepts(changed, given))
    expect(tried).toEqual({ tried: 1_184 * 8, accepted: 0 })
  })

  it.each(['vek', 'ask', 'ark'] as const)(
    'in the certificate %s',
    { timeout: 3_600_000 },
    (which) => {
      const report = read('dstack_snp_report.bin')
      const given = collateral('dstack_snp_vcek.der')
      const tried = counted(flips(given[which], EVERY), (changed) =>
        accepts(report, { ...given, [which]: changed }),
      )
      expect(tried).toEqual({ tried: Math.ceil((given[which].length * 8) / EVERY), accepted: 0 })
    },
  )
})
