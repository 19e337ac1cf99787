/**
 * What the verdict on an SEV-SNP report says, and what its options allow.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  type SnpCollateral,
  type SnpContext,
  verifySnpReport,
} from '../../../../contracts/attest/snp/verify.ts'
import { type Bytes, lengthPrefixed, utf8 } from '../../../../contracts/base/bytes.ts'
import { sha256 } from '../../../../contracts/base/signing.ts'
import { AMD_AT_MS, amdTree, CHIP, TCB } from '../../../support/amdTree.ts'
import { octets } from '../../../support/derWriter.ts'

const tree = amdTree('Milan')
const turin = amdTree('Turin')
const DAY = 86_400_000
const digest = (what: string, ...parts: Bytes[]): Bytes =>
  sha256(lengthPrefixed(utf8(`chrysalis/${what}/amd-snp/1`), ...parts))

const verify = (
  given: { report?: Bytes; collateral?: SnpCollateral; context?: Partial<SnpContext> } = {},
) =>
  verifySnpReport(given.report ?? tree.report(), given.collateral ?? tree.collateral(), {
    ...tree.context,
    ...given.context,
  })

describe('a verdict', () => {
  it('says who, what, and until when', () => {
    const crl = tree.crl()
    const verdict = verify({ collateral: tree.collateral({ crl }) })
    const measured = [new Uint8Array(48).fill(0x3e), new Uint8Array(32)]
    expect(verdict).toMatchObject({
      vendor: 'amd-snp',
      product: 'Milan',
      reportData: new Uint8Array(64).fill(0xda),
      measurement: digest('measurement', ...measured),
      platformId: digest('platform', CHIP),
      tcb: TCB,
      tcbStatus: 'bootloader=4 tee=0 snp=23 microcode=213',
      crl: { number: 5n, thisUpdateMs: AMD_AT_MS - 10 * DAY },
      validUntilS: AMD_AT_MS / 1_000 + 90 * 86_400,
    })
    expect(verdict.notProved.join()).not.toContain('revoked')
    expect(verdict.proved.join()).toContain('hyper-threading is on')
  })

  it('says that revocation was not checked where there was no list', () => {
    const verdict = verify()
    expect(verdict.crl).toBeUndefined()
    expect(verdict.notProved.join()).toContain("AMD's revocation list was not given")
    expect(verdict.validUntilS).toBe(AMD_AT_MS / 1_000 + 365 * 86_400)
  })

  it('states the keys that approved the launch, and a firmware without the alias check', () => {
    const patch = [
      [0xe0, new Uint8Array(48).fill(0xab)],
      [0x110, new Uint8Array(48).fill(0xcd)],
      [0x04, Uint8Array.of(9)],
    ] as const
    const verdict = verify({ report: tree.report({ patch, keyInfo: 1, platform: 0n }) })
    expect(verdict.proved.join()).toContain('ab'.repeat(48))
    expect(verdict.proved.join()).toContain('cd'.repeat(48))
    expect(verdict.proved.join()).toContain('security version 9')
    expect(verdict.notProved.join()).toContain('two addresses')
  })

  it('covers Turin, whose chips have short numbers and one part of firmware more', () => {
    const verdict = verifySnpReport(turin.report(), turin.collateral(), turin.context)
    expect(verdict.tcbStatus).toBe('fmc=1 bootloader=2 tee=3 snp=4 microcode=80')
  })

  it('covers the key of a cloud provider, and says whose it is', () => {
    const collateral = tree.collateral({ vekArgs: { cloud: 'cloud.example' } })
    const named = verify({ collateral, report: tree.report({ keyInfo: 4 }) })
    expect(named.notProved.join()).toContain('cloud.example')
    expect(named.platformId).toEqual(digest('platform', CHIP))
    const hidden = tree.report({ keyInfo: 4, chipId: new Uint8Array(64) })
    const verdict = verify({ collateral, report: hidden })
    expect(verdict.notProved.join()).toContain('hides its number')
    expect(verdict.platformId).toEqual(digest('platform', tree.vek.keyHash))
  })

  it('takes a chip number wrapped as an OCTET STRING, as some certificates have it', () => {
    const vekArgs = { replace: { '4': octets(CHIP) } }
    expect(verify({ collateral: tree.collateral({ vekArgs }) }).product).toBe('Milan')
  })

  it('accepts lower privilege levels and least versions where the caller says so', () => {
    expect(verify({ report: tree.report({ vmpl: 2 }), context: { mostVmpl: 2 } })).toBeTruthy()
    expect(verify({ context: { leastTcb: { Milan: TCB, Genoa: { snp: 99 } } } })).toBeTruthy()
  })
})
