/**
 * The methods of toncenter's HTTP API v2, over a ledger: what an unmodified `TonClient`, a wallet
 * or an explorer calls.
 *
 * The answers about accounts, messages and blocks are here; about history in `historyMethods.ts`.
 * @module
 */
import {
  beginCell,
  Cell,
  Dictionary,
  external,
  getMethodId,
  loadMessage,
  storeMessage,
} from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { addressMethods } from './addressMethods.ts'
import { historyMethods } from './historyMethods.ts'
import { accountAddress, accountParts, blockId, EXTRA, feesByPhase } from './json.ts'
import type { Ledger } from './ledger.ts'
import type { Method, Methods } from './methods.ts'
import * as read from './params.ts'
import { formatStackItem, parseStackItem } from './stack.ts'

export function toncenterMethods(ledger: Ledger, networkId: number): Methods {
  return {
    reads: {
      ...accountMethods(ledger),
      ...executionMethods(ledger),
      ...configMethods(ledger),
      ...historyMethods(ledger, networkId),
      ...addressMethods(),
    },
    writes: sendMethods(ledger),
  }
}

function accountMethods(ledger: Ledger): Record<string, Method> {
  const parts = (params: read.Params) => accountParts(ledger.account(read.address(params)))
  return {
    getAddressInformation: (params) => {
      const account = parts(params)
      return {
        '@type': 'raw.fullAccountState',
        balance: account.balance,
        extra_currencies: [],
        code: account.code,
        data: account.data,
        last_transaction_id: account.last,
        block_id: blockId(ledger.history.last, -1),
        frozen_hash: account.frozenHash,
        sync_utime: ledger.now(),
        ...EXTRA,
        state: account.state,
      }
    },
    getExtendedAddressInformation: (params) => {
      const account = parts(params)
      const uninitialized = { '@type': 'uninited.accountState', frozen_hash: account.frozenHash }
      const { code, data, frozenHash } = account
      const raw = { '@type': 'raw.accountState', code, data, frozen_hash: frozenHash }
      return {
        '@type': 'fullAccountState',
        address: accountAddress(read.address(params)),
        balance: account.balance,
        extra_currencies: [],
        last_transaction_id: account.last,
        block_id: blockId(ledger.history.last, -1),
        sync_utime: ledger.now(),
        account_state: account.state === 'active' ? raw : uninitialized,
        revision: 0,
        ...EXTRA,
      }
    },
    getWalletInformation: async (params) => {
      const account = parts(params)
      const address = read.address(params)
      const { exitCode, stack } = await ledger.get(address, getMethodId('seqno'), [])
      const seqno = stack[0]?.type === 'int' ? Number(stack[0].value) : 0
      return {
        wallet: exitCode === 0,
        balance: account.balance,
        account_state: account.state,
        ...(exitCode === 0 ? { seqno } : {}),
        last_transaction_id: account.last,
      }
    },
    getAddressBalance: (params) => parts(params).balance,
    getAddressState: (params) => parts(params).state,
  }
}

function executionMethods(ledger: Ledger): Record<string, Method> {
  return {
    runGetMethod: async (params) => {
      const address = read.address(params)
      const stack = read.list(params, 'stack', LIMITS.stackItems).map(parseStackItem)
      const result = await ledger.get(address, methodId(read.text(params, 'method')), stack)
      return {
        '@type': 'smc.runResult',
        gas_used: result.gasUsed,
        stack: result.stack.map(formatStackItem),
        exit_code: result.exitCode,
        ...EXTRA,
        block_id: blockId(ledger.history.last, -1),
        last_transaction_id: accountParts(ledger.account(address)).last,
      }
    },
    estimateFee: async (params) => {
      const transaction = await ledger.estimate(externalMessage(params))
      return {
        '@type': 'query.fees',
        source_fees: feesByPhase(transaction),
        destination_fees: [],
        ...EXTRA,
      }
    },
  }
}

function sendMethods(ledger: Ledger): Record<string, Method> {
  const sent = { '@type': 'ok', ...EXTRA }
  return {
    sendBoc: async (params) => {
      await ledger.send(read.cell(params, 'boc'))
      return sent
    },
    sendBocReturnHash: async (params) => {
      const message = read.cell(params, 'boc')
      await ledger.send(message)
      const hash = message.hash().toString('base64')
      return { '@type': 'raw.extMessageInfo', hash, hash_norm: normalizedHash(message), ...EXTRA }
    },
    sendQuery: async (params) => {
      await ledger.send(externalMessage(params))
      return sent
    },
  }
}

function configMethods(ledger: Ledger): Record<string, Method> {
  const info = (cell: Cell) => {
    const bytes = cell.toBoc().toString('base64')
    return { '@type': 'configInfo', config: { '@type': 'tvm.cell', bytes }, ...EXTRA }
  }
  const entries = ledger.config
    .beginParse()
    .loadDictDirect(Dictionary.Keys.Int(32), Dictionary.Values.Cell())
  return {
    getConfigParam: (params) => {
      const field = 'param' in params ? 'param' : 'config_id'
      const id = read.integer(params, field, { least: -(2 ** 31), most: 2 ** 31 - 1 })
      const cell = entries.get(id)
      if (!cell) throw new MarketError('not-found', { param: id })
      return info(cell)
    },
    getConfigAll: () => info(ledger.config),
  }
}

/** An external message from `address`, `body` and an optional StateInit in two halves. */
function externalMessage(params: read.Params): Cell {
  const code = read.optionalCell(params, 'init_code')
  const data = read.optionalCell(params, 'init_data')
  const message = external({
    to: read.address(params),
    body: read.optionalCell(params, 'body') ?? Cell.EMPTY,
    init: code || data ? { code, data } : undefined,
  })
  return beginCell().store(storeMessage(message)).endCell()
}

/** The hash by which a message is found whatever its sender put beside the body (TEP-467). */
function normalizedHash(cell: Cell): string {
  const { info, body } = loadMessage(cell.beginParse())
  if (info.type !== 'external-in') throw new MarketError('internal')
  const normal = external({ to: info.dest, body })
  const stored = beginCell()
    .store(storeMessage(normal, { forceRef: true }))
    .endCell()
  return stored.hash().toString('base64')
}

function methodId(method: string): number {
  return /^\d{1,7}$/.test(method) ? Number(method) : getMethodId(method)
}
