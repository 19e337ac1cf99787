/**
 * The objects of toncenter's API v2 by their `@type`, after the schema of its C++ server (2.1):
 * which fields each must have, which it may have, and of what kind.
 *
 * A field is `name:kind`: `s` text, `i` an integer as text, `h` 32 bytes in base64, `c` a bag of
 * cells in base64 or nothing, `n` a number, `b` a boolean, `o` an object or what it is written as,
 * `a` a list. `?` marks what may be absent.
 * @module
 */
import { Cell } from '@ton/core'

const MESSAGE = `hash:h source:o destination:o value:i extra_currencies:a fwd_fee:i ihr_fee:i
  created_lt:i body_hash:h msg_data:o`
const TRANSACTION = `address:o utime:n data:c transaction_id:o fee:i storage_fee:i other_fee:i
  in_msg?:o out_msgs:a`
const PAGE = 'id:o req_count:n incomplete:b transactions:a'

const SHAPES: Readonly<Record<string, string>> = {
  'ton.blockIdExt': 'workchain:n shard:i seqno:n root_hash:h file_hash:h',
  'ext.utils.detectedAddress': `raw_form:s bounceable:o non_bounceable:o given_type:s
    test_only:b`,
  'ext.utils.detectedAddressVariant': 'b64:s b64url:s',
  'ext.utils.detectedHash': 'b64:h b64url:s hex:s',
  'internal.transactionId': 'lt:i hash:h',
  accountAddress: 'account_address:s',
  'raw.fullAccountState': `balance:i extra_currencies:a code:c data:c last_transaction_id:o
    block_id:o frozen_hash:s sync_utime:n state:s`,
  fullAccountState: `address:o balance:i extra_currencies:a last_transaction_id:o block_id:o
    sync_utime:n account_state:o revision:n`,
  'raw.accountState': 'code:c data:c frozen_hash:s',
  'wallet.v3.accountState': 'wallet_id:n seqno:n',
  'wallet.v4.accountState': 'wallet_id:n seqno:n',
  'uninited.accountState': 'frozen_hash:s',
  'ext.accounts.walletInformation': `wallet:b balance:i account_state:s last_transaction_id:o
    wallet_type?:s seqno?:n wallet_id?:n is_signature_allowed?:b`,
  'ext.tokens.jettonMasterData': `address:s contract_type:s total_supply:i mintable:b
    admin_address?:s jetton_content:o jetton_wallet_code:c`,
  'ext.tokens.jettonWalletData': `address:s contract_type:s balance:i owner:s jetton:s
    mintless_is_claimed?:b jetton_wallet_code:c`,
  'ext.tokens.nftCollectionData': `address:s contract_type:s next_item_index:i owner_address?:s
    collection_content:o`,
  'ext.tokens.nftItemData': `address:s contract_type:s init:b index:i collection_address?:s
    owner_address?:s content:o`,
  'blocks.masterchainInfo': 'last:o state_root_hash:h init:o',
  'ext.blocks.consensusBlock': 'consensus_block:n timestamp:n',
  'blocks.shards': 'shards:a',
  'blocks.header': `id:o global_id:n version:n after_merge:b after_split:b before_split:b
    want_merge:b want_split:b validator_list_hash_short:n catchain_seqno:n min_ref_mc_seqno:n
    is_key_block:b prev_key_block_seqno:n start_lt:i end_lt:i gen_utime:n prev_blocks:a`,
  'blocks.outMsgQueueSizes': 'shards:a ext_msg_queue_size_limit:n',
  'blocks.outMsgQueueSize': 'id:o size:n',
  'blocks.transactions': PAGE,
  'blocks.transactionsExt': PAGE,
  'blocks.shortTxId': 'mode:n account:s lt:i hash:h',
  'raw.transactions': 'transactions:a previous_transaction_id:o',
  'raw.transaction': TRANSACTION,
  'raw.transactionExt': `${TRANSACTION} account:s`,
  'ext.transaction': `${TRANSACTION} account:s`,
  'raw.message': MESSAGE,
  'ext.message': `${MESSAGE} message?:s message_decode_error?:s`,
  'msg.dataRaw': 'body:c init_state:c',
  'msg.dataText': 'text:s',
  'msg.dataEncryptedText': 'text:s',
  configInfo: 'config:o',
  'smc.libraryResult': 'result:a',
  'smc.runResult': 'gas_used:n stack:a exit_code:n block_id?:o last_transaction_id?:o',
  'query.fees': 'source_fees:o destination_fees:a',
  fees: 'in_fwd_fee:n storage_fee:n gas_fee:n fwd_fee:n',
  ok: '',
  'raw.extMessageInfo': 'hash:h hash_norm:h',
  'tvm.cell': 'bytes:c',
  'tvm.slice': 'bytes:c',
  'tvm.list': 'elements:a',
  'tvm.tuple': 'elements:a',
  'tvm.numberDecimal': 'number:i',
  'tvm.stackEntryCell': 'cell:o',
  'tvm.stackEntrySlice': 'slice:o',
  'tvm.stackEntryNumber': 'number:o',
  'tvm.stackEntryTuple': 'tuple:o',
  'tvm.stackEntryList': 'list:o',
  'tvm.stackEntryUnsupported': '',
}

const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  s: (value) => typeof value === 'string',
  i: (value) => typeof value === 'string' && /^-?\d+$/.test(value),
  h: (value) => typeof value === 'string' && /^[\w+/]{43}=$/.test(value),
  c: (value) => typeof value === 'string' && (value === '' || Cell.fromBase64(value).depth() >= 0),
  n: (value) => Number.isSafeInteger(value),
  b: (value) => typeof value === 'boolean',
  o: (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
  a: (value) => Array.isArray(value),
}

/** Every place of an answer that toncenter's schema does not allow. */
export function misshapen(value: unknown, place = 'result'): string[] {
  if (Array.isArray(value)) return value.flatMap((each, i) => misshapen(each, `${place}[${i}]`))
  if (typeof value !== 'object' || value === null) return []
  const { '@type': type, ...fields } = value as Record<string, unknown>
  const inner = Object.entries(fields).flatMap(([name, each]) =>
    misshapen(each, `${place}.${name}`),
  )
  if (type === undefined) return inner
  const shape = SHAPES[String(type)]
  if (shape === undefined) return [`${place} is a ${type}`, ...inner]
  const known = new Map(shape.split(/\s+/).filter(Boolean).map(parseField))
  const wrong = [...known].flatMap(([name, { kind, isOptional }]) => {
    if (!(name in fields)) return isOptional ? [] : [`${place}.${name} is absent`]
    return KINDS[kind]!(fields[name]) ? [] : [`${place}.${name} is no ${kind}`]
  })
  const odd = Object.keys(fields).filter((name) => !known.has(name))
  return [...wrong, ...odd.map((name) => `${place}.${name} is not known`), ...inner]
}

function parseField(field: string): [name: string, { kind: string; isOptional: boolean }] {
  const [name, kind] = field.split(':')
  return [name!.replace('?', ''), { kind: kind!, isOptional: name!.endsWith('?') }]
}
