/**
 * The version 4 wallet: the public library's code, address and bits, and what the wrapper refuses.
 * @module
 */
import { beginCell, external, internal, SendMode } from '@ton/core'
import { keyPairFromSeed } from '@ton/crypto'
import { WalletContractV4 } from '@ton/ton'
import { describe, expect, it } from 'vitest'
import { signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  WALLET_CODE_HASH,
  walletAddress,
  walletStateInit,
  walletTransfer,
} from '../../../contracts/wrappers/wallet.ts'
import { outcomeOf, START_S, testBlockchain } from '../../support/channelSandbox.ts'

const seed = new Uint8Array(32).fill(3)
const key = signingKey(seed)
const other = WalletContractV4.create({ workchain: 0, publicKey: Buffer.from(key.publicKey) })

describe('wallet', () => {
  it('is the standard one: same code, same address', () => {
    const { code } = walletStateInit(key.publicKey)
    expect(code!.hash().toString('hex')).toBe(WALLET_CODE_HASH)
    expect(code!.equals(other.init.code)).toBe(true)
    expect(walletAddress(key.publicKey).equals(other.address)).toBe(true)
  })

  it('signs transfers, bit for bit as the public library does', () => {
    const message = { to: other.address, value: TON, body: beginCell().storeUint(7, 32).endCell() }
    const theirs = other.createTransfer({
      seqno: 5,
      timeout: START_S,
      secretKey: keyPairFromSeed(Buffer.from(seed)).secretKey,
      sendMode: SendMode.PAY_GAS_SEPARATELY | SendMode.IGNORE_ERRORS,
      messages: [internal({ ...message, bounce: false }), internal({ ...message, bounce: true })],
    })
    const ours = walletTransfer(5, START_S, [{ ...message, bounce: false }, message], key)
    expect(ours.hash().toString('hex')).toBe(theirs.hash().toString('hex'))
  })

  it('sends one to four messages', async () => {
    const blockchain = await testBlockchain()
    const giver = await blockchain.treasury('giver')
    const address = walletAddress(key.publicKey)
    await giver.send({ to: address, value: 10n * TON, bounce: false })
    const message = { to: giver.address, value: TON }
    const body = walletTransfer(0, START_S + 60, Array(4).fill(message), key)
    const init = walletStateInit(key.publicKey)
    const { exit, tx } = await outcomeOf(blockchain, address, external({ to: address, init, body }))
    expect({ exit, sent: tx?.outMessagesCount }).toEqual({ exit: 0, sent: 4 })
    const again = await outcomeOf(blockchain, address, external({ to: address, body }))
    expect(again.exit).toBe(33)
  })

  it('refuses other numbers of messages, numbers out of range, and keys of another length', () => {
    const message = { to: other.address, value: TON }
    const refused = expect.objectContaining({ code: 'bad-input' })
    expect(() => walletTransfer(0, START_S, [], key)).toThrowError(refused)
    expect(() => walletTransfer(0, START_S, Array(5).fill(message), key)).toThrowError(refused)
    expect(() => walletTransfer(-1, START_S, [message], key)).toThrowError(refused)
    expect(() => walletTransfer(0, 2 ** 32, [message], key)).toThrowError(refused)
    expect(() => walletAddress(new Uint8Array(31))).toThrowError(refused)
  })
})
