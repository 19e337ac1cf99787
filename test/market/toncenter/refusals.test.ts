/**
 * What toncenter's own tests see refused as input is refused here, by every way of asking, with the
 * same status.
 * @module
 */
import { Cell } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { walletAddress } from '../../../contracts/wrappers/wallet.ts'
import { getJson, postJson, testKey } from '../../support/localnet.ts'
import { SHARD } from '../../support/toncenterIndexer.ts'
import { type ToncenterWorld, toncenterWorld } from '../../support/toncenterWorld.ts'

let world: ToncenterWorld
beforeAll(async () => {
  world = await toncenterWorld()
})
afterAll(async () => {
  await world?.stop()
})

const address = walletAddress(testKey(61).publicKey).toString()
const body = Cell.EMPTY.toBoc().toString('base64')
const block = { workchain: -1, shard: SHARD, seqno: 1 }
const place = { workchain: -1, shard: SHARD }
const message = { source: address, destination: address, created_lt: 1 }
const hash = '0'.repeat(64)
const getter = { address, method: 'seqno', stack: [] }

/** Parameters that are refused, method by method; each with what is wrong. */
const REFUSED: Readonly<Record<string, readonly object[]>> = {
  detectAddress: [{}, { address: '' }, { address: 'not_an_address' }],
  detectHash: [{}, { hash: 'ab' }, { hash: 'f'.repeat(63) }, { hash: 'f'.repeat(65) }],
  packAddress: [{}, { address: 'invalid' }],
  getAddressInformation: [{}, { address, seqno: 0 }, { address, seqno: -1 }],
  getWalletInformation: [{ address, seqno: 'invalid' }],
  getShardAccountCell: [{ address: '' }, { address, seqno: 0 }],
  getTokenData: [{}, { address: 'invalid' }],
  shards: [{}, { seqno: 0 }, { seqno: -1 }, { seqno: 'invalid' }, { seqno: 2 ** 31 }],
  lookupBlock: [
    place,
    { ...place, seqno: 0 },
    { ...place, lt: -1 },
    { ...place, unixtime: -1 },
    { ...place, seqno: 1, lt: 0 },
    { ...place, lt: 0, unixtime: 0 },
    { ...place, seqno: 'bad' },
    { ...place, lt: String(2n ** 63n) },
    { workchain: -1, seqno: 1 },
    { shard: SHARD, seqno: 1 },
  ],
  getBlockHeader: [
    { ...block, seqno: 0 },
    { ...block, workchain: 'bad' },
    { ...block, shard: String(2n ** 63n) },
    { ...block, root_hash: 'bad' },
    { ...block, file_hash: 'bad' },
  ],
  getBlockTransactions: [
    { ...block, count: 0 },
    { ...block, count: -1 },
    { ...block, count: 10_001 },
    { ...block, count: 'bad' },
    { ...block, after_lt: 1 },
    { ...block, after_hash: hash },
    { ...block, after_lt: -1, after_hash: hash },
  ],
  getBlockTransactionsExt: [{ ...block, count: 0 }],
  getTransactions: [
    { address: 'bad' },
    { address, limit: 0 },
    { address, limit: 1_001 },
    { address, limit: 'bad' },
    { address, lt: 1 },
    { address, hash },
    { address, lt: -1, hash },
    { address, lt: 1, hash: 'bad' },
    { address, archival: 'perhaps' },
  ],
  getTransactionsStd: [{ address, lt: 0 }],
  tryLocateTx: [
    {},
    { source: address },
    { source: address, destination: address },
    { ...message, created_lt: -1 },
    { ...message, source: 'bad' },
    { ...message, destination: 'bad' },
    { ...message, created_lt: String(2n ** 63n) },
  ],
  tryLocateSourceTx: [{ ...message, created_lt: 'x' }],
  getConfigParam: [
    {},
    { param: -1 },
    { config_id: 'bad' },
    { param: 2 ** 31 },
    { param: 4, seqno: 0 },
    { param: 4, config_id: 0 },
  ],
  getConfigAll: [{ seqno: 0 }, { seqno: 'bad' }],
  getLibraries: [{ libraries: 'invalid' }, { libraries: 'f'.repeat(63) }],
  runGetMethod: [
    {},
    { address, method: 'seqno' },
    { ...getter, address: 'bad' },
    { ...getter, method: {} },
    { ...getter, stack: 'invalid' },
    { ...getter, stack: [[]] },
    { ...getter, stack: [['num']] },
    { ...getter, stack: [['unknown', '0']] },
    { ...getter, stack: [['cell', 'bad']] },
  ],
  runGetMethodStd: [
    { ...getter, stack: [{}] },
    { ...getter, stack: [{ '@type': 'not.a.stackEntry' }] },
    { ...getter, stack: [{ '@type': 'tvm.stackEntryNumber', number: {} }] },
  ],
  estimateFee: [
    {},
    { address },
    { address: 'bad', body },
    { address, body: 'not base64!' },
    { address, body, ignore_chksig: 'not-bool' },
  ],
  sendBoc: [{}, { boc: '' }, { boc: body }],
  sendBocReturnHash: [{}, { boc: 'AAAA' }],
  sendQuery: [{}, { address }, { address, body: 'x' }],
}
const BY_POST = /^(?:runGetMethod|estimateFee|send)/

describe('wrong parameters', () => {
  it.each(Object.entries(REFUSED))('of %s are refused as such', async (method, cases) => {
    for (const params of cases) {
      const answers = [await world.ask(method, params)]
      answers.push(await postJson(`${world.url}/api/v2/${method}`, params))
      if (!BY_POST.test(method)) {
        const query = new URLSearchParams({ ...params })
        answers.push(await getJson(`${world.url}/api/v2/${method}?${query}`))
      }
      for (const { status, body } of answers) {
        expect([JSON.stringify(params), status]).toEqual([JSON.stringify(params), 422])
        const error = expect.stringMatching(/^failed to validate request: ./)
        expect(body).toMatchObject({ ok: false, code: 422, error })
      }
    }
  })
})
