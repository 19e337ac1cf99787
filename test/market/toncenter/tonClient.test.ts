/**
 * The whole of @ton/ton's `TonClient`, unmodified, over HTTP: every public method of its prototype
 * is called against a localnet, and the last test says which were.
 * @module
 */
import {
  Address,
  beginCell,
  Cell,
  type Contract,
  type ContractProvider,
  comment,
  external,
  internal,
  SendMode,
  storeMessage,
  type TupleItem,
  toNano,
} from '@ton/core'
import { TonClient, WalletContractV4 } from '@ton/ton'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testKey } from '../../support/localnet.ts'
import { compiled, deployable } from '../../support/toncenterContracts.ts'
import { type ToncenterWorld, toncenterWorld } from '../../support/toncenterWorld.ts'

const TON = toNano(1)
const SEND = SendMode.PAY_GAS_SEPARATELY | SendMode.IGNORE_ERRORS
const NOBODY = new Address(0, Buffer.alloc(32, 0x77))
const called = new Set<string>()

let world: ToncenterWorld
let client: TonClient
let probe: ReturnType<typeof deployable>

/** The same client; every method that a test calls is noted. */
function noted(real: TonClient): TonClient {
  return new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      called.add(String(name))
      return value.bind(target)
    },
  })
}

/** A wallet of @ton/ton, and the secret key in its own form. */
function wallet(seed: number) {
  const { publicKey } = testKey(seed)
  const contract = WalletContractV4.create({ workchain: 0, publicKey: Buffer.from(publicKey) })
  return { contract, secretKey: Buffer.concat([Buffer.alloc(32, seed), publicKey]) }
}

beforeAll(async () => {
  world = await toncenterWorld()
  client = noted(new TonClient({ endpoint: world.endpoint }))
  probe = deployable(await compiled('PROBE'))
  await world.fund(probe.address, 5n * TON)
})
afterAll(async () => {
  await world?.stop()
})

describe('messages', () => {
  it('bring a contract up, once, with its state', async () => {
    expect(await client.isContractDeployed(probe.address)).toBe(false)
    expect(await client.getContractState(probe.address)).toMatchObject({
      state: 'uninitialized',
      balance: 5n * TON,
      code: null,
    })
    await client.sendExternalMessage(probe, Cell.EMPTY)
    expect(await client.isContractDeployed(probe.address)).toBe(true)
    const state = await client.getContractState(probe.address)
    expect(state.state).toBe('active')
    expect(Cell.fromBoc(state.code!)[0]!.equals(probe.init.code!)).toBe(true)
    expect(state.blockId.workchain).toBe(-1)
    await client.sendExternalMessage(probe, Cell.EMPTY) // now without its state
    expect(await client.getTransactions(probe.address, { limit: 9 })).toHaveLength(3)
  })

  it('are taken as a message and as a file', async () => {
    const message = external({ to: probe.address })
    await client.sendMessage(message)
    await client.sendFile(beginCell().store(storeMessage(message)).endCell().toBoc())
    expect(await client.getTransactions(probe.address, { limit: 9 })).toHaveLength(5)
  })

  it('that nobody takes are refused with 500 and the reason', async () => {
    const refused = client.sendMessage(external({ to: NOBODY }))
    await expect(refused).rejects.toMatchObject({ response: { status: 500 } })
    await expect(refused).rejects.toMatchObject({
      response: { data: { error: expect.stringContaining('cannot apply external message') } },
    })
  })
})

