/**
 * Calls into TON's transaction emulator, and its refusals as errors of ours.
 *
 * The emulator's own errors carry logs of megabytes; only the reason and the exit code leave here.
 * @module
 */

import type { TupleItem } from '@ton/core'
import { type Address, Cell, parseTuple } from '@ton/core'
import type { IExecutor } from '@ton/sandbox'
import { MarketError } from '../../contracts/base/errors.ts'
import { type Account, openAccount } from './account.ts'

/** Gas of a get method: bounds the time one call may take. */
const GET_METHOD_GAS = 1_000_000n
/** What lite servers answer for a get method of an account without code. */
const NO_CODE = -13

export interface TvmContext {
  readonly executor: IExecutor
  /** Configuration as a bag of cells, base64. */
  readonly config: string
  /** Unix seconds. */
  readonly now: number
  /** The block's random seed, 32 bytes: contracts get it hashed with their own address. */
  readonly seed: Buffer
}

export interface MessageRun {
  readonly message: Cell
  readonly account: Account
  readonly lt: bigint
  readonly ignoreSignatures?: boolean
}

export interface GetMethodResult {
  readonly exitCode: number
  readonly gasUsed: number
  readonly stack: TupleItem[]
}

/** What a message did to an account. */
export interface Ran {
  readonly transaction: Cell
  /** The same, as the emulator gave it: base64. */
  readonly boc: string
  readonly account: Account
}

/** Runs one transaction. Throws `contract-failed` where the message is not taken. */
export async function runMessage(
  { executor, config, now, seed }: TvmContext,
  { message, account, lt, ignoreSignatures = false }: MessageRun,
): Promise<Ran> {
  const { result } = await executor.runTransaction({
    config,
    libs: null,
    verbosity: 'short',
    shardAccount: account.boc,
    message,
    now,
    lt,
    randomSeed: seed,
    ignoreChksig: ignoreSignatures,
    debugEnabled: false,
  })
  if (!result.success) {
    throw new MarketError('contract-failed', {
      detail: result.error.slice(0, 200),
      exitCode: result.vmResults?.vmExitCode,
    })
  }
  return {
    transaction: Cell.fromBase64(result.transaction),
    boc: result.transaction,
    account: openAccount(result.shardAccount),
  }
}

/**
 * Runs a get method. What the contract throws is in `exitCode`; `bad-input` is thrown where the
 * emulator cannot start at all.
 */
export async function runGetMethod(
  { executor, config, now, seed }: TvmContext,
  call: { address: Address; account: Account | undefined; method: number; stack: TupleItem[] },
): Promise<GetMethodResult> {
  const stored = call.account?.shard.account?.storage
  if (stored?.state.type !== 'active') return { exitCode: NO_CODE, gasUsed: 0, stack: [] }
  const { output } = await executor.runGetMethod({
    code: stored.state.state.code ?? Cell.EMPTY,
    data: stored.state.state.data ?? Cell.EMPTY,
    methodId: call.method,
    stack: call.stack,
    config,
    verbosity: 'short',
    address: call.address,
    unixTime: now,
    balance: stored.balance.coins,
    randomSeed: seed,
    gasLimit: GET_METHOD_GAS,
    debugEnabled: false,
  })
  if (!output.success) {
    throw new MarketError('bad-input', { field: 'stack', detail: output.error.slice(0, 200) })
  }
  return {
    exitCode: output.vm_exit_code,
    gasUsed: Number(output.gas_used),
    stack: parseTuple(Cell.fromBase64(output.stack)),
  }
}
