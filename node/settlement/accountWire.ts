/**
 * Account messages between the wire and the payer and payee machines, and what is signed on an
 * account stream besides vouchers: its opening by the payer, its acknowledgements by the payee.
 *
 * Clauses: `contracts/wire/README.md`, `/chrysalis/account/1`.
 * @module
 */
import { type Bytes, concat } from '../../contracts/base/bytes.ts'
import { type SigningKey, taggedHash, verifySignature } from '../../contracts/base/signing.ts'
import { acknowledgementHash } from '../../contracts/money/acknowledgement.ts'
import type { OpenAccount } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { address } from '../../contracts/wire/submit.ts'
import type { ChannelConfig } from '../../contracts/wrappers/Channel.ts'
import { peerKeyOf } from '../net/peerId.ts'
import { channelAddress } from './channelKind.ts'

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
    ...(config.minter ? { minter: config.minter.toRawString() } : {}),
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
    ...(open.minter === '' ? {} : { minter: address(open.minter) }),
  }
  if (open.voucherKey.length !== 32 || open.nonce.length !== 16) return undefined
  const hash = openHash(config, peerKeyOf(payer), payee)
  return verifySignature(hash, open.signature, config.voucherKey) ? config : undefined
}

/** The signed bytes of an acknowledgement. */
export function ackHash(ack: AckStatement): Bytes {
  return acknowledgementHash(ack.config.network, channelAddress(ack.config), ack)
}

function openHash(config: ChannelConfig, payerKey: Bytes, payeeKey: Bytes): Bytes {
  const body = concat(channelAddress(config).hash, payerKey, payeeKey)
  return taggedHash('chrysalis/account', config.network, body)
}
