/**
 * The compiled multisig in the sandbox: which signatures count, once and where, what they may send,
 * and rough handling.
 * @module
 */
import { Address, beginCell, Cell, Dictionary } from '@ton/core'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toBigInt } from '../../../contracts/base/bytes.ts'
import type { SigningKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  MULTISIG_EXIT,
  MULTISIG_OP,
  MULTISIG_RESERVE,
  multisigAddress,
  ORDER_TAG,
  type Order,
  type OrderAction,
  orderCell,
  signOrder,
  submitBody,
  topUpMultisigBody,
} from '../../../contracts/wrappers/Multisig.ts'
import { GOVERNANCE_EXCESS } from '../../../contracts/wrappers/Timelock.ts'
import { contractLab, interleave } from '../../support/contractLab.ts'
import {
  type GovernanceSandbox,
  governanceSandbox,
  signerKey,
} from '../../support/governanceSandbox.ts'
import {
  DAY_S,
  internalMessage,
  refuseEverything,
  sentTo,
  TEST_NETWORK,
  takeEverything,
  YEAR_S,
} from '../../support/sandboxChain.ts'
import { someAddress } from '../../support/someParameters.ts'

const TARGET = someAddress('a target')
const ACTION: OrderAction = {
  kind: 'send',
  operation: { to: TARGET, value: TON, body: beginCell().storeUint(7, 32).endCell() },
}

let g: GovernanceSandbox
beforeAll(async () => {
  g = await governanceSandbox({ funds: MULTISIG_RESERVE })
})
beforeEach(async () => {
  await g.reset()
  await takeEverything(g.blockchain, TARGET)
})

const keys = (...numbers: number[]): SigningKey[] => numbers.map((i) => g.keys[i]!)
const signersOf = (threshold: number, ...of: SigningKey[]) => ({
  threshold,
  keys: of.map(({ publicKey }) => publicKey),
})

/** Hands in any cell as an order, with signatures over any hash. */
async function submitRaw(order: Cell, by: readonly SigningKey[], over = order.hash()) {
  const dict = Dictionary.empty(Dictionary.Keys.BigUint(256), Dictionary.Values.Buffer(64))
  for (const key of by) {
    dict.set(toBigInt(key.publicKey), Buffer.from(key.sign(new Uint8Array(over))))
  }
  const body = beginCell().storeUint(MULTISIG_OP.submit, 32).storeRef(order).storeDict(dict)
  return g.send(g.multisig, body.endCell(), 2n * TON)
}

