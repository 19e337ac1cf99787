/**
 * Blocks of a toncenter endpoint, over its answers as they come: what is there, what is not, and
 * what makes no sense.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { toBase64 } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { blockBySeqno, lastBlock } from '../../../node/chain/blocks.ts'

const HASH = new Uint8Array(32).fill(7)
const ID = { workchain: -1, shard: '-9223372036854775808', seqno: 9, root_hash: toBase64(HASH) }
const HEADER = { id: ID, gen_utime: 1_800_000_000 }
const LAST = { block_id: ID, sync_utime: 1_800_000_003 }

/** An endpoint with one answer; `asked` is what it was asked. */
function endpoint(result: unknown) {
  const asked: unknown[] = []
  const ask = async (body: string) => {
    asked.push(JSON.parse(body))
    if (result instanceof Error) throw result
    return JSON.stringify({ ok: true, result })
  }
  return { ask, asked }
}

const unavailable = { code: 'chain-unavailable' }

describe('a block by its number', () => {
  it('is asked for in the masterchain, by its number', async () => {
    const { ask, asked } = endpoint(HEADER)
    const found = await blockBySeqno(ask, 9)
    expect(found).toEqual({ seqno: 9, hash: HASH, atS: 1_800_000_000 })
    const params = { workchain: -1, shard: '-9223372036854775808', seqno: 9 }
    expect(asked).toMatchObject([{ method: 'getBlockHeader', params }])
  })

  it.each(['not-found', 'bad-input'] as const)('is none where the answer is %s', async (code) => {
    const { ask } = endpoint(new MarketError(code))
    expect(await blockBySeqno(ask, 9)).toBeUndefined()
  })

  it.each([
    ['another number', { ...HEADER, id: { ...ID, seqno: 8 } }],
    ['a block of a shard', { ...HEADER, id: { ...ID, workchain: 0 } }],
    ['a short hash', { ...HEADER, id: { ...ID, root_hash: 'AAAA' } }],
    ['no hash', { ...HEADER, id: { ...ID, root_hash: undefined } }],
    ['a time that is none', { ...HEADER, gen_utime: -1 }],
    ['no time', { id: ID }],
    ['no id', { gen_utime: 1 }],
    ['nothing', null],
  ])('is not believed with %s', async (_, result) => {
    await expect(blockBySeqno(endpoint(result).ask, 9)).rejects.toMatchObject(unavailable)
  })

  it('passes on that the endpoint fails', async () => {
    const { ask } = endpoint(new MarketError('chain-unavailable'))
    await expect(blockBySeqno(ask, 9)).rejects.toMatchObject(unavailable)
  })
})

describe('the last block', () => {
  it('comes with the time of one answer', async () => {
    const found = await lastBlock(endpoint(LAST).ask)
    expect(found).toEqual({ seqno: 9, hash: HASH, atS: 1_800_000_003 })
  })

  it.each([
    ['no block', { sync_utime: 1 }],
    ['a number that is none', { ...LAST, block_id: { ...ID, seqno: 2 ** 32 } }],
  ])('is not believed with %s', async (_, result) => {
    await expect(lastBlock(endpoint(result).ask)).rejects.toMatchObject(unavailable)
  })
})
