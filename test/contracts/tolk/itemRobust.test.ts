/**
 * Items handled roughly: too little gas or value, messages in any order, spam, frost, silence,
 * strangers who would make them grow, and StateInits that lie.
 * @module
 */
import { beginCell, type Cell, contractAddress } from '@ton/core'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { ITEM_EXIT } from '../../../contracts/wrappers/bondedItem.ts'
import { ITEM_KINDS, itemAddress, itemConfigCell } from '../../../contracts/wrappers/itemConfig.ts'
import {
  addStakeBody,
  addStakeValue,
  heartbeatBody,
  ITEM_FLOOR,
  ITEM_OP,
  ITEM_RENT_RESERVE,
  ITEM_VALUE,
  registerBody,
  unbondBody,
  withdrawBody,
} from '../../../contracts/wrappers/itemMessages.ts'
import { storageFee } from '../../../node/chain/simulatedFees.ts'
import { type ContractLab, contractLab, interleave } from '../../support/contractLab.ts'
import {
  FIRST_CODE,
  hashOf,
  type ItemSandbox,
  itemSandbox,
  largestProfile,
  STAKE,
  UNBONDING_S,
} from '../../support/itemSandbox.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  START_S,
  sentTo,
  testBlockchain,
  YEAR_S,
} from '../../support/sandboxChain.ts'
import { enrolledBody, freezeBody, settleBody } from '../../support/testRegistry.ts'

const WEEK_S = 7 * DAY_S
/** More than any message of an item costs. */
const upTo = 12_000_000n

let s: ItemSandbox
let lab: ContractLab
let fresh: ReturnType<ItemSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await itemSandbox()
  lab = contractLab(s.blockchain, s.address)
  await s.register()
  fresh = s.blockchain.snapshot()
}, 60_000)
beforeEach(() => s.blockchain.loadFrom(fresh))

/** What the item holds beyond its bond. */
async function spare(): Promise<bigint> {
  const { balance, bonded } = await s.solvency()
  return balance - bonded
}

describe('with too little value', () => {
  it('a withdrawal pays all that is due, or nothing', async () => {
    await s.unbond(4n * TON)
    s.elapse(UNBONDING_S)
    const seen = await lab.atEveryValue((value) => s.withdraw(s.owner.address, value), {
      ...{ upTo, steps: 20 },
      whole: async (outcome) => {
        expect(sentTo(outcome, s.owner.address)).toBeGreaterThanOrEqual(4n * TON)
        expect(await s.facts()).toMatchObject({ unbonding: 0n, withdrawn: 4n * TON })
      },
    })
    expect([...seen.keys()]).toEqual(expect.arrayContaining([0, ITEM_EXIT.tooLittleValue]))
  })

  it('a freeze is answered, or is none', async () => {
    const body = freezeBody(s.stranger.address, TON, (s.blockchain.now ?? 0) + WEEK_S)
    const seen = await lab.atEveryValue((value) => s.told(body, value), {
      ...{ upTo, steps: 20 },
      whole: async ({ tx }) => {
        expect(tx!.outMessagesCount).toBe(1)
        expect((await s.facts()).frozen).toBe(TON)
      },
    })
    expect([...seen.keys()]).toEqual(expect.arrayContaining([0, ITEM_EXIT.tooLittleValue]))
  })

  it('a settlement is done whole, or comes back to the registry', async () => {
    await s.freeze(4n * TON, WEEK_S)
    const parties = { case: s.owner.address, challenger: s.stranger.address }
    const end = { ticket: 1, release: 4n * TON, slash: 3n * TON, loss: TON }
    await lab.atEveryValue((value) => s.told(settleBody({ ...parties, ...end }), value), {
      ...{ upTo, steps: 20 },
      whole: async ({ tx }) => {
        expect(tx!.outMessagesCount).toBe(2)
        expect(await s.facts()).toMatchObject({ slashed: 3n * TON, frozen: 0n })
        expect((await s.solvency()).solvent).toBe(true)
      },
    })
    expect((await s.settle(end)).exit).toBe(0)
  })

  it('an upgrade is asked for, or not', async () => {
    const seen = await lab.atEveryValue((value) => s.upgrade(s.owner.address, value), {
      upTo: 40_000_000n,
      steps: 10,
      whole: ({ transactions }) => expect(transactions.length).toBeGreaterThan(1),
    })
    expect([...seen.keys()]).toEqual(expect.arrayContaining([0, ITEM_EXIT.tooLittleValue]))
  })

  it('no message of any value takes from what backs the bond', async () => {
    const before = ITEM_FLOOR + ITEM_RENT_RESERVE
    for (const from of [s.owner.address, s.stranger.address, s.registry]) {
      for (const body of everyMessage()) {
        const send = (value: bigint): Promise<Outcome> => s.internal(from, value, body)
        await lab.atEveryValue(send, {
          ...{ upTo, steps: 3 },
          whole: async () => expect(await spare()).toBeGreaterThanOrEqual(before),
        })
      }
    }
  })
})

