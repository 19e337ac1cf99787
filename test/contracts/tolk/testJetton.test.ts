/**
 * The test jetton: the standards that it keeps, and where it refuses to be money.
 * @module
 */
import { beginCell, Dictionary } from '@ton/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import { JETTON_OP, jettonTransferBody } from '../../../contracts/wrappers/jetton.ts'
import {
  TEST_JETTON,
  TEST_JETTON_EXIT,
  TEST_JETTON_MOST,
  testJettonMintBody,
  testJettonMinter,
  testJettonStateInit,
} from '../../../contracts/wrappers/testJetton.ts'
import { DOLLAR, type JettonSandbox, jettonSandbox } from '../../support/jettonSandbox.ts'
import { internalMessage, outcomeOf, refuseEverything } from '../../support/sandboxChain.ts'

const EXIT = TEST_JETTON_EXIT
const minter = testJettonMinter()

let s: JettonSandbox
beforeEach(async () => {
  s = await jettonSandbox()
})

const supply = async (): Promise<bigint> =>
  (await s.blockchain.runGetMethod(minter, 'get_jetton_data')).stackReader.readBigNumber()

async function transfer(amount: bigint, value = TON / 10n, from = s.payer.address) {
  const wallet = await s.walletOf(s.payer.address)
  const body = jettonTransferBody({ amount, to: s.stranger.address, excesses: s.payer.address })
  return outcomeOf(s.blockchain, wallet, internalMessage(from, wallet, value, body))
}

describe('the minter', () => {
  it('mints for anyone, counts what there is, and forgets what a wallet refused', async () => {
    expect(await supply()).toBe(2_000n * DOLLAR)
    await refuseEverything(s.blockchain, await s.walletOf(s.payee.address))
    await s.mint(s.payee.address, DOLLAR)
    expect(await supply()).toBe(2_000n * DOLLAR)
  })

  it('refuses the main network, too much, and too little value', async () => {
    await expect(jettonSandbox({ networkId: -239 })).rejects.toThrow(String(EXIT.realNetwork))
    const mint = (amount: bigint, value: bigint) => {
      const body = testJettonMintBody(s.payer.address, amount)
      return outcomeOf(s.blockchain, minter, internalMessage(s.payer.address, minter, value, body))
    }
    expect((await mint(TEST_JETTON_MOST + 1n, TON)).exit).toBe(EXIT.amount)
    expect((await mint(TEST_JETTON_MOST, TON / 100n)).exit).toBe(EXIT.value)
    expect((await mint(TEST_JETTON_MOST, TON)).exit).toBe(0)
  })

  it('shows what it is, on chain (TEP-64)', async () => {
    const { stackReader } = await s.blockchain.runGetMethod(minter, 'get_jetton_data')
    stackReader.skip(3)
    const content = stackReader.readCell().beginParse()
    expect(content.loadUint(8)).toBe(0)
    const values = content.loadDict(Dictionary.Keys.BigUint(256), Dictionary.Values.Cell())
    for (const [key, value] of Object.entries(TEST_JETTON)) {
      const cell = values.get(BigInt(`0x${Buffer.from(sha256(utf8(key))).toString('hex')}`))
      expect(cell!.beginParse().skip(8).loadStringTail()).toBe(value)
    }
  })

  it('tells anyone whose wallet is where (TEP-89), with the owner where asked', async () => {
    const ask = beginCell().storeUint(JETTON_OP.provideWalletAddress, 32).storeUint(7, 64)
    const body = ask.storeAddress(s.payee.address).storeBit(true).endCell()
    const message = internalMessage(s.stranger.address, minter, TON, body)
    const outcome = await outcomeOf(s.blockchain, minter, message)
    const reply = outcome.tx!.outMessages.get(0)!.body.beginParse()
    expect(reply.loadUint(32)).toBe(JETTON_OP.takeWalletAddress)
    expect(reply.loadUint(64)).toBe(7)
    expect(reply.loadAddress().equals(await s.walletOf(s.payee.address))).toBe(true)
    const owner = reply.loadMaybeRef()!.beginParse().loadAddress()
    expect(owner.equals(s.payee.address)).toBe(true)
    expect(testJettonStateInit().data?.refs.length).toBe(2)
  })
})

describe('a wallet', () => {
  it('moves what its owner says, and no more than it holds', async () => {
    expect((await transfer(30n * DOLLAR)).exit).toBe(0)
    expect(await s.held(s.stranger.address)).toBe(1_030n * DOLLAR)
    expect((await transfer(971n * DOLLAR)).exit).toBe(EXIT.balance)
    expect((await transfer(1n, TON, s.stranger.address)).exit).toBe(EXIT.notOwner)
    expect((await transfer(1n, TON / 100n)).exit).toBe(EXIT.value)
    expect(await s.held(s.payer.address)).toBe(970n * DOLLAR)
  })

  it('has back what the other wallet refused', async () => {
    await refuseEverything(s.blockchain, await s.walletOf(s.stranger.address))
    expect((await transfer(30n * DOLLAR)).exit).toBe(0)
    expect(await s.held(s.payer.address)).toBe(1_000n * DOLLAR)
  })

  it('believes only its minter and wallets of its kind', async () => {
    const wallet = await s.walletOf(s.payer.address)
    const body = beginCell().storeUint(JETTON_OP.internalTransfer, 32).storeUint(0, 64)
    body.storeCoins(DOLLAR).storeAddress(s.stranger.address).storeAddress(s.stranger.address)
    body.storeCoins(0).storeBit(false)
    const forged = internalMessage(s.stranger.address, wallet, TON, body.endCell())
    expect((await outcomeOf(s.blockchain, wallet, forged)).exit).toBe(EXIT.notWallet)
    expect(await s.held(s.payer.address)).toBe(1_000n * DOLLAR)
  })

  it('burns for its owner', async () => {
    const wallet = await s.walletOf(s.payer.address)
    const burn = beginCell().storeUint(JETTON_OP.burn, 32).storeUint(0, 64).storeCoins(DOLLAR)
    const body = burn.storeAddress(s.payer.address).storeBit(false).endCell()
    const message = (from = s.payer.address) => internalMessage(from, wallet, TON, body)
    const other = await outcomeOf(s.blockchain, wallet, message(s.stranger.address))
    expect(other.exit).toBe(EXIT.notOwner)
    expect((await outcomeOf(s.blockchain, wallet, message())).exit).toBe(0)
    expect(await supply()).toBe(1_999n * DOLLAR)
    expect(await s.held(s.payer.address)).toBe(999n * DOLLAR)
  })
})
