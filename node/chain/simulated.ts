/**
 * The simulated twin of the Chain and Wallet ports: blocks, a ledger and, on request, faults.
 *
 * Time comes from a Clock, faults from a Random: a run is reproducible by seed. A message is
 * included in the next block with all it causes; what can be read is the state of the last block.
 * Called by simulations and tests; the channels in it are the TypeScript model of the contract
 * (`simulatedChannel.ts`), which a test proves equal to the compiled one.
 * @module
 */
import {
  type Address,
  beginCell,
  type Cell,
  type StateInit,
  type TupleItem,
  TupleReader,
} from '@ton/core'
import { fromBigInt, toBigInt, u64 } from '../../contracts/base/bytes.ts'
import type { ChainPrices } from '../../contracts/base/chainPrices.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type {
  Chain,
  ChainAccount,
  ChainBlock,
  ChainTransaction,
  Clock,
  Random,
  Wallet,
} from '../../contracts/base/ports.ts'
import { type SigningKey, taggedHash } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { voucherHash } from '../../contracts/money/voucher.ts'
import type { LedgerMessage } from './simulatedAccount.ts'
import type { ChannelState } from './simulatedChannelParts.ts'
import { createLedger, type Ledger, type LedgerTotals } from './simulatedLedger.ts'
import { createWallet } from './wallet.ts'

/** What may go wrong between sending an external message and its block. */
export interface ChainFaults {
  readonly random: Random
  /** External messages that vanish, parts per 10,000. */
  readonly dropPer10k?: number
  /** Blocks by which inclusion may come later, at most. */
  readonly delayBlocks?: number
}

export interface SimulatedChainOptions {
  readonly clock: Clock
  readonly networkId: number
  readonly blockMs: number
  readonly faults?: ChainFaults
  readonly prices?: ChainPrices
}

export interface SimulatedChain {
  chain(): Chain
  /** The real wallet adapter (`wallet.ts`) over this chain: its first transfer deploys it. */
  wallet(key: SigningKey): Wallet
  /** Credits an address at once, without a message. */
  faucet(address: Address, amountNano: NanoTon): void
  /** `balances + fees === faucet`, always. */
  totals(): LedgerTotals
  /** Blocks made so far; empty ones are not made. */
  blocks(): number
}

/**
 * A chain in this process.
 *
 * @example
 * const sim = createSimulatedChain({ clock, networkId: -7, blockMs: 1_000 })
 * sim.faucet(sim.wallet(key).address, 10n * TON)
 */
export function createSimulatedChain(options: SimulatedChainOptions): SimulatedChain {
  const blocks = createBlocks(options)
  const chain = createChain(options, blocks)
  return {
    chain: () => chain,
    wallet: (key) => createWallet({ chain, key, clock: options.clock }),
    faucet: (address, amountNano) => blocks.ledger.faucet(address, amountNano, blocks.nowS()),
    totals: () => blocks.ledger.totals(),
    blocks: () => blocks.made(),
  }
}

/**
 * The block of a number on a simulated chain. Numbers count from 1970, so that every time has its
 * block: evidence of any age can be made for a test.
 */
export function simulatedBlock(
  { networkId, blockMs }: Pick<SimulatedChainOptions, 'networkId' | 'blockMs'>,
  seqno: number,
): ChainBlock {
  const hash = taggedHash('simulated block', networkId, u64(seqno))
  return { seqno, hash, atS: secondsAt(seqno, blockMs) }
}

interface Blocks {
  readonly ledger: Ledger
  /** Number of the last block, empty ones included. */
  height(): number
  /** Unix seconds of the last block, empty ones included. */
  nowS(): number
  made(): number
  submit(message: LedgerMessage): void
}

function createBlocks({
  clock,
  networkId,
  blockMs,
  faults,
  prices,
}: SimulatedChainOptions): Blocks {
  const ledger = createLedger(networkId, prices)
  const pending: { readonly message: LedgerMessage; readonly block: number }[] = []
  let made = 0
  let scheduled = false

  const heightNow = (): number => Math.floor(clock.nowMs() / blockMs)
  const makeBlock = (): void => {
    scheduled = false
    made += 1
    const height = heightNow()
    const due = pending.filter(({ block }) => block <= height)
    pending.splice(0, pending.length, ...pending.filter(({ block }) => block > height))
    for (const { message } of due) ledger.deliver(message, secondsOf(height))
    if (pending.length > 0) schedule()
  }
  const schedule = (): void => {
    if (scheduled) return
    scheduled = true
    clock.after((heightNow() + 1) * blockMs - clock.nowMs(), makeBlock)
  }
  const secondsOf = (height: number): number => secondsAt(height, blockMs)

  return {
    ledger,
    height: heightNow,
    nowS: () => secondsOf(heightNow()),
    made: () => made,
    submit(message) {
      if (faults && drops(faults)) return
      const late = faults ? pick(faults.random, (faults.delayBlocks ?? 0) + 1) : 0
      pending.push({ message, block: heightNow() + 1 + late })
      schedule()
    },
  }
}

