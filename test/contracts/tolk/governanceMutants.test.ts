/**
 * What mutants of multisig and timelock showed to be unwatched: what is given back to the nanoTON,
 * where nothing is left to give, what either takes and what it does not, and signers that are none
 * (`npm run mutate:tolk -- --contract governance`).
 * @module
 */
import { type Address, beginCell, type Cell, Dictionary } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toBigInt } from '../../../contracts/base/bytes.ts'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  MULTISIG_OP,
  MULTISIG_RESERVE,
  MULTISIG_VALUE,
  orderCell,
} from '../../../contracts/wrappers/Multisig.ts'
import type { Operation } from '../../../contracts/wrappers/operation.ts'
import { REGISTRY_PROTOCOL } from '../../../contracts/wrappers/registryMessages.ts'
import {
  cancelBody,
  GOVERNANCE_EXCESS,
  queueBody,
  setDelayBody,
  TIMELOCK_EXIT,
  TIMELOCK_RESERVE,
  TIMELOCK_VALUE,
  topUpTimelockBody,
} from '../../../contracts/wrappers/Timelock.ts'
import { forwardFee, gasFee } from '../../../node/chain/simulatedFees.ts'
import {
  type GovernanceSandbox,
  governanceSandbox,
  signerKey,
} from '../../support/governanceSandbox.ts'
import { DAY_S, type Outcome, sentTo, takeEverything } from '../../support/sandboxChain.ts'
import { someAddress } from '../../support/someParameters.ts'

const PRICES = CHAIN_PRICES['sandbox-0.41']
const FORWARD = PRICES.forward.lump
const TARGET = someAddress('a target')
const DELAY_S = 2 * DAY_S
const OPERATION: Operation = { to: TARGET, value: TON, body: beginCell().endCell() }
/** Forwarding it: its body is a cell of its own. */
const SENDING = forwardFee(PRICES, 0n, 1n)

let g: GovernanceSandbox
beforeAll(async () => {
  g = await governanceSandbox()
})
beforeEach(async () => {
  await g.reset()
  await takeEverything(g.blockchain, TARGET)
})

/** Leaves just so much on an account, which has paid its rent until now. */
async function setBalance(of: Address, balance: bigint): Promise<void> {
  const account = await g.blockchain.getContract(of)
  account.balance = balance
}

const put = async (id: bigint): Promise<void> => {
  expect((await g.queue(id, OPERATION)).exit).toBe(0)
}

/** The one message to `to` gives back `rest`, says what it is, and never comes back itself. */
function expectRest(outcome: Outcome, to: Address, rest: bigint): void {
  expect(outcome.exit).toBe(0)
  const sent = [...outcome.tx!.outMessages.values()].flatMap(({ info, body }) =>
    info.type === 'internal' && info.dest.equals(to)
      ? [{ value: info.value.coins, bounce: info.bounce, op: body.beginParse().loadUint(32) }]
      : [],
  )
  expect(sent).toEqual([{ value: rest, bounce: false, op: GOVERNANCE_EXCESS }])
}

const leftOf = (value: bigint, { gas }: Outcome): bigint => value - gasFee(PRICES, gas) - FORWARD

describe('what fees left comes back, to the nanoTON', () => {
  it('of queueing and of cancelling to the multisig', async () => {
    const before = await g.balance(g.timelock)
    const queued = await g.queue(1n, OPERATION)
    expectRest(queued, g.multisig, leftOf(TIMELOCK_VALUE, queued))
    const cancelled = await g.cancel(1n)
    expectRest(cancelled, g.multisig, leftOf(TIMELOCK_VALUE, cancelled))
    expect(await g.balance(g.timelock)).toBe(before)
  })

  it('of executing to whoever did it, less what was to be sent', async () => {
    await put(1n)
    g.elapse(DELAY_S)
    await setBalance(g.timelock, TIMELOCK_RESERVE)
    const outcome = await g.execute(1n, 2n * TON)
    expectRest(outcome, g.helper.address, leftOf(TON - SENDING, outcome))
    expect(sentTo(outcome, TARGET)).toBe(TON)
  })

  it('of an order to whoever handed it in', async () => {
    await setBalance(g.multisig, MULTISIG_RESERVE)
    const sent = await g.submit(await g.order({ kind: 'send', operation: OPERATION }))
    expectRest(sent, g.helper.address, leftOf(MULTISIG_VALUE - SENDING, sent))
    const signers = { threshold: 1, keys: [signerKey(7).publicKey] }
    const changed = await g.submit(await g.order({ kind: 'signers', signers }))
    expectRest(changed, g.helper.address, leftOf(MULTISIG_VALUE, changed))
    expect(await g.balance(g.multisig)).toBe(MULTISIG_RESERVE)
  })
})

