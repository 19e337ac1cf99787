/**
 * toncenter's JSON of blocks, and how parameters name one.
 *
 * Masterchain and basechain have one shard each and a block of every number. Real nodes look up a
 * logical or Unix time by the first block that reaches it; so does `lookUp`.
 * @module
 */
import { createHash } from 'node:crypto'
import { blockNotFound } from './failures.ts'
import type { Block, History } from './history.ts'
import * as read from './params.ts'

/** The one shard of each workchain, as the signed number toncenter prints. */
const SHARD = '-9223372036854775808'
const SHARD_HEX = '8000000000000000'
export const MASTERCHAIN = -1

export interface PlacedBlock {
  readonly block: Block
  readonly workchain: number
}

export function blockId({ seqno, hash }: Block, workchain: number): object {
  return idOf(workchain, SHARD, seqno, hash)
}

/** What came before the first block: the same for a network id whenever it is asked. */
export function zeroState(networkId: number): object {
  const hash = createHash('sha256').update(`zero state ${networkId}`).digest()
  return idOf(MASTERCHAIN, '0', 0, hash)
}

export function stateRootHash({ hash }: Block): string {
  return hashPart(hash, 'state').toString('base64')
}

function idOf(workchain: number, shard: string, seqno: number, hash: Buffer): object {
  return {
    '@type': 'ton.blockIdExt',
    workchain,
    shard,
    seqno,
    root_hash: hashPart(hash, `root ${workchain}`).toString('base64'),
    file_hash: hashPart(hash, `file ${workchain}`).toString('base64'),
  }
}

function hashPart(hash: Buffer, part: string): Buffer {
  return createHash('sha256').update(hash).update(part).digest()
}

export function header(
  { block, workchain }: PlacedBlock,
  history: History,
  networkId: number,
): object {
  const before = history.block(block.seqno - 1)
  const first = block.seqno === 1 && workchain === MASTERCHAIN ? [zeroState(networkId)] : []
  return {
    '@type': 'blocks.header',
    id: blockId(block, workchain),
    global_id: networkId,
    version: 0,
    after_merge: false,
    after_split: false,
    before_split: false,
    want_merge: false,
    want_split: false,
    validator_list_hash_short: 0,
    catchain_seqno: 0,
    min_ref_mc_seqno: block.seqno,
    is_key_block: block.seqno === 1,
    prev_key_block_seqno: 1,
    start_lt: block.startLt.toString(),
    end_lt: reachOf(block).toString(),
    gen_utime: block.utime,
    prev_blocks: before ? [blockId(before, workchain)] : first,
  }
}

/** The block that `workchain`, `shard` and `seqno` name, and both hashes where they are given. */
export function namedBlock(history: History, params: read.Params): PlacedBlock {
  const workchain = workchainOf(params)
  const seqno = read.seqno(params)
  const block = blockOf(history, seqno, workchain)
  const root = read.optionalHash(params, 'root_hash')
  const file = read.optionalHash(params, 'file_hash')
  const isThis = (hash: Buffer, part: string) => hash.equals(hashPart(block.hash, part))
  if (root && file && !(isThis(root, `root ${workchain}`) && isThis(file, `file ${workchain}`))) {
    throw blockNotFound(workchain, `seqno=${seqno}`)
  }
  return { block, workchain }
}

export function blockOf(history: History, seqno: number, workchain: number): Block {
  const block = history.block(seqno)
  if (!block) throw blockNotFound(workchain, `seqno=${seqno}`)
  return block
}

/** The block of exactly one of `seqno`, `lt` and `unixtime`. */
export function lookUp(history: History, params: read.Params): PlacedBlock {
  const workchain = workchainOf(params)
  const seqno = read.optionalSeqno(params)
  const lt = read.optionalLt(params, 'lt')
  const unixtime = read.optionalLt(params, 'unixtime')
  const given = [seqno, lt, unixtime].filter((value) => value !== undefined)
  if (given.length !== 1) throw read.wrong('seqno, lt, unixtime', 'exactly one of them')
  if (seqno !== undefined) return { block: blockOf(history, seqno, workchain), workchain }
  const block =
    lt !== undefined
      ? firstThatReaches(history, lt, (each) => [each.startLt, reachOf(each)])
      : firstThatReaches(history, unixtime!, ({ utime }) => [BigInt(utime), BigInt(utime)])
  if (!block) {
    throw blockNotFound(workchain, lt === undefined ? `utime=${unixtime}` : `lt=${lt}`)
  }
  return { block, workchain }
}

/** Between two transactions; the messages of one are numbered from its own logical time upwards. */
const LT_STEP = 1_000_000n

/** The last logical time that a message of the block can have; empty blocks add none. */
function reachOf({ endLt }: Block): bigint {
  return (endLt / LT_STEP + 1n) * LT_STEP - 1n
}

/** Undefined before the oldest block that is kept, and after the last one. */
function firstThatReaches(
  history: History,
  wanted: bigint,
  rangeOf: (block: Block) => [from: bigint, to: bigint],
): Block | undefined {
  let low = 1
  let high = history.last.seqno
  if (rangeOf(history.last)[1] < wanted) return undefined
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const block = history.block(middle) // undefined where forgotten, so before all that are kept
    if (block && rangeOf(block)[1] >= wanted) high = middle
    else low = middle + 1
  }
  const found = history.block(low)
  const isOldest = low > 1 && !history.block(low - 1)
  return found && isOldest && rangeOf(found)[0] > wanted ? undefined : found
}

/** Throws `bad-input` on a malformed shard, toncenter's answer to one that does not exist. */
function workchainOf(params: read.Params): number {
  const workchain = read.integer(params, 'workchain', { least: -(2 ** 31), most: 2 ** 31 - 1 })
  const shard = shardText(params)
  const isKnown = workchain === 0 || workchain === MASTERCHAIN
  if (!isKnown || (shard !== SHARD && shard !== SHARD_HEX)) {
    throw blockNotFound(workchain, `shard=${shard}`)
  }
  return workchain
}

/** As a number it loses its last digits, but for the one that counts, -2^63. */
function shardText(params: read.Params): string {
  const { shard: given } = params
  if (given === Number(SHARD)) return SHARD
  const shard = read.text(params, 'shard')
  if (/^[0-9a-fA-F]{16}$/.test(shard)) return shard
  const value = /^-?\d{1,19}$/.test(shard) ? BigInt(shard) : undefined
  if (value === undefined || BigInt.asIntN(64, value) !== value) {
    throw read.wrong('shard', 'a signed 64-bit number')
  }
  return shard
}
