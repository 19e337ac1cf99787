/**
 * Which hardware is enough: vendors, measured software, security updates, machines. Data, no code.
 *
 * Applied to what the hardware proved wherever a verdict is above `open`, to CPU and GPU alike.
 * Nothing is accepted that is not listed: an empty list of measurements accepts no machine, which
 * is what a client has until its network, or its owner, names some.
 * @module
 */
import { fromHex, toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import { type HardwareVerdict, refused } from './hardware.ts'
import { checkLeastTcb, type SnpProduct, type SnpTcb } from './snp/tcb.ts'
import type { SnpVerdict } from './snp/verify.ts'

export type Vendor = HardwareVerdict['vendor']

export const VENDORS: readonly Vendor[] = ['intel-tdx', 'amd-snp', 'nvidia']

/** Accepted software, as one list with one number: whoever changes the list raises the number. */
export interface MeasurementList {
  readonly version: number
  /** Measurements in hex, 64 digits: of CPU images and of GPU firmware. */
  readonly list: readonly string[]
  /**
   * Least security versions of AMD's firmware, by product: AMD publishes numbers and no judgement,
   * so a product without an entry is refused.
   */
  readonly leastTcb?: Readonly<Partial<Record<SnpProduct, SnpTcb>>>
}

export interface HardwarePolicy {
  readonly vendors: readonly Vendor[]
  readonly measurements: MeasurementList
  /**
   * Whose list that is. The application's own is its owner's decision and stands against any
   * other, whatever its version; network.json's serves only where there is no registry.
   */
  readonly listedBy: 'application' | 'network' | 'nobody'
  /**
   * States of security updates that are good enough, in the words of the vendor who has words. Of
   * NVIDIA's firmware the measurement itself is listed; AMD's has numbers (`leastTcb`).
   */
  readonly tcb: Readonly<Record<'intel-tdx', readonly string[]>>
  /** Machines (`platformId` in hex) to use and no others; absent: any. */
  readonly platforms?: readonly string[]
  /** Longest time since the block that the evidence names, seconds. */
  readonly maxAgeS: number
}

/** Only machines without an open security update; software that somebody has to name. */
export const DEFAULT_HARDWARE: HardwarePolicy = Object.freeze({
  vendors: VENDORS,
  measurements: Object.freeze({ version: 0, list: Object.freeze([]) }),
  listedBy: 'nobody',
  tcb: Object.freeze({ 'intel-tdx': Object.freeze(['UpToDate']) }),
  maxAgeS: LIMITS.evidenceLifeS,
})

/**
 * Fills in the defaults of a policy that a person wrote. Throws `bad-config` naming the setting: a
 * measurement that is none, an unknown vendor, an age beyond `LIMITS.evidenceLifeS`.
 */
export function settleHardware(
  asked: Partial<Omit<HardwarePolicy, 'listedBy'>> = {},
  network: { readonly measurements?: MeasurementList } = {},
): HardwarePolicy {
  const vendors = asked.vendors ?? DEFAULT_HARDWARE.vendors
  const unknown = vendors.find((vendor) => !VENDORS.includes(vendor))
  if (unknown !== undefined) throw wrong('vendors', VENDORS.join(', '))
  const maxAgeS = asked.maxAgeS ?? DEFAULT_HARDWARE.maxAgeS
  if (!Number.isInteger(maxAgeS) || maxAgeS < 1 || maxAgeS > LIMITS.evidenceLifeS) {
    throw wrong('maxAgeS', `1 to ${LIMITS.evidenceLifeS}`)
  }
  const { version, list, leastTcb } =
    asked.measurements ?? network.measurements ?? DEFAULT_HARDWARE.measurements
  const platforms = asked.platforms && { platforms: asked.platforms.map(hashOf('platforms')) }
  return Object.freeze({
    vendors,
    measurements: Object.freeze({
      version,
      list: list.map(hashOf('measurements')),
      ...(leastTcb && { leastTcb }),
    }),
    listedBy: asked.measurements ? 'application' : network.measurements ? 'network' : 'nobody',
    tcb: { ...DEFAULT_HARDWARE.tcb, ...asked.tcb },
    ...platforms,
    maxAgeS,
  })
}

/**
 * Returns where every part of the hardware is enough. Throws `evidence-vendor`,
 * `evidence-measurement`, `evidence-tcb`, `evidence-platform` or `evidence-age`, each with the
 * value that the policy would have to name.
 */
export function applyHardwarePolicy(
  hardware: readonly HardwareVerdict[],
  policy: HardwarePolicy,
  times: { readonly atMs: number; readonly freshAtS: number },
): void {
  const ageS = Math.floor(times.atMs / 1_000) - times.freshAtS
  if (ageS > policy.maxAgeS) {
    throw refused('evidence-age', `it is ${ageS} s old`, { most: policy.maxAgeS })
  }
  for (const each of hardware) applyToOne(each, policy)
}

function applyToOne(verdict: HardwareVerdict, policy: HardwarePolicy): void {
  const { vendor, tcbStatus } = verdict
  if (!policy.vendors.includes(vendor)) {
    throw refused('evidence-vendor', 'no vendor of the policy', { vendor })
  }
  const measurement = toHex(verdict.measurement)
  const { list, version } = policy.measurements
  if (!list.includes(measurement)) {
    const because = `not on the list of accepted measurements, version ${version}`
    throw refused('evidence-measurement', because, { vendor, measurement })
  }
  if (vendor === 'amd-snp') checkAmdTcb(verdict, policy)
  if (vendor === 'intel-tdx' && !policy.tcb[vendor].includes(tcbStatus)) {
    throw refused('evidence-tcb', `its state is ${tcbStatus}`, { vendor, tcbStatus })
  }
  const platform = toHex(verdict.platformId)
  if (policy.platforms && !policy.platforms.includes(platform)) {
    throw refused('evidence-platform', 'no machine of the policy', { vendor, platform })
  }
}

function checkAmdTcb(verdict: HardwareVerdict, { measurements }: HardwarePolicy): void {
  const { product, tcb } = verdict as Partial<SnpVerdict>
  const least = product && measurements.leastTcb?.[product]
  if (!product || !tcb || !least) {
    const because = 'the policy names no least firmware versions of its product'
    throw refused('evidence-tcb', because, { product, tcbStatus: verdict.tcbStatus })
  }
  checkLeastTcb(tcb, least)
}

function hashOf(setting: string): (hex: string) => string {
  return (hex) => {
    try {
      return toHex(fromHex(hex.toLowerCase(), 32))
    } catch (cause) {
      throw new MarketError('bad-config', { setting, expected: '64 hex digits' }, { cause })
    }
  }
}

function wrong(setting: string, expected: string): MarketError {
  return new MarketError('bad-config', { setting, expected })
}
