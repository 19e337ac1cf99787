/**
 * The table of toncenter's methods in `node/localnet/toncenter.md` is true: what it says is served
 * answers, by every way of asking; what it says is not is refused in toncenter's form.
 * @module
 */
import { readFileSync } from 'node:fs'
import { beginCell, Cell, toNano } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { walletAddress, walletTransfer } from '../../../contracts/wrappers/wallet.ts'
import { getJson, postJson, testKey, transferBoc } from '../../support/localnet.ts'
import { compiled, deployable, offChain } from '../../support/toncenterContracts.ts'
import { SHARD } from '../../support/toncenterIndexer.ts'
import { misshapen } from '../../support/toncenterShapes.ts'
import { type ToncenterWorld, toncenterWorld } from '../../support/toncenterWorld.ts'

/** What toncenter's C++ server lets its JSON-RPC pass on, and `sendQuery` of the older one. */
const TONCENTER = `detectAddress detectHash packAddress unpackAddress getAddressInformation
getExtendedAddressInformation getShardAccountCell getWalletInformation getAddressBalance
getAddressState getTokenData dnsResolve getMasterchainInfo getMasterchainBlockSignatures
getShardBlockProof getConsensusBlock lookupBlock getShards shards getBlock getBlockHeader
getOutMsgQueueSize getBlockTransactions getBlockTransactionsExt getTransactions getTransactionsStd
tryLocateResultTx tryLocateTx tryLocateSourceTx getConfigParam getConfigAll getLibraries
runGetMethod runGetMethodStd sendBoc sendBocReturnHash sendBocReturnHashNoError estimateFee
sendQuery`.split(/\s+/)

interface Row {
  readonly method: string
  readonly verb: 'any' | 'POST'
  readonly isServed: boolean
}

const TABLE = readFileSync(new URL('../../../node/localnet/toncenter.md', import.meta.url), 'utf8')
const ROWS: Row[] = [...TABLE.matchAll(/^\| `(\w+)` +\| (any|POST) +\| (yes|no) +\|/gm)].map(
  ([, method, verb, served]) => ({
    method: method!,
    verb: verb as Row['verb'],
    isServed: served === 'yes',
  }),
)
const SERVED = ROWS.filter(({ isServed }) => isServed)

const key = testKey(71)
const address = walletAddress(key.publicKey).toString()
const payee = walletAddress(testKey(72).publicKey)
const block = { workchain: 0, shard: SHARD, seqno: 3 }
const body = () =>
  walletTransfer(sent++, 2 ** 32 - 1, [{ to: payee, value: 1n, bounce: false }], key)
    .toBoc()
    .toString('base64')

let world: ToncenterWorld
let samples: Record<string, () => object>
let sent = 0

beforeAll(async () => {
  world = await toncenterWorld()
  await world.fund(walletAddress(key.publicKey), toNano(5))
  const next = () => ({ boc: transferBoc(71, sent++, payee, 1n) })
  await world.result('sendBoc', next())
  const jetton = await jettonMaster()
  const list = await world.result('getTransactions', { address, limit: 1 })
  const { source, destination, created_lt } = list['0']!.out_msgs!['0']!
  const message = { source, destination, created_lt }
  const account = () => ({ address })
  const getter = () => ({ address, method: 'seqno', stack: [] })
  const query = () => ({ address, body: body() })
  samples = {
    ...{ detectAddress: account, packAddress: account, unpackAddress: account },
    ...{ detectHash: () => ({ hash: '0'.repeat(64) }), getTokenData: () => ({ address: jetton }) },
    ...{ getAddressInformation: account, getExtendedAddressInformation: account },
    ...{ getWalletInformation: account, getAddressBalance: account, getAddressState: account },
    getShardAccountCell: account,
    ...{ getMasterchainInfo: () => ({}), getConsensusBlock: () => ({}) },
    ...{ lookupBlock: () => block, getBlockHeader: () => block },
    ...{ shards: () => ({ seqno: 2 }), getShards: () => ({ seqno: 2 }) },
    getOutMsgQueueSize: () => ({}),
    ...{ getBlockTransactions: () => block, getBlockTransactionsExt: () => block },
    ...{ getTransactions: account, getTransactionsStd: account },
    ...{ tryLocateTx: () => message, tryLocateResultTx: () => message },
    tryLocateSourceTx: () => message,
    ...{ getConfigParam: () => ({ config_id: 19 }), getConfigAll: () => ({}) },
    getLibraries: () => ({ libraries: ['0'.repeat(64)] }),
    ...{ runGetMethod: getter, runGetMethodStd: getter },
    estimateFee: () => ({ address, body: Cell.EMPTY.toBoc().toString('base64') }),
    ...{ sendBoc: next, sendBocReturnHash: next, sendBocReturnHashNoError: next },
    sendQuery: query,
  }
})
afterAll(async () => {
  await world?.stop()
})

async function jettonMaster(): Promise<string> {
  const data = beginCell()
    .storeCoins(1)
    .storeBit(true)
    .storeAddress(null)
    .storeRef(offChain('https://example.org/j.json'))
    .storeRef(Cell.EMPTY)
  const contract = deployable(await compiled('JETTON'), data.endCell())
  await world.deploy(contract, toNano(1))
  return contract.address.toString()
}

const byGet = (method: string, params: object) =>
  getJson(`${world.url}/api/v2/${method}?${new URLSearchParams({ ...params })}`)
const byPost = (method: string, params: object) => postJson(`${world.url}/api/v2/${method}`, params)

