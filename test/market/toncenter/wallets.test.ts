/**
 * The common wallets as @ton/ton has them, unmodified: each deploys itself, pays one and several,
 * counts its messages and loses what was sent and the fees, to the nanoTON.
 * @module
 */
import { comment, internal, type MessageRelaxed, SendMode, toNano } from '@ton/core'
import {
  TonClient,
  WalletContractV1R1,
  WalletContractV1R2,
  WalletContractV1R3,
  WalletContractV2R1,
  WalletContractV2R2,
  WalletContractV3R1,
  WalletContractV3R2,
  WalletContractV4,
  WalletContractV5Beta,
  WalletContractV5R1,
} from '@ton/ton'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { walletOf } from '../../../node/localnet/walletKinds.ts'
import { testKey } from '../../support/localnet.ts'
import { type ToncenterWorld, toncenterWorld } from '../../support/toncenterWorld.ts'

const TON = toNano(1)
const SEND = SendMode.PAY_GAS_SEPARATELY | SendMode.IGNORE_ERRORS
const SEED = 21
const publicKey = Buffer.from(testKey(SEED).publicKey)
const secretKey = Buffer.concat([Buffer.alloc(32, SEED), publicKey])
const OWNER = { workchain: 0, publicKey }

/** What every opened wallet of @ton/ton has. */
interface Opened {
  sendTransfer(transfer: {
    seqno: number
    secretKey: Buffer
    sendMode: SendMode
    messages: MessageRelaxed[]
  }): Promise<unknown>
  getSeqno(): Promise<number>
  getBalance(): Promise<bigint>
}

let world: ToncenterWorld
let client: TonClient
beforeAll(async () => {
  world = await toncenterWorld()
  client = new TonClient({ endpoint: world.endpoint })
})
afterAll(async () => {
  await world?.stop()
})

const v3r1 = WalletContractV3R1.create(OWNER)
const v3r2 = WalletContractV3R2.create(OWNER)
const v4r2 = WalletContractV4.create(OWNER)
const v5r1 = WalletContractV5R1.create(OWNER)
const open = {
  v3r1: (): Opened => client.open(v3r1),
  v3r2: (): Opened => client.open(v3r2),
  v4r2: (): Opened => client.open(v4r2),
  v5r1: (): Opened => client.open(v5r1),
}

describe.each([
  { type: 'wallet v3 r1', most: 4, wallet: v3r1, opened: open.v3r1 },
  { type: 'wallet v3 r2', most: 4, wallet: v3r2, opened: open.v3r2 },
  { type: 'wallet v4 r2', most: 4, wallet: v4r2, opened: open.v4r2 },
  { type: 'wallet v5 r1', most: 20, wallet: v5r1, opened: open.v5r1 },
])('$type', ({ type, most, wallet, opened }) => {
  const address = wallet.address.toString()
  const first = payee(type, -1)
  const payees = Array.from({ length: most }, (_, i) => payee(type, i))
  const send = (seqno: number, messages: MessageRelaxed[]) =>
    opened().sendTransfer({ seqno, secretKey, sendMode: SEND, messages })

  it('deploys itself with its first transfer', async () => {
    await world.fund(wallet.address, 10n * TON)
    expect(await opened().getSeqno()).toBe(0)
    expect(await world.result('getWalletInformation', { address })).toMatchObject({
      wallet: false,
      account_state: 'uninitialized',
    })
    await send(0, [pay(first, TON)])
    expect(await opened().getSeqno()).toBe(1)
    expect(await client.getBalance(first)).toBe(TON)
    expect(await world.result('getWalletInformation', { address })).toMatchObject({
      wallet: true,
      wallet_type: type,
      seqno: 1,
      account_state: 'active',
    })
  })

  it('pays as many as it can in one transfer', async () => {
    await send(
      1,
      payees.map((to, i) => pay(to, BigInt(i + 1))),
    )
    expect(await opened().getSeqno()).toBe(2)
    for (const [i, to] of payees.entries()) {
      expect(await client.getBalance(to)).toBe(BigInt(i + 1))
    }
  })

  it('loses what it sent and what its transactions say they cost', async () => {
    const list = await world.result('getTransactions', { address, limit: 100 })
    const transactions = Object.values(list)
    expect(transactions).toHaveLength(3)
    let balance = 0n
    for (const { fee, in_msg, out_msgs } of transactions) {
      balance += BigInt(String(in_msg?.value)) - BigInt(String(fee))
      for (const { value } of Object.values(out_msgs!)) balance -= BigInt(String(value))
    }
    expect(await opened().getBalance()).toBe(balance)
    expect(await world.result('getAddressBalance', { address })).toBe(balance.toString())
  })

  it('refuses a number that it has had', async () => {
    const again = send(1, [pay(first, TON)])
    await expect(again).rejects.toMatchObject({
      response: { status: 500, data: { error: expect.stringMatching(/exitcode=\d+/) } },
    })
    expect(await opened().getSeqno()).toBe(2)
  })
})

it('every wallet of @ton/ton is known by its code', () => {
  const wallets = {
    'wallet v1 r1': WalletContractV1R1.create(OWNER),
    'wallet v1 r2': WalletContractV1R2.create(OWNER),
    'wallet v1 r3': WalletContractV1R3.create(OWNER),
    'wallet v2 r1': WalletContractV2R1.create(OWNER),
    'wallet v2 r2': WalletContractV2R2.create(OWNER),
    'wallet v3 r1': WalletContractV3R1.create({ ...OWNER, walletId: 5 }),
    'wallet v3 r2': WalletContractV3R2.create({ ...OWNER, walletId: 5 }),
    'wallet v4 r2': WalletContractV4.create({ ...OWNER, walletId: 5 }),
    'wallet v5 beta': WalletContractV5Beta.create({
      ...OWNER,
      walletId: { networkGlobalId: -239, walletVersion: 'v5', workchain: 0, subwalletNumber: 5 },
    }),
    'wallet v5 r1': WalletContractV5R1.create(OWNER),
  }
  for (const [type, { init }] of Object.entries(wallets)) {
    const found = walletOf(init.code ?? undefined, init.data ?? undefined)
    expect(found).toMatchObject({ wallet_type: type, seqno: 0 })
    if (/v[34]|beta/.test(type)) expect(found?.wallet_id).toBe(5)
    if (/v5/.test(type)) expect(found?.is_signature_allowed).toBe(true)
  }
  const { init } = wallets['wallet v4 r2']
  expect(walletOf(init.data ?? undefined, init.data ?? undefined)).toBeUndefined()
  expect(walletOf(init.code ?? undefined, comment('x').refs[0])).toBeUndefined()
})

/** An address of which nobody has the key. */
function payee(type: string, i: number) {
  const name = Buffer.from(`${type} payee ${i}`.padEnd(32).slice(0, 32))
  return WalletContractV4.create({ workchain: 0, publicKey: name }).address
}

function pay(to: ReturnType<typeof payee>, value: bigint): MessageRelaxed {
  return internal({ to, value, bounce: false, body: comment('wages') })
}
