/**
 * What mutants of the items showed to be unwatched: values and amounts to the nanoTON, the last
 * second of a time, what an asking leaves behind (`npm run mutate:tolk -- --contract items`).
 * @module
 */
import { beginCell, type Cell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { ITEM_EXIT } from '../../../contracts/wrappers/bondedItem.ts'
import { itemConfigCell } from '../../../contracts/wrappers/itemConfig.ts'
import {
  ITEM_FLOOR,
  ITEM_OUT,
  ITEM_RENT_RESERVE,
} from '../../../contracts/wrappers/itemMessages.ts'
import { forwardFee, gasFee } from '../../../node/chain/simulatedFees.ts'
import { type ContractLab, contractLab } from '../../support/contractLab.ts'
import {
  FIRST_CODE,
  type ItemSandbox,
  itemSandbox,
  profileOf,
  STAKE,
  UNBONDING_S,
} from '../../support/itemSandbox.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  outcomeOf,
  START_S,
  sentTo,
} from '../../support/sandboxChain.ts'

const PRICES = CHAIN_PRICES['sandbox-0.41']
const gas = (used: bigint): bigint => gasFee(PRICES, used)
const forward = (bits: bigint, cells: bigint): bigint => forwardFee(PRICES, bits, cells)
/** `fees.tolk` and `../common/gas.tolk`: to the registry, its work, and back to the owner. */
const ENROL =
  forward(2_000n, 3n) + gas(20_000n) + forward(1_000n, 1n) + gas(8_000n) + forward(0n, 0n)
const REGISTER = ITEM_FLOOR + ITEM_RENT_RESERVE + gas(13_000n) + ENROL
const UPGRADE = gas(6_000n) + forward(1_000n, 2n) + gas(20_000n)
const ADD_STAKE = gas(8_500n)
const WITHDRAW = gas(11_000n) + forward(0n, 0n)
const FREEZE = gas(12_000n) + forward(0n, 0n)

let s: ItemSandbox
let lab: ContractLab
let fresh: ReturnType<ItemSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await itemSandbox()
  lab = contractLab(s.blockchain, s.address)
  await s.register()
  fresh = s.blockchain.snapshot()
})
beforeEach(() => s.blockchain.loadFrom(fresh))

const another = (): Promise<ItemSandbox> =>
  itemSandbox({ blockchain: s.blockchain, registry: s.registry, owner: 'another' })

describe('registering', () => {
  it('takes stake, floor, reserve and the fees of the way, to the nanoTON', async () => {
    const t = await another()
    const { exit } = await t.register(STAKE, STAKE + REGISTER - 1n)
    expect(exit).toBe(ITEM_EXIT.tooLittleValue)
    expect((await t.register(STAKE, STAKE + REGISTER)).exit).toBe(0)
    expect((await t.facts()).status).toBe('enrolled')
  })

  it('is refused with a profile that is out of bounds, as a heartbeat would be', async () => {
    const halfByte = beginCell().storeUint(7, 4).endCell()
    const profile = beginCell().storeUint(0, 512).storeUint(200, 16).storeRef(halfByte).endCell()
    const t = await itemSandbox({ kind: 'scheduler', profile })
    expect((await t.register()).exit).toBe(ITEM_EXIT.badProfile)
  })

  it('never answered, can be taken back after a day, and not a second earlier', async () => {
    await s.become({ silent: true })
    const t = await another()
    await t.register()
    t.elapse(DAY_S - 1)
    expect((await t.withdraw()).exit).toBe(ITEM_EXIT.tooEarly)
    t.elapse(1)
    expect((await t.withdraw()).exit).toBe(0)
  })
})

