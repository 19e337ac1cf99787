/**
 * Estimates of fees against what is then charged, to the nanoTON: in simulated time no rent passes
 * between the two.
 * @module
 */
import { Address, beginCell, Cell, external, loadTransaction, storeMessage } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { walletTransfer } from '../../../contracts/wrappers/wallet.ts'
import { estimateFees } from '../../../node/localnet/estimate.ts'
import { transactionJson } from '../../../node/localnet/transactionJson.ts'
import { type LedgerWorld, ledgerWorld, transfer, walletOf } from '../../support/ledgerWorld.ts'
import { testKey } from '../../support/localnet.ts'

let world: LedgerWorld
beforeAll(async () => {
  world = await ledgerWorld()
})
afterAll(() => world?.close())

const payee = new Address(0, Buffer.alloc(32, 0x44))
const body = beginCell().storeUint(1, 500).storeRef(beginCell().storeUint(2, 900)).endCell()
const sum = (fees: object) =>
  Object.values(fees).reduce((total, fee) => (typeof fee === 'number' ? total + fee : total), 0)

async function charged(seed: number): Promise<{ fee: bigint; storage: bigint }> {
  const [stored] = world.ledger.history.page(walletOf(seed).toRawString(), 1)
  const { fee, storage_fee } = Object(transactionJson(stored!, 'plain'))
  return { fee: BigInt(fee), storage: BigInt(storage_fee) }
}

describe('an accepted message', () => {
  it.each([
    ['deploys its wallet', 0, { to: payee, value: TON, bounce: false }],
    ['sends money on', 1, { to: payee, value: TON / 3n, bounce: false }],
    ['carries a body', 2, { to: payee, value: 5n, bounce: false, body }],
    ['cannot send what it wants', 3, { to: payee, value: 1_000n * TON }],
  ])('that %s costs what was estimated', async (_name, seqno, message) => {
    if (seqno === 0) await world.mint(walletOf(1), 5n * TON)
    await world.clock.advance(30 * 86_400_000) // so that rent is due
    const cell = transfer(1, seqno, message)
    for (const ignoreSignatures of [true, false]) {
      const fees = await estimateFees(world.ledger, cell, ignoreSignatures)
      if (ignoreSignatures) continue
      const before = world.ledger.account(walletOf(1))!.shard.account!.storage.balance.coins
      await world.ledger.send(cell)
      const { fee, storage } = await charged(1)
      expect(BigInt(sum(fees))).toBe(fee)
      expect(BigInt(Object(fees).storage_fee)).toBe(storage)
      if (seqno > 0) expect(storage).toBeGreaterThan(0n)
      const after = world.ledger.account(walletOf(1))!.shard.account!.storage.balance.coins
      const [stored] = world.ledger.history.page(walletOf(1).toRawString(), 1)
      const { outMessages } = loadTransaction(Cell.fromBase64(stored!.boc).beginParse())
      let value = 0n
      for (const { info } of outMessages.values()) {
        value += info.type === 'internal' ? info.value.coins : 0n
      }
      expect(before - after).toBe(fee + value)
    }
  })
})

describe('a refused message', () => {
  it('costs import and rent, as if it had come through', async () => {
    await world.clock.advance(30 * 86_400_000)
    const cell = transfer(1, 4, { to: payee, value: 1n, bounce: false })
    const refused = transfer(1, 99, { to: payee, value: 1n, bounce: false })
    const fees = Object(await estimateFees(world.ledger, cell, false))
    const { in_fwd_fee, storage_fee } = fees
    expect(await estimateFees(world.ledger, refused, true)).toEqual({
      ...{ '@type': 'fees', in_fwd_fee, storage_fee, gas_fee: 0, fwd_fee: 0 },
    })
    expect(storage_fee).toBeGreaterThan(0)
  })

  it('is one with a foreign signature, unless signatures do not count', async () => {
    const foreign = walletTransfer(4, 2 ** 32 - 1, [{ to: payee, value: 1n }], testKey(2))
    const message = external({ to: walletOf(1), body: foreign })
    const cell = beginCell().store(storeMessage(message)).endCell()
    expect(Object(await estimateFees(world.ledger, cell, true)).gas_fee).toBeGreaterThan(0)
    expect(Object(await estimateFees(world.ledger, cell, false)).gas_fee).toBe(0)
  })

  it('to nobody costs its import', async () => {
    const nobody = transfer(77, 0, { to: payee, value: 1n })
    const fees = Object(await estimateFees(world.ledger, nobody, true))
    expect(fees).toMatchObject({ storage_fee: 0, gas_fee: 0, fwd_fee: 0 })
    expect(fees.in_fwd_fee).toBeGreaterThan(0)
  })
})
