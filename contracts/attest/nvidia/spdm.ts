/**
 * What an NVIDIA GPU (Hopper and later) signs: an SPDM GET_MEASUREMENTS request followed by its
 * MEASUREMENTS response (DMTF DSP0274, version 1.1, sections on these two messages).
 *
 * ```
 * request   11 e0 01 ff | nonce 32 | slot 1
 * response  11 60 p1 p2 | blocks 1 | record length 3 | record | nonce 32 | opaque length 2 | opaque
 *           | signature 96: r || s, big-endian, P-384 over SHA-384 of all that stands before it
 * block     index 1 | 01 | size 2 | value type 1 | value size 2 | value
 * opaque    (type 2 | size 2 | value)*, NVIDIA's own
 * ```
 * Numbers are little-endian. Strict: lengths fit exactly, blocks ascend, an opaque type appears
 * once. The signature is not checked here; `verify.ts` does that.
 * @module
 */
import type { Bytes } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'

const VERSION = 0x11
const GET_MEASUREMENTS = 0xe0
const MEASUREMENTS = 0x60
/** Request: signature wanted (param 1), all blocks (param 2). */
const SIGNED = 1
const ALL = 0xff
const REQUEST_BYTES = 37
const NONCE_BYTES = 32
const SIGNATURE_BYTES = 96
const DMTF = 1
const DIGEST_BYTES = 48

/** Opaque types that are read; others are signed and passed over. */
const OPAQUE = { driver: 3, vbios: 6, fwid: 20, protectedPcie: 21 } as const

/** One measured thing: its index in NVIDIA's reference manifests, the DMTF type, the digest. */
export interface Measurement {
  readonly index: number
  readonly type: number
  readonly value: Bytes
}

export interface SpdmReport {
  /** The nonce of the request: what the caller put in. */
  readonly nonce: Bytes
  readonly slot: number
  readonly measurements: readonly Measurement[]
  /** The measurement record as it stands: what a digest for allow-lists is made of. */
  readonly record: Bytes
  readonly driverVersion: string
  readonly vbiosVersion: string
  /** Digest of the firmware that the leaf certificate was made for, where the report has it. */
  readonly firmwareId: Bytes | undefined
  /** GPU and switches of one machine are tied together (several GPUs, one guest). */
  readonly protectedPcie: boolean | undefined
  readonly signed: Bytes
  readonly signature: Bytes
}

/** Reads request and response. Throws `evidence-malformed`. */
export function parseSpdmReport(bytes: Bytes): SpdmReport {
  if (bytes.length > LIMITS.spdmReportBytes) throw malformed('it is too long')
  const read = reader(bytes)
  const { nonce, slot } = request(read)
  const { blocks, record } = responseHead(read, slot)
  const measurements = parseRecord(record, blocks)
  read.take(NONCE_BYTES) // the responder's own
  const opaque = parseOpaque(read.take(read.number(2)))
  const signed = bytes.slice(0, read.at())
  const signature = read.take(SIGNATURE_BYTES)
  read.end('its signature')
  return {
    nonce,
    slot,
    measurements,
    record,
    driverVersion: asciiOf(opaque.get(OPAQUE.driver), 'driver version'),
    vbiosVersion: vbiosOf(opaque.get(OPAQUE.vbios)),
    firmwareId: firmwareOf(opaque.get(OPAQUE.fwid)),
    protectedPcie: flagOf(opaque.get(OPAQUE.protectedPcie)),
    signed,
    signature,
  }
}

function request(read: Reader): { nonce: Bytes; slot: number } {
  expectByte(read, VERSION, 'SPDM version of the request')
  expectByte(read, GET_MEASUREMENTS, 'code of the request')
  expectByte(read, SIGNED, 'request for a signature')
  expectByte(read, ALL, 'request for all measurements')
  const nonce = read.take(NONCE_BYTES)
  const slot = read.number(1)
  if (slot > 7 || read.at() !== REQUEST_BYTES) throw malformed(`there is no key slot ${slot}`)
  return { nonce, slot }
}

