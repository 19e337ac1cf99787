/**
 * Channels by asset: each kind has its own address, vouchers and messages, and a payee takes only
 * assets that it lists.
 * @module
 */
import { Address } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { signingKey } from '../../../contracts/base/signing.ts'
import { startPayee } from '../../../contracts/money/payee.ts'
import { AccountMessageSchema } from '../../../contracts/wire/generated/chrysalis_pb.ts'
import {
  type ChannelConfig,
  type ChannelView,
  channelAddress as tonAddress,
} from '../../../contracts/wrappers/Channel.ts'
import { jettonChannelAddress } from '../../../contracts/wrappers/JettonChannel.ts'
import { peerIdOf } from '../../../node/net/peerId.ts'
import { openedChannel, openMessage } from '../../../node/settlement/accountWire.ts'
import { decodeConfig, encodeConfig } from '../../../node/settlement/channelCodec.ts'
import {
  assetOfChannel,
  channelAddress,
  checkChannelOf,
  isVoucherOf,
  kindOf,
  voucherOf,
} from '../../../node/settlement/channelKind.ts'
import { watchRule } from '../../../node/settlement/watch.ts'

const key = signingKey(new Uint8Array(32).fill(3))
const minter = new Address(0, Buffer.alloc(32, 7))
const ofTon: ChannelConfig = {
  payer: new Address(0, Buffer.alloc(32, 1)),
  payee: new Address(0, Buffer.alloc(32, 2)),
  voucherKey: key.publicKey,
  nonce: new Uint8Array(16).fill(5),
  closeDelayS: 86_400,
  network: -777,
}
const ofJetton = { ...ofTon, minter }
const promise = { cumulative: 5n, receiptsHash: new Uint8Array(32) }

describe('the kind of a channel', () => {
  it('is told by its configuration alone', () => {
    expect(channelAddress(ofTon).equals(tonAddress(ofTon))).toBe(true)
    expect(channelAddress(ofJetton).equals(jettonChannelAddress(ofJetton))).toBe(true)
    expect(assetOfChannel(ofTon)).toBe('ton')
    expect(assetOfChannel(ofJetton)).toBe(minter)
    // A jetton's configuration never passes for one of TON.
    expect(() => tonAddress(ofJetton)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })

  it('survives the disk and the wire', () => {
    const peers = [signingKey(new Uint8Array(32).fill(8)), signingKey(new Uint8Array(32).fill(9))]
    const [payer, payee] = peers.map(({ publicKey }) => publicKey)
    for (const config of [ofTon, ofJetton]) {
      const saved = decodeConfig(encodeConfig(config))
      expect(channelAddress(saved).equals(channelAddress(config))).toBe(true)
      const sent = openMessage(config, key, payer!, peerIdOf(payee!))
      const open = { minter: '', ...sent, $typeName: 'chrysalis.v1.OpenAccount' as const }
      const received = openedChannel(open, peerIdOf(payer!), payee!)
      expect(channelAddress(received!).equals(channelAddress(config))).toBe(true)
      // The signature covers the asset: another minter is another channel.
      const lie = { ...open, minter: new Address(0, Buffer.alloc(32, 9)).toRawString() }
      expect(openedChannel(lie, peerIdOf(payer!), payee!)).toBeUndefined()
    }
    expect(AccountMessageSchema.typeName).toBe('chrysalis.v1.AccountMessage')
  })
})

describe('a voucher', () => {
  it('is of one channel of one kind', () => {
    expect(isVoucherOf(ofTon, voucherOf(ofTon, promise))).toBe(true)
    expect(isVoucherOf(ofJetton, voucherOf(ofJetton, promise))).toBe(true)
    expect(isVoucherOf(ofTon, voucherOf(ofJetton, promise))).toBe(false)
    expect(isVoucherOf(ofJetton, voucherOf(ofTon, promise))).toBe(false)
    const relabelled = { ...voucherOf(ofJetton, promise), asset: 'ton' as const }
    expect(isVoucherOf(ofJetton, relabelled)).toBe(false)
    expect(isVoucherOf(ofTon, { ...voucherOf(ofTon, promise), network: -3 })).toBe(false)
  })
})

describe('a payee', () => {
  const expected = { payee: ofTon.payee, network: -777, minCloseDelayS: 86_400 }

  it('takes the assets that it lists', () => {
    const assets = ['ton' as const, minter]
    for (const config of [ofTon, ofJetton]) {
      const address = checkChannelOf(config, { ...expected, assets })
      expect(address.equals(channelAddress(config))).toBe(true)
    }
  })

  it('refuses a minter that it does not list, and TON where it sells for jettons alone', () => {
    const refusal = expect.objectContaining({ code: 'bad-asset' })
    expect(() => checkChannelOf(ofJetton, { ...expected, assets: ['ton'] })).toThrow(refusal)
    const fake = { ...ofJetton, minter: new Address(0, Buffer.alloc(32, 9)) }
    expect(() => checkChannelOf(fake, { ...expected, assets: ['ton', minter] })).toThrow(refusal)
    expect(() => checkChannelOf(ofTon, { ...expected, assets: [minter] })).toThrow(refusal)
  })

  it('refuses what it would refuse of any channel', () => {
    for (const change of [{ network: -3 }, { closeDelayS: 60 }, { payee: ofTon.payer }]) {
      const check = () =>
        checkChannelOf({ ...ofJetton, ...change }, { ...expected, assets: [minter] })
      expect(check).toThrow(expect.objectContaining({ code: 'bad-channel' }))
    }
  })
})

describe('claiming a jetton', () => {
  const view = (change: Partial<ChannelView> = {}): ChannelView => ({
    ...{ status: 'open', deposited: 2_000_000n, claimed: 0n, bounced: false },
    ...{ receiptsHash: new Uint8Array(32), config: ofJetton },
    ...change,
  })
  const books = (cumulative: bigint) => ({
    ...startPayee({ network: -777, channel: '0:00', deposit: 2_000_000n }),
    cumulative,
  })
  const rule = (of: ChannelView, cumulative: bigint) =>
    watchRule(of, books(cumulative), { config: ofJetton })

  it('waits for a dollar while the channel is open, and for a cent when it closes', () => {
    expect(rule(view(), 999_999n)).toBe('nothing')
    expect(rule(view(), 1_000_000n)).toBe('claim')
    expect(rule(view({ status: 'closing' }), 10_001n)).toBe('claim')
    expect(rule(view({ status: 'closing' }), 10_000n)).toBe('refresh')
  })

  it('goes through the payee’s wallet, never from outside', () => {
    const kind = kindOf(ofJetton)
    expect(kind.worthExternal(view(), 2_000_000n)).toBe(false)
    const voucher = voucherOf(ofJetton, promise)
    const message = kind.claim({ voucher, signature: new Uint8Array(64) })
    expect(message.to.equals(channelAddress(ofJetton))).toBe(true)
    expect(message.value).toBe(140_000_000n)
  })
})