describe('the table', () => {
  it('has every method of toncenter once', () => {
    const methods = ROWS.map(({ method }) => method)
    expect(new Set(methods).size).toBe(methods.length)
    expect(methods).toEqual(expect.arrayContaining(TONCENTER))
    expect(SERVED.map(({ method }) => method).toSorted()).toEqual(Object.keys(samples).toSorted())
  })

  it.each(SERVED)('is right that $method is served', async ({ method, verb }) => {
    const params = () => samples[method]!()
    const byRpc = await world.ask(method, params())
    expect(byRpc).toMatchObject({ status: 200, body: { ok: true, '@extra': expect.any(String) } })
    expect(byRpc.body).toMatchObject({ jsonrpc: '2.0', id: '1' })
    expect(misshapen(byRpc.body.result)).toEqual([])
    const posted = await byPost(method, params())
    expect(posted).toMatchObject({ status: 200, body: { ok: true } })
    if (verb === 'POST') {
      expect(await byGet(method, {})).toMatchObject({ status: 405, body: { code: 405 } })
      return
    }
    const got = await byGet(method, params())
    const ago = (result: unknown) =>
      JSON.stringify(result).replaceAll(/"(sync_utime|timestamp)":\d+/g, '')
    expect(ago(got.body.result)).toBe(ago(byRpc.body.result))
    expect(ago(posted.body.result)).toBe(ago(byRpc.body.result))
  })

  it.each(ROWS.filter(({ isServed }) => !isServed))(
    'is right that $method is not',
    async ({ method }) => {
      const asked = [await world.ask(method, block), await byPost(method, block)]
      for (const { status, body } of [...asked, await byGet(method, block)]) {
        expect([404, 500]).toContain(status)
        expect(body).toMatchObject({ ok: false, code: status, error: expect.any(String) })
        expect(body.error).not.toBe('')
      }
    },
  )
})

it('the shapes notice what is absent, odd or of another kind', () => {
  const fees = { '@type': 'fees', in_fwd_fee: '1', storage_fee: 0, gas_fee: 0, more: 1 }
  expect(misshapen([fees, { '@type': 'other' }])).toEqual([
    'result[0].in_fwd_fee is no n',
    'result[0].fwd_fee is absent',
    'result[0].more is not known',
    'result[1] is a other',
  ])
})

describe('a call', () => {
  it('of no method is refused as toncenter does', async () => {
    for (const method of [
      'unknownMethod',
      '../healthcheck',
      'getMasterchainInfo?x=1',
      '__proto__',
    ]) {
      const { status, body } = await world.ask(method)
      expect([status, body.error]).toEqual([404, 'method is not supported'])
    }
    expect((await byGet('unknownMethod', {})).status).toBe(404)
    expect((await byGet('jsonRPC', {})).status).toBe(405)
  })

  it.each(['{', '{}', '[]', '{"method":123}', '{"method":null}', '"x"', ''])(
    'with the body %j is refused as input',
    async (text) => {
      const { status, body } = await postJson(world.endpoint, text)
      expect([status, body]).toMatchObject([422, { ok: false }])
    },
  )

  it('takes parameters that are no object for none, but for a list of some', async () => {
    for (const params of [null, [], 123]) {
      const call = { method: 'getAddressInformation', params }
      expect(await postJson(world.endpoint, call)).toMatchObject({
        status: 422,
        body: { error: expect.stringContaining('address') },
      })
      expect((await postJson(world.endpoint, { method: 'getConfigAll', params })).status).toBe(200)
    }
    const call = { method: 'getAddressInformation', params: [address] }
    expect((await postJson(world.endpoint, call)).status).toBe(422)
  })

  it('may have null for what it does not give, as older clients do', async () => {
    const nothing = { lt: null, hash: null, to_lt: null, archival: null }
    const list = await world.result('getTransactions', { address, limit: 2, ...nothing })
    expect(Object.values(list)).toHaveLength(2)
  })

  it('keeps its id, a number too', async () => {
    const call = { jsonrpc: '2.0', id: 7, method: 'getMasterchainInfo', params: {} }
    expect((await postJson(world.endpoint, call)).body).toMatchObject({ id: 7, jsonrpc: '2.0' })
    const odd = { ...call, id: { toString: null } }
    expect((await postJson(world.endpoint, odd)).body).toMatchObject({ ok: true, id: '' })
  })
})

describe('bounds', () => {
  it('hold for libraries asked for at once', async () => {
    const libraries = (count: number) => ({ libraries: Array(count).fill('0'.repeat(64)) })
    const asked = await world.result('getLibraries', libraries(LIMITS.toncenterLibraries))
    expect(asked.result).toEqual([])
    const more = libraries(LIMITS.toncenterLibraries + 1)
    expect((await world.ask('getLibraries', more)).status).toBe(422)
  })
})

describe('the state at a block', () => {
  it('is given where the account has not changed since', async () => {
    const { last } = await world.result('getMasterchainInfo')
    const nobody = walletAddress(testKey(79).publicKey).toString()
    expect(await world.result('getAddressBalance', { address: nobody, seqno: 1 })).toBe('0')
    const now = await world.result('getAddressInformation', { address, seqno: last?.seqno })
    expect(now.state).toBe('active')
    const old = await world.ask('getAddressInformation', { address, seqno: 1 })
    expect(old).toMatchObject({
      status: 500,
      body: { error: expect.stringContaining("state already gc'd") },
    })
    const future = await world.ask('getAddressBalance', { address, seqno: 1_000_000 })
    expect(future.body.error).toContain('ltdb: block not found')
    const getter = { address, method: 'seqno', stack: [] }
    expect((await world.ask('runGetMethod', { ...getter, seqno: 1 })).status).toBe(500)
    expect(await world.result('getConfigParam', { param: 19, seqno: 1 })).toEqual(
      await world.result('getConfigParam', { config_id: 19 }),
    )
  })
})
