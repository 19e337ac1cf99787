/**
 * A channel in the TVM sandbox, for tests and the gas table: a network of our own id, three
 * wallets, messages by name, and the transaction of the channel that each one caused.
 * @module
 */
import {
  type Address,
  beginCell,
  type Cell,
  Dictionary,
  external,
  type Message,
  type StateInit,
  TupleReader,
} from '@ton/core'
import {
  Blockchain,
  type BlockchainTransaction,
  createShardAccount,
  EmulationError,
  type SandboxContract,
  type TreasuryContract,
} from '@ton/sandbox'
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

/** Global id of the test network: none that exists. */
export const TEST_NETWORK = -777
/** 22 November 2026. */
export const START_S = 1_795_305_600
export const DAY_S = 86_400
export const YEAR_S = 365 * DAY_S

/** Exit given to an external message that the account cannot pay for: its code did not run. */
const CANNOT_PAY = 13

/** What one message did to the channel. */
export interface Outcome {
  readonly transactions: readonly BlockchainTransaction[]
  /** The channel's own transaction; none where an external message was not accepted. */
  readonly tx?: BlockchainTransaction
  /** Exit code of the channel's compute phase, or of its action phase where that failed. */
  readonly exit: number
  readonly gas: bigint
}

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

export interface SandboxOptions {
  readonly networkId?: number
  readonly config?: Partial<ChannelConfig>
  /** Configuration parameters to replace, by number. */
  readonly params?: Readonly<Record<number, Cell>>
}

/** A blockchain with our network id and a fixed clock. */
export async function testBlockchain(options: SandboxOptions = {}): Promise<Blockchain> {
  const blockchain = await Blockchain.create({ config: 'slim' })
  const params = blockchain.config
    .beginParse()
    .loadDictDirect(Dictionary.Keys.Int(32), Dictionary.Values.Cell())
  const networkId = options.networkId ?? TEST_NETWORK
  params.set(19, beginCell().storeInt(networkId, 32).endCell())
  for (const [id, cell] of Object.entries(options.params ?? {})) params.set(Number(id), cell)
  blockchain.setConfig(beginCell().storeDictDirect(params).endCell())
  blockchain.now = START_S
  return blockchain
}

/** A channel that is not deployed yet: `topUp` opens it. */
export async function channelSandbox(options: SandboxOptions = {}): Promise<ChannelSandbox> {
  const blockchain = await testBlockchain(options)
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
    run(fromWallet(from, address, value, body, { bounce }))
  const sign = (voucher: Voucher): Bytes => signVoucher(voucher, voucherKey)

  return {
    ...{ blockchain, payer, payee, stranger, voucherKey, config, address, sign, internal: send },
    topUp: (amount, value = amount + CHANNEL_VALUE.open, from = payer.address) =>
      run(fromWallet(from, address, value, topUpBody(amount), { init: channelStateInit(config) })),
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

function fromWallet(
  from: Address,
  to: Address,
  value: bigint,
  body: Cell,
  options: { bounce?: boolean; init?: StateInit } = {},
): Message {
  return {
    info: {
      type: 'internal',
      src: from,
      dest: to,
      value: { coins: value },
      bounce: options.bounce ?? true,
      ...{ bounced: false, ihrDisabled: true, ihrFee: 0n, forwardFee: 0n },
      ...{ createdLt: 0n, createdAt: 0 },
    },
    init: options.init,
    body,
  }
}

/**
 * Sends a message and finds the first transaction of `address` among what it caused. The sandbox
 * throws where an external message is not accepted: that is an outcome without a transaction.
 */
export async function outcomeOf(
  blockchain: Blockchain,
  address: Address,
  message: Parameters<Blockchain['sendMessage']>[0],
): Promise<Outcome> {
  try {
    const { transactions } = await blockchain.sendMessage(message)
    const own = BigInt(`0x${address.hash.toString('hex')}`)
    const tx = transactions.find((one) => one.address === own)
    return { transactions, tx, ...phases(tx) }
  } catch (error) {
    if (!(error instanceof EmulationError)) throw error
    return { transactions: [], exit: error.exitCode || CANNOT_PAY, gas: 0n }
  }
}

function phases(tx: BlockchainTransaction | undefined): { exit: number; gas: bigint } {
  if (tx?.description.type !== 'generic') return { exit: -1, gas: 0n }
  const { computePhase: compute, actionPhase: action } = tx.description
  if (compute.type !== 'vm') return { exit: -2, gas: 0n }
  const exit = compute.exitCode !== 0 ? compute.exitCode : (action?.resultCode ?? 0)
  return { exit, gas: compute.gasUsed }
}

/** What the channel's transaction sent to `to`, in nanoTON, after forwarding fees. */
export function sentTo(outcome: Outcome, to: Address): bigint {
  let sum = 0n
  for (const { info } of outcome.tx?.outMessages.values() ?? []) {
    if (info.type === 'internal' && info.dest.equals(to)) sum += info.value.coins
  }
  return sum
}

/** An account that refuses every message: its code throws 37. */
export async function refuseEverything(blockchain: Blockchain, address: Address): Promise<void> {
  await setCode(blockchain, address, beginCell().storeUint(0xf225, 16).endCell())
}

/** An account that takes every message: empty code returns. */
export async function takeEverything(blockchain: Blockchain, address: Address): Promise<void> {
  await setCode(blockchain, address, beginCell().endCell())
}

async function setCode(blockchain: Blockchain, address: Address, code: Cell): Promise<void> {
  const { balance } = await blockchain.getContract(address)
  const data = beginCell().endCell()
  await blockchain.setShardAccount(address, createShardAccount({ address, code, data, balance }))
}
