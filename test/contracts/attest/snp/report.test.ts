/**
 * The strict reader of SEV-SNP reports: versions, reserved bytes and bits, signature form, fuzz.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  HOST_VMPL,
  parseSnpReport,
  SNP_REPORT_BYTES,
} from '../../../../contracts/attest/snp/report.ts'
import { parseTcb, productOfCpu } from '../../../../contracts/attest/snp/tcb.ts'
import { tell } from '../../../fuzz/awkward.ts'
import { amdTree, CHIP, TCB, tcbBytes } from '../../../support/amdTree.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { refusal } from '../../../support/refusal.ts'

const tree = amdTree()
const one = Uint8Array.of(1)

describe('a report', () => {
  it('is read in every version', () => {
    for (const version of [2, 3, 4, 5]) {
      const report = parseSnpReport(tree.report({ version }))
      expect(report).toMatchObject({
        version,
        vmpl: 0,
        signedBy: 'vcek',
        policy: { smt: true, debug: false, migrationAgent: false, singleSocket: false },
        platform: { smt: true, ecc: true, aliasChecked: true },
        chipId: CHIP,
        reportData: new Uint8Array(64).fill(0xda),
      })
      expect(report.cpu !== undefined).toBe(version >= 3)
      expect(report.mitigations !== undefined).toBe(version >= 4)
    }
  })

  it('says what its bits say', () => {
    const bytes = tree.report({ policy: 0x3f0000n, vmpl: HOST_VMPL, platform: 0n, keyInfo: 0b101 })
    const { policy, platform, vmpl, signedBy, authorKeyEnabled } = parseSnpReport(bytes)
    expect(policy).toEqual({ smt: true, migrationAgent: true, debug: true, singleSocket: true })
    expect(platform).toEqual({ smt: false, ecc: false, aliasChecked: false })
    expect([vmpl, signedBy, authorKeyEnabled]).toEqual([HOST_VMPL, 'vlek', true])
  })

  it('has mitigation vectors from version 4 on', () => {
    const patch = [[0x1f8, Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 7)]] as const
    const { mitigations } = parseSnpReport(tree.report({ version: 5, patch }))
    expect(mitigations).toEqual({ atLaunch: 3n, now: 7n })
    expect(() => parseSnpReport(tree.report({ version: 3, patch }))).toThrow(
      refusal('evidence-malformed', 'reserved bytes at 0x1f8'),
    )
  })

  it.each([0, 1, SNP_REPORT_BYTES - 1, SNP_REPORT_BYTES + 1])('is not %d bytes long', (length) => {
    const bytes = new Uint8Array(length)
    expect(() => parseSnpReport(bytes)).toThrow(refusal('evidence-malformed', '1184 bytes'))
  })

  it.each([
    ['version 1', 0, Uint8Array.of(1), 'report version 1'],
    ['version 6', 0, Uint8Array.of(6), 'report version 6'],
    ['another signature algorithm', 0x34, Uint8Array.of(2), 'signature algorithm'],
    ['policy bit 17 zero', 0x0a, Uint8Array.of(1), 'bit 17'],
    ['policy bit 26', 0x0b, Uint8Array.of(4), 'policy has bits'],
    ['policy bit 63', 0x0f, Uint8Array.of(0x80), 'policy has bits'],
    ['platform bit 6', 0x40, Uint8Array.of(0x40), 'platform information'],
    ['platform bit 8', 0x41, one, 'platform information'],
    ['privilege level 4', 0x30, Uint8Array.of(4), 'privilege level 4'],
    ['key information bit 5', 0x48, Uint8Array.of(0x20), 'key information'],
    ['key information bit 31', 0x4b, Uint8Array.of(0x80), 'key information'],
    ['signing key 3', 0x48, Uint8Array.of(0x0c), 'signing key 3'],
    ['reserved 0x4c', 0x4f, one, 'at 0x4c'],
    ['reserved 0x18b', 0x19f, one, 'at 0x18b'],
    ['reserved 0x1eb', 0x1eb, one, 'at 0x1eb'],
    ['reserved 0x1ef', 0x1ef, one, 'at 0x1ef'],
    ['reserved 0x1f8', 0x29f, one, 'at 0x1f8'],
    ['bytes after the signature', 0x330, one, 'at 0x330'],
    ['the last byte', 0x49f, one, 'at 0x330'],
    ['r beyond 384 bits', 0x2d0, one, 'beyond 384 bits'],
    ['s beyond 384 bits', 0x32f, one, 'beyond 384 bits'],
  ])('is refused with %s', (_name, at, bytes, because) => {
    const report = tree.report({ patch: [[at, bytes]], tamper: at >= 0x2a0 ? [[at, bytes]] : [] })
    expect(() => parseSnpReport(report)).toThrow(refusal('evidence-malformed', because))
  })

  it('has a CPU only from version 3 on', () => {
    const bytes = tree.report({ version: 2, patch: [[0x188, one]] })
    expect(() => parseSnpReport(bytes)).toThrow(refusal('evidence-malformed', 'at 0x188'))
  })

  it('that the machine did not sign is refused as unsigned', () => {
    const bytes = tree.report({ keyInfo: 7 << 2 })
    expect(() => parseSnpReport(bytes)).toThrow(refusal('evidence-signature', 'did not sign'))
  })

  it('survives fuzzing', () => {
    const corpus = [2, 3, 5].map((version) => tree.report({ version }))
    const seen = fuzz({ name: 'SNP report', corpus, decode: parseSnpReport, inputs: 5_000 })
    expect(tell(seen).refused).toBeGreaterThan(0)
  })
})

describe('security versions', () => {
  it('are laid out by product', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 9)
    expect(parseTcb('Turin', bytes)).toEqual({
      fmc: 1,
      bootloader: 2,
      tee: 3,
      snp: 4,
      microcode: 9,
    })
    expect(parseTcb('Genoa', tcbBytes('Genoa', TCB))).toEqual(TCB)
    expect(() => parseTcb('Milan', bytes)).toThrow(refusal('evidence-malformed', 'of Milan'))
  })

  it('belong to a product by family and model', () => {
    const of = (family: number, model: number) => productOfCpu({ family, model, stepping: 0 })
    expect([of(0x19, 0x01), of(0x19, 0x0f)]).toEqual(['Milan', 'Milan'])
    expect([of(0x19, 0x10), of(0x19, 0x1f), of(0x19, 0xa0)]).toEqual(['Genoa', 'Genoa', 'Genoa'])
    expect([of(0x1a, 0x02), of(0x1a, 0x11)]).toEqual(['Turin', 'Turin'])
    expect([of(0x19, 0x20), of(0x1a, 0x20), of(0x17, 1), of(0x1b, 0)]).toEqual(Array(4))
  })
})
