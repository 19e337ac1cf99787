/**
 * Account messages between the wire and the payer and payee machines, and what is signed on an
 * account stream besides vouchers: its opening by the payer, its acknowledgements by the payee.
 *
 * Clauses: `contracts/wire/README.md`, `/chrysalis/account/1`.
 * @module
 */
import { type Bytes, concat, fromBigInt, u64 } from '../../contracts/base/bytes.ts'
import { type SigningKey, taggedHash, verifySignature } from '../../contracts/base/signing.ts'
import type { OpenAccount } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { address } from '../../contracts/wire/submit.ts'
import { type ChannelConfig, channelAddress } from '../../contracts/wrappers/Channel.ts'
import { peerKeyOf } from '../net/peerId.ts'

/** What the payee signs: its account of a channel after a numbered message. */
export interface AckStatement {
  readonly config: ChannelConfig
  readonly sequence: number
  readonly cumulative: bigint
  readonly credit: bigint
}

/** The opening message of a channel, signed for this connection's two peers. */
export function openMessage(config: ChannelConfig, key: SigningKey, payer: Bytes, payee: string) {
  return {
    payer: config.payer.toRawString(),
    payee: config.payee.toRawString(),
    voucherKey: config.voucherKey,
    nonce: config.nonce,
    closeDelayS: config.closeDelayS,
    network: config.network,
    signature: key.sign(openHash(config, payer, peerKeyOf(payee))),
  }
}

/** The channel that an opening names; `undefined` where its signature is not the voucher key's. */
export function openedChannel(
  open: OpenAccount,
  payer: string,
  payee: Bytes,
): ChannelConfig | undefined {
  const config: ChannelConfig = {
    payer: address(open.payer),
    payee: address(open.payee),
    voucherKey: open.voucherKey,
    nonce: open.nonce,
    closeDelayS: open.closeDelayS,
    network: open.network,
  }
  if (open.voucherKey.length !== 32 || open.nonce.length !== 16) return undefined
  const hash = openHash(config, peerKeyOf(payer), payee)
  return verifySignature(hash, open.signature, config.voucherKey) ? config : undefined
}

/** The signed bytes of an acknowledgement. */
export function ackHash(ack: AckStatement): Bytes {
  const body = concat(
    channelAddress(ack.config).hash,
    u64(ack.sequence),
    fromBigInt(ack.cumulative, 16),
    fromBigInt(ack.credit, 16),
  )
  return taggedHash('chrysalis/ack', ack.config.network, body)
}

function openHash(config: ChannelConfig, payerKey: Bytes, payeeKey: Bytes): Bytes {
  const body = concat(channelAddress(config).hash, payerKey, payeeKey)
  return taggedHash('chrysalis/account', config.network, body)
}
