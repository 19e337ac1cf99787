/**
 * The wrapper of the channel: its address, its messages and what they need, and parsing.
 * @module
 */
import { Address, beginCell, TupleReader } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  type ChannelConfig,
  channelAddress,
  channelStateInit,
  parseChannelData,
  parseChannelView,
} from '../../../contracts/wrappers/Channel.ts'
import {
  CHANNEL_VALUE,
  claimBody,
  topUpBody,
  topUpValue,
} from '../../../contracts/wrappers/channelMessages.ts'

const config: ChannelConfig = {
  payer: Address.parseRaw(`0:${'01'.repeat(32)}`),
  payee: Address.parseRaw(`0:${'02'.repeat(32)}`),
  voucherKey: signingKey(sha256(utf8('voucher'))).publicKey,
  nonce: new Uint8Array(16).fill(7),
  closeDelayS: 86_400,
  network: -777,
}

describe('address of a channel', () => {
  it('differs with every field of the configuration', () => {
    const changes: Partial<ChannelConfig>[] = [
      {},
      { payer: config.payee },
      { payee: config.payer },
      { voucherKey: sha256(utf8('x')) },
      { nonce: new Uint8Array(16) },
      { closeDelayS: 86_401 },
      { network: -239 },
    ]
    const addresses = changes.map((change) => channelAddress({ ...config, ...change }).toString())
    expect(new Set(addresses).size).toBe(changes.length)
  })

  it('comes from a state with zeroed amounts, which reads back', () => {
    const data = parseChannelData(channelStateInit(config).data!)
    expect(data).toMatchObject({ claimed: 0n, deposited: 0n, closeAt: 0, bounced: false })
    expect(toHex(data.receiptsHash)).toBe('00'.repeat(32))
    expect(channelAddress(data.config).equals(channelAddress(config))).toBe(true)
  })

  it.each<[string, Partial<ChannelConfig>]>([
    ['voucherKey', { voucherKey: new Uint8Array(31) }],
    ['nonce', { nonce: new Uint8Array(15) }],
    ['closeDelayS', { closeDelayS: -1 }],
    ['closeDelayS', { closeDelayS: 2 ** 32 }],
    ['closeDelayS', { closeDelayS: 0.5 }],
    ['network', { network: 2 ** 31 }],
  ])('is refused with a wrong %s', (field, change) => {
    expect(() => channelAddress({ ...config, ...change })).toThrowError(
      expect.objectContaining({ code: 'bad-input', facts: { channel: field } }),
    )
  })
})

describe('messages', () => {
  it('refuse amounts that coins cannot hold, and signatures of another length', () => {
    const voucher = {
      ...{ network: -777, channel: channelAddress(config), cumulative: 1n },
      receiptsHash: new Uint8Array(32),
    }
    expect(() => topUpBody(-1n)).toThrowError(expect.objectContaining({ code: 'bad-input' }))
    expect(() => topUpBody(1n << 120n)).toThrowError(expect.objectContaining({ code: 'bad-input' }))
    expect(() => claimBody(voucher, new Uint8Array(63))).toThrowError(
      expect.objectContaining({ code: 'bad-input' }),
    )
    expect(() =>
      claimBody({ ...voucher, receiptsHash: utf8('x') }, new Uint8Array(64)),
    ).toThrowError(expect.objectContaining({ code: 'bad-input' }))
    expect(claimBody(voucher, new Uint8Array(64)).refs).toHaveLength(0)
  })

  it('attach what a new channel needs, and later what the rent has taken', () => {
    expect(topUpValue(TON)).toBe(TON + CHANNEL_VALUE.open)
    const full = { balance: 5n * TON + CHANNEL_VALUE.open, deposited: 9n * TON, claimed: 4n * TON }
    expect(topUpValue(TON, full)).toBe(TON + CHANNEL_VALUE.topUp)
    const worn = { ...full, balance: full.balance - 50_000_000n }
    expect(topUpValue(TON, worn)).toBe(TON + 50_000_000n)
  })
})

it('an answer that is no channel is refused', () => {
  const reader = new TupleReader([{ type: 'slice', cell: beginCell().endCell() }])
  expect(() => parseChannelView(reader)).toThrowError(
    expect.objectContaining({ code: 'bad-frame' }),
  )
  expect(() => parseChannelData(beginCell().endCell())).toThrowError(
    expect.objectContaining({ code: 'bad-frame' }),
  )
})
