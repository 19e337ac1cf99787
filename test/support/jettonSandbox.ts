/**
 * A jetton-channel and its test jetton in the TVM sandbox, for tests and the gas table.
 * @module
 */
import { type Address, beginCell, type Cell, TupleReader } from '@ton/core'
import type { Blockchain, SandboxContract, TreasuryContract } from '@ton/sandbox'
import { type Bytes, utf8 } from '../../contracts/base/bytes.ts'
import { type SigningKey, sha256, signingKey } from '../../contracts/base/signing.ts'
import { signVoucher, type Voucher } from '../../contracts/money/voucher.ts'
import {
  type JettonChannelConfig,
  type JettonChannelView,
  jettonChannelAddress,
  jettonChannelStateInit,
  parseJettonChannelView,
} from '../../contracts/wrappers/JettonChannel.ts'
import {
  JETTON_DEPOSIT_FORWARD,
  JETTON_TRANSFER_VALUE,
  jettonTransferBody,
} from '../../contracts/wrappers/jetton.ts'
import {
  JETTON_CHANNEL_VALUE,
  jettonClaimBody,
  jettonCooperativeCloseBody,
  jettonFinishCloseBody,
  jettonStartCloseBody,
  jettonSweepBody,
  openBody,
} from '../../contracts/wrappers/jettonChannelMessages.ts'
import {
  TEST_JETTON_MINT_VALUE,
  testJettonMintBody,
  testJettonMinter,
  testJettonStateInit,
} from '../../contracts/wrappers/testJetton.ts'
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

/** One test dollar in base units. */
export const DOLLAR = 1_000_000n

export interface JettonSandbox {
  readonly blockchain: Blockchain
  readonly payer: SandboxContract<TreasuryContract>
  readonly payee: SandboxContract<TreasuryContract>
  readonly stranger: SandboxContract<TreasuryContract>
  readonly voucherKey: SigningKey
  readonly config: JettonChannelConfig
  readonly address: Address
  /** Deploys the channel, which asks the minter for its wallet. */
  open(value?: bigint, from?: Address): Promise<Outcome>
  deposit(amount: bigint, options?: { from?: Address; forward?: bigint }): Promise<Outcome>
  claim(voucher: Voucher, options?: { from?: Address; value?: bigint }): Promise<Outcome>
  startClose(from?: Address, value?: bigint): Promise<Outcome>
  finishClose(from?: Address, value?: bigint): Promise<Outcome>
  cooperativeClose(last?: Voucher, from?: Address, value?: bigint): Promise<Outcome>
  sweep(extra?: bigint, from?: Address, value?: bigint): Promise<Outcome>
  internal(from: Address, value: bigint, body: Cell, bounce?: boolean): Promise<Outcome>
  voucher(cumulative: bigint, change?: Partial<Voucher>): Voucher
  sign(voucher: Voucher): Bytes
  view(): Promise<JettonChannelView>
  /** Jettons of an owner, in base units. */
  held(owner?: Address): Promise<bigint>
  /** The owner's wallet of the test jetton. */
  walletOf(owner: Address): Promise<Address>
  mint(to: Address, amount: bigint): Promise<void>
  /** TON of an account. */
  balance(of?: Address): Promise<bigint>
  elapse(seconds: number): void
}

export interface JettonSandboxOptions extends TestBlockchainOptions {
  /** A chain that is there already; the options of the chain do not count then. */
  readonly blockchain?: Blockchain
  readonly config?: Partial<JettonChannelConfig>
}

