/**
 * Masterchain blocks of a toncenter endpoint, asked without `TonClient`, which drops their hashes.
 * @module
 */
import { Address } from '@ton/core'
import { fromBase64 } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { ChainBlock } from '../../contracts/base/ports.ts'
import type { Ask } from './toncenter.ts'

/** Any address tells the last block; this one exists on no network. */
const NOBODY = new Address(0, Buffer.alloc(32))
/** The masterchain's one shard: bit 63, as a signed number. */
const SHARD = '-9223372036854775808'

/**
 * The last masterchain block and the time of the newest state, from one answer so that they belong
 * together. Throws `chain-unavailable`.
 */
export async function lastBlock(ask: Ask, signal?: AbortSignal): Promise<ChainBlock> {
  const method = 'getAddressInformation'
  const { block_id, sync_utime } = await resultOf(
    ask,
    method,
    { address: NOBODY.toString() },
    signal,
  )
  return blockOf(method, block_id, sync_utime)
}

/** The masterchain block of a number, or undefined. Throws `chain-unavailable`. */
export async function blockBySeqno(
  ask: Ask,
  seqno: number,
  signal?: AbortSignal,
): Promise<ChainBlock | undefined> {
  const method = 'getBlockHeader'
  const params = { workchain: -1, shard: SHARD, seqno }
  try {
    const { id, gen_utime } = await resultOf(ask, method, params, signal)
    const block = blockOf(method, id, gen_utime)
    if (block.seqno === seqno) return block
  } catch (thrown) {
    const { code } = asMarketError(thrown)
    // A refusal of the number itself: there is no such block, or none any more.
    if (code === 'not-found' || code === 'bad-input') return undefined
    throw thrown
  }
  throw new MarketError('chain-unavailable', { answer: method })
}

interface Answer {
  readonly [field: string]: unknown
}

async function resultOf(
  ask: Ask,
  method: string,
  params: object,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const text = await ask(JSON.stringify({ id: '1', jsonrpc: '2.0', method, params }), signal)
  try {
    const { result }: { result?: unknown } = JSON.parse(text)
    if (isAnswer(result)) return result
  } catch (cause) {
    throw new MarketError('chain-unavailable', { answer: method }, { cause })
  }
  throw new MarketError('chain-unavailable', { answer: method })
}

/** Throws `chain-unavailable` on an id that is not of a masterchain block, or another time. */
function blockOf(method: string, id: unknown, atS: unknown): ChainBlock {
  try {
    if (isAnswer(id) && id.workchain === -1 && isU32(id.seqno) && isU32(atS)) {
      const hash = fromBase64(String(id.root_hash))
      if (hash.length === 32) return { seqno: id.seqno, hash, atS }
    }
  } catch (cause) {
    throw new MarketError('chain-unavailable', { answer: method }, { cause })
  }
  throw new MarketError('chain-unavailable', { answer: method })
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null
}

/** An unsigned number of 32 bits, as times and numbers of blocks are. */
function isU32(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32
}