function responseHead(read: Reader, slot: number): { blocks: number; record: Bytes } {
  expectByte(read, VERSION, 'SPDM version of the response')
  expectByte(read, MEASUREMENTS, 'code of the response')
  read.take(1) // param 1: number of blocks where only that was asked for
  if ((read.number(1) & 0x0f) !== slot) throw malformed('it answers for another key slot')
  const blocks = read.number(1)
  if (blocks === 0) throw malformed('it has no measurements')
  return { blocks, record: read.take(read.number(3)) }
}

function parseRecord(record: Bytes, blocks: number): Measurement[] {
  const read = reader(record)
  const found: Measurement[] = []
  for (let i = 0; i < blocks; i++) {
    const index = read.number(1)
    if (index <= (found.at(-1)?.index ?? 0)) throw malformed('its measurements are out of order')
    expectByte(read, DMTF, 'specification of a measurement')
    const size = read.number(2)
    const type = read.number(1)
    const value = read.take(read.number(2))
    if (size !== value.length + 3) throw malformed(`the lengths of measurement ${index} differ`)
    found.push({ index, type, value })
  }
  read.end('its measurements')
  return found
}

function parseOpaque(bytes: Bytes): Map<number, Bytes> {
  const read = reader(bytes)
  const found = new Map<number, Bytes>()
  while (read.at() < bytes.length) {
    const type = read.number(2)
    if (found.has(type)) throw malformed(`opaque field ${type} appears twice`)
    found.set(type, read.take(read.number(2)))
  }
  return found
}

/** Text of printable ASCII, ended by zeros. */
function asciiOf(bytes: Bytes | undefined, what: string): string {
  const text = Buffer.from(bytes ?? [])
    .toString('latin1')
    .replace(/\0+$/, '')
  if (!/^[\x20-\x7e]{1,64}$/.test(text)) throw malformed(`it has no readable ${what}`)
  return text
}

/** NVIDIA's way to write it: bytes 3, 2, 1, 0, then 4 (`96.00.A5.00.01`). */
function vbiosOf(bytes: Bytes | undefined): string {
  if (bytes?.length !== 8) throw malformed('it has no readable VBIOS version')
  const order = [3, 2, 1, 0, 4]
  return order.map((i) => bytes[i]!.toString(16).padStart(2, '0').toUpperCase()).join('.')
}

function firmwareOf(bytes: Bytes | undefined): Bytes | undefined {
  if (bytes !== undefined && bytes.length !== DIGEST_BYTES) {
    throw malformed('its firmware id has not the length of a SHA-384 digest')
  }
  return bytes
}

/** NVIDIA writes yes as aa and no as 55. */
function flagOf(bytes: Bytes | undefined): boolean | undefined {
  if (bytes === undefined) return undefined
  const value = bytes.length === 1 ? bytes[0] : undefined
  if (value !== 0xaa && value !== 0x55) throw malformed('one of its flags is neither yes nor no')
  return value === 0xaa
}

type Reader = ReturnType<typeof reader>

/** Walks over bytes; nothing beyond the end is ever read. */
function reader(bytes: Bytes) {
  let at = 0
  const take = (length: number): Bytes => {
    if (at + length > bytes.length) throw malformed('it ends too early')
    at += length
    return bytes.slice(at - length, at)
  }
  return {
    take,
    at: () => at,
    number: (length: number): number =>
      take(length).reduceRight((value, byte) => value * 256 + byte, 0),
    end: (what: string): void => {
      if (at !== bytes.length) throw malformed(`there are ${bytes.length - at} bytes after ${what}`)
    },
  }
}

function expectByte(read: Reader, wanted: number, what: string): void {
  const value = read.number(1)
  if (value !== wanted) throw malformed(`the ${what} is ${value}, not ${wanted}`)
}

const malformed = (because: string) => refused('evidence-malformed', because)