describe('where the value pays for gas and nothing more', () => {
  /** Gas that a message takes, which is then sent again, on the same chain, for the price of it. */
  const barely = async (send: (value: bigint) => Promise<Outcome>): Promise<Outcome> => {
    const before = g.blockchain.snapshot()
    const { gas } = await send(TON)
    await g.blockchain.loadFrom(before)
    return send(gasFee(PRICES, gas))
  }

  it('an operation is queued, and cancelled, all the same', async () => {
    const queued = { id: 1n, etaS: g.now() + DELAY_S, operation: OPERATION }
    for (const body of [queueBody(queued), cancelBody(1n)]) {
      const outcome = await barely((value) => g.send(g.timelock, body, value, g.multisig))
      expect(outcome.exit).toBe(0)
      expect(sentTo(outcome, g.multisig)).toBe(0n)
    }
    expect(await g.waiting()).toEqual([])
    expect((await g.timelockView()).lastId).toBe(1n)
  })

  it('what is to be sent is paid by what is above the reserve, to the last nanoTON', async () => {
    const order = await g.order({ kind: 'send', operation: OPERATION })
    await setBalance(g.multisig, MULTISIG_RESERVE + TON)
    const { gas } = await g.submit(order, undefined, TON)
    await g.reset()
    await takeEverything(g.blockchain, TARGET)
    await setBalance(g.multisig, MULTISIG_RESERVE + TON)
    const outcome = await g.submit(order, undefined, gasFee(PRICES, gas) + SENDING)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, TARGET)).toBe(TON)
    expect(sentTo(outcome, g.helper.address)).toBe(0n)
    expect(await g.balance(g.multisig)).toBe(MULTISIG_RESERVE)
  })
})

describe('what either takes', () => {
  it('is what an operation left over, and a top-up', async () => {
    const op = (code: number): Cell => beginCell().storeUint(code, 32).endCell()
    expect((await g.send(g.timelock, op(REGISTRY_PROTOCOL.excess))).exit).toBe(0)
    expect((await g.send(g.timelock, topUpTimelockBody())).exit).toBe(0)
    expect((await g.send(g.multisig, op(GOVERNANCE_EXCESS))).exit).toBe(0)
    expect((await g.send(g.multisig, op(MULTISIG_OP.topUp))).exit).toBe(0)
  })

  it('is no message that it does not know, nor one without words', async () => {
    for (const to of [g.timelock, g.multisig]) {
      for (const body of [beginCell().storeUint(0x12345678, 32).endCell(), beginCell().endCell()]) {
        const outcome = await g.send(to, body, TON)
        expect(outcome.exit).toBe(0xffff)
        expect(sentTo(outcome, g.helper.address)).toBeGreaterThan(TON - TON / 100n)
      }
    }
  })
})

it.each([
  ['the shortest', DAY_S, 0],
  ['a second less', DAY_S - 1, TIMELOCK_EXIT.delay],
  ['the longest', 30 * DAY_S, 0],
  ['a second more', 30 * DAY_S + 1, TIMELOCK_EXIT.delay],
])('a delay of %s is taken or refused', async (_, delayS, exit) => {
  const body = setDelayBody(delayS)
  expect((await g.send(g.timelock, body, TON, g.timelock)).exit).toBe(exit)
  expect((await g.timelockView()).delayS).toBe(exit === 0 ? delayS : DELAY_S)
})

it('signers whose numbers are of another size are refused', async () => {
  const honest = orderCell(await g.order({ kind: 'send', operation: OPERATION }))
  const dict = Dictionary.empty(Dictionary.Keys.BigUint(256), Dictionary.Values.Uint(16))
  for (const i of [1, 2]) dict.set(toBigInt(signerKey(i).publicKey), i)
  const action = beginCell().storeUint(2, 8).storeUint(1, 8).storeDict(dict).endCell()
  const cell = beginCell().storeBits(honest.bits).storeRef(action).endCell()
  const signatures = Dictionary.empty(Dictionary.Keys.BigUint(256), Dictionary.Values.Buffer(64))
  for (const key of g.keys.slice(0, 3)) {
    signatures.set(toBigInt(key.publicKey), Buffer.from(key.sign(new Uint8Array(cell.hash()))))
  }
  const body = beginCell().storeUint(MULTISIG_OP.submit, 32).storeRef(cell).storeDict(signatures)
  expect((await g.send(g.multisig, body.endCell(), TON)).exit).toBe(9)
})
