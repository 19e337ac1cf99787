/**
 * The Chain port over a toncenter endpoint, by @ton/ton's `TonClient`.
 *
 * `TonClient` speaks the protocol; its HTTP goes through `toncenter.ts`, so that sizes, times,
 * retries and errors are ours. Addresses in results are raw (`0:` and hex), hashes lower-case hex.
 * @module
 */
import {
  Address,
  beginCell,
  Cell,
  external,
  type StateInit,
  storeMessage,
  type TupleItem,
  type TupleReader,
} from '@ton/core'
import type { TonClient, TonClientParameters } from '@ton/ton'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Chain, ChainAccount, Clock, Random } from '../../contracts/base/ports.ts'
import type { Secret } from '../../contracts/base/secret.ts'
import { blockBySeqno, lastBlock } from './blocks.ts'
import { type Ask, jsonRpcUrl, toncenter } from './toncenter.ts'
import { listTransactions, transactionCursors } from './transactions.ts'

/** Any address tells the time of the last block; this one exists on no network. */
const NOBODY = new Address(0, Buffer.alloc(32))
const GLOBAL_ID_PARAMETER = 19

export interface ChainOptions {
  /** toncenter's JSON-RPC URL, or the root above `/api/v2/jsonRPC`. */
  readonly endpoint: string
  /** The network id that the endpoint must have. */
  readonly networkId: number
  readonly apiKey?: Secret<string>
  readonly clock: Clock
  /** Spreads requests to an endpoint that limits their rate. */
  readonly random?: Random
  /** Ends every call of this chain when aborted. */
  readonly signal?: AbortSignal
}

/**
 * Access to the network behind an endpoint. Throws `wrong-network` where the endpoint tells another
 * network id, `chain-unavailable`, `bad-config`.
 *
 * @example
 * const { url, networkId } = localnet
 * const chain = await connectChain({ endpoint: url, networkId, clock })
 * const { balance } = await chain.account(address)
 */
export async function connectChain(options: ChainOptions): Promise<Chain> {
  const endpoint = jsonRpcUrl(options.endpoint)
  const { networkId, apiKey, clock, random } = options
  const ask = withSignal(toncenter({ endpoint, apiKey, clock, random }), options.signal)
  await checkNetwork(ask, networkId)
  const clientOf = await clients(endpoint, ask)
  const client = clientOf(undefined)
  const cursors = transactionCursors()
  const stateOf = (address: Address, signal?: AbortSignal) =>
    guarded(() => clientOf(signal).getContractState(address))

  return {
    networkId,
    async now(signal) {
      return (await stateOf(NOBODY, signal)).timestampt
    },
    lastBlock: (signal) => lastBlock(ask, signal),
    block: (seqno, signal) => blockBySeqno(ask, seqno, signal),
    async account(address, signal) {
      return toAccount(await stateOf(address, signal))
    },
    getter: (address, method, args) => runGetter(client, address, method, args ?? []),
    async sendExternal(to: Address, body: Cell, init?: StateInit) {
      const message = beginCell().store(storeMessage(external({ to, body, init })))
      await guarded(() => client.sendFile(message.endCell().toBoc()))
    },
    transactions: (address, limit, beforeLt) =>
      guarded(() => listTransactions({ client, cursors }, address, limit, beforeLt)),
  }
}

function withSignal(ask: Ask, outer: AbortSignal | undefined): Ask {
  if (!outer) return ask
  return (body, signal) => ask(body, signal ? AbortSignal.any([outer, signal]) : outer)
}

/** Endpoints that do not know the method cannot tell; an endpoint that fails is not trusted. */
async function checkNetwork(ask: Ask, networkId: number): Promise<void> {
  const params = { config_id: GLOBAL_ID_PARAMETER }
  const request = { id: '1', jsonrpc: '2.0', method: 'getConfigParam', params }
  let text: string
  try {
    text = await ask(JSON.stringify(request))
  } catch (thrown) {
    if (thrown instanceof MarketError && thrown.code === 'bad-input') return
    throw thrown
  }
  const found = parseGlobalId(text)
  if (found !== networkId) {
    throw new MarketError('wrong-network', { expected: networkId, found })
  }
}

function parseGlobalId(text: string): number {
  try {
    const { result } = JSON.parse(text)
    return Cell.fromBase64(result.config.bytes).beginParse().loadInt(32)
  } catch (cause) {
    throw new MarketError('chain-unavailable', { answer: 'getConfigParam' }, { cause })
  }
}

/** A client for each signal: `TonClient` has no other way to end one call. */
async function clients(
  endpoint: string,
  ask: Ask,
): Promise<(signal: AbortSignal | undefined) => TonClient> {
  const { TonClient } = await import('@ton/ton')
  return (signal) => new TonClient({ endpoint, httpAdapter: adapter(ask, signal) })
}

function adapter(ask: Ask, signal: AbortSignal | undefined): TonClientParameters['httpAdapter'] {
  return async (config) => {
    const data = await ask(String(config.data), signal)
    return { data, status: 200, statusText: 'OK', headers: {}, config }
  }
}

type ContractState = Awaited<ReturnType<TonClient['getContractState']>>

function toAccount({ state, balance, code, lastTransaction }: ContractState): ChainAccount {
  if (state === 'active') {
    const codeHash = code ? new Uint8Array(Cell.fromBoc(code)[0]!.hash()) : undefined
    return { status: 'active', balance, ...(codeHash && { codeHash }) }
  }
  if (state === 'frozen') return { status: 'frozen', balance }
  const isNone = balance === 0n && lastTransaction === null
  return { status: isNone ? 'none' : 'uninit', balance }
}

async function runGetter(
  client: TonClient,
  address: Address,
  method: string,
  args: TupleItem[],
): Promise<TupleReader> {
  const unsendable = args.find(({ type }) => !['int', 'cell', 'slice', 'builder'].includes(type))
  if (unsendable) throw new MarketError('bad-input', { argument: unsendable.type })
  const { exit_code, stack } = await guarded(() => client.runMethodWithError(address, method, args))
  // 0 and 1 are the two successes of the TVM.
  if (exit_code !== 0 && exit_code !== 1) {
    throw new MarketError('contract-failed', { method, exitCode: exit_code })
  }
  return stack
}

/** Anything but our own errors is an answer that makes no sense. Aborts pass as they are. */
async function guarded<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (thrown) {
    if (thrown instanceof DOMException) throw thrown
    throw asMarketError(thrown, 'chain-unavailable')
  }
}
