/**
 * What an explorer does: a walk from block 1 finds every transaction once, and every message is
 * followed from the transaction that sent it to the one that took it, and back.
 * @module
 */
import { Address, beginCell, Cell, toNano } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { walletAddress, walletTransfer } from '../../../contracts/wrappers/wallet.ts'
import { FAUCET } from '../../../node/localnet/inputs.ts'
import { getJson, type Json, postJson, testKey, transferBoc } from '../../support/localnet.ts'
import { compiled, deployable } from '../../support/toncenterContracts.ts'
import { type Found, historyOf, SHARD, walk } from '../../support/toncenterIndexer.ts'
import { misshapen } from '../../support/toncenterShapes.ts'
import { CASCADE, type ToncenterWorld, toncenterWorld } from '../../support/toncenterWorld.ts'

const TON = toNano(1)
const wallets = [31, 32].map((seed) => walletAddress(testKey(seed).publicKey))
const payees = [1, 2, 3, 4].map((byte) => new Address(0, Buffer.alloc(32, byte)))
const inMasterchain = new Address(-1, Buffer.alloc(32, 0x99))

let world: ToncenterWorld
let probe: ReturnType<typeof deployable>
let found: Found[]

/** Transfers, a cascade, a bounce, a message to the outside, an account of the masterchain. */
async function makeHistory(): Promise<void> {
  probe = deployable(await compiled('PROBE'))
  await world.deploy(probe, 3n * TON)
  for (const address of wallets) await world.fund(address, 3n * TON)
  for (const seqno of [0, 1]) {
    for (const [i, seed] of [31, 32].entries()) {
      const boc = transferBoc(seed, seqno, wallets[(i + 1) % wallets.length]!, 1_000n)
      await world.result('sendBoc', { boc })
    }
    await world.tick(CASCADE)
  }
  // Four that take their message in one block, in another order than that of their addresses.
  const messages = payees.toReversed().map((to) => ({ to, value: 500n, bounce: false }))
  await world.send(wallets[0]!, walletTransfer(2, 2 ** 32 - 1, messages, testKey(31)))
  await world.send(probe.address, beginCell().storeUint(1, 8).endCell())
  const bounced = beginCell().storeUint(2, 8).storeAddress(probe.address).endCell()
  await world.send(probe.address, bounced)
  await world.fund(inMasterchain, TON)
}

const idOf = ({ lt, hash }: { lt: unknown; hash: unknown }) => `${lt} ${hash}`

