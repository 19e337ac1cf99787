/**
 * Hardware policy is data with safe defaults: nothing is accepted that is not listed, and each
 * refusal names what the policy would have to.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { HardwareVerdict } from '../../../contracts/attest/hardware.ts'
import {
  applyHardwarePolicy,
  DEFAULT_HARDWARE,
  type HardwarePolicy,
  settleHardware,
} from '../../../contracts/attest/hardwarePolicy.ts'
import { toHex } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { coded, hash, NOW_S } from './evidence.ts'
import { CPU, GPU, MEASUREMENTS, SNP } from './hardware.ts'

const TIMES = { atMs: NOW_S * 1_000, freshAtS: NOW_S - 600 }
const network = { measurements: MEASUREMENTS }
const amd: HardwareVerdict = { ...CPU, ...SNP }
const apply = (
  hardware: readonly HardwareVerdict[],
  policy: Partial<HardwarePolicy> = {},
  times = TIMES,
) => applyHardwarePolicy(hardware, settleHardware(policy, network), times)

describe('the default', () => {
  it('accepts no machine at all: somebody has to name software', () => {
    const none = () => applyHardwarePolicy([CPU], DEFAULT_HARDWARE, TIMES)
    expect(none).toThrow(coded('evidence-measurement'))
    expect(settleHardware()).toEqual(DEFAULT_HARDWARE)
    expect(DEFAULT_HARDWARE.tcb).toEqual({ 'intel-tdx': ['UpToDate'] })
  })

  it('takes the list of the network, and an own one in its place', () => {
    apply([CPU, GPU])
    apply([amd])
    const own = { measurements: { version: 9, list: [toHex(hash('mine')).toUpperCase()] } }
    expect(() => apply([CPU], own)).toThrow('version 9')
    apply([{ ...CPU, measurement: hash('mine') }], own)
  })
})

describe('a refusal', () => {
  it.each<[string, HardwareVerdict, Partial<HardwarePolicy>, object]>([
    ['evidence-vendor', CPU, { vendors: ['amd-snp'] }, { vendor: 'intel-tdx' }],
    [
      'evidence-measurement',
      { ...CPU, measurement: hash('x') },
      {},
      { measurement: toHex(hash('x')) },
    ],
    ['evidence-tcb', { ...CPU, tcbStatus: 'OutOfDate' }, {}, { tcbStatus: 'OutOfDate' }],
    ['evidence-tcb', { ...CPU, tcbStatus: 'UpToDate' }, { tcb: { 'intel-tdx': [] } }, {}],
    [
      'evidence-platform',
      GPU,
      { platforms: [toHex(CPU.platformId)] },
      { platform: toHex(GPU.platformId) },
    ],
  ])('is %s and names what was found', (code, verdict, policy, facts) => {
    const refused = () => apply([verdict], policy)
    expect(refused).toThrow(
      expect.objectContaining({ code, facts: expect.objectContaining(facts) }),
    )
  })

  it('of one part is a refusal of all', () => {
    expect(() => apply([CPU, { ...GPU, measurement: hash('x') }])).toThrow(
      coded('evidence-measurement'),
    )
  })

  it('of age is by the block that was named', () => {
    const old = { ...TIMES, freshAtS: NOW_S - 3_601 }
    expect(() => apply([CPU], { maxAgeS: 3_600 }, old)).toThrow(coded('evidence-age'))
    apply([CPU], { maxAgeS: 3_600 }, { ...TIMES, freshAtS: NOW_S - 3_600 })
  })

  it("of AMD's firmware is by number: below the least, or of a product without one", () => {
    const least = (leastTcb: object) => ({ measurements: { ...MEASUREMENTS, leastTcb } })
    const tcb = coded('evidence-tcb')
    apply([amd], least({ Milan: { snp: 23, microcode: 213 } }))
    expect(() => apply([amd], least({ Milan: { microcode: 214 } }))).toThrow(tcb)
    expect(() => apply([amd], least({ Genoa: { snp: 1 } }))).toThrow(tcb)
    expect(() => apply([{ ...CPU, vendor: 'amd-snp' }])).toThrow(tcb)
  })
})

describe('a policy that a person wrote', () => {
  it.each<[string, object]>([
    ['measurements', { measurements: { version: 1, list: ['ab'] } }],
    ['platforms', { platforms: ['no hash'] }],
    ['vendors', { vendors: ['acme'] }],
    ['maxAgeS', { maxAgeS: LIMITS.evidenceLifeS + 1 }],
    ['maxAgeS', { maxAgeS: 0 }],
  ])('with wrong %s is refused by name', (setting, policy) => {
    const refused = () => settleHardware(policy)
    expect(refused).toThrow(
      expect.objectContaining({ code: 'bad-config', facts: expect.objectContaining({ setting }) }),
    )
  })
})
