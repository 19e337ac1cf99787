/**
 * PEM (RFC 7468) in the one strict form that hardware vendors write: labelled blocks one after the
 * other, base64 in lines of 64, nothing between, before or after.
 * @module
 */
import { type Bytes, fromBase64 } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'

export type PemLabel = 'CERTIFICATE' | 'X509 CRL'

/** True where bytes begin like PEM; DER cannot. */
export function looksLikePem(bytes: Bytes): boolean {
  return bytes[0] === 0x2d
}

/**
 * The blocks of a PEM text, at most `most`, all with this label. Lines end in LF or all in CR LF;
 * the last one may lack its end. Throws `evidence-malformed`.
 */
export function pemBlocks(text: string, label: PemLabel, most: number): Bytes[] {
  if (text.length > LIMITS.pemBytes) throw malformed('it is too long')
  const lines = text.split(text.includes('\r\n') ? '\r\n' : '\n')
  if (lines.at(-1) === '') lines.pop()
  const blocks: Bytes[] = []
  for (let at = 0; at < lines.length; ) {
    if (blocks.length === most) throw malformed('it has more blocks than expected')
    if (lines[at] !== `-----BEGIN ${label}-----`) throw malformed('it does not begin as expected')
    const end = lines.indexOf(`-----END ${label}-----`, at)
    if (end < 0) throw malformed('it does not end')
    blocks.push(blockOf(lines.slice(at + 1, end)))
    at = end + 1
  }
  if (blocks.length === 0) throw malformed('it is empty')
  return blocks
}

function blockOf(lines: readonly string[]): Bytes {
  const full = lines.slice(0, -1).every((line) => line.length === 64)
  const last = lines.at(-1)?.length ?? 0
  if (!full || last < 1 || last > 64) throw malformed('its lines are not of 64 characters')
  try {
    return fromBase64(lines.join(''))
  } catch (cause) {
    throw refused('evidence-malformed', 'bad PEM: it is not base64', {}, cause)
  }
}

function malformed(because: string) {
  return refused('evidence-malformed', `bad PEM: ${because}`)
}
