/**
 * AMD's product lines and their security versions (TCB_VERSION, eight bytes in a report).
 *
 * A number for each part of the firmware, the order of the parts differing by line: Turin has one
 * part more. A versioned chip key (VCEK) exists for one such set, so an attacker who rolls firmware
 * back gets another key. AMD has no word for "up to date": the caller names the least it accepts.
 * @module
 */
import type { Bytes } from '../../base/bytes.ts'
import { refused } from '../hardware.ts'
import type { SnpReport } from './report.ts'

export type SnpProduct = 'Milan' | 'Genoa' | 'Turin'
export type SnpTcbPart = 'fmc' | 'bootloader' | 'tee' | 'snp' | 'microcode'
export type SnpTcb = Readonly<Partial<Record<SnpTcbPart, number>>>

/** Offset of each part in the eight bytes (56860, TCB_VERSION). The others are reserved. */
const LAYOUT: Readonly<Record<SnpProduct, Readonly<Partial<Record<SnpTcbPart, number>>>>> = {
  Milan: { bootloader: 0, tee: 1, snp: 6, microcode: 7 },
  Genoa: { bootloader: 0, tee: 1, snp: 6, microcode: 7 },
  Turin: { fmc: 0, bootloader: 1, tee: 2, snp: 3, microcode: 7 },
}

/** Where a VCEK has each part: below 1.3.6.1.4.1.3704.1.3 (57230, VCEK certificate). */
export const TCB_OID_SUFFIX: Readonly<Record<SnpTcbPart, number>> = {
  bootloader: 1,
  tee: 2,
  snp: 3,
  microcode: 8,
  fmc: 9,
}

/** The parts that a product has, in the order of its bytes. */
export function tcbParts(product: SnpProduct): readonly SnpTcbPart[] {
  return Object.keys(LAYOUT[product]) as SnpTcbPart[]
}

/** Reads the eight bytes. Throws `evidence-malformed` where a reserved one is not zero. */
export function parseTcb(product: SnpProduct, bytes: Bytes): SnpTcb {
  const layout = LAYOUT[product]
  const used = new Set<number>(Object.values(layout))
  if (bytes.some((byte, at) => byte !== 0 && !used.has(at))) {
    throw refused('evidence-malformed', `a security version of ${product} has reserved bytes set`)
  }
  return Object.fromEntries(tcbParts(product).map((part) => [part, bytes[layout[part]!]!]))
}

/** `bootloader 4, tee 0, snp 23, microcode 213`. */
export function showTcb(tcb: SnpTcb): string {
  return Object.entries(tcb)
    .map(([part, version]) => `${part} ${version}`)
    .join(', ')
}

/** Throws `evidence-tcb` where a part is below the least accepted; an absent part accepts any. */
export function checkLeastTcb(tcb: SnpTcb, least: SnpTcb | undefined): void {
  for (const [part, wanted] of Object.entries(least ?? {})) {
    const has = tcb[part as SnpTcbPart] ?? 0
    if (has < wanted) {
      throw refused('evidence-tcb', `its ${part} has security version ${has}, below ${wanted}`)
    }
  }
}

/** Product by the CPU's family and model (57230, table of products); none for other CPUs. */
export function productOfCpu(cpu: NonNullable<SnpReport['cpu']>): SnpProduct | undefined {
  const { family, model } = cpu
  if (family === 0x19 && model <= 0x0f) return 'Milan'
  if (family === 0x19 && ((model >= 0x10 && model <= 0x1f) || (model & 0xf0) === 0xa0)) {
    return 'Genoa'
  }
  return family === 0x1a && model <= 0x1f ? 'Turin' : undefined
}