describe('get methods', () => {
  const ask = async (name: string, stack?: TupleItem[]) =>
    (await client.runMethod(probe.address, name, stack)).stack

  it('give numbers, negative and wide', async () => {
    const stack = await ask('numbers')
    expect(stack.readBigNumber()).toBe(-5n)
    expect(stack.readBigNumber()).toBe(1n << 200n)
    expect(stack.readBoolean()).toBe(true)
  })

  it('give cells; slices as cells', async () => {
    const stack = await ask('cells')
    const cell = stack.readCell()
    expect(cell.bits.length).toBe(3)
    expect(cell.refs[0]!.beginParse().loadUint(8)).toBe(7)
    expect(stack.readCell().beginParse().loadUint(16)).toBe(0xabcd)
  })

  it('give null, tuples and lists', async () => {
    expect((await ask('nothing')).readBigNumberOpt()).toBeNull()
    // Inside tuples this client reads entries as bare values.
    const pair = (await ask('pair')).pop()
    expect(pair).toEqual({ type: 'tuple', items: [1n, [2n, expect.any(Cell)]] })
    const list = (await ask('list')).pop()
    expect(list).toEqual({ type: 'tuple', items: [1n, 2n, 3n] })
  })

  it.each<[string, TupleItem]>([
    ['int', { type: 'int', value: -(2n ** 200n) }],
    ['cell', { type: 'cell', cell: beginCell().storeUint(5, 8).endCell() }],
    ['slice', { type: 'slice', cell: beginCell().storeUint(6, 8).endCell() }],
  ])('take a %s', async (_type, item) => {
    const back = (await ask('echo', [item])).pop()
    if (item.type === 'int') expect(back).toEqual(item)
    else expect('cell' in back && 'cell' in item && back.cell.equals(item.cell)).toBe(true)
  })

  it('by both names of the call, with and without the exit code', async () => {
    const { gas_used, stack } = await client.callGetMethod(probe.address, 'numbers')
    expect(gas_used).toBeGreaterThan(0)
    expect(stack.remaining).toBe(3)
    const failed = { exit_code: 91, gas_used: expect.any(Number) }
    expect(await client.runMethodWithError(probe.address, 'fails')).toMatchObject(failed)
    expect(await client.callGetMethodWithError(probe.address, 'fails')).toMatchObject(failed)
    await expect(client.runMethod(probe.address, 'none')).rejects.toThrow('exit_code: 11')
    await expect(client.runMethod(NOBODY, 'none')).rejects.toThrow('exit_code: -13')
  })
})

describe('balances and history', () => {
  const { contract, secretKey } = wallet(11)
  const payee = wallet(12).contract.address

  it('follow a transfer', async () => {
    await world.fund(contract.address, 3n * TON)
    expect(await client.getBalance(contract.address)).toBe(3n * TON)
    expect(await client.getBalance(NOBODY)).toBe(0n)
    const body = comment('for coffee')
    const messages = [internal({ to: payee, value: TON, bounce: false, body })]
    await client.open(contract).sendTransfer({ seqno: 0, secretKey, messages, sendMode: SEND })
    expect(await client.getBalance(payee)).toBe(TON)
  })

  it('are listed newest first, by pages, and one by one', async () => {
    const opened = client.open(contract)
    for (let seqno = 1; seqno <= 4; seqno++) {
      const messages = [internal({ to: payee, value: 1n, bounce: false })]
      await opened.sendTransfer({ seqno, secretKey, messages, sendMode: SEND })
    }
    const all = await client.getTransactions(contract.address, { limit: 100 })
    expect(all).toHaveLength(6)
    const seen: string[] = []
    let from: { lt: string; hash: string } | undefined
    for (;;) {
      const page = await client.getTransactions(contract.address, { limit: 2, ...from })
      if (page.length === 0) break
      seen.push(...page.map((tx) => tx.hash().toString('hex')))
      const last = page.at(-1)!
      from = { lt: last.lt.toString(), hash: last.hash().toString('base64') }
    }
    expect(seen).toEqual(all.map((tx) => tx.hash().toString('hex')))
    const [lt, hash] = [all[2]!.lt.toString(), all[2]!.hash().toString('base64')]
    const until = await client.getTransactions(contract.address, { limit: 9, to_lt: lt })
    expect(until.map((tx) => tx.lt)).toEqual(all.slice(0, 2).map((tx) => tx.lt))
    const inclusive = { limit: 1, lt, hash, inclusive: true }
    expect((await client.getTransactions(contract.address, inclusive))[0]!.lt).toBe(all[2]!.lt)
    expect((await client.getTransaction(contract.address, lt, hash))?.lt).toBe(all[2]!.lt)
    const other = all[1]!.lt.toString()
    await expect(client.getTransaction(contract.address, other, hash)).rejects.toMatchObject({
      response: { status: 500 },
    })
  })

  it('lead from a message to both of its ends', async () => {
    const [received] = await client.getTransactions(payee, { limit: 1 })
    const { info } = received!.inMessage!
    const created = info.type === 'internal' ? info.createdLt.toString() : ''
    const result = await client.tryLocateResultTx(contract.address, payee, created)
    expect(result.hash()).toEqual(received!.hash())
    const source = await client.tryLocateSourceTx(contract.address, payee, created)
    const [sent] = await client.getTransactions(contract.address, { limit: 1 })
    expect(source.hash()).toEqual(sent!.hash())
    const notFound = { response: { status: 404, data: { error: 'transaction was not found' } } }
    for (const other of ['1', (BigInt(created) + 1n).toString()]) {
      const args = [contract.address, payee, other] as const
      await expect(client.tryLocateResultTx(...args)).rejects.toMatchObject(notFound)
      await expect(client.tryLocateSourceTx(...args)).rejects.toMatchObject(notFound)
    }
  })

  it('stand in blocks', async () => {
    const { latestSeqno, initSeqno, workchain } = await client.getMasterchainInfo()
    expect({ initSeqno, workchain }).toEqual({ initSeqno: 0, workchain: -1 })
    const [newest] = await client.getTransactions(contract.address, { limit: 1 })
    const listed: string[] = []
    for (let seqno = 1; seqno <= latestSeqno; seqno++) {
      for (const { workchain, seqno: number, shard } of await client.getWorkchainShards(seqno)) {
        const found = await client.getShardTransactions(workchain, number, shard)
        listed.push(...found.map(({ lt, hash }) => `${lt} ${hash}`))
      }
    }
    expect(listed).toContain(`${newest!.lt} ${newest!.hash().toString('base64')}`)
    expect(new Set(listed).size).toBe(listed.length)
  })

  it('cost what was estimated', async () => {
    const transfer = { seqno: 5, secretKey, sendMode: SEND }
    const messages = [internal({ to: payee, value: 1n, bounce: false })]
    const body = contract.createTransfer({ ...transfer, messages })
    const estimate = await client.estimateExternalMessageFee(contract.address, {
      body,
      initCode: null,
      initData: null,
      ignoreSignature: false,
    })
    await client.sendExternalMessage(contract, body)
    const page = await world.result('getTransactions', {
      address: contract.address.toString(),
      limit: 1,
    })
    const { in_fwd_fee, storage_fee, gas_fee, fwd_fee } = estimate.source_fees
    // Rent of a second or two may pass between the two; `estimate.test.ts` has it to the nanoTON.
    const other = in_fwd_fee + gas_fee + fwd_fee
    expect(String(other)).toBe(String(page['0']?.other_fee))
    expect(Math.abs(storage_fee - Number(page['0']?.storage_fee))).toBeLessThan(10)
  })
})