describe('an order', () => {
  it('signed by enough is sent once, with exactly its value, and the rest comes back', async () => {
    const order = await g.order(ACTION)
    const before = await g.balance(g.multisig)
    const outcome = await g.submit(order, keys(0, 2, 4), 3n * TON)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, TARGET)).toBe(TON)
    expect(sentTo(outcome, g.helper.address)).toBeGreaterThan(2n * TON - 10_000_000n)
    expect(await g.balance(g.multisig)).toBe(before)
    const rest = [...outcome.tx!.outMessages.values()].at(-1)!
    expect(rest.body.beginParse().loadUint(32)).toBe(GOVERNANCE_EXCESS)
    expect((await g.submit(order, keys(0, 2, 4))).exit).toBe(MULTISIG_EXIT.seqno)
    expect((await g.submit(order, keys(1, 2, 3))).exit).toBe(MULTISIG_EXIT.seqno)
    expect((await g.multisigView()).seqno).toBe(1)
  })

  it('needs its threshold, of different signers; more do no harm', async () => {
    const order = await g.order(ACTION)
    expect((await g.submit(order, [])).exit).toBe(MULTISIG_EXIT.threshold)
    expect((await g.submit(order, keys(0, 1))).exit).toBe(MULTISIG_EXIT.threshold)
    expect((await g.submit(order, keys(1, 1, 1))).exit).toBe(MULTISIG_EXIT.threshold)
    const five = g.blockchain.snapshot()
    expect((await g.submit(order, keys(0, 1, 2, 3, 4))).exit).toBe(0)
    await g.blockchain.loadFrom(five)
    expect((await g.submit(order, keys(4, 3, 0))).exit).toBe(0)
  })

  it('is refused with a signature that is bad, or of a stranger, among good ones', async () => {
    const order = await g.order(ACTION)
    const withStranger = [...keys(0, 1, 2), signerKey(99)]
    expect((await g.submit(order, withStranger)).exit).toBe(MULTISIG_EXIT.notSigner)
    const other = await g.order(ACTION, { validUntilS: g.now() + 1 })
    const { exit } = await submitRaw(orderCell(order), keys(0, 1, 2), orderCell(other).hash())
    expect(exit).toBe(MULTISIG_EXIT.badSignature)
    expect(() => submitBody(order, [signOrder(other, g.keys[0]!)])).toThrow('signature')
  })

  it('is refused after its time', async () => {
    const order = await g.order(ACTION, { validUntilS: g.now() + DAY_S })
    const early = g.blockchain.snapshot()
    g.elapse(DAY_S + 1)
    expect((await g.submit(order)).exit).toBe(MULTISIG_EXIT.expired)
    await g.blockchain.loadFrom(early)
    g.elapse(DAY_S)
    expect((await g.submit(order)).exit).toBe(0)
  })

  it('is withdrawn by another with the same number', async () => {
    const order = await g.order(ACTION)
    const nothing = { to: g.multisig, value: TON / 10n, body: topUpMultisigBody() }
    const instead = await g.order({ kind: 'send', operation: nothing })
    expect((await g.submit(instead)).exit).toBe(0)
    expect((await g.submit(order)).exit).toBe(MULTISIG_EXIT.seqno)
  })

  it('of later numbers waits for those before', async () => {
    const later = await g.order(ACTION, { seqno: 1 })
    expect((await g.submit(later)).exit).toBe(MULTISIG_EXIT.seqno)
    expect((await g.submit(await g.order(ACTION))).exit).toBe(0)
    expect((await g.submit(later)).exit).toBe(0)
  })
})

describe('a signature counts only where it was made for', () => {
  const changes = (): readonly [string, Partial<Order>, number][] => [
    ['network', { network: -239 }, MULTISIG_EXIT.wrongNetwork],
    ['network', { network: -3 }, MULTISIG_EXIT.wrongNetwork],
    ['multisig', { multisig: g.timelock }, MULTISIG_EXIT.wrongMultisig],
    ['workchain', { multisig: new Address(-1, g.multisig.hash) }, MULTISIG_EXIT.wrongMultisig],
    ['seqno', { seqno: 1 }, MULTISIG_EXIT.seqno],
  ]

  it('not on another network, multisig or number, nor in another order', async () => {
    const honest = await g.order(ACTION)
    for (const [, change, exit] of changes()) {
      const changed = { ...honest, ...change }
      expect((await g.submit(changed)).exit).toBe(exit)
      // Signed elsewhere, and handed in with the fields of here.
      const signed = orderCell(changed).hash()
      const here = await submitRaw(orderCell(honest), keys(0, 1, 2), signed)
      expect(here.exit).toBe(MULTISIG_EXIT.badSignature)
    }
    expect((await g.submit(honest)).exit).toBe(0)
  })

  it('not with any bit of the order changed', async () => {
    const honest = orderCell(await g.order(ACTION))
    const bits = honest.bits.length
    await fc.assert(
      fc.asyncProperty(fc.nat(bits - 1), async (bit) => {
        const changed = beginCell()
        for (let i = 0; i < bits; i++) changed.storeBit(honest.bits.at(i) !== (i === bit))
        const cell = changed.storeRef(honest.refs[0]!).endCell()
        expect((await submitRaw(cell, keys(0, 1, 2), honest.hash())).exit).not.toBe(0)
      }),
      { seed: 3, numRuns: 20 },
    )
    const other = beginCell().storeBits(honest.bits).storeRef(new Cell()).endCell()
    const swapped = await submitRaw(other, keys(0, 1, 2), honest.hash())
    expect(swapped.exit).toBe(MULTISIG_EXIT.badSignature)
  })

  it('not as another kind of record, whose tag is another', async () => {
    const honest = orderCell(await g.order(ACTION))
    for (const tag of [0xca9629ca, 0x938cd079, 0xc8dbcdb5, ORDER_TAG - 1]) {
      const cell = beginCell().storeUint(tag, 32).storeSlice(honest.beginParse().skip(32)).endCell()
      expect((await submitRaw(cell, keys(0, 1, 2))).exit).toBe(63)
    }
  })

  it('not on a twin of the multisig on a chain with another id', async () => {
    const foreign = await governanceSandbox({ networkId: -3, network: TEST_NETWORK })
    // The same address: the chain's own id tells them apart.
    expect(foreign.multisig.equals(g.multisig)).toBe(true)
    const order = await g.order(ACTION)
    expect((await foreign.submit(order)).exit).toBe(MULTISIG_EXIT.wrongNetwork)
    const there = multisigAddress({ network: -3, signers: signersOf(3, ...g.keys) })
    expect(there.equals(g.multisig)).toBe(false)
  })
})

