/**
 * A channel in the TVM sandbox, for tests and the gas table: a network of our own id, three
 * wallets, messages by name, and the transaction of the channel that each one caused.
 * @module
 */
import { type Address, type Cell, external, TupleReader } from '@ton/core'
import type { Blockchain, SandboxContract, TreasuryContract } from '@ton/sandbox'
import { type Bytes, utf8 } from '../../contracts/base/bytes.ts'
import { type SigningKey, sha256, signingKey } from '../../contracts/base/signing.ts'
import { signVoucher, type Voucher } from '../../contracts/money/voucher.ts'
import {
  type ChannelConfig,
  type ChannelView,
  channelAddress,
  channelStateInit,
  parseChannelView,
} from '../../contracts/wrappers/Channel.ts'
import {
  CHANNEL_VALUE,
  claimBody,
  cooperativeCloseBody,
  finishCloseBody,
  startCloseBody,
  sweepBody,
  topUpBody,
} from '../../contracts/wrappers/channelMessages.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  outcomeOf,
  START_S,
  TEST_NETWORK,
  type TestBlockchainOptions,
  testBlockchain,
} from './sandboxChain.ts'

export {
  DAY_S,
  type Outcome,
  outcomeOf,
  refuseEverything,
  START_S,
  sentTo,
  TEST_NETWORK,
  takeEverything,
  testBlockchain,
  YEAR_S,
} from './sandboxChain.ts'

export interface ChannelSandbox {
  readonly blockchain: Blockchain
  readonly payer: SandboxContract<TreasuryContract>
  readonly payee: SandboxContract<TreasuryContract>
  readonly stranger: SandboxContract<TreasuryContract>
  readonly voucherKey: SigningKey
  readonly config: ChannelConfig
  readonly address: Address
  topUp(amount: bigint, value?: bigint, from?: Address): Promise<Outcome>
  claim(voucher: Voucher, signature?: Bytes): Promise<Outcome>
  claimFrom(from: Address, voucher: Voucher, value?: bigint): Promise<Outcome>
  startClose(from?: Address, value?: bigint): Promise<Outcome>
  finishClose(from?: Address, value?: bigint): Promise<Outcome>
  cooperativeClose(last?: Voucher, from?: Address, value?: bigint): Promise<Outcome>
  sweep(from?: Address, value?: bigint): Promise<Outcome>
  /** Any internal message to the channel. */
  internal(from: Address, value: bigint, body: Cell, bounce?: boolean): Promise<Outcome>
  /** Any external message to the channel. */
  external(body: Cell, init?: boolean): Promise<Outcome>
  voucher(cumulative: bigint, change?: Partial<Voucher>): Voucher
  sign(voucher: Voucher): Bytes
  view(): Promise<ChannelView>
  balance(of?: Address): Promise<bigint>
  elapse(seconds: number): void
}

export interface SandboxOptions extends TestBlockchainOptions {
  /** A chain that is there already; the options of the chain do not count then. */
  readonly blockchain?: Blockchain
  readonly config?: Partial<ChannelConfig>
}

/** A channel that is not deployed yet: `topUp` opens it. */
export async function channelSandbox(options: SandboxOptions = {}): Promise<ChannelSandbox> {
  const blockchain = options.blockchain ?? (await testBlockchain(options))
  const payer = await blockchain.treasury('payer')
  const payee = await blockchain.treasury('payee')
  const stranger = await blockchain.treasury('stranger')
  const voucherKey = signingKey(sha256(utf8('voucher key')))
  const config: ChannelConfig = {
    payer: payer.address,
    payee: payee.address,
    voucherKey: voucherKey.publicKey,
    nonce: sha256(utf8('nonce')).subarray(0, 16),
    closeDelayS: DAY_S,
    network: TEST_NETWORK,
    ...options.config,
  }
  const address = channelAddress(config)
  const run = (message: Parameters<Blockchain['sendMessage']>[0]): Promise<Outcome> =>
    outcomeOf(blockchain, address, message)
  const send = (from: Address, value: bigint, body: Cell, bounce = true): Promise<Outcome> =>
    run(internalMessage(from, address, value, body, { bounce }))
  const sign = (voucher: Voucher): Bytes => signVoucher(voucher, voucherKey)

  return {
    ...{ blockchain, payer, payee, stranger, voucherKey, config, address, sign, internal: send },
    topUp: (amount, value = amount + CHANNEL_VALUE.open, from = payer.address) =>
      run(
        internalMessage(from, address, value, topUpBody(amount), {
          init: channelStateInit(config),
        }),
      ),
    external: (body, init) =>
      run(external({ to: address, body, ...(init ? { init: channelStateInit(config) } : {}) })),
    claim: (voucher, signature = sign(voucher)) =>
      run(external({ to: address, body: claimBody(voucher, signature) })),
    claimFrom: (from, voucher, value = CHANNEL_VALUE.claim) =>
      send(from, value, claimBody(voucher, sign(voucher))),
    startClose: (from = payer.address, value = CHANNEL_VALUE.startClose) =>
      send(from, value, startCloseBody()),
    finishClose: (from = payer.address, value = CHANNEL_VALUE.finishClose) =>
      send(from, value, finishCloseBody()),
    cooperativeClose: (last, from = payee.address, value = CHANNEL_VALUE.cooperativeClose) =>
      send(from, value, cooperativeCloseBody(last && { voucher: last, signature: sign(last) })),
    sweep: (from = stranger.address, value = CHANNEL_VALUE.sweep) => send(from, value, sweepBody()),
    voucher: (cumulative, change) => ({
      ...{ network: TEST_NETWORK, channel: address, cumulative },
      receiptsHash: sha256(utf8(`receipts up to ${cumulative}`)),
      ...change,
    }),
    view: async () => {
      const result = await blockchain.runGetMethod(address, 'get_channel')
      return parseChannelView(new TupleReader(result.stack))
    },
    balance: async (of = address) => (await blockchain.getContract(of)).balance,
    elapse: (seconds) => {
      blockchain.now = (blockchain.now ?? START_S) + seconds
    },
  }
}
