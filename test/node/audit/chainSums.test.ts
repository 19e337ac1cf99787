/**
 * Sums over contracts that were found: forged ones count for nothing, assets stay apart, and what
 * does not cover its debts is named.
 * @module
 */
import { Address, beginCell, type TupleItem, TupleReader } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { toBigInt } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import type { Chain } from '../../../contracts/base/ports.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  CHANNEL_CODE_HASH,
  CHANNEL_FLOOR,
  type ChannelConfig,
  channelAddress,
} from '../../../contracts/wrappers/Channel.ts'
import {
  JETTON_CHANNEL_CODE_HASH,
  jettonChannelAddress,
} from '../../../contracts/wrappers/JettonChannel.ts'
import { sumChannels } from '../../../node/audit/chainChannels.ts'

const someone = (byte: number) => new Address(0, Buffer.alloc(32, byte))
const int = (value: bigint): TupleItem => ({ type: 'int', value })
const slice = (address: Address): TupleItem => {
  return { type: 'slice', cell: beginCell().storeAddress(address).endCell() }
}

interface Told {
  readonly balance: bigint
  /** By getter. */
  readonly answers: Readonly<Record<string, readonly TupleItem[]>>
}

/** A chain of what its accounts answer, and no more. */
function chainOf(accounts: ReadonlyMap<string, Told>): Chain {
  const at = (address: Address) => accounts.get(address.toRawString())
  const chain: Partial<Chain> = {
    account: async (address) => ({ status: 'active', balance: at(address)?.balance ?? 0n }),
    getter: async (address, method) => {
      const answer = at(address)?.answers[method]
      if (!answer) throw new MarketError('contract-failed', { method, exitCode: 9 })
      return new TupleReader([...answer])
    },
  }
  return chain as Chain
}

const config = (nonce: number): ChannelConfig => ({
  ...{ payer: someone(1), payee: someone(2), voucherKey: new Uint8Array(32).fill(3) },
  ...{ nonce: new Uint8Array(16).fill(nonce), closeDelayS: 86_400, network: -777 },
})

function told({ payer, payee, voucherKey, nonce, closeDelayS, network }: ChannelConfig) {
  return (deposited: bigint, claimed: bigint): TupleItem[] => [
    ...[int(0n), int(deposited), int(claimed), int(0n), slice(payer), slice(payee)],
    ...[int(toBigInt(voucherKey)), int(toBigInt(nonce)), int(BigInt(closeDelayS))],
    ...[int(BigInt(network)), int(0n)],
  ]
}

describe('channels', () => {
  const tons = [1, 2, 3].map((nonce) => config(nonce))
  const minter = someone(9)
  const jetton = { ...config(4), minter }
  const wallet = someone(8)
  const places = [...tons.map(channelAddress), jettonChannelAddress(jetton)]
  const forged = someone(7)
  const covered = 3n * TON + CHANNEL_FLOOR
  const accounts = (balance: bigint, jettons: bigint) =>
    new Map<string, Told>([
      [
        places[0]!.toRawString(),
        { balance, answers: { get_channel: told(tons[0]!)(5n * TON, 2n * TON) } },
      ],
      [places[1]!.toRawString(), { balance: TON, answers: {} }],
      [places[2]!.toRawString(), { balance: TON, answers: { get_channel: [int(0n)] } }],
      [
        forged.toRawString(),
        { balance: TON, answers: { get_channel: told(tons[0]!)(900n * TON, 0n) } },
      ],
      [
        places[3]!.toRawString(),
        {
          balance: TON,
          answers: {
            get_channel: [...told(jetton)(100n, 40n), slice(minter), slice(wallet), int(0n)],
          },
        },
      ],
      [wallet.toRawString(), { balance: TON, answers: { get_wallet_data: [int(jettons)] } }],
    ])
  const found = [...places, forged].map((address) => ({
    ...{ address, balance: TON },
    codeHash: address.equals(places[3]!) ? JETTON_CHANNEL_CODE_HASH : CHANNEL_CODE_HASH,
  }))

  it('count where their address follows from what they say, each asset for itself', async () => {
    const { ton, jettons } = await sumChannels(chainOf(accounts(covered, 60n)), found)
    expect(ton).toEqual({
      ...{ found: 1, open: 1, closing: 0, closed: 0, insolvent: [] },
      ...{ deposited: 5n * TON, claimed: 2n * TON, locked: 3n * TON },
    })
    expect(jettons).toEqual([
      {
        ...{ minter: minter.toRawString(), found: 1, open: 1, closing: 0, closed: 0 },
        ...{ deposited: 100n, claimed: 40n, locked: 60n, insolvent: [] },
      },
    ])
  })

  it('are named where they lack one nanoTON, or one base unit', async () => {
    const { ton, jettons } = await sumChannels(chainOf(accounts(covered - 1n, 59n)), found)
    expect(ton.insolvent).toEqual([places[0]!.toString()])
    expect(jettons[0]!.insolvent).toEqual([places[3]!.toString()])
  })

  it('stop at a chain that does not answer', async () => {
    const broken = { ...chainOf(new Map()), getter: () => Promise.reject(unavailable()) }
    const summing = sumChannels(broken, found)
    await expect(summing).rejects.toMatchObject({ code: 'chain-unavailable' })
  })
})

const unavailable = () => new MarketError('chain-unavailable')
