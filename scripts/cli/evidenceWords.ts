/**
 * Verified evidence in words that a stranger understands, and the same as JSON.
 * @module
 */
import type { HardwareVerdict } from '../../contracts/attest/hardware.ts'
import type { Inspection } from '../../contracts/attest/inspect.ts'
import { toHex } from '../../contracts/base/bytes.ts'

const VENDORS: Readonly<Record<HardwareVerdict['vendor'], string>> = {
  'intel-tdx': 'Intel TDX',
  'amd-snp': 'AMD SEV-SNP',
  nvidia: 'NVIDIA',
}

export function describeInspection(inspection: Inspection, atMs: number): string[] {
  const { name, document, hardware, proved, notProved, validUntilS } = inspection
  return [
    `verified: ${name}`,
    ...(document
      ? [
          `  tier         ${document.tier}: ${document.tierMeaning}`,
          `  provider     ${document.identity}`,
          `  model        ${document.modelHash}`,
          `  computes on  ${document.compute}`,
        ]
      : []),
    ...hardware.flatMap(describeHardware),
    `  judged at    ${iso(atMs / 1_000)}`,
    `  holds until  ${iso(validUntilS)}`,
    'proved:',
    ...proved.map((line) => `  ${line}`),
    'NOT proved:',
    ...notProved.map((line) => `  ${line}`),
  ]
}

export function inspectionJson(inspection: Inspection, atMs: number): object {
  const { form, document, hardware, proved, notProved, validUntilS } = inspection
  return {
    verified: true,
    form,
    ...(document && { document }),
    hardware: hardware.map((each) => ({
      vendor: each.vendor,
      reportData: toHex(each.reportData),
      measurement: toHex(each.measurement),
      platform: toHex(each.platformId),
      tcbStatus: each.tcbStatus,
      validUntilS: each.validUntilS,
    })),
    proved,
    notProved,
    at: iso(atMs / 1_000),
    validUntil: iso(validUntilS),
  }
}

function describeHardware(verdict: HardwareVerdict): string[] {
  return [
    `  hardware     ${VENDORS[verdict.vendor]}`,
    `  answers      ${toHex(verdict.reportData)}`,
    `  measurement  ${toHex(verdict.measurement)}`,
    `  machine      ${toHex(verdict.platformId)}`,
    `  updates      ${verdict.tcbStatus}`,
  ]
}

function iso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString()
}