describe('an item that is new', () => {
  it('blank, says nothing of itself but whose it is', async () => {
    await s.become({ refuses: true })
    const t = await another()
    await t.register()
    const { previous, ...view } = await t.view()
    expect(previous).toBeUndefined()
    expect(view).toEqual({
      ...{ status: 'blank', config: view.config, stake: 0n, unbonding: 0n, unbondAtS: 0 },
      ...{ frozen: 0n, frozenUntilS: 0, index: 0, enrolledAtS: 0, unbondingS: 0, seenAtS: 0 },
      ...{ anchor: new Uint8Array(32), sheet: new Uint8Array(32), codeVersion: 0 },
      ...{ slashed: 0n, withdrawn: 0n, cases: 0 },
    })
  })

  it('enrolled, holds exactly what its README writes of its data', async () => {
    const books = beginCell().storeUint(0, 512).storeRef(s.profile)
    const bond = beginCell().storeCoins(STAKE).storeCoins(0).storeUint(0, 32)
    bond.storeCoins(0).storeCoins(0)
    bond.storeCoins(0).storeUint(0, 32).storeUint(0, 32).storeUint(0, 32)
    bond.storeUint(0, 240).storeUint(0, 8)
    const listing = beginCell().storeAddress(null).storeUint(1, 32).storeUint(START_S, 32)
    listing.storeUint(UNBONDING_S, 32)
    const data = beginCell().storeUint(2, 8).storeRef(itemConfigCell(s.config))
    data.storeUint(START_S, 32).storeUint(0, 32).storeUint(0, 16)
    data.storeRef(books.endCell()).storeRef(bond.endCell()).storeRef(listing.endCell())
    const { accountState } = await s.blockchain.getContract(s.address)
    const held = accountState?.type === 'active' ? accountState.state.data : undefined
    expect(held?.toString()).toBe(data.endCell().toString())
  })

  it('has given out no ticket: a case that never heard of one takes nothing', async () => {
    const end = { ticket: 0, release: TON, slash: TON, loss: TON }
    expect((await s.settle(end)).exit).toBe(0)
    expect(await s.facts()).toMatchObject({ stake: STAKE, slashed: 0n })
  })
})

it('a refusal that comes after the stake went back takes nothing of the floor', async () => {
  await s.become({ silent: true })
  const t = await another()
  await t.register()
  t.elapse(DAY_S)
  await t.withdraw()
  expect(await t.balance()).toBe(ITEM_FLOOR)
  t.elapse(DAY_S)
  const enrol = beginCell().storeUint(0xffffffff, 32).storeUint(0x2c5a2001, 32).storeUint(0, 224)
  const back = internalMessage(s.registry, t.address, TON, enrol.endCell(), { bounced: true })
  const { exit, tx } = await outcomeOf(s.blockchain, t.address, back)
  expect(exit).toBe(0)
  expect((await t.facts()).status).toBe('blank')
  expect(await t.balance()).toBe(ITEM_FLOOR - rentOf(tx))
})

it('a GPU that ends with a single nanoTON at stake has that unbonding', async () => {
  const gpu = await itemSandbox({ kind: 'gpu' })
  await gpu.register(1n)
  gpu.elapse(30 * DAY_S)
  expect(await gpu.facts()).toMatchObject({ stake: 0n, unbonding: 1n })
})

it('an item is solvent with its floor alone, and not below it', async () => {
  await s.unbond(STAKE)
  s.elapse(UNBONDING_S)
  await s.withdraw()
  expect(await s.solvency()).toMatchObject({ balance: ITEM_FLOOR, bonded: 0n, solvent: true })
  s.elapse(DAY_S)
  await s.internal(s.stranger.address, 1n, beginCell().endCell(), false)
  expect(await s.solvency()).toMatchObject({ bonded: 0n, solvent: false })
})

it('a GPU that is renewed in time leaves unbonding what its owner has unbonded', async () => {
  const gpu = await itemSandbox({ kind: 'gpu' })
  await gpu.register()
  await gpu.unbond(TON)
  gpu.elapse(30 * DAY_S - 1)
  expect((await gpu.heartbeat(profileOf('gpu', 'two', gpu.stranger.address))).exit).toBe(0)
  expect(await gpu.facts()).toMatchObject({ stake: STAKE - TON, unbonding: TON })
})

it('adding stake takes the amount, the gas, what the reserve lacks, to the nanoTON', async () => {
  const above = (await s.balance()) - STAKE - ITEM_FLOOR - ITEM_RENT_RESERVE
  const least = TON + ADD_STAKE - above
  expect((await s.addStake(TON, least - 1n)).exit).toBe(ITEM_EXIT.tooLittleValue)
  expect((await s.addStake(TON, least)).exit).toBe(0)
  expect((await s.facts()).stake).toBe(STAKE + TON)
})