/** A jetton-channel that is not deployed yet; payer and stranger hold 1,000 test dollars each. */
export async function jettonSandbox(options: JettonSandboxOptions = {}): Promise<JettonSandbox> {
  const blockchain = options.blockchain ?? (await testBlockchain(options))
  const payer = await blockchain.treasury('payer')
  const payee = await blockchain.treasury('payee')
  const stranger = await blockchain.treasury('stranger')
  const voucherKey = signingKey(sha256(utf8('voucher key')))
  const config: JettonChannelConfig = {
    payer: payer.address,
    payee: payee.address,
    voucherKey: voucherKey.publicKey,
    nonce: sha256(utf8('nonce')).subarray(0, 16),
    closeDelayS: DAY_S,
    network: TEST_NETWORK,
    minter: testJettonMinter(),
    ...options.config,
  }
  const address = jettonChannelAddress(config)
  const jetton = testJetton(blockchain)
  if (!options.blockchain) {
    await jetton.mint(payer.address, 1_000n * DOLLAR)
    await jetton.mint(stranger.address, 1_000n * DOLLAR)
  }
  const send = (from: Address, value: bigint, body: Cell, bounce = true): Promise<Outcome> =>
    outcomeOf(blockchain, address, internalMessage(from, address, value, body, { bounce }))
  const sign = (voucher: Voucher): Bytes => signVoucher(voucher, voucherKey)
  const value = JETTON_CHANNEL_VALUE

  return {
    ...{ blockchain, payer, payee, stranger, voucherKey, config, address, sign },
    ...{ internal: send, ...jetton },
    held: (owner = address) => jetton.held(owner),
    open: (attached = value.open, from = payer.address) => {
      const init = jettonChannelStateInit(config)
      const message = internalMessage(from, address, attached, openBody(), { init })
      return outcomeOf(blockchain, address, message)
    },
    deposit: async (amount, { from = payer.address, forward = JETTON_DEPOSIT_FORWARD } = {}) => {
      const body = jettonTransferBody({ amount, to: address, excesses: from, forward })
      const wallet = await jetton.walletOf(from)
      const message = internalMessage(from, wallet, JETTON_TRANSFER_VALUE + forward, body)
      return outcomeOf(blockchain, address, message)
    },
    claim: (voucher, { from = payee.address, value: attached = value.claim } = {}) =>
      send(from, attached, jettonClaimBody(voucher, sign(voucher))),
    startClose: (from = payer.address, attached = value.startClose) =>
      send(from, attached, jettonStartCloseBody()),
    finishClose: (from = payer.address, attached = value.finishClose) =>
      send(from, attached, jettonFinishCloseBody()),
    cooperativeClose: (last, from = payee.address, attached = value.cooperativeClose) => {
      const signed = last && { voucher: last, signature: sign(last) }
      return send(from, attached, jettonCooperativeCloseBody(signed))
    },
    sweep: (extra = 0n, from = stranger.address, attached = value.sweep) =>
      send(from, attached, jettonSweepBody(extra)),
    voucher: (cumulative, change) => ({
      ...{ asset: 'jetton', network: TEST_NETWORK, channel: address, cumulative },
      receiptsHash: sha256(utf8(`receipts up to ${cumulative}`)),
      ...change,
    }),
    view: async () => {
      const result = await blockchain.runGetMethod(address, 'get_channel')
      return parseJettonChannelView(new TupleReader(result.stack))
    },
    balance: async (of = address) => (await blockchain.getContract(of)).balance,
    elapse: (seconds) => {
      blockchain.now = (blockchain.now ?? START_S) + seconds
    },
  }
}

/** A jetton-channel that is open and holds `amount`. */
export async function openJettonSandbox(
  amount: bigint,
  options: JettonSandboxOptions = {},
): Promise<JettonSandbox> {
  const s = await jettonSandbox(options)
  for (const { exit } of [await s.open(), await s.deposit(amount)]) {
    if (exit !== 0) throw new Error(`the channel did not open: exit ${exit}`)
  }
  return s
}

/** The test jetton on a chain: minting, wallets, balances. */
function testJetton(blockchain: Blockchain): Pick<JettonSandbox, 'mint' | 'walletOf'> & {
  held(owner: Address): Promise<bigint>
} {
  const minter = testJettonMinter()
  const walletOf = async (owner: Address): Promise<Address> => {
    const cell = beginCell().storeAddress(owner).endCell()
    const args = [{ type: 'slice' as const, cell }]
    return (
      await blockchain.runGetMethod(minter, 'get_wallet_address', args)
    ).stackReader.readAddress()
  }
  return {
    walletOf,
    held: async (owner) => {
      const wallet = await walletOf(owner)
      const { accountState } = await blockchain.getContract(wallet)
      if (accountState?.type !== 'active') return 0n
      return (await blockchain.runGetMethod(wallet, 'get_wallet_data')).stackReader.readBigNumber()
    },
    mint: async (to, amount) => {
      const body = testJettonMintBody(to, amount)
      const init = testJettonStateInit()
      const value = TEST_JETTON_MINT_VALUE
      const { exit } = await outcomeOf(
        blockchain,
        minter,
        internalMessage(to, minter, value, body, { init }),
      )
      if (exit !== 0) throw new Error(`the mint ended with exit code ${exit}`)
    },
  }
}
