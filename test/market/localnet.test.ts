/**
 * A localnet over HTTP: unmodified clients, control verbs, refusals.
 * @module
 */
import { request } from 'node:http'
import { type Address, Cell, comment, internal, SendMode } from '@ton/core'
import { TonClient, WalletContractV4 } from '@ton/ton'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../contracts/base/limits.ts'
import { TON } from '../../contracts/base/units.ts'
import { walletAddress, walletTransfer } from '../../contracts/wrappers/wallet.ts'
import { connectChain } from '../../node/chain/tonClient.ts'
import { LOCALNET_ID, type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { getJson, postJson, realClock, rpc, testKey, transferBoc } from '../support/localnet.ts'

let localnet: Localnet
let client: TonClient

beforeAll(async () => {
  localnet = await startLocalnet({ clock: realClock, logger: silentLogger, port: 0 })
  client = new TonClient({ endpoint: localnet.endpoint })
})
afterAll(async () => {
  await localnet?.stop()
})

const control = (verb: string, body: unknown) => postJson(`${localnet.url}/control/${verb}`, body)
const fund = (address: Address, amount: bigint) =>
  control('faucet', { address: address.toString(), amount: amount.toString() })

/** A v4 wallet of @ton/ton itself, with the secret key in its own form. */
function tonWallet(seed: number) {
  const { publicKey } = testKey(seed)
  const secretKey = Buffer.concat([Buffer.alloc(32, seed), publicKey])
  const wallet = WalletContractV4.create({ workchain: 0, publicKey: Buffer.from(publicKey) })
  return { wallet, secretKey }
}

describe('an unmodified TonClient', () => {
  const { wallet, secretKey } = tonWallet(1)
  const payee = tonWallet(2).wallet.address
  const sendMode = SendMode.PAY_GAS_SEPARATELY | SendMode.IGNORE_ERRORS

  it('deploys a wallet, sends from it, and reads getters and balances', async () => {
    await fund(wallet.address, 5n * TON)
    const opened = client.open(wallet)
    expect(await client.isContractDeployed(wallet.address)).toBe(false)
    const messages = [internal({ to: payee, value: TON, bounce: false, body: comment('hello') })]
    await opened.sendTransfer({ seqno: 0, secretKey, messages, sendMode })
    expect(await client.isContractDeployed(wallet.address)).toBe(true)
    expect(await opened.getSeqno()).toBe(1)
    expect(await client.getBalance(payee)).toBe(TON)
    const { gas_used, stack } = await client.runMethod(wallet.address, 'get_public_key')
    expect(gas_used).toBeGreaterThan(0)
    expect(stack.readBigNumber().toString(16)).toBe(
      Buffer.from(testKey(1).publicKey).toString('hex').replace(/^0+/, ''),
    )
  })

  it('pages through transactions and finds single ones', async () => {
    const opened = client.open(wallet)
    for (let seqno = 1; seqno < 4; seqno++) {
      const messages = [internal({ to: payee, value: 1n, bounce: false })]
      await opened.sendTransfer({ seqno, secretKey, messages, sendMode })
    }
    const all = await client.getTransactions(wallet.address, { limit: 100 })
    expect(all).toHaveLength(5)
    const [newest, second] = all
    const after = { lt: newest!.lt.toString(), hash: newest!.hash().toString('base64') }
    const rest = await client.getTransactions(wallet.address, { limit: 2, ...after })
    expect(rest.map((tx) => tx.lt)).toEqual(all.slice(1, 3).map((tx) => tx.lt))
    const { lt } = second!
    const found = await client.getTransaction(
      wallet.address,
      lt.toString(),
      second!.hash().toString('base64'),
    )
    expect(found?.hash()).toEqual(second!.hash())
  })

  it('follows a message from its sender to its receiver and back', async () => {
    const [received] = await client.getTransactions(payee, { limit: 1 })
    const info = received!.inMessage!.info
    const created = info.type === 'internal' ? info.createdLt.toString() : ''
    const result = await client.tryLocateResultTx(wallet.address, payee, created)
    expect(result.hash()).toEqual(received!.hash())
    const source = await client.tryLocateSourceTx(wallet.address, payee, created)
    const [sent] = await client.getTransactions(wallet.address, { limit: 1 })
    expect(source.hash()).toEqual(sent!.hash())
  })

  it('walks blocks, shards and their transactions', async () => {
    const { latestSeqno, workchain } = await client.getMasterchainInfo()
    expect(workchain).toBe(-1)
    // The transfer is in one block, its receipt in the next.
    for (const [back, address] of [payee, wallet.address].entries()) {
      const [shard] = await client.getWorkchainShards(latestSeqno - back)
      const listed = await client.getShardTransactions(0, shard!.seqno, shard!.shard)
      const [newest] = await client.getTransactions(address, { limit: 1 })
      expect(listed.map(({ account, lt }) => [account.toRawString(), lt])).toEqual([
        [address.toRawString(), newest!.lt.toString()],
      ])
    }
  })

  it('estimates what a transfer then costs', async () => {
    const key = testKey(1)
    const body = walletTransfer(4, 2 ** 32 - 1, [{ to: payee, value: 1n, bounce: false }], key)
    const estimate = await client.estimateExternalMessageFee(wallet.address, {
      body,
      initCode: null,
      initData: null,
      ignoreSignature: true,
    })
    await client.sendExternalMessage(wallet, body)
    const [{ totalFees, description }] = (await client.getTransactions(wallet.address, {
      limit: 1,
    })) as [Awaited<ReturnType<typeof client.getTransactions>>[0]]
    const { in_fwd_fee, storage_fee, gas_fee, fwd_fee } = estimate.source_fees
    const action = description.type === 'generic' ? description.actionPhase : undefined
    const carried = (action?.totalFwdFees ?? 0n) - (action?.totalActionFees ?? 0n)
    const paid = totalFees.coins + carried
    // A second of rent may pass between the two.
    expect(Math.abs(Number(paid) - (in_fwd_fee + storage_fee + gas_fee + fwd_fee))).toBeLessThan(10)
  })

  it('reports a failing getter by its exit code', async () => {
    const missing = await client.runMethodWithError(wallet.address, 'no_such_method')
    expect(missing.exit_code).toBe(11)
    await expect(client.runMethod(payee, 'seqno')).rejects.toThrow('exit_code: -13')
  })
})

describe('the network id', () => {
  it('stands in configuration parameter 19 and in block headers', async () => {
    const { body } = await rpc(localnet.endpoint, 'getConfigParam', { config_id: 19 })
    const cell = Cell.fromBase64(String(body.result.config?.bytes))
    expect(cell.beginParse().loadInt(32)).toBe(LOCALNET_ID)
    const head = { workchain: -1, shard: '-9223372036854775808', seqno: 1 }
    const header = await rpc(localnet.endpoint, 'getBlockHeader', head)
    expect(header.body.result.global_id).toBe(LOCALNET_ID)
  })

  it('stops a client that expects another network', async () => {
    const options = { endpoint: localnet.url, networkId: -3, clock: realClock }
    await expect(connectChain(options)).rejects.toMatchObject({
      code: 'wrong-network',
      facts: { expected: -3, found: LOCALNET_ID },
    })
  })

  it.each([-239, -3, 1.5, 2 ** 31])('is never %d', async (networkId) => {
    const starting = startLocalnet({ clock: realClock, logger: silentLogger, port: 0, networkId })
    await expect(starting).rejects.toMatchObject({ code: 'bad-config' })
  })
})

describe('the REST paths', () => {
  it('answer what JSON-RPC answers', async () => {
    const address = walletAddress(testKey(1).publicKey).toString()
    for (const method of ['getAddressBalance', 'getAddressState', 'unpackAddress']) {
      const byPath = await getJson(`${localnet.url}/api/v2/${method}?address=${address}`)
      const byRpc = await rpc(localnet.endpoint, method, { address })
      expect(byPath.body.ok).toBe(true)
      expect(byPath.body.result).toEqual(byRpc.body.result)
    }
    const page = await getJson(`${localnet.url}/api/v2/getTransactions?address=${address}&limit=2`)
    expect(page.body.result).toHaveLength(2)
    const call = { address, method: 'seqno', stack: [] }
    const posted = await postJson(`${localnet.url}/api/v2/runGetMethod`, call)
    expect(posted.body.result.stack).toEqual([['num', '0x5']])
    const wallet = await rpc(localnet.endpoint, 'getWalletInformation', { address })
    expect(wallet.body.result).toMatchObject({ wallet: true, seqno: 5, account_state: 'active' })
    const account = await rpc(localnet.endpoint, 'getExtendedAddressInformation', { address })
    expect(account.body.result.account_state?.['@type']).toBe('wallet.v4.accountState')
  })

  it('do not send by GET', async () => {
    const answer = await getJson(`${localnet.url}/api/v2/sendBoc?boc=x`)
    expect(answer).toMatchObject({ status: 405, body: { ok: false, code: 405 } })
  })

  it('give the hash of what was sent', async () => {
    const key = testKey(40)
    const address = walletAddress(key.publicKey)
    await fund(address, TON)
    const boc = transferBoc(40, 0, address, 1n)
    const answer = await rpc(localnet.endpoint, 'sendBocReturnHash', { boc })
    expect(answer.body.result.hash).toBe(Cell.fromBase64(boc).hash().toString('base64'))
  })
})

describe('control', () => {
  const address = walletAddress(testKey(50).publicKey)

  it('moves time, for blocks and for contracts', async () => {
    const chain = await connectChain({
      endpoint: localnet.url,
      networkId: LOCALNET_ID,
      clock: realClock,
    })
    const before = await chain.now()
    const { body } = await control('time', { advanceSeconds: 86_400 })
    expect(body.result.now).toBeGreaterThanOrEqual(before + 86_400)
    await fund(address, TON)
    const [transaction] = await chain.transactions(address, 1)
    expect(transaction!.at).toBeGreaterThanOrEqual(before + 86_400)
  })

  it('takes back what came after a snapshot, history included', async () => {
    await fund(address, TON)
    const taken = await control('snapshot', { name: 'before' })
    expect(taken.body).toEqual({ ok: true, result: { name: 'before' } })
    const balance = await client.getBalance(address)
    const history = await client.getTransactions(address, { limit: 10 })
    await fund(address, 7n * TON)
    await control('time', { advanceSeconds: 1_000_000 })
    expect(await client.getBalance(address)).toBeGreaterThan(balance)

    await control('restore', { name: 'before' })
    expect(await client.getBalance(address)).toBe(balance)
    const restored = await client.getTransactions(address, { limit: 10 })
    expect(restored.map((tx) => tx.lt)).toEqual(history.map((tx) => tx.lt))
    // A snapshot can be restored more than once.
    await fund(address, TON)
    await control('restore', { name: 'before' })
    expect(await client.getBalance(address)).toBe(balance)
  })

  it('counts every nanoTON', async () => {
    const { body } = await getJson(`${localnet.url}/control/totals`)
    const { balances, fees, inFlight, minted } = body.result
    expect(BigInt(String(balances)) + BigInt(String(fees)) + BigInt(String(inFlight))).toBe(
      BigInt(String(minted)),
    )
    expect(BigInt(String(fees))).toBeGreaterThan(0n)
  })

  it('resets to an empty network', async () => {
    await control('reset', {})
    const { body } = await getJson(`${localnet.url}/control/status`)
    expect(body.result).toMatchObject({ accounts: 0, transactions: 0, seqno: 1 })
    expect(await client.getBalance(address)).toBe(0n)
    expect((await control('restore', { name: 'before' })).status).toBe(404)
  })

  it('stops the blocks and lets them go on', async () => {
    await control('pause', {})
    const before = await getJson(`${localnet.url}/control/status`)
    expect(before.body.result).toMatchObject({ paused: true, waiting: 0 })
    expect((await fund(address, TON)).status).toBe(409)
    expect(await client.getBalance(address)).toBe(0n)
    await control('resume', {})
    expect((await fund(address, TON)).status).toBe(200)
    const after = await getJson(`${localnet.url}/control/status`)
    expect(after.body.result).toMatchObject({ paused: false, waiting: 0 })
    expect(Number(after.body.result.seqno)).toBe(Number(before.body.result.seqno) + 1)
  })

  it('keeps a bounded number of snapshots', async () => {
    for (let i = 0; i < LIMITS.localnetSnapshots; i++) await control('snapshot', { name: `s${i}` })
    expect((await control('snapshot', { name: 'one more' })).status).toBe(429)
    expect((await control('snapshot', { name: 's0' })).status).toBe(200)
    await control('reset', {})
  })
})

describe('bad input', () => {
  const address = walletAddress(testKey(60).publicKey).toString()
  const method = 'seqno'
  it.each<[string, object]>([
    ['getAddressInformation', {}],
    ['getAddressInformation', { address: 'EQnot-an-address' }],
    ['getTransactions', { address, limit: 0 }],
    ['getTransactions', { address, limit: 1_001 }],
    ['getTransactions', { address, lt: '-1' }],
    ['getTransactions', { address, lt: '1', hash: 'abc' }],
    ['runGetMethod', { address, method, stack: [['num', 'x']] }],
    ['runGetMethod', { address, method, stack: [['odd', '1']] }],
    ['runGetMethod', { address, method, stack: Array(LIMITS.stackItems + 1).fill(['num', '1']) }],
    ['sendBoc', { boc: 'AAAA' }],
    ['sendBoc', { boc: Cell.EMPTY.toBoc().toString('base64') }],
    ['getBlockHeader', { workchain: -1, seqno: -1 }],
    ['getBlockHeader', { workchain: 0, shard: 'x', seqno: 1 }],
  ])('%s %j is refused as such', async (name, params) => {
    const { status, body } = await rpc(localnet.endpoint, name, params)
    expect(status).toBe(422)
    expect(body).toMatchObject({ ok: false, code: 422, id: '1', jsonrpc: '2.0' })
  })

  it.each<[string, unknown]>([
    ['faucet', { address, amount: '0' }],
    ['faucet', { address, amount: '-5' }],
    ['faucet', { address, amount: (LIMITS.faucetNano + 1n).toString() }],
    ['faucet', { amount: '1' }],
    ['time', { advanceSeconds: 0 }],
    ['time', { advanceSeconds: LIMITS.localnetAdvanceS + 1 }],
    ['snapshot', { name: 'x'.repeat(LIMITS.nameLength + 1) }],
    ['time', '{"__proto__":{"advanceSeconds":1}}'],
    ['time', '{not json'],
    ['time', '[1]'],
  ])('%s %j is refused as such', async (verb, body) => {
    const answer = await control(verb, body)
    expect(answer).toMatchObject({ status: 400, body: { ok: false, code: 400 } })
  })

  it('is refused when too large', async () => {
    const answer = await control('snapshot', { name: 'x'.repeat(LIMITS.bodyBytes) })
    expect(answer).toMatchObject({ status: 413, body: { ok: false, code: 413 } })
  })

  it('does not reach a method that is none', async () => {
    for (const name of ['nothing', 'constructor', '__proto__']) {
      expect((await rpc(localnet.endpoint, name, {})).status).toBe(404)
    }
  })

  it('gets a short answer where a contract refuses', async () => {
    const boc = transferBoc(61, 0, walletAddress(testKey(61).publicKey), 1n)
    const { status, body } = await rpc(localnet.endpoint, 'sendBoc', { boc })
    expect(status).toBe(500)
    expect(body.error).toContain('cannot apply external message to current state')
    expect(JSON.stringify(body).length).toBeLessThan(500)
  })

  it('of a host that is not this machine is refused', async () => {
    const { port } = new URL(localnet.url)
    const status = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { port, path: '/control/status', headers }
        request(options, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end()
      })
    expect(await status({ host: 'evil.example' })).toBe(403)
    expect(await status({ host: '127.0.0.1.evil.example' })).toBe(403)
    expect(await status({ host: `localhost:${port}`, origin: 'https://evil.example' })).toBe(403)
    expect(await status({ host: `localhost:${port}`, origin: 'http://localhost:3000' })).toBe(200)
  })

  it('a taken port is told as such', async () => {
    const port = Number(new URL(localnet.url).port)
    const starting = startLocalnet({ clock: realClock, logger: silentLogger, port })
    await expect(starting).rejects.toMatchObject({ code: 'port-in-use', facts: { port } })
  })
})
