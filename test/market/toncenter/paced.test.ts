/**
 * A network with a pace, in simulated time: what is sent waits for its block, what that causes for
 * the next one, and the API tells just as much as there is.
 * @module
 */
import { Address, Cell, loadMessage } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { walletAddress } from '../../../contracts/wrappers/wallet.ts'
import { type Json, testKey, transferBoc } from '../../support/localnet.ts'
import { SHARD, walk } from '../../support/toncenterIndexer.ts'
import { type ToncenterWorld, toncenterWorld } from '../../support/toncenterWorld.ts'

const sender = walletAddress(testKey(91).publicKey)
const payee = new Address(0, Buffer.alloc(32, 0x92))
const address = sender.toString()

let world: ToncenterWorld
beforeAll(async () => {
  world = await toncenterWorld(1_000)
  await world.fund(sender, 5n * TON)
})
afterAll(async () => {
  await world?.stop()
})

const seqno = async () => Number((await world.result('getMasterchainInfo')).last?.seqno)
const newest = async (of: string): Promise<Json | undefined> =>
  (await world.result('getTransactions', { address: of, limit: 1 }))['0']
const queued = async () => (await world.result('getOutMsgQueueSize')).shards?.['0']?.size
const blockOf = async ({ transaction_id: id }: Json) =>
  Number((await world.result('lookupBlock', { workchain: 0, shard: SHARD, lt: id?.lt })).seqno)

describe('a transfer', () => {
  let message: { source: unknown; destination: unknown; created_lt: unknown }
  let before: number

  it('is accepted, and is in no block yet', async () => {
    before = await seqno()
    const known = await newest(address)
    const boc = transferBoc(91, 0, payee, TON)
    const { hash } = await world.result('sendBocReturnHash', { boc })
    await world.result('sendBoc', { boc }) // the same again is no second message
    expect(await queued()).toBe(1)
    expect(await newest(address)).toEqual(known)
    expect(await seqno()).toBe(before)
    expect(await world.result('getAddressState', { address })).toBe('uninitialized')

    await world.tick()
    const sent = (await newest(address))!
    expect(sent.in_msg?.hash).toBe(hash)
    expect(await blockOf(sent)).toBe(before + 1)
    const { source, destination, created_lt } = sent.out_msgs!['0']!
    message = { source, destination, created_lt }
  })

  it('has a source before it has a result', async () => {
    expect(await queued()).toBe(1)
    const notYet = { status: 404, body: { ok: false, error: 'transaction was not found' } }
    expect(await world.ask('tryLocateResultTx', message)).toMatchObject(notYet)
    expect(await world.ask('tryLocateTx', message)).toMatchObject(notYet)
    const source = await world.result('tryLocateSourceTx', message)
    expect(source).toEqual(await newest(address))
    expect(await world.result('getAddressBalance', { address: payee.toString() })).toBe('0')
  })

  it('arrives one block later', async () => {
    await world.tick()
    const result = await world.result('tryLocateResultTx', message)
    expect(await blockOf(result)).toBe(before + 2)
    expect(result).toEqual(await newest(payee.toString()))
    expect(await queued()).toBe(0)
    const balance = await world.result('getAddressBalance', { address: payee.toString() })
    expect(balance).toBe(TON.toString())
    const at = { workchain: 0, shard: SHARD, seqno: before + 2 }
    const { transactions } = await world.result('getBlockTransactions', at)
    expect(transactions).toMatchObject([{ account: payee.toRawString() }])
  })
})

describe('time', () => {
  it('makes empty blocks, which an indexer walks over', async () => {
    const from = await seqno()
    await world.tick(20)
    expect(await seqno()).toBe(from + 20)
    const place = { workchain: -1, shard: SHARD }
    const header = await world.result('getBlockHeader', { ...place, seqno: from + 10 })
    const next = await world.result('getBlockHeader', { ...place, seqno: from + 11 })
    expect(Number(next.gen_utime)).toBe(Number(header.gen_utime) + 1)
    expect(next.prev_blocks).toEqual([header.id])
    const found = await walk(world.result, 1)
    expect(found.map(({ account }) => account)).toEqual(
      expect.arrayContaining([sender.toRawString(), payee.toRawString()]),
    )
    expect(new Set(found.map(({ hash }) => hash)).size).toBe(found.length)
    expect(found).toHaveLength(3)
  })

  it('finds the block of a second', async () => {
    const place = { workchain: -1, shard: SHARD }
    const { gen_utime } = await world.result('getBlockHeader', { ...place, seqno: 12 })
    const block = await world.result('lookupBlock', { ...place, unixtime: gen_utime })
    expect(block.seqno).toBe(12)
    const later = Number(gen_utime) + 1_000_000
    expect(await world.ask('lookupBlock', { ...place, unixtime: later })).toMatchObject({
      status: 500,
    })
  })
})

describe('an estimate', () => {
  it('is what the block then charges, but for the rent of the wait', async () => {
    const boc = transferBoc(91, 1, payee, 1n)
    const { body } = loadMessage(Cell.fromBase64(boc).beginParse())
    const query = { address, body: body.toBoc().toString('base64'), ignore_chksig: false }
    const { source_fees: fees } = await world.result('estimateFee', query)
    await world.result('sendBoc', { boc })
    await world.tick()
    const sent = (await newest(address))!
    const estimated = Number(fees?.in_fwd_fee) + Number(fees?.gas_fee) + Number(fees?.fwd_fee)
    expect(estimated).toBe(Number(sent.other_fee))
    expect(Number(sent.storage_fee) - Number(fees?.storage_fee)).toBeGreaterThanOrEqual(0)
    expect(Number(sent.storage_fee) - Number(fees?.storage_fee)).toBeLessThan(10)
  })
})
