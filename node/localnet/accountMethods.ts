/**
 * toncenter's methods about the state of accounts.
 *
 * Only last states are kept: one asked for at an earlier block is given where the account has not
 * changed since, else refused as by a lite server that has no archive.
 * @module
 */
import type { Cell } from '@ton/core'
import { type Account, EMPTY_ACCOUNT } from './account.ts'
import { blockId, blockOf, MASTERCHAIN } from './blockJson.ts'
import { stateGone } from './failures.ts'
import type { Block } from './history.ts'
import type { Ledger } from './ledger.ts'
import type { MethodTable } from './methods.ts'
import * as read from './params.ts'
import { accountAddress, bigintHash, transactionId } from './transactionJson.ts'
import { walletOf } from './walletKinds.ts'

export function accountMethods(ledger: Ledger): MethodTable {
  const parts = (params: read.Params) => accountParts(accountAt(ledger, params))
  const block = (params: read.Params) => blockId(blockAskedFor(ledger, params), MASTERCHAIN)
  return {
    getAddressInformation: (params) => {
      const { balance, code, data, last, frozenHash, state } = parts(params)
      return {
        '@type': 'raw.fullAccountState',
        balance,
        extra_currencies: [],
        code: boc(code),
        data: boc(data),
        last_transaction_id: last,
        block_id: block(params),
        frozen_hash: frozenHash,
        sync_utime: ledger.now(),
        state,
      }
    },
    getExtendedAddressInformation: (params) => {
      const account = parts(params)
      return {
        '@type': 'fullAccountState',
        address: accountAddress(read.address(params)),
        balance: account.balance,
        extra_currencies: [],
        last_transaction_id: account.last,
        block_id: block(params),
        sync_utime: ledger.now(),
        ...interpreted(account),
      }
    },
    getWalletInformation: (params) => {
      const { balance, code, data, last, state } = parts(params)
      const wallet = walletOf(code, data)
      return {
        '@type': 'ext.accounts.walletInformation',
        wallet: wallet !== undefined,
        balance,
        account_state: state,
        last_transaction_id: last,
        ...wallet,
      }
    },
    getAddressBalance: (params) => parts(params).balance,
    getAddressState: (params) => parts(params).state,
    getShardAccountCell: (params) => ({
      '@type': 'tvm.cell',
      bytes: (accountAt(ledger, params) ?? EMPTY_ACCOUNT).boc,
    }),
  }
}

type Parts = ReturnType<typeof accountParts>

/** The parts of an account that several answers share. */
export function accountParts(account: Account | undefined) {
  const storage = account?.shard.account?.storage
  const state = storage?.state
  const active = state?.type === 'active' ? state.state : undefined
  return {
    balance: (storage?.balance.coins ?? 0n).toString(),
    state: statusOf(state?.type),
    code: active?.code ?? undefined,
    data: active?.data ?? undefined,
    frozenHash: state?.type === 'frozen' ? bigintHash(state.stateHash).toString('base64') : '',
    last: transactionId(
      account?.shard.lastTransactionLt ?? 0n,
      bigintHash(account?.shard.lastTransactionHash ?? 0n),
    ),
  }
}

function statusOf(type: 'active' | 'uninit' | 'frozen' | undefined) {
  return type === 'active' || type === 'frozen' ? type : 'uninitialized'
}

/** The state as tonlib reads it: it knows wallets of versions 3 and 4, and their revisions. */
function interpreted({ state, code, data, frozenHash }: Parts): object {
  if (state !== 'active') {
    const account_state = { '@type': 'uninited.accountState', frozen_hash: frozenHash }
    return { account_state, revision: 0 }
  }
  const wallet = walletOf(code, data)
  const kind = /^wallet (v[34]) r(\d)$/.exec(wallet?.wallet_type ?? '')
  if (wallet && kind) {
    const { seqno, wallet_id } = wallet
    const account_state = { '@type': `wallet.${kind[1]}.accountState`, wallet_id, seqno }
    return { account_state, revision: Number(kind[2]) }
  }
  const raw = { code: boc(code), data: boc(data), frozen_hash: frozenHash }
  return { account_state: { '@type': 'raw.accountState', ...raw }, revision: 0 }
}

/** The account of `address`, at the block `seqno` where one is given. */
export function accountAt(ledger: Ledger, params: read.Params): Account | undefined {
  const address = read.address(params)
  const account = ledger.account(address)
  const block = blockAskedFor(ledger, params)
  const changed = account?.shard.lastTransactionLt ?? 0n
  const isLast = block.seqno === ledger.history.last.seqno
  if (!isLast && changed > block.endLt) throw stateGone(block.seqno)
  return account
}

/** The block `seqno`, or the last one. */
export function blockAskedFor({ history }: Ledger, params: read.Params): Block {
  const seqno = read.optionalSeqno(params)
  if (seqno === undefined || seqno === history.last.seqno) return history.last
  return blockOf(history, seqno, MASTERCHAIN)
}

function boc(cell: Cell | undefined): string {
  return cell?.toBoc().toString('base64') ?? ''
}
