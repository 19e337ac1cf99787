/**
 * The wrapper of the jetton-channel: its address, its values, its exit codes.
 * @module
 */
import { readFileSync } from 'node:fs'
import { Address } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import { channelAddress } from '../../../contracts/wrappers/Channel.ts'
import {
  JETTON_CHANNEL_EXIT,
  JETTON_CHANNEL_FLOOR,
  JETTON_CHANNEL_RENT_RESERVE,
  type JettonChannelConfig,
  jettonChannelAddress,
} from '../../../contracts/wrappers/JettonChannel.ts'
import { JETTON_CHANNEL_VALUE } from '../../../contracts/wrappers/jettonChannelMessages.ts'
import { TEST_JETTON_EXIT } from '../../../contracts/wrappers/testJetton.ts'
import { committedGas } from '../../bench/gasTable.ts'

const TOLK = new URL('../../../contracts/tolk/', import.meta.url)
const source = (path: string): string => readFileSync(new URL(path, TOLK), 'utf8')

const config: JettonChannelConfig = {
  payer: Address.parseRaw(`0:${'01'.repeat(32)}`),
  payee: Address.parseRaw(`0:${'02'.repeat(32)}`),
  voucherKey: signingKey(sha256(utf8('voucher'))).publicKey,
  nonce: new Uint8Array(16).fill(7),
  closeDelayS: 86_400,
  network: -777,
  minter: Address.parseRaw(`0:${'03'.repeat(32)}`),
}

describe('address of a jetton-channel', () => {
  it('differs with every field, and from that of a TON channel', () => {
    const changes: Partial<JettonChannelConfig>[] = [
      {},
      { payer: config.payee },
      { payee: config.payer },
      { voucherKey: sha256(utf8('x')) },
      { nonce: new Uint8Array(16) },
      { closeDelayS: 86_401 },
      { network: -239 },
      { minter: config.payer },
    ]
    const addresses = changes.map((change) =>
      String(jettonChannelAddress({ ...config, ...change })),
    )
    const { minter: _, ...ofTon } = config
    expect(new Set([...addresses, String(channelAddress(ofTon))]).size).toBe(changes.length + 1)
  })

  it.each<[string, Partial<JettonChannelConfig>]>([
    ['voucherKey', { voucherKey: new Uint8Array(31) }],
    ['nonce', { nonce: new Uint8Array(15) }],
    ['closeDelayS', { closeDelayS: 2 ** 32 }],
    ['network', { network: 0.5 }],
  ])('is refused with a %s out of range', (field, change) => {
    expect(() => jettonChannelAddress({ ...config, ...change })).toThrowError(
      expect.objectContaining({ code: 'bad-input', facts: { channel: field } }),
    )
  })
})

describe('constants', () => {
  it.each([
    ['jettonChannel/errors.tolk', JETTON_CHANNEL_EXIT],
    ['testJetton/errors.tolk', TEST_JETTON_EXIT],
  ])('exit codes of %s are those of the wrapper', (path, table) => {
    const inSource = [...source(path).matchAll(/const ERROR_\w+ = (\w+)/g)].map(([, code]) =>
      Number(code),
    )
    expect(Object.values(table).sort()).toEqual(inSource.sort())
  })

  it('bounds of gas are above what was measured', () => {
    const fees = source('jettonChannel/fees.tolk')
    const bound = (name: string): number =>
      Number(new RegExp(`const ${name} = (\\d+)`).exec(fees)![1])
    const { jettonChannel } = committedGas()
    const { open, claim, cooperativeCloseLast, finishClose, sweep } = jettonChannel!
    expect(bound('GAS_OPEN')).toBeGreaterThanOrEqual(open!)
    expect(bound('GAS_CLAIM')).toBeGreaterThanOrEqual(claim!)
    const close = Math.max(cooperativeCloseLast!, finishClose!, sweep!)
    expect(bound('GAS_CLOSE')).toBeGreaterThanOrEqual(close)
  })

  it('floor and reserve are those of the contract, and opening pays for both', () => {
    const fees = source('jettonChannel/fees.tolk')
    const ton = (name: string): bigint => {
      const [, text] = new RegExp(`const ${name} = ton\\("([\\d.]+)"\\)`).exec(fees)!
      return BigInt(Math.round(Number(text) * 1e9))
    }
    expect(JETTON_CHANNEL_FLOOR).toBe(ton('FLOOR'))
    expect(JETTON_CHANNEL_RENT_RESERVE).toBe(ton('RENT_RESERVE'))
    const kept = JETTON_CHANNEL_FLOOR + JETTON_CHANNEL_RENT_RESERVE
    expect(JETTON_CHANNEL_VALUE.open).toBeGreaterThan(kept + ton('ASK_VALUE'))
    expect(kept).toBeLessThan(TON / 5n)
  })
})
