/**
 * Peer ids of Ed25519 keys, without loading libp2p: the base58 text of an identity multihash over
 * the protobuf-wrapped public key (libp2p specification, "Peer Ids").
 * @module
 */
import { base58btc } from 'multiformats/bases/base58'
import { type Bytes, concat, equal } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'

/** Identity multihash of 36 bytes: key type Ed25519, data of 32 bytes. */
const PREFIX = new Uint8Array([0x00, 0x24, 0x08, 0x01, 0x12, 0x20])

/** The peer id of a 32-byte Ed25519 public key. */
export function peerIdOf(publicKey: Bytes): string {
  return base58btc.baseEncode(concat(PREFIX, publicKey))
}

/** The public key inside a peer id. Throws `bad-input` for another kind of peer id. */
export function peerKeyOf(peerId: string): Bytes {
  const bytes = decode(peerId)
  if (bytes.length !== 38 || !equal(bytes.subarray(0, 6), PREFIX)) {
    throw new MarketError('bad-input', { field: 'peerId', expected: 'an Ed25519 peer id' })
  }
  return bytes.slice(6)
}

function decode(peerId: string): Bytes {
  try {
    return base58btc.baseDecode(peerId)
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'peerId' }, { cause })
  }
}
