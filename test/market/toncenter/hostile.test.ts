/**
 * Hostile callers and hostile contracts: whatever is asked, a localnet answers in toncenter's form,
 * soon, and with nothing of its own insides.
 *
 * `FUZZ_INPUTS` and `FUZZ_SEED` make a campaign of it, as everywhere.
 * @module
 */
import { Address, Builder, beginCell, type Cell, external, storeMessage, toNano } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bytes, utf8 } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { walletAddress } from '../../../contracts/wrappers/wallet.ts'
import { brokenJson, fuzzAsync, tell } from '../../fuzz/awkward.ts'
import { type Answer, getJson, postJson, testKey, transferBoc } from '../../support/localnet.ts'
import { compiled, deployable } from '../../support/toncenterContracts.ts'
import { SHARD } from '../../support/toncenterIndexer.ts'
import { type ToncenterWorld, toncenterWorld } from '../../support/toncenterWorld.ts'

const key = testKey(81)
const address = walletAddress(key.publicKey).toString()
const boc = beginCell().storeUint(7, 8).endCell().toBoc().toString('base64')
const hash = 'ab'.repeat(32)
const block = { workchain: 0, shard: SHARD, seqno: 2, root_hash: hash, file_hash: hash }
const entry = (value: string) => ({
  '@type': 'tvm.stackEntryNumber',
  number: { '@type': 'tvm.numberDecimal', number: value },
})
const list = { '@type': 'tvm.list', elements: [entry('1'), entry('2')] }
const typed = { '@type': 'tvm.stackEntryList', list }
const pairs = [
  ['num', '0x5'],
  ['tvm.Slice', boc],
  ['list', list],
  ['cell', { bytes: boc }],
]
const message = { source: address, destination: address, created_lt: '1000001' }
const account = { address, seqno: 2 }
const history = { address, limit: 5, lt: '1000000', hash, to_lt: 0, archival: true }
const query = { address, body: boc, init_code: boc, init_data: boc, ignore_chksig: false }

/** A call of every kind, whose parameters are then broken. */
const CALLS = [
  { method: 'getAddressInformation', params: account },
  { method: 'getExtendedAddressInformation', params: account },
  { method: 'getWalletInformation', params: account },
  { method: 'getShardAccountCell', params: account },
  { method: 'getTokenData', params: account },
  { method: 'detectAddress', params: { address } },
  { method: 'detectHash', params: { hash } },
  { method: 'lookupBlock', params: { workchain: 0, shard: SHARD, lt: '5' } },
  { method: 'lookupBlock', params: { workchain: -1, shard: SHARD, unixtime: 1_800_000_000 } },
  { method: 'getBlockHeader', params: block },
  { method: 'shards', params: { seqno: 2 } },
  { method: 'getBlockTransactions', params: { ...block, after_lt: 3, after_hash: hash, count: 3 } },
  { method: 'getBlockTransactionsExt', params: { ...block, count: 9 } },
  { method: 'getTransactions', params: history },
  { method: 'getTransactionsStd', params: { address, limit: 3 } },
  { method: 'tryLocateTx', params: message },
  { method: 'tryLocateSourceTx', params: message },
  { method: 'getConfigParam', params: { config_id: 19, seqno: 1 } },
  { method: 'getLibraries', params: { libraries: [hash] } },
  { method: 'runGetMethod', params: { address, method: 'seqno', stack: pairs } },
  { method: 'runGetMethodStd', params: { address, method: 85_143, stack: [typed] } },
  { method: 'estimateFee', params: query },
  { method: 'sendQuery', params: query },
  { method: 'sendBocReturnHash', params: { boc } },
]

const RECIPES = CALLS.map((_, i) =>
  Uint8Array.from({ length: 10 }, (_, at) => (at === 0 ? i : (i * 53 + at * 37) & 0xff)),
)

let world: ToncenterWorld
let probe: ReturnType<typeof deployable>

beforeAll(async () => {
  world = await toncenterWorld()
  await world.fund(walletAddress(key.publicKey), toNano(5))
  await world.result('sendBoc', { boc: transferBoc(81, 0, Address.parse(address), 1n) })
  probe = deployable(await compiled('PROBE'))
  await world.deploy(probe, toNano(50))
})
afterAll(async () => {
  await world?.stop()
})

const STATUSES = [200, 404, 405, 409, 413, 422, 429, 500]

/** Throws a MarketError for a refusal in toncenter's form, an Error for anything else. */
function judge({ status, body }: Answer): void {
  if (status === 200 && body.ok && 'result' in body) return
  const text = JSON.stringify(body)
  const isShaped = !body.ok && typeof body.error === 'string' && body.error !== ''
  const isOurs = status === 500 && !body.error.startsWith('LITE_SERVER_')
  const leaks = /node_modules|\.ts:|\bat \/|TypeError|RangeError/.test(text)
  if (!isShaped || isOurs || leaks || !STATUSES.includes(status) || text.length > 5_000) {
    throw new Error(`status ${status}: ${text.slice(0, 500)}`)
  }
  throw new MarketError('bad-input')
}

