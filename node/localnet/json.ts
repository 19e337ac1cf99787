/**
 * toncenter's JSON (HTTP API v2) of blocks, accounts and transactions.
 *
 * Types and spelling are what clients validate: `TonClient` refuses an answer whose `@type`
 * differs, a fee estimate that is not numbers, a transaction without every field below.
 * @module
 */
import {
  type Address,
  beginCell,
  Cell,
  loadTransaction,
  type Message,
  type StateInit,
  storeMessage,
  storeStateInit,
  type Transaction,
} from '@ton/core'
import type { Account } from './account.ts'
import { feesOf } from './block.ts'
import type { Block, StoredTransaction } from './history.ts'

/** The one shard of each workchain, as the signed number toncenter prints. */
export const SHARD = '-9223372036854775808'
/** Every answer carries the moment and the server it came from; here both are plain. */
export const EXTRA = { '@extra': 'localnet' }

export function blockId(block: Block, workchain: number): object {
  const hash = Buffer.from(block.hash)
  hash[0] = (hash[0]! ^ workchain) & 0xff // the two workchains' blocks are different blocks
  return {
    '@type': 'ton.blockIdExt',
    workchain,
    shard: SHARD,
    seqno: block.seqno,
    root_hash: hash.toString('base64'),
    file_hash: block.hash.toString('base64'),
  }
}

export type AccountStatus = 'active' | 'uninitialized' | 'frozen'

/** The parts of an account that several answers share. */
export function accountParts(account: Account | undefined) {
  const storage = account?.shard.account?.storage
  const state = storage?.state
  const active = state?.type === 'active' ? state.state : undefined
  return {
    balance: (storage?.balance.coins ?? 0n).toString(),
    state: statusOf(state?.type),
    code: active?.code?.toBoc().toString('base64') ?? '',
    data: active?.data?.toBoc().toString('base64') ?? '',
    frozenHash: state?.type === 'frozen' ? hashText(state.stateHash) : '',
    last: transactionId(
      account?.shard.lastTransactionLt ?? 0n,
      hashText(account?.shard.lastTransactionHash ?? 0n),
    ),
  }
}

function transactionId(lt: bigint, hash: string) {
  return { '@type': 'internal.transactionId', lt: lt.toString(), hash }
}

export function accountAddress(address: Address): object {
  return { '@type': 'accountAddress', account_address: address.toString() }
}

export function shortTransaction(stored: StoredTransaction): object {
  return {
    '@type': 'blocks.shortTxId',
    mode: 135, // account, lt and hash are present
    account: stored.account,
    lt: stored.lt.toString(),
    hash: stored.hash.toString('base64'),
  }
}

/** `raw.transaction`: fees as strings of nanoTON, the whole transaction in `data`. */
export function fullTransaction(stored: StoredTransaction, address: Address): object {
  const transaction = loadTransaction(Cell.fromBase64(stored.boc).beginParse())
  const fee = feesOf(transaction)
  const storage = storageFeeOf(transaction)
  return {
    '@type': 'raw.transaction',
    address: accountAddress(address),
    utime: stored.utime,
    data: stored.boc,
    transaction_id: transactionId(stored.lt, stored.hash.toString('base64')),
    fee: fee.toString(),
    storage_fee: storage.toString(),
    other_fee: (fee - storage).toString(),
    ...(transaction.inMessage ? { in_msg: message(transaction.inMessage) } : {}),
    out_msgs: [...transaction.outMessages.values()].map(message),
  }
}

/** Fees of a transaction by phase, as numbers. */
export function feesByPhase({ description, totalFees }: Transaction): object {
  if (description.type !== 'generic') return fees(0n, 0n, 0n, 0n)
  const storage = description.storagePhase?.storageFeesCollected ?? 0n
  const gas = description.computePhase.type === 'vm' ? description.computePhase.gasFees : 0n
  const actions = description.actionPhase?.totalActionFees ?? 0n
  const forward = description.actionPhase?.totalFwdFees ?? 0n
  return fees(totalFees.coins - storage - gas - actions, storage, gas, forward)
}

function fees(inbound: bigint, storage: bigint, gas: bigint, forward: bigint): object {
  return {
    '@type': 'fees',
    in_fwd_fee: Number(inbound),
    storage_fee: Number(storage),
    gas_fee: Number(gas),
    fwd_fee: Number(forward),
  }
}

function message(value: Message): object {
  const { info, init, body } = value
  const isInternal = info.type === 'internal'
  return {
    '@type': 'raw.message',
    hash: beginCell().store(storeMessage(value)).endCell().hash().toString('base64'),
    source: info.type === 'external-in' ? '' : info.src.toString(),
    destination: info.dest?.toString() ?? '',
    value: isInternal ? info.value.coins.toString() : '0',
    extra_currencies: [],
    fwd_fee: isInternal ? info.forwardFee.toString() : '0',
    ihr_fee: isInternal ? info.ihrFee.toString() : '0',
    created_lt: info.type === 'external-in' ? '0' : info.createdLt.toString(),
    body_hash: body.hash().toString('base64'),
    ...messageData(body, init ?? undefined),
  }
}

/** A text comment (opcode 0) as text, anything else as the bytes of the body. */
function messageData(body: Cell, init: StateInit | undefined): object {
  const comment = commentOf(body)
  if (comment !== undefined) {
    const encoded = Buffer.from(comment).toString('base64')
    return { msg_data: { '@type': 'msg.dataText', text: encoded }, message: comment }
  }
  const boc = body.toBoc().toString('base64')
  const state = init ? beginCell().store(storeStateInit(init)).endCell().toBoc() : Buffer.alloc(0)
  const data = { '@type': 'msg.dataRaw', body: boc, init_state: state.toString('base64') }
  return { msg_data: data, message: boc }
}

function commentOf(body: Cell): string | undefined {
  const slice = body.beginParse()
  if (slice.remainingBits < 32 || slice.loadUint(32) !== 0) return undefined
  try {
    return slice.loadStringTail()
  } catch {
    return undefined // opcode 0 with something else than text: shown as bytes
  }
}

function storageFeeOf({ description }: Transaction): bigint {
  if (description.type !== 'generic') return 0n
  return description.storagePhase?.storageFeesCollected ?? 0n
}

function statusOf(type: 'active' | 'uninit' | 'frozen' | undefined): AccountStatus {
  return type === 'active' || type === 'frozen' ? type : 'uninitialized'
}

function hashText(hash: bigint): string {
  return Buffer.from(hash.toString(16).padStart(64, '0'), 'hex').toString('base64')
}
