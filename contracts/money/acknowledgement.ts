/**
 * The acknowledgement: what a payee signs about a channel's books after a numbered message.
 *
 * `SHA-256("chrysalis/ack" || 0 || network || channel hash || sequence u64 || cumulative 16 bytes
 * || credit 16 bytes)`, signed by the payee's identity (contracts/wire/README.md).
 * @module
 */
import type { Address } from '@ton/core'
import { type Bytes, concat, fromBigInt, u64 } from '../base/bytes.ts'
import { taggedHash } from '../base/signing.ts'
import type { Statement } from './account.ts'

/** The signed bytes of an acknowledgement. Throws `bad-input` where an amount is out of range. */
export function acknowledgementHash(
  network: number,
  channel: Address,
  { sequence, cumulative, credit }: Statement,
): Bytes {
  const amounts = [fromBigInt(cumulative, 16), fromBigInt(credit, 16)]
  return taggedHash('chrysalis/ack', network, concat(channel.hash, u64(sequence), ...amounts))
}