describe('with too little gas', () => {
  it('the owner’s acts are undone whole', async () => {
    await s.unbond(TON)
    s.elapse(UNBONDING_S)
    const acts = [s.withdraw, () => s.addStake(TON), () => s.unbond(TON), () => s.heartbeat()]
    for (const act of acts) {
      const before = await lab.state()
      for (const limit of [500n, 2_500n, 4_200n]) {
        const { exit } = await lab.undone(() => lab.atGas({ limit }, () => act()))
        expect(exit).not.toBe(0)
        expect(await lab.state()).toBe(before)
      }
      expect((await lab.undone(() => act())).exit).toBe(0)
    }
  })
})

describe('in any order', () => {
  it('what crosses leaves the bond covered, and counts every nanoTON once', async () => {
    await s.unbond(6n * TON)
    await s.freeze(2n * TON, 20 * DAY_S)
    s.elapse(UNBONDING_S)
    const now = s.blockchain.now!
    const mine = (body: Cell, value: bigint = ITEM_VALUE.withdraw) =>
      internalMessage(s.owner.address, s.address, value, body)
    const told = (body: Cell) => internalMessage(s.registry, s.address, TON / 10n, body)
    const parties = { case: s.stranger.address, challenger: s.stranger.address }
    const end = { ...parties, ticket: 1, release: 2n * TON, slash: 2n * TON, loss: TON }
    const messages = () => [
      mine(withdrawBody()),
      mine(unbondBody(TON)),
      mine(addStakeBody(TON), TON + ITEM_VALUE.addStake),
      told(settleBody(end)),
      told(settleBody(end)),
      told(freezeBody(s.stranger.address, 20n * TON, now + WEEK_S)),
      mine(withdrawBody()),
    ]
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(1_000)), (picks) =>
        lab.undone(async () => {
          const added = { stake: 0n }
          const done = await interleave(s.blockchain, messages(), (n) => picks.next().value! % n)
          if (done[2]!.some((tx) => tx.outMessagesCount > 0)) added.stake = TON
          const facts = await s.facts()
          const { stake, unbonding, withdrawn, slashed, frozen } = facts
          expect(stake + unbonding + withdrawn + slashed).toBe(STAKE + added.stake)
          expect(slashed).toBeLessThanOrEqual(2n * TON)
          expect(frozen).toBeLessThanOrEqual(stake + unbonding)
          expect((await s.solvency()).solvent).toBe(true)
        }),
      ),
      { seed: 5, numRuns: 12 },
    )
  })

  it('a refusal of the registry that is on its way finds no second registration', async () => {
    const t = await itemSandbox({ blockchain: s.blockchain, registry: s.registry, owner: 'b' })
    await t.become({ refuses: true })
    const init = { code: FIRST_CODE.provider, data: blankData(t) }
    const register = () =>
      internalMessage(
        t.owner.address,
        t.address,
        STAKE + ITEM_VALUE.register,
        registerBody(STAKE, t.profile),
        { init },
      )
    // Both reach the item before the registry's answer does.
    await interleave(t.blockchain, [register(), register()], (alive) => alive - 1)
    expect((await t.view()).status).toBe('blank')
    expect(await t.balance()).toBe(ITEM_FLOOR)
  })
})

describe('spam and growth', () => {
  it('sixty messages of strangers cost the item nothing and add no cell', async () => {
    const [before, size, state] = [await spare(), await lab.size(), await lab.state()]
    const ops = [...Object.values(ITEM_OP), 0x2c5a2011, 0x2c5a2012, 0x2c5a2013, 0x2c5a2014]
    for (let i = 0; i < 60; i++) {
      const body =
        i % 2
          ? beginCell()
              .storeUint(ops[i % 10]!, 32)
              .endCell()
          : everyMessage()[i % 9]!
      await s.internal(s.stranger.address, BigInt(i) * 200_000n, body, i % 3 > 0)
    }
    expect(await spare()).toBeGreaterThanOrEqual(before)
    expect(await lab.state()).toBe(state)
    expect(await lab.size()).toEqual(size)
  })

  it('no external message is accepted', async () => {
    expect(await lab.spam([...everyMessage(), beginCell().endCell()])).toEqual({
      ...{ accepted: 0, cost: 0n },
    })
  })

  it('cases, however many, keep their room', async () => {
    await s.freeze(1n, WEEK_S)
    const { cells } = await lab.size()
    for (let i = 0; i < 12; i++) await s.freeze(TON / 10n, WEEK_S)
    expect((await lab.size()).cells).toBe(cells)
  })
})

