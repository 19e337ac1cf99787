/**
 * The voucher: a signed cumulative promise on a channel, and the only thing that moves a payer's
 * money.
 *
 * A voucher is a TON cell signed by representation hash with the payer's voucher key. The channel
 * contract (`contracts/tolk/channel`) rebuilds the same cell from its own network and address, so a
 * voucher of another network, channel or kind of message has another hash. A jetton-channel's has
 * a tag of its own. TL-B:
 *
 * ```
 * voucher#ca9629ca network:int32 channel:MsgAddressInt cumulative:Coins receiptsHash:bits256
 *   = Voucher;
 * jetton_voucher#ac5b5bb9 network:int32 channel:MsgAddressInt cumulative:Coins
 *   receiptsHash:bits256 = Voucher;
 * ```
 * @module
 */
import { type Address, beginCell, type Cell } from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { type SigningKey, verifySignature } from '../base/signing.ts'
import type { PriceAsset } from '../base/terms.ts'
import { MAX_COINS } from '../base/units.ts'

/** What a payer promises: `cumulative` base units in all, over the life of the channel. */
export interface Voucher {
  /** Which kind of channel it is for; a TON channel where it does not say. */
  readonly asset?: PriceAsset
  /** Global id of the chain, signed 32 bits. */
  readonly network: number
  readonly channel: Address
  readonly cumulative: bigint
  /** The payer's running hash over the receipts it has countersigned, 32 bytes. */
  readonly receiptsHash: Bytes
}

/** First 32 bits of SHA-256("chrysalis voucher 1"). */
export const VOUCHER_TAG = 0xca9629ca
/** First 32 bits of SHA-256("chrysalis jetton voucher 1"). */
export const JETTON_VOUCHER_TAG = 0xac5b5bb9

const HASH_BYTES = 32

/**
 * A voucher as its cell. Throws `bad-input` where a field is out of range.
 *
 * @example
 * const receiptsHash = new Uint8Array(32)
 * const cell = encodeVoucher({ network: -3, channel, cumulative: 5n, receiptsHash })
 */
export function encodeVoucher(voucher: Voucher): Cell {
  const { network, channel, cumulative, receiptsHash } = voucher
  if (!Number.isInteger(network) || network !== (network | 0)) throw outOfRange('network')
  if (cumulative < 0n || cumulative > MAX_COINS) throw outOfRange('cumulative')
  if (receiptsHash.length !== HASH_BYTES) throw outOfRange('receiptsHash')
  return beginCell()
    .storeUint(voucher.asset === 'jetton' ? JETTON_VOUCHER_TAG : VOUCHER_TAG, 32)
    .storeInt(network, 32)
    .storeAddress(channel)
    .storeCoins(cumulative)
    .storeBuffer(Buffer.from(receiptsHash), HASH_BYTES)
    .endCell()
}

/**
 * The voucher in a cell. Strict: tag, lengths, the one shortest form of every field, nothing left
 * over. Throws `bad-frame`.
 */
export function decodeVoucher(cell: Cell): Voucher {
  const voucher = parse(cell)
  // What encodes to another cell was not in its one form (a padded amount, an anycast address).
  if (!encodeVoucher(voucher).equals(cell)) throw malformed()
  return voucher
}

/** Representation hash of a voucher's cell, 32 bytes: what is signed. Throws `bad-input`. */
export function voucherHash(voucher: Voucher): Bytes {
  return new Uint8Array(encodeVoucher(voucher).hash())
}

/** Signs a voucher with the payer's voucher key; 64 bytes. Throws `bad-input`. */
export function signVoucher(voucher: Voucher, key: SigningKey): Bytes {
  return key.sign(voucherHash(voucher))
}

/** True where `signature` is that of `publicKey` over the voucher. Throws `bad-input`. */
export function verifyVoucher(voucher: Voucher, signature: Bytes, publicKey: Bytes): boolean {
  return verifySignature(voucherHash(voucher), signature, publicKey)
}

function parse(cell: Cell): Voucher {
  try {
    const slice = cell.beginParse()
    const tag = slice.loadUint(32)
    if (tag !== VOUCHER_TAG && tag !== JETTON_VOUCHER_TAG) throw malformed()
    const voucher: Voucher = {
      ...(tag === JETTON_VOUCHER_TAG ? { asset: 'jetton' } : {}),
      network: slice.loadInt(32),
      channel: slice.loadAddress(),
      cumulative: slice.loadCoins(),
      receiptsHash: new Uint8Array(slice.loadBuffer(HASH_BYTES)),
    }
    slice.endParse()
    return voucher
  } catch (cause) {
    throw cause instanceof MarketError ? cause : malformed(cause)
  }
}

function malformed(cause?: unknown): MarketError {
  return new MarketError('bad-frame', { record: 'voucher' }, { cause })
}

function outOfRange(field: string): MarketError {
  return new MarketError('bad-input', { record: 'voucher', field })
}