describe('withdrawing', () => {
  it('takes its gas and the forwarding of what it pays, to the nanoTON', async () => {
    await s.unbond(TON)
    s.elapse(UNBONDING_S)
    const owner = s.owner.address
    expect((await s.withdraw(owner, WITHDRAW - 1n)).exit).toBe(ITEM_EXIT.tooLittleValue)
    expect((await s.withdraw(owner, WITHDRAW)).exit).toBe(0)
    expect((await s.facts()).withdrawn).toBe(TON)
  })

  it('is possible where a single nanoTON is due', async () => {
    await s.unbond(1n)
    s.elapse(UNBONDING_S)
    expect((await s.withdraw()).exit).toBe(0)
    expect((await s.facts()).withdrawn).toBe(1n)
  })

  it('leaves the reserve where a single nanoTON stays bonded', async () => {
    await s.unbond(STAKE - 1n)
    s.elapse(UNBONDING_S)
    expect((await s.withdraw()).exit).toBe(0)
    expect(await s.facts()).toMatchObject({ stake: 1n, withdrawn: STAKE - 1n })
    expect(await s.balance()).toBeGreaterThan(ITEM_FLOOR + ITEM_RENT_RESERVE / 2n)
  })
})

describe('asking for new code', () => {
  const next = FIRST_CODE.scheduler

  it('takes the fees of the way, to the nanoTON', async () => {
    const owner = s.owner.address
    expect((await s.upgrade(owner, UPGRADE - 1n)).exit).toBe(ITEM_EXIT.tooLittleValue)
    expect((await s.upgrade(owner, UPGRADE)).exit).toBe(0)
  })

  it('refused, leaves no bit changed, in a new item and in one that has new code', async () => {
    const refused = async (): Promise<void> => {
      const before = await lab.state()
      await s.upgrade()
      expect(await lab.state()).toBe(before)
    }
    await refused()
    await s.become({ code: next, version: 1 })
    await s.upgrade()
    expect((await s.facts()).codeVersion).toBe(1)
    await s.become({})
    await refused()
  })

  it('costs the item nothing: what is left of the value comes back to the owner', async () => {
    await s.become({ code: next, version: 1 })
    const before = await s.balance()
    const { transactions } = await s.upgrade()
    expect((await s.facts()).codeVersion).toBe(1)
    expect(await s.balance()).toBe(before)
    const back = transactions.at(-1)!.inMessage!
    expect(back.info.dest?.toString()).toBe(s.owner.address.toString())
    expect(opOf(back.body)).toBe(ITEM_OUT.excess)
  })
})

