/**
 * A channel's configuration on disk: JSON, addresses raw, bytes in hex. Without it a deposit cannot
 * be found again, so it is written before any money moves.
 * @module
 */
import { Address } from '@ton/core'
import { fromHex, toHex, utf8 } from '../../contracts/base/bytes.ts'
import type { ChannelConfig } from '../../contracts/wrappers/Channel.ts'

/** A configuration as bytes of the store. */
export function encodeConfig(config: ChannelConfig): Uint8Array {
  const { payer, payee, voucherKey, nonce, closeDelayS, network, minter } = config
  return utf8(
    JSON.stringify({
      payer: payer.toRawString(),
      payee: payee.toRawString(),
      voucherKey: toHex(voucherKey),
      nonce: toHex(nonce),
      closeDelayS,
      network,
      minter: minter?.toRawString(),
    }),
  )
}

/** The configuration that `encodeConfig` wrote. */
export function decodeConfig(bytes: Uint8Array): ChannelConfig {
  const saved = JSON.parse(new TextDecoder().decode(bytes))
  return {
    payer: Address.parseRaw(saved.payer),
    payee: Address.parseRaw(saved.payee),
    voucherKey: fromHex(saved.voucherKey, 32),
    nonce: fromHex(saved.nonce, 16),
    closeDelayS: Number(saved.closeDelayS),
    network: Number(saved.network),
    ...(saved.minter === undefined ? {} : { minter: Address.parseRaw(saved.minter) }),
  }
}