function secondsAt(height: number, blockMs: number): number {
  return Math.floor((height * blockMs) / 1000)
}

function createChain(options: SimulatedChainOptions, blocks: Blocks): Chain {
  const { ledger } = blocks
  return {
    networkId: options.networkId,
    now: async () => blocks.nowS(),
    lastBlock: async () => simulatedBlock(options, blocks.height()),
    block: async (seqno) => (seqno <= blocks.height() ? simulatedBlock(options, seqno) : undefined),
    account: async (address) => accountOf(ledger, address),
    getter: async (address, method, args) => runGetter(ledger, address, method, args ?? []),
    async sendExternal(to, body, init) {
      const message = externalTo(to, body, init)
      const exitCode = ledger.check(message, blocks.nowS())
      if (exitCode !== 0) throw new MarketError('contract-failed', { exitCode })
      blocks.submit(message)
    },
    async transactions(address, limit, beforeLt) {
      const all: readonly ChainTransaction[] = ledger.account(address)?.transactions ?? []
      const older = beforeLt === undefined ? all : all.filter(({ lt }) => lt < beforeLt)
      return older.slice(Math.max(0, older.length - limit)).reverse()
    },
  }
}

function accountOf(ledger: Ledger, address: Address): ChainAccount {
  const account = ledger.account(address)
  if (!account || (!account.code && account.balance === 0n)) return { status: 'none', balance: 0n }
  const { balance, codeHash } = account
  return { status: account.code ? 'active' : 'uninit', balance, ...(codeHash ? { codeHash } : {}) }
}

function runGetter(
  ledger: Ledger,
  address: Address,
  method: string,
  args: readonly TupleItem[],
): TupleReader {
  const code = ledger.account(address)?.code
  if (!code) throw new MarketError('contract-failed', { method, exitCode: NO_STATE })
  if (code.kind === 'wallet' && method === 'seqno') return new TupleReader([int(code.seqno)])
  if (code.kind === 'channel' && method === 'get_channel') {
    return new TupleReader(channelTuple(code.state))
  }
  if (code.kind === 'channel' && method === 'get_voucher_hash') {
    const reader = new TupleReader([...args])
    const cumulative = reader.readBigNumber()
    const receiptsHash = fromBigInt(reader.readBigNumber(), 32)
    const { network } = code.state.config
    const hash = voucherHash({ network, channel: address, cumulative, receiptsHash })
    return new TupleReader([int(toBigInt(hash))])
  }
  throw new MarketError('contract-failed', { method, exitCode: UNKNOWN_METHOD })
}

const NO_STATE = -256
const UNKNOWN_METHOD = 11

function channelTuple(state: ChannelState): TupleItem[] {
  const { closeAt, deposited, claimed, receiptsHash, bounced, config } = state
  return [
    int(closeAt),
    int(deposited),
    int(claimed),
    int(toBigInt(receiptsHash)),
    addressItem(config.payer),
    addressItem(config.payee),
    int(toBigInt(config.voucherKey)),
    int(toBigInt(config.nonce)),
    int(config.closeDelayS),
    int(config.network),
    int(bounced ? -1 : 0),
  ]
}

function int(value: bigint | number): TupleItem {
  return { type: 'int', value: BigInt(value) }
}

function addressItem(address: Address): TupleItem {
  return { type: 'slice', cell: beginCell().storeAddress(address).endCell() }
}

function externalTo(to: Address, body: Cell, init?: StateInit): LedgerMessage {
  return { to, body, init, value: 0n, bounce: false, bounced: false }
}

function drops({ random, dropPer10k = 0 }: ChainFaults): boolean {
  return pick(random, 10_000) < dropPer10k
}

/** A number below `bound`, from 32 random bits: the bias is below `bound / 2^32`. */
function pick(random: Random, bound: number): number {
  return new DataView(new Uint8Array(random.bytes(4)).buffer).getUint32(0) % bound
}