describe('the signers', () => {
  const next = () => [signerKey(20), signerKey(21)]

  it('are changed by an order only, at once, and old signatures are worth nothing', async () => {
    const change = await g.order({ kind: 'signers', signers: signersOf(2, ...next()) })
    expect((await g.submit(change)).exit).toBe(0)
    const view = await g.multisigView()
    expect(view.signers.threshold).toBe(2)
    expect(view.signers.keys).toEqual(next().map(({ publicKey }) => publicKey))
    const order = await g.order(ACTION)
    expect((await g.submit(order)).exit).toBe(MULTISIG_EXIT.notSigner)
    expect((await g.submit(order, next())).exit).toBe(0)
  })

  it('may be one', async () => {
    const change = await g.order({ kind: 'signers', signers: signersOf(1, signerKey(20)) })
    expect((await g.submit(change)).exit).toBe(0)
    expect((await g.submit(await g.order(ACTION), [signerKey(20)])).exit).toBe(0)
  })

  it('may be ten, and each of their signatures is looked at', async () => {
    const ten = Array.from({ length: 10 }, (_, i) => signerKey(30 + i))
    const change = await g.order({ kind: 'signers', signers: signersOf(10, ...ten) })
    expect((await g.submit(change)).exit).toBe(0)
    const order = await g.order(ACTION)
    expect((await g.submit(order, ten.slice(1))).exit).toBe(MULTISIG_EXIT.threshold)
    expect((await g.submit(order, ten)).exit).toBe(0)
  })

  it.each([
    ['none', 1, 0],
    ['eleven', 1, 11],
    ['a threshold of none', 0, 3],
    ['a threshold above their number', 4, 3],
  ])('may not be %s', async (_, threshold, count) => {
    const dict = Dictionary.empty(Dictionary.Keys.BigUint(256), Dictionary.Values.Uint(8))
    for (let i = 0; i < count; i++) dict.set(toBigInt(signerKey(40 + i).publicKey), i)
    const action = beginCell().storeUint(2, 8).storeUint(threshold, 8).storeDict(dict).endCell()
    const honest = orderCell(await g.order(ACTION))
    const order = beginCell().storeBits(honest.bits).storeRef(action).endCell()
    expect((await submitRaw(order, keys(0, 1, 2))).exit).toBe(MULTISIG_EXIT.signers)
    expect((await g.multisigView()).seqno).toBe(0)
    const of = Array.from({ length: count }, (_, i) => signerKey(40 + i))
    const signers = signersOf(threshold, ...of)
    expect(() => multisigAddress({ network: TEST_NETWORK, signers })).toThrow('not valid')
  })

  it('are each there once', () => {
    const twice = signersOf(2, signerKey(1), signerKey(1))
    expect(() => multisigAddress({ network: TEST_NETWORK, signers: twice })).toThrow('not valid')
  })
})