describe('an estimate', () => {
  const { contract } = wallet(11)
  it.each([
    [true, 'does not ask who signed'],
    [false, 'asks who signed, where it is told to'],
  ])('with signatures ignored: %s, %s', async (ignoreSignature) => {
    const { secretKey } = wallet(99)
    const messages = [internal({ to: NOBODY, value: 1n, bounce: false })]
    const body = contract.createTransfer({ seqno: 6, secretKey, messages, sendMode: SEND })
    const args = { body, initCode: null, initData: null, ignoreSignature }
    const { source_fees } = await client.estimateExternalMessageFee(contract.address, args)
    if (ignoreSignature) expect(source_fees.gas_fee).toBeGreaterThan(0)
    else expect(source_fees.gas_fee).toBe(0)
  })
})

describe('contracts', () => {
  it('are opened and provided', async () => {
    const wrapper = {
      ...probe,
      getNumber: async (provider: ContractProvider) =>
        (await provider.get('numbers', [])).stack.readBigNumber(),
      getEcho: async (provider: ContractProvider, value: bigint) =>
        (await provider.get('echo', [{ type: 'int', value }])).stack.readBigNumber(),
      sendNothing: (provider: ContractProvider) => provider.external(Cell.EMPTY),
    } satisfies Contract & Record<string, unknown>
    const opened = client.open(wrapper)
    expect(await opened.getNumber()).toBe(-5n)
    expect(await opened.getEcho(12n)).toBe(12n)
    await opened.sendNothing()

    const provider = client.provider(probe.address, probe.init)
    const { state, balance, last } = await provider.getState()
    expect(state.type).toBe('active')
    expect(balance).toBe(await client.getBalance(probe.address))
    const [newest] = await client.getTransactions(probe.address, { limit: 1 })
    expect(last).toEqual({ lt: newest!.lt, hash: newest!.hash() })
    const list = await provider.getTransactions(probe.address, last!.lt, last!.hash, 3)
    expect(list).toHaveLength(3)
    expect(list[0]!.lt).toBe(last!.lt)
    expect((await provider.open(wrapper).getNumber()).toString()).toBe('-5')
  })

  it('send through a wallet as a sender', async () => {
    const { contract, secretKey } = wallet(13)
    await world.fund(contract.address, 2n * TON)
    const sender = client.open(contract).sender(secretKey)
    const before = await client.getBalance(probe.address)
    await client.provider(probe.address, probe.init).internal(sender, { value: '0.5' })
    expect(await client.getBalance(probe.address)).toBeGreaterThan(before)
  })
})

it('nothing of the client was left out', () => {
  const all = Object.getOwnPropertyNames(TonClient.prototype).filter(
    (name) => name !== 'constructor',
  )
  expect([...called].toSorted()).toEqual(all.toSorted())
})