describe('hostile calls', () => {
  it('by JSON-RPC, broken in their values', async () => {
    const decode = async (recipe: Bytes) => {
      const { method, params } = CALLS[(recipe[0] ?? 0) % CALLS.length]!
      judge(await world.ask(method, Object(brokenJson([params], recipe))))
    }
    const report = await fuzzAsync({ name: 'values', corpus: RECIPES, decode, inputs: 150 })
    tell(report)
    expect(report.refused).toBeGreaterThan(0)
    expect(report.accepted).toBeGreaterThan(0)
  })

  it('by JSON-RPC, broken in their bytes', async () => {
    const corpus = CALLS.map((call) => utf8(JSON.stringify(call)))
    const decode = async (input: Bytes) =>
      judge(await postJson(world.endpoint, new TextDecoder().decode(input)))
    tell(await fuzzAsync({ name: 'bytes', corpus, decode, inputs: 80 }))
  })

  it('by paths and query strings', async () => {
    const decode = async (recipe: Bytes) => {
      const call = Object(brokenJson(CALLS, recipe))
      const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : value)
      const fields = Object.entries(Object(call.params)).map(([name, value]): [string, string] => [
        name,
        String(text(value)).slice(0, 400), // a URL has 16 KiB at most
      ])
      const path = encodeURIComponent(String(text(call.method)).slice(0, 200).toWellFormed())
      judge(await getJson(`${world.url}/api/v2/${path}?${new URLSearchParams(fields)}`))
    }
    tell(await fuzzAsync({ name: 'paths', corpus: RECIPES, decode, inputs: 80 }))
  })

  it('leave the network as it was', async () => {
    expect((await world.result('getWalletInformation', { address })).seqno).toBe(1)
  })
})

describe('hostile contracts', () => {
  const run = async (method: string, ...numbers: number[]) => {
    const stack = numbers.map((each) => ['num', String(each)])
    const params = { address: probe.address.toString(), method, stack }
    return world.ask('runGetMethod', params)
  }

  it.each([1, 300, 1_000, 40_000])('that nest %d tuples', async (depth) => {
    const answer = await run('deep', depth)
    if (answer.status === 200) expect(answer.body.result.exit_code).toBeDefined()
    else expect(() => judge(answer)).toThrow(MarketError)
    expect((await run('numbers')).status).toBe(200)
  })

  it('that nest them while they take a message', async () => {
    const nest = beginCell().storeUint(3, 8).storeUint(20_000, 32).endCell()
    const boc = beginCell().store(storeMessage(external({ to: probe.address, body: nest })))
    const answer = await world.ask('sendBoc', { boc: boc.endCell().toBoc().toString('base64') })
    if (answer.status !== 200) expect(() => judge(answer)).toThrow(MarketError)
    expect((await run('numbers')).status).toBe(200)
    await world.send(probe.address)
  })

  it('that return a continuation, a builder, or never', async () => {
    for (const method of ['continuation', 'build', 'fails']) {
      const answer = await run(method)
      if (answer.status !== 200) expect(() => judge(answer)).toThrow(MarketError)
    }
    expect((await run('build')).body.result.stack).toEqual([['unsupported', '']])
    expect((await run('spin')).body.result.exit_code).toBe(-14)
  })

  it('that are sent messages with any body', async () => {
    const decode = async (input: Bytes) => {
      await world.send(probe.address, bodyOf(input))
      const params = { address: probe.address.toString(), limit: 1 }
      for (const method of ['getTransactions', 'getTransactionsStd']) {
        judge(await world.ask(method, params))
      }
    }
    const text = beginCell().storeUint(0, 32).storeStringTail('hello').endCell()
    const corpus = [text.bits, beginCell().storeUint(0x2167da4b, 32).endCell().bits].map((bits) =>
      Uint8Array.from([
        bits.length & 7,
        0,
        ...new Builder()
          .storeBits(bits)
          .endCell()
          .beginParse()
          .loadBuffer(bits.length / 8),
      ]),
    )
    tell(await fuzzAsync({ name: 'bodies', corpus, decode, inputs: 15 }))
  })
})

/** A body of these bits; the first two bytes say how many of the last are left out, and refs. */
function bodyOf(input: Bytes): Cell {
  const bytes = input.subarray(2, 120)
  const bits = Math.max(0, bytes.length * 8 - (input[0]! & 7))
  const builder = beginCell()
  for (let i = 0; i < bits; i++) builder.storeBit((bytes[i >> 3]! >> (7 - (i & 7))) & 1)
  for (let i = 0; i < (input[1]! & 3); i++) builder.storeRef(beginCell().storeUint(i, i * 3 + 8))
  return builder.endCell()
}