describe('value', () => {
  it('that is too little does nothing, and the order is still good', async () => {
    const order = await g.order(ACTION)
    const lab = contractLab(g.blockchain, g.multisig)
    const seen = await lab.atEveryValue((value) => g.submit(order, keys(0, 1, 2), value), {
      ...{ upTo: TON + 10_000_000n, steps: 12 },
      whole: (outcome) => expect(sentTo(outcome, TARGET)).toBe(TON),
    })
    expect(seen.get(MULTISIG_EXIT.noValue)).toBeDefined()
    expect(seen.get(0)).toBeDefined()
    const before = await g.balance(g.multisig)
    for (const value of [TON, TON + 3_000_000n]) {
      const short = await g.submit(order, keys(0, 1, 2), value)
      expect(short.exit).toBe(37)
      expect(sentTo(short, g.helper.address)).toBeGreaterThan(TON - 6_000_000n)
    }
    expect(await g.balance(g.multisig)).toBe(before)
    expect((await g.submit(order)).exit).toBe(0)
  })

  it('of a message that was refused is here again, and pays for the next', async () => {
    await refuseEverything(g.blockchain, TARGET)
    await g.submit(await g.order(ACTION))
    const { failed, failure } = await g.multisigView()
    expect([failed, failure?.exitCode]).toEqual([1, 37])
    expect(await g.balance(g.multisig)).toBeGreaterThan(MULTISIG_RESERVE + TON - 5_000_000n)
    await takeEverything(g.blockchain, TARGET)
    expect((await g.submit(await g.order(ACTION), keys(0, 1, 2), TON / 10n)).exit).toBe(0)
    expect(await g.balance(g.multisig)).toBe(MULTISIG_RESERVE)
  })
})

describe('handled roughly', () => {
  it('one order handed in by several at once is sent once', async () => {
    const order = await g.order(ACTION)
    const body = submitBody(
      order,
      keys(0, 1, 2).map((key) => signOrder(order, key)),
    )
    const messages = [1n, 2n, 3n].map((ton) =>
      internalMessage(g.helper.address, g.multisig, ton * TON + TON / 2n, body),
    )
    const done = await interleave(g.blockchain, messages, (alive) => alive - 1)
    const target = BigInt(`0x${TARGET.hash.toString('hex')}`)
    expect(done.flat().filter(({ address }) => address === target)).toHaveLength(1)
    expect((await g.multisigView()).seqno).toBe(1)
  })

  it('strangers change nothing and cost nothing', async () => {
    const lab = contractLab(g.blockchain, g.multisig)
    const [before, balance] = [await lab.state(), await g.balance(g.multisig)]
    const order = await g.order(ACTION)
    const two = keys(0, 1).map((key) => signOrder(order, key))
    const bodies = [submitBody(order, two), beginCell().endCell(), new Cell()]
    for (const body of bodies) expect((await g.send(g.multisig, body, TON)).exit).not.toBe(0)
    // From outside nothing is taken, not even a good order: it would be paid by the reserve.
    const good = submitBody(
      order,
      keys(0, 1, 2).map((key) => signOrder(order, key)),
    )
    expect(await lab.spam([...bodies, good, good])).toEqual({ accepted: 0, cost: 0n })
    expect(await lab.state()).toBe(before)
    expect(await g.balance(g.multisig)).toBe(balance)
  })

  it('five years of silence, and frost, leave it as it was', async () => {
    const lab = contractLab(g.blockchain, g.multisig)
    g.elapse(5 * YEAR_S)
    expect((await g.submit(await g.order(ACTION))).exit).toBe(0)
    expect(await g.balance(g.multisig)).toBeGreaterThan(0n)
    const before = await lab.state()
    await lab.freeze()
    expect((await lab.unfreeze(g.helper.address, TON, topUpMultisigBody())).exit).toBe(0)
    expect(await lab.state()).toBe(before)
    expect((await g.submit(await g.order(ACTION))).exit).toBe(0)
  })
})