describe.each([
  { pace: 'blocks that are made at once', blockMs: 0 },
  { pace: 'a block each second', blockMs: 1_000 },
])('with $pace', ({ blockMs }) => {
  beforeAll(async () => {
    world = await toncenterWorld(blockMs)
    await makeHistory()
    found = await walk(world.result, 2)
  })
  afterAll(async () => {
    await world?.stop()
  })

  describe('a walk over the blocks', () => {
    it('finds every transaction once, wherever its account lives', async () => {
      expect(new Set(found.map(idOf)).size).toBe(found.length)
      const { body } = await getJson(`${world.url}/control/status`)
      expect(found).toHaveLength(Number(body.result.transactions))
      for (const { account, workchain } of found) {
        expect(account.startsWith(`${workchain}:`)).toBe(true)
      }
      expect(found.filter(({ workchain }) => workchain === -1)).toHaveLength(1)
    })

    it('finds what the accounts say they have had', async () => {
      const accounts = new Set(found.map(({ account }) => account))
      expect(accounts.size).toBe(8)
      for (const account of accounts) {
        const history = await historyOf(world.result, account, 3)
        const inBlocks = found.filter((each) => each.account === account).map(idOf)
        const listed = history.map(({ transaction_id: id }) => `${id?.lt} ${id?.hash}`)
        expect(listed.toSorted()).toEqual(inBlocks.toSorted())
        const lts = history.map(({ transaction_id: id }) => BigInt(String(id?.lt)))
        expect(lts).toEqual(lts.toSorted((a, b) => (a > b ? -1 : 1)))
      }
    })

    it('goes back by the blocks that each one names', async () => {
      const { last, init } = await world.result('getMasterchainInfo')
      let at: Json = last!
      for (let seqno = Number(last?.seqno); seqno >= 1; seqno--) {
        const header = await world.result('getBlockHeader', at)
        expect(header.id).toEqual(at)
        expect(BigInt(String(header.start_lt))).toBeLessThan(BigInt(String(header.end_lt)))
        const { workchain, shard } = at
        expect(await world.result('lookupBlock', { workchain, shard, seqno })).toEqual(at)
        const before = Object.values(header.prev_blocks!)
        expect(before).toHaveLength(1)
        at = before[0]!
      }
      expect(at).toEqual(init)
    })
  })

  describe('a block is looked up', () => {
    it('by the logical time of a transaction or of a message in it', async () => {
      for (const { workchain, seqno, lt } of found) {
        for (const time of [BigInt(lt), BigInt(lt) + 1n]) {
          const params = { workchain, shard: SHARD, lt: time.toString() }
          expect((await world.result('lookupBlock', params)).seqno).toBe(seqno)
        }
      }
    })

    it('by its time: the first one of that second', async () => {
      const place = { workchain: -1, shard: SHARD }
      const { gen_utime } = await world.result('getBlockHeader', { ...place, seqno: 3 })
      const block = await world.result('lookupBlock', { ...place, unixtime: gen_utime })
      const { gen_utime: same } = await world.result('getBlockHeader', block)
      expect(same).toEqual(gen_utime)
      if (Number(block.seqno) > 1) {
        const before = { ...place, seqno: Number(block.seqno) - 1 }
        const { gen_utime: earlier } = await world.result('getBlockHeader', before)
        expect(Number(earlier)).toBeLessThan(Number(gen_utime))
      }
    })

    it('in vain where there is none', async () => {
      const place = { workchain: 0, shard: SHARD }
      for (const params of [
        { ...place, seqno: 1_000_000 },
        { ...place, lt: '9000000000000000000' },
        { ...place, unixtime: 2 ** 40 },
        { ...place, workchain: 5, seqno: 1 },
        { ...place, shard: '4611686018427387904', seqno: 1 },
      ]) {
        const { status, body } = await world.ask('lookupBlock', params)
        expect([status, body.error]).toEqual([
          500,
          expect.stringContaining('ltdb: block not found'),
        ])
      }
    })

    it('by the shard as a number, which JSON rounds, too', async () => {
      const params = '{"workchain":0,"shard":-9223372036854775808,"seqno":2}'
      const { body } = await postJson(`${world.url}/api/v2/lookupBlock`, params)
      expect(body.result).toMatchObject({ seqno: 2, shard: SHARD })
    })
  })

  describe('messages', () => {
    let transactions: Json[]
    beforeAll(async () => {
      const accounts = [...new Set(found.map(({ account }) => account))]
      const lists = accounts.map((address) =>
        world.result('getTransactions', { address, limit: 99 }),
      )
      transactions = (await Promise.all(lists)).flatMap((list) => Object.values(list))
    })

    it("and transactions are told in toncenter's shapes, in all three forms", async () => {
      expect(misshapen(transactions)).toEqual([])
      const params = { address: probe.address.toString(), limit: 99 }
      expect(misshapen(await world.result('getTransactionsStd', params))).toEqual([])
      for (const { workchain, seqno } of found) {
        const block = { workchain, shard: SHARD, seqno }
        expect(misshapen(await world.result('getBlockTransactionsExt', block))).toEqual([])
      }
    })

    it('lead to the transaction that took them', async () => {
      let followed = 0
      for (const { out_msgs } of transactions) {
        for (const { source, destination, created_lt, hash } of Object.values(out_msgs!)) {
          if (!destination) continue // to the outside
          const params = { source, destination, created_lt }
          for (const method of ['tryLocateTx', 'tryLocateResultTx']) {
            const { in_msg } = await world.result(method, params)
            expect(in_msg?.hash).toEqual(hash)
          }
          followed++
        }
      }
      // Four transfers, one to four, and one that bounced and came back.
      expect(followed).toBe(10)
    })

    it('lead back to the transaction that sent them', async () => {
      let followed = 0
      for (const { in_msg } of transactions) {
        const { source, destination, created_lt, hash } = in_msg!
        if (!source || source === (FAUCET.toString() as unknown)) continue
        const params = { source, destination, created_lt }
        const { out_msgs } = await world.result('tryLocateSourceTx', params)
        const hashes = Object.values(out_msgs!).map((each) => each.hash)
        expect(hashes).toContain(hash)
        followed++
      }
      expect(followed).toBe(10)
    })

    it('from outside have the hash under which they were sent', async () => {
      const boc = transferBoc(31, 3, wallets[1]!, 5n)
      const sent = await world.result('sendBocReturnHash', { boc })
      await world.tick()
      expect(sent.hash).toBe(Cell.fromBase64(boc).hash().toString('base64'))
      const address = wallets[0]!.toString()
      const list = await world.result('getTransactions', { address, limit: 1 })
      expect(list['0']?.in_msg?.hash).toBe(sent.hash)
      expect(list['0']?.in_msg).toMatchObject({ source: '', value: '0', created_lt: '0' })
    })

    it('to the outside have no destination', async () => {
      const outs = transactions.flatMap(({ out_msgs }) => Object.values(out_msgs!))
      expect(outs.filter(({ destination }) => !destination)).toMatchObject([
        { source: probe.address.toString(), destination: '', value: '0', message: 'AAAACQ==' },
      ])
    })
  })
})
