/**
 * An Intel TDX quote as bytes (Intel TDX DCAP Quoting Library API, appendix 3): versions 4 and 5,
 * bodies of TDX 1.0 and 1.5, signed with ECDSA P-256 by a quoting enclave whose key a PCK
 * certificate vouches for.
 *
 * Every length is exact. After the quote only zero bytes may follow: drivers hand it out in a
 * buffer of fixed size, and whoever fills that with anything else is refused. Reading proves
 * nothing: that is `verify.ts`.
 * @module
 */
import type { Bytes } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'

/** What the TDX module reports of a protected machine. */
export interface TdReport {
  readonly teeTcbSvn: Bytes
  readonly mrSeam: Bytes
  readonly mrSignerSeam: Bytes
  readonly seamAttributes: Bytes
  readonly tdAttributes: Bytes
  readonly xfam: Bytes
  readonly mrTd: Bytes
  readonly mrConfigId: Bytes
  readonly mrOwner: Bytes
  readonly mrOwnerConfig: Bytes
  readonly rtmrs: readonly Bytes[]
  readonly reportData: Bytes
  /** Zeros in a body of TDX 1.0, which has none. */
  readonly mrServiceTd: Bytes
}

export interface TdxQuote {
  readonly version: 4 | 5
  /** Header and body: what the attestation key signs. */
  readonly signed: Bytes
  readonly report: TdReport
  /** r and s. */
  readonly signature: Bytes
  /** x and y. */
  readonly attestationKey: Bytes
  readonly qeReport: Bytes
  readonly qeReportSignature: Bytes
  readonly qeAuthData: Bytes
  /** PEM, leaf first. */
  readonly pckChain: string
}

const HEADER_BYTES = 48
const TDX = 0x81
const ECDSA_P256 = 2
const INTEL_QE = Buffer.from('939a7233f79c4ca9940a0db3957f0607', 'hex')
/** Types of bodies in version 5, and their sizes. */
const BODY_BYTES: Readonly<Record<number, number>> = { 2: 584, 3: 648 }
const QE_REPORT_CERTIFICATION = 6
const PCK_CHAIN_CERTIFICATION = 5

/** A quote from bytes. Throws `evidence-malformed`; for other kinds of quotes `evidence-kind`. */
export function parseTdxQuote(bytes: Bytes): TdxQuote {
  if (bytes.length > LIMITS.quoteBytes) throw malformed('it is too long')
  const reader = new Reader(bytes)
  const version = header(reader)
  const body = reader.take(version === 4 ? BODY_BYTES[2]! : bodySize(reader))
  const signed = bytes.subarray(0, reader.at)
  const auth = new Reader(reader.take(reader.u32()))
  if (!reader.rest().every((byte) => byte === 0)) throw malformed('bytes are left over')
  const signature = auth.take(64)
  const attestationKey = auth.take(64)
  const certification = certificationOf(auth, QE_REPORT_CERTIFICATION)
  auth.end()
  const qeReport = certification.take(384)
  const qeReportSignature = certification.take(64)
  const qeAuthData = certification.take(certification.u16())
  const chain = certificationOf(certification, PCK_CHAIN_CERTIFICATION)
  certification.end()
  return {
    version,
    signed,
    report: reportOf(body),
    signature,
    attestationKey,
    qeReport,
    qeReportSignature,
    qeAuthData,
    pckChain: pemOf(chain.rest()),
  }
}

function header(reader: Reader): 4 | 5 {
  const version = reader.u16()
  const keyType = reader.u16()
  const tee = reader.u32()
  const facts = { version, tee, keyType }
  if ((version !== 4 && version !== 5) || tee !== TDX) {
    throw refused('evidence-kind', 'it is no TDX quote of version 4 or 5', facts)
  }
  if (keyType !== ECDSA_P256) {
    throw refused('evidence-kind', 'the quote is signed in a way that is not known', facts)
  }
  reader.take(4)
  if (!INTEL_QE.equals(reader.take(16))) {
    throw refused('evidence-kind', 'the quote was made by a quoting enclave of another vendor')
  }
  reader.take(HEADER_BYTES - reader.at)
  return version
}

function bodySize(reader: Reader): number {
  const type = reader.u16()
  const size = reader.u32()
  const expected = BODY_BYTES[type]
  if (expected === undefined) {
    throw refused('evidence-kind', 'the quote has a body of an unknown type', { type })
  }
  if (size !== expected) throw malformed('its body has another size than its type')
  return size
}

/** What stands behind a type and a length. */
function certificationOf(reader: Reader, expected: number): Reader {
  const type = reader.u16()
  const body = reader.take(reader.u32())
  if (type === expected) return new Reader(body)
  throw refused('evidence-kind', 'the quote is certified in a way that is not known', { type })
}

function reportOf(body: Bytes): TdReport {
  const reader = new Reader(body)
  const report = {
    teeTcbSvn: reader.take(16),
    mrSeam: reader.take(48),
    mrSignerSeam: reader.take(48),
    seamAttributes: reader.take(8),
    tdAttributes: reader.take(8),
    xfam: reader.take(8),
    mrTd: reader.take(48),
    mrConfigId: reader.take(48),
    mrOwner: reader.take(48),
    mrOwnerConfig: reader.take(48),
    rtmrs: [reader.take(48), reader.take(48), reader.take(48), reader.take(48)],
    reportData: reader.take(64),
  }
  const more = reader.rest()
  // TDX 1.5 adds the module's version of today (16 bytes; the one at launch counts) and this.
  return { ...report, mrServiceTd: more.length > 0 ? more.subarray(16) : new Uint8Array(48) }
}

/** PEM out of the quote: some platforms end it with a zero byte, as C does. */
function pemOf(bytes: Bytes): string {
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('latin1')
}

/** Little-endian, each step within bounds. */
class Reader {
  readonly #bytes: Bytes
  at = 0

  constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  take(length: number): Bytes {
    if (length > this.#bytes.length - this.at) throw malformed('it is cut')
    this.at += length
    return this.#bytes.subarray(this.at - length, this.at)
  }

  rest(): Bytes {
    return this.take(this.#bytes.length - this.at)
  }

  u16(): number {
    const [low, high] = this.take(2)
    return low! | (high! << 8)
  }

  u32(): number {
    return this.u16() + this.u16() * 0x1_0000
  }

  end(): void {
    if (this.at !== this.#bytes.length) throw malformed('bytes are left over')
  }
}

function malformed(because: string) {
  return refused('evidence-malformed', `bad quote: ${because}`)
}