describe('frost and silence', () => {
  it.each(ITEM_KINDS)('after five years of silence a %s can still be left', async (kind) => {
    const t = await itemSandbox({ kind })
    await t.register()
    t.elapse(5 * YEAR_S)
    if (kind !== 'gpu') {
      expect((await t.unbond(STAKE)).exit).toBe(0)
      expect((await t.facts()).unbonding).toBe(STAKE)
      t.elapse(UNBONDING_S)
    }
    const out = await t.withdraw()
    expect(out.exit).toBe(0)
    expect(sentTo(out, t.owner.address)).toBeGreaterThan(STAKE)
    expect(await t.balance()).toBe(ITEM_FLOOR)
  })

  it('the reserve pays five years of the largest item at the dearest prices', async () => {
    const t = await itemSandbox({ kind: 'scheduler' })
    await t.register()
    await t.heartbeat(largestProfile())
    const size = await contractLab(t.blockchain, t.address).size()
    const rent = (prices: keyof typeof CHAIN_PRICES, years: number): bigint =>
      storageFee(CHAIN_PRICES[prices], size, START_S, START_S + years * YEAR_S)
    expect(rent('sandbox-0.41', 5)).toBeLessThan(ITEM_RENT_RESERVE)
    expect(rent('mainnet-2026-08', 40)).toBeLessThan(ITEM_RENT_RESERVE)
  })

  it('what the reserve does not cover, the owner bears, and may make good', async () => {
    s.elapse(14 * YEAR_S)
    await s.freeze(1n, WEEK_S)
    const { stake } = await s.facts()
    expect(stake).toBeLessThan(STAKE)
    expect(stake).toBeGreaterThan(STAKE - TON / 5n)
    expect((await s.solvency()).solvent).toBe(true)
    expect((await s.addStake(0n)).exit).toBe(ITEM_EXIT.tooLittleValue)
    expect((await s.addStake(TON, addStakeValue(TON, await s.solvency()))).exit).toBe(0)
    expect((await s.facts()).stake).toBe(stake + TON)
    expect(await spare()).toBeGreaterThanOrEqual(ITEM_FLOOR + ITEM_RENT_RESERVE)
  })

  it('a retired item is still read by the walk seven years later', async () => {
    await s.unbond(STAKE)
    s.elapse(UNBONDING_S)
    await s.withdraw()
    s.elapse(7 * YEAR_S)
    await s.internal(s.stranger.address, 1n, beginCell().endCell(), false)
    expect(await lab.status()).toBe('active')
    expect((await s.view()).index).toBe(1)
  })

  it('a frozen item comes back with its state, and goes on', async () => {
    await s.unbond(TON)
    await lab.freeze()
    expect(await lab.status()).toBe('frozen')
    expect((await s.withdraw()).exit).toBe(-2)
    await lab.unfreeze(s.stranger.address, 20n * TON)
    expect((await s.view()).index).toBe(1)
    expect((await s.withdraw()).exit).toBe(0)
    expect((await s.facts()).withdrawn).toBe(TON)
  })
})

describe('a StateInit that lies', () => {
  it('makes another address than the registry and clients compute', async () => {
    const enrolled = (await s.blockchain.getContract(s.address)).accountState
    const data = enrolled?.type === 'active' ? enrolled.state.data! : beginCell().endCell()
    const config = beginCell().storeRef(itemConfigCell(s.config))
    const lies = [
      { code: FIRST_CODE.provider, data },
      {
        code: FIRST_CODE.provider,
        data: beginCell().storeUint(2, 8).storeBuilder(config).endCell(),
      },
      { code: FIRST_CODE.scheduler, data: blankData(s) },
      {
        code: FIRST_CODE.provider,
        data: beginCell().storeUint(0, 16).storeBuilder(config).endCell(),
      },
    ]
    const honest = itemAddress(FIRST_CODE.provider, s.config)
    for (const lie of lies) expect(contractAddress(0, lie).equals(honest)).toBe(false)
    const again = contractAddress(0, { code: FIRST_CODE.provider, data: blankData(s) })
    expect(again.equals(honest)).toBe(true)
  })

  it('that is true may come from anyone: only the owner makes more of it', async () => {
    const chain = await testBlockchain()
    const t = await itemSandbox({ blockchain: chain })
    const init = { code: FIRST_CODE.provider, data: blankData(t) }
    for (const body of [...everyMessage(), enrolledBody(1)]) {
      const from = t.stranger.address
      await chain.sendMessage(internalMessage(from, t.address, TON, body, { init, bounce: false }))
      expect((await t.view()).status).toBe('blank')
    }
    // The strangers' money is the owner's now.
    expect((await t.register(STAKE, STAKE)).exit).toBe(0)
    expect((await t.view()).status).toBe('enrolled')
  })
})

function blankData({ config }: ItemSandbox): Cell {
  return beginCell().storeUint(0, 8).storeRef(itemConfigCell(config)).endCell()
}

/** One message of each kind, well formed. */
function everyMessage(): Cell[] {
  const parties = { case: s.stranger.address, challenger: s.stranger.address }
  return [
    registerBody(TON, s.profile),
    heartbeatBody({ anchor: hashOf('a'), sheet: hashOf('b') }),
    addStakeBody(0n),
    unbondBody(TON),
    withdrawBody(),
    beginCell().storeUint(ITEM_OP.upgrade, 32).endCell(),
    enrolledBody(UNBONDING_S),
    freezeBody(s.stranger.address, TON, (s.blockchain.now ?? 0) + WEEK_S),
    settleBody({ ...parties, ticket: 1, release: TON, slash: TON, loss: TON }),
  ]
}
