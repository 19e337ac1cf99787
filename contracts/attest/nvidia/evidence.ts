/**
 * The evidence of all GPUs of a machine, as NVIDIA's tools write it: a JSON array, or the object of
 * `nvattest collect-evidence` around it.
 *
 * ```
 * [{"evidence": base64 of request and response, "certificate": base64 of the PEM chain,
 *   "nonce": hex, "arch"?: "HOPPER", "driver_version"?: "..", "vbios_version"?: ".."}, ..]
 * ```
 * What stands beside the signed bytes is nobody's word: it must agree with them, or is passed over.
 * @module
 */
import { type Bytes, equal, fromBase64, fromHex, toHex } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { type HardwareVerdict, refused } from '../hardware.ts'
import { isRecord, malformed } from './eatShape.ts'
import {
  type GpuEvidence,
  type GpuVerdict,
  type NvidiaContext,
  tagged,
  verifyGpu,
} from './verify.ts'

export interface NvidiaVerdict extends HardwareVerdict {
  readonly vendor: 'nvidia'
  /** One verdict a GPU, in the order of the evidence. */
  readonly gpus: readonly GpuVerdict[]
}

interface Entry extends GpuEvidence {
  readonly nonce: Bytes
  readonly stated: Readonly<Record<'driver_version' | 'vbios_version', string | undefined>>
}

/**
 * Verifies every GPU, and that they are different ones and answer one nonce.
 * Throws what `verifyGpu` throws, and `evidence-binding` where one GPU is shown twice.
 */
export function verifyNvidiaEvidence(text: string, context: NvidiaContext): NvidiaVerdict {
  const entries = parseNvidiaEvidence(text)
  const { nonce } = context.nonce ? { nonce: context.nonce } : entries[0]!
  const gpus = entries.map((entry) => verifyEntry(entry, { ...context, nonce }))
  const platforms = distinct(gpus.map((gpu) => gpu.platformId))
  if (platforms.length !== gpus.length) {
    throw refused('evidence-binding', 'it shows the same GPU twice')
  }
  return {
    vendor: 'nvidia',
    gpus,
    reportData: nonce,
    measurement: oneOf('measurements', distinct(gpus.map((gpu) => gpu.measurement))),
    platformId: oneOf('platforms', platforms),
    tcbStatus: [...new Set(gpus.map((gpu) => gpu.tcbStatus))].join(', '),
    proved: [
      `${gpus.length} different GPU${gpus.length > 1 ? 's' : ''} answered one nonce`,
      ...new Set(gpus.flatMap((gpu) => gpu.proved)),
    ],
    notProved: [...new Set(gpus.flatMap((gpu) => gpu.notProved))],
    validUntilS: Math.min(...gpus.map((gpu) => gpu.validUntilS)),
  }
}

/** Reads the JSON. Throws `evidence-malformed`. */
export function parseNvidiaEvidence(text: string): readonly Entry[] {
  if (text.length > LIMITS.gpuEvidenceBytes) throw malformed('it is too long')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw malformed('it is no JSON', cause)
  }
  const list: unknown = isRecord(value) ? value.evidences : value
  if (!Array.isArray(list) || list.length === 0) throw malformed('it names no GPU')
  if (list.length > LIMITS.gpusPerEvidence) throw malformed('it names too many GPUs')
  return list.map(entryOf)
}

function entryOf(value: unknown): Entry {
  if (!isRecord(value)) throw malformed('an entry is no object')
  const { evidence, certificate, nonce, driver_version, vbios_version } = value
  const texts = [evidence, certificate, nonce].every((each) => typeof each === 'string')
  const stated = {
    driver_version: optional(driver_version),
    vbios_version: optional(vbios_version),
  }
  if (!texts) throw malformed('an entry lacks evidence, certificate or nonce')
  try {
    return {
      report: fromBase64(evidence as string),
      chain: Buffer.from(fromBase64(certificate as string)).toString('latin1'),
      nonce: fromHex(nonce as string, 32),
      stated,
    }
  } catch (cause) {
    throw malformed('an entry is not in base64 and hex', cause)
  }
}

function optional(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw malformed('a version is no text')
}

function verifyEntry(entry: Entry, context: NvidiaContext): GpuVerdict {
  const verdict = verifyGpu(entry, context)
  if (!equal(entry.nonce, verdict.reportData)) {
    throw refused('evidence-binding', 'an entry states another nonce than the GPU signed')
  }
  const { driver_version: driver, vbios_version: vbios } = entry.stated
  if ((driver ?? verdict.driverVersion) !== verdict.driverVersion) {
    throw refused('evidence-binding', 'an entry states another driver than the GPU signed')
  }
  if ((vbios ?? verdict.vbiosVersion) !== verdict.vbiosVersion) {
    throw refused('evidence-binding', 'an entry states another VBIOS than the GPU signed')
  }
  return verdict
}

/** Different values, in the order of their bytes. */
function distinct(values: readonly Bytes[]): Bytes[] {
  return [...new Map(values.map((value) => [toHex(value), value])).entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => value)
}

/** The only value, or a digest of all: so 1 and 8 equal GPUs have one measurement. */
function oneOf(what: string, values: readonly Bytes[]): Bytes {
  return values.length === 1 ? values[0]! : tagged(what, ...values)
}
