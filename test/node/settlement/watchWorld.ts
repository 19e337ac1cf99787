/**
 * One payee and one payer with a funded channel on the simulated chain and clock, for tests of the
 * payee's watch. The chain can be cut, and every read of it is counted.
 * @module
 */
import type { Bytes } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Chain, Wallet } from '../../../contracts/base/ports.ts'
import { signingKey } from '../../../contracts/base/signing.ts'
import { type NanoTon, TON } from '../../../contracts/base/units.ts'
import { startPayee } from '../../../contracts/money/payee.ts'
import { encodeVoucher, signVoucher } from '../../../contracts/money/voucher.ts'
import {
  type ChannelConfig,
  channelAddress,
  readChannel,
} from '../../../contracts/wrappers/Channel.ts'
import {
  CHANNEL_VALUE,
  finishCloseBody,
  startCloseBody,
} from '../../../contracts/wrappers/channelMessages.ts'
import { createSimulatedChain } from '../../../node/chain/simulated.ts'
import { openChannel } from '../../../node/settlement/channels.ts'
import { viewChannel } from '../../../node/settlement/channelView.ts'
import {
  type AccountStream,
  createPayeeAccount,
  type PayeeAccount,
} from '../../../node/settlement/payeeAccount.ts'
import { createSimulatedDisk, createSimulatedStore } from '../../../node/store/simulatedStore.ts'
import { silentLogger } from '../../../node/system/logger.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'

export const NETWORK_ID = 77
export const DELAY_S = LIMITS.closeDelayS
const LONG_MS = 400_000

export async function watchWorld() {
  const clock = createSimulatedClock({ startMs: 1_795_000_000_000 })
  const ton = createSimulatedChain({ clock, networkId: NETWORK_ID, blockMs: 1_000 })
  const store = createSimulatedStore(createSimulatedDisk({ clock }))
  const key = (seed: number) => signingKey(new Uint8Array(32).fill(seed))
  const [payer, payee, voucherKey] = [ton.wallet(key(1)), ton.wallet(key(2)), key(3)]
  ton.faucet(payer.address, 1_000n * TON)
  const net = { down: false, reads: [] as number[] }
  const chain = cuttable(ton.chain(), net, () => clock.monotonicMs())
  const said: Said[] = []
  const logger = {
    ...silentLogger,
    warn: (facts: object, message: string) => void said.push({ message, facts }),
    error: (facts: object, message: string) => void said.push({ message, facts }),
  }
  const now = <T>(promise: Promise<T>) => clock.settle(promise, LONG_MS)

  /** A new channel with `deposit`, and the payee's account of it holding `signed`. */
  const open = async (deposit: NanoTon, signed: NanoTon, nonce = 1): Promise<PayeeAccount> => {
    const config: ChannelConfig = {
      payer: payer.address,
      payee: payee.address,
      voucherKey: voucherKey.publicKey,
      nonce: new Uint8Array(16).fill(nonce),
      closeDelayS: DELAY_S,
      network: NETWORK_ID,
    }
    await now(openChannel({ chain: ton.chain(), wallet: payer, clock }, config, deposit))
    const channel = channelAddress(config)
    const voucher = {
      network: NETWORK_ID,
      channel,
      cumulative: signed,
      receiptsHash: new Uint8Array(32),
    }
    const record: Bytes = new Uint8Array(encodeVoucher(voucher).toBoc())
    const start = startPayee({ network: NETWORK_ID, channel: channel.toRawString(), deposit })
    const held = { record, signature: signVoucher(voucher, voucherKey) }
    return createPayeeAccount(
      { store, clock, logger },
      {
        table: 'payee',
        identity: key(4),
        config,
        countersigned: () => true,
        view: () => viewChannel(chain, channel),
      },
      signed > 0n ? { ...start, cumulative: signed, spent: signed, voucher: held } : start,
    )
  }
  const send = (message: 'startClose' | 'finishClose', account: PayeeAccount) => {
    const body = message === 'startClose' ? startCloseBody() : finishCloseBody()
    const to = channelAddress(account.config)
    return now(payer.send([{ to, value: CHANNEL_VALUE[message], body }]))
  }
  /** Deploys the payee's wallet, as a payee has that claimed before. */
  const deployPayee = async () => {
    ton.faucet(payee.address, TON)
    await now(payee.send([{ to: payee.address, value: 1n }]))
  }
  const viewOf = (account: PayeeAccount) => readChannel(ton.chain(), channelAddress(account.config))
  const balanceOf = async (wallet: Wallet) => (await ton.chain().account(wallet.address)).balance
  const deps = { chain, wallet: payee, clock, logger }
  return {
    clock,
    ton,
    net,
    said,
    deps,
    payer,
    payee,
    now,
    open,
    send,
    deployPayee,
    viewOf,
    balanceOf,
  }
}

interface Said {
  readonly message: string
  readonly facts: object
}

/** A payer's stream that stays open and says nothing. */
export function silentStream(): AccountStream {
  const never = new Promise<never>(() => undefined)
  return {
    peer: 'payer',
    send: async () => undefined,
    next: () => never,
    async *[Symbol.asyncIterator]() {
      yield await never
    },
    close: async () => undefined,
    abort: () => undefined,
  }
}

function cuttable(
  chain: Chain,
  net: { down: boolean; reads: number[] },
  nowMs: () => number,
): Chain {
  const up = async () => {
    if (net.down) throw new MarketError('chain-unavailable')
  }
  return {
    ...chain,
    account: async (address, signal) => {
      net.reads.push(nowMs())
      await up()
      return chain.account(address, signal)
    },
    getter: async (address, method, args) => {
      await up()
      return chain.getter(address, method, args)
    },
    sendExternal: async (to, body, init) => {
      await up()
      return chain.sendExternal(to, body, init)
    },
  }
}