describe('a case', () => {
  it('freezes nothing of an item with nothing bonded', async () => {
    await s.unbond(STAKE)
    s.elapse(UNBONDING_S)
    expect((await s.withdraw()).exit).toBe(0)
    const { tx } = await s.freeze(STAKE, DAY_S)
    const body = tx!.outMessages.get(0)!.body.beginParse()
    expect(body.loadUint(32)).toBe(0x2c5a2211)
    const answer = { amount: body.loadCoins(), ticket: body.loadUint(32) }
    expect(answer).toEqual({ amount: 0n, ticket: 0 })
    expect((await s.facts()).frozenUntilS).toBe(0)
  })

  it('freezes where its value pays for the gas and the answer, to the nanoTON', async () => {
    const freeze = (value: bigint): Promise<Outcome> =>
      s.freeze(TON, DAY_S, s.stranger.address, value)
    expect((await freeze(FREEZE - 1n)).exit).toBe(ITEM_EXIT.tooLittleValue)
    expect((await freeze(FREEZE)).exit).toBe(0)
  })

  it('holds back what has been due for less than 45 days, to the second', async () => {
    await s.unbond(STAKE)
    s.elapse(UNBONDING_S)
    await s.freeze(STAKE, 50 * DAY_S)
    s.elapse(45 * DAY_S - 1)
    expect((await s.withdraw()).exit).toBe(ITEM_EXIT.nothingDue)
    s.elapse(1)
    expect((await s.withdraw()).exit).toBe(0)
  })

  it('that froze a single nanoTON is shown with its end', async () => {
    await s.freeze(1n, DAY_S)
    expect(await s.facts()).toMatchObject({ frozen: 1n, cases: 1, frozenUntilS: START_S + DAY_S })
  })

  it('told to end with a ticket of the future is no error, and changes nothing', async () => {
    await s.freeze(TON, DAY_S)
    expect((await s.settle({ ticket: 2, release: TON, slash: TON })).exit).toBe(0)
    expect(await s.facts()).toMatchObject({ frozen: TON, slashed: 0n })
  })

  it('that has ended does not begin anew when a later one ends', async () => {
    const end = { release: TON, slash: TON, loss: TON }
    await s.freeze(TON, DAY_S)
    await s.freeze(TON, DAY_S)
    for (const ticket of [1, 2, 1, 2]) await s.settle({ ...end, ticket })
    expect(await s.facts()).toMatchObject({ slashed: 2n * TON })
  })

  it('that is short neither shortens a long one, nor lasts like one that is over', async () => {
    await s.freeze(STAKE, 20 * DAY_S)
    await s.freeze(STAKE, DAY_S)
    expect((await s.facts()).frozenUntilS).toBe(START_S + 20 * DAY_S)
    await s.settle({ ticket: 1, release: STAKE })
    await s.settle({ ticket: 2, release: STAKE })
    await s.freeze(STAKE, DAY_S)
    expect((await s.facts()).frozenUntilS).toBe(START_S + DAY_S)
  })

  it('is settled even where loss and rest are too small to be sent: they stay', async () => {
    await s.freeze(TON, DAY_S)
    const before = await s.balance()
    const outcome = await s.settle({ ticket: 1, release: TON, slash: 200n, loss: 100n })
    expect(outcome.exit).toBe(0)
    expect(outcome.tx!.outMessagesCount).toBe(0)
    expect(await s.facts()).toMatchObject({ stake: STAKE - 200n, slashed: 200n, frozen: 0n })
    expect(await s.balance()).toBeGreaterThan(before)
  })

  it('that is settled sends the loss or the rest only where there is one', async () => {
    const end = { release: TON, slash: TON }
    for (const { ticket, loss } of [
      { ticket: 1, loss: 0n },
      { ticket: 2, loss: TON },
    ]) {
      await s.freeze(TON, DAY_S)
      const outcome = await s.settle({ ...end, ticket, loss })
      expect(actionsOf(outcome)).toBe(1)
      expect(sentTo(outcome, s.stranger.address) > 0n).toBe(loss > 0n)
    }
  })
})

it('an item says by an op what each of its messages to people is', async () => {
  const ops = (outcome: Outcome): number[] =>
    [...(outcome.tx?.outMessages.values() ?? [])].map(({ body }) => opOf(body))
  expect(ops(await s.heartbeat())).toEqual([ITEM_OUT.excess])
  await s.freeze(TON, DAY_S)
  const end = { ticket: 1, release: TON, slash: TON, loss: TON / 2n }
  expect(ops(await s.settle(end))).toEqual([ITEM_OUT.compensation, ITEM_OUT.burned])
  await s.unbond(TON)
  s.elapse(UNBONDING_S)
  expect(ops(await s.withdraw())).toEqual([ITEM_OUT.withdrawn])
  await s.become({ refuses: true })
  const { transactions } = await (await another()).register()
  expect(opOf(transactions.at(-1)!.inMessage!.body)).toBe(ITEM_OUT.refused)
})

it('a message of an op that it does not know ends with the code for that', async () => {
  const unknown = beginCell().storeUint(0x2c5a21ff, 32).endCell()
  const { exit } = await s.internal(s.owner.address, TON, unknown)
  expect(exit).toBe(ITEM_EXIT.unknownMessage)
})

function opOf(body: Cell): number {
  return body.beginParse().loadUint(32)
}

/** What the account paid for its storage since its last transaction. */
function rentOf(tx: Outcome['tx']): bigint {
  if (tx?.description.type !== 'generic') throw new Error('no transaction')
  return tx.description.storagePhase?.storageFeesCollected ?? 0n
}

/** How many things the code asked the chain to do, those that the chain then skipped included. */
function actionsOf({ tx }: Outcome): number | undefined {
  return tx?.description.type === 'generic' ? tx.description.actionPhase?.totalActions : undefined
}
