/**
 * A chain in process with our own network id, for tests of contracts: messages from anyone, and
 * what one of them did. `contractLab.ts` beside it is the rough handling.
 * @module
 */
import {
  type Address,
  beginCell,
  type Cell,
  Dictionary,
  type Message,
  type StateInit,
} from '@ton/core'
import {
  Blockchain,
  type BlockchainTransaction,
  createShardAccount,
  EmulationError,
  Executor,
} from '@ton/sandbox'

/** Global id of the test network: none that exists. */
export const TEST_NETWORK = -777
/** 22 November 2026. */
export const START_S = 1_795_305_600
export const DAY_S = 86_400
export const YEAR_S = 365 * DAY_S

/** Exit given to an external message that the account cannot pay for: its code did not run. */
const CANNOT_PAY = 13
/** Exit where the compute phase was skipped: no state, no gas, or a frozen account. */
export const SKIPPED = -2

/** What one message did to a contract. */
export interface Outcome {
  readonly transactions: readonly BlockchainTransaction[]
  /** The contract's own transaction; none where an external message was not accepted. */
  readonly tx?: BlockchainTransaction
  /** Exit code of its compute phase, or of its action phase where that failed. */
  readonly exit: number
  readonly gas: bigint
}

export interface TestBlockchainOptions {
  readonly networkId?: number
  /** Configuration parameters to replace, by number. */
  readonly params?: Readonly<Record<number, Cell>>
}

/** One TVM for all chains of a process: it holds no state, and starts slowly. */
let executor: Promise<Executor> | undefined

/** A blockchain with our network id and a fixed clock. */
export async function testBlockchain(options: TestBlockchainOptions = {}): Promise<Blockchain> {
  executor ??= Executor.create()
  const blockchain = await Blockchain.create({ config: 'slim', executor: await executor })
  const networkId = beginCell()
    .storeInt(options.networkId ?? TEST_NETWORK, 32)
    .endCell()
  setParams(blockchain, { 19: networkId, ...options.params })
  blockchain.now = START_S
  return blockchain
}

/** Replaces configuration parameters of a running chain, by number. */
export function setParams(blockchain: Blockchain, params: Readonly<Record<number, Cell>>): void {
  const all = paramsOf(blockchain)
  for (const [id, cell] of Object.entries(params)) all.set(Number(id), cell)
  blockchain.setConfig(beginCell().storeDictDirect(all).endCell())
}

/** All configuration parameters of a running chain, by number. */
export function paramsOf(blockchain: Blockchain): Dictionary<number, Cell> {
  const { config } = blockchain
  return config.beginParse().loadDictDirect(Dictionary.Keys.Int(32), Dictionary.Values.Cell())
}

/** An internal message as if `from` had sent it: nothing is taken from the sender. */
export function internalMessage(
  from: Address,
  to: Address,
  value: bigint,
  body: Cell,
  { bounce = true, bounced = false, init }: InternalOptions = {},
): Message {
  return {
    info: {
      type: 'internal',
      ...{ src: from, dest: to, value: { coins: value }, bounce, bounced },
      ...{ ihrDisabled: true, ihrFee: 0n, forwardFee: 0n, createdLt: 0n, createdAt: 0 },
    },
    init,
    body,
  }
}

interface InternalOptions {
  readonly bounce?: boolean
  /** A message that came back: what a contract must not trust more than its sender. */
  readonly bounced?: boolean
  readonly init?: StateInit
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
    return outcomeAmong(transactions, address)
  } catch (error) {
    if (!(error instanceof EmulationError)) throw error
    return { transactions: [], exit: error.exitCode || CANNOT_PAY, gas: 0n }
  }
}

/** The first transaction of `address` among `transactions`. */
export function outcomeAmong(
  transactions: readonly BlockchainTransaction[],
  address: Address,
): Outcome {
  const own = BigInt(`0x${address.hash.toString('hex')}`)
  const tx = transactions.find((one) => one.address === own)
  return { transactions, tx, ...phases(tx) }
}

function phases(tx: BlockchainTransaction | undefined): { exit: number; gas: bigint } {
  if (tx?.description.type !== 'generic') return { exit: -1, gas: 0n }
  const { computePhase: compute, actionPhase: action } = tx.description
  if (compute.type !== 'vm') return { exit: SKIPPED, gas: 0n }
  const exit = compute.exitCode !== 0 ? compute.exitCode : (action?.resultCode ?? 0)
  return { exit, gas: compute.gasUsed }
}

/** What the contract's transaction sent to `to`, in nanoTON, after forwarding fees. */
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
