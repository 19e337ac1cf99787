/**
 * Cases among the real registry and the real items: what is frozen, slashed, compensated and
 * burned, to the nanoTON; several cases at once; and what goes wrong between the contracts.
 * @module
 */
import { type Address, beginCell, type Cell } from '@ton/core'
import { createShardAccount } from '@ton/sandbox'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import {
  type CaseConfig,
  caseAddress,
  caseConfigCell,
  DISPUTE_FLOOR,
} from '../../../contracts/wrappers/Dispute.ts'
import {
  CASE_PROTOCOL,
  concludeBody,
  DISPUTE_VALUE,
} from '../../../contracts/wrappers/disputeMessages.ts'
import { type DisputeMarket, disputeMarket, type Post } from '../../support/disputeMarket.ts'
import { internalMessage, refuseEverything } from '../../support/sandboxChain.ts'
import { someAddress } from '../../support/someParameters.ts'

const STAKE = 100n * TON
const BOND = 2n * TON
const UPHELD = { uphold: true, loss: 30n * TON }
const DISMISSED = { uphold: false, loss: 0n }
/** Fees of one message between contracts are below this. */
const FEES = 20_000_000n

let m: DisputeMarket
let fresh: ReturnType<DisputeMarket['blockchain']['snapshot']>
beforeAll(async () => {
  m = await disputeMarket(STAKE)
  fresh = m.blockchain.snapshot()
})
beforeEach(async () => {
  await m.blockchain.loadFrom(fresh)
  m.forget()
})
afterEach(async () => {
  expect(await m.imbalance()).toBe(0n)
})

describe('a case among the real contracts', () => {
  it('freezes what it asks for, and an upheld one slashes, compensates and burns', async () => {
    const { at } = await opened(0, 1, 80n * TON)
    expect(await m.caseView(at)).toMatchObject({ state: 'tried', frozen: 80n * TON })
    expect(await m.itemView()).toMatchObject({ stake: STAKE, frozen: 80n * TON })
    await m.verdict(at, UPHELD)
    m.elapse(m.rules.appealS)
    const before = await balanceOf(m.challengers[0]!)
    const burned = await m.burned()
    await m.conclude(at)
    expect(await m.itemView()).toMatchObject({ stake: 20n * TON, frozen: 0n, slashed: 80n * TON })
    const gained = (await balanceOf(m.challengers[0]!)) - before
    expect(gained).toBeGreaterThan(30n * TON + BOND)
    expect((await m.burned()) - burned).toBeGreaterThan(50n * TON - FEES)
    expect((await m.burned()) - burned).toBeLessThanOrEqual(50n * TON)
    expect(await balanceOf(at)).toBe(DISPUTE_FLOOR)
  })

  it('dismissed gives back what it froze, and the owner the bond', async () => {
    const { at } = await opened(0, 2, 80n * TON)
    const before = await balanceOf(m.owner)
    await m.verdict(at, DISMISSED)
    m.elapse(m.rules.appealS)
    await m.conclude(at)
    expect(await m.itemView()).toMatchObject({ stake: STAKE, frozen: 0n, slashed: 0n })
    expect((await balanceOf(m.owner)) - before).toBeGreaterThan(BOND)
  })

  it('told twice does it once', async () => {
    const { at } = await opened(0, 3, 40n * TON)
    await m.verdict(at, UPHELD)
    m.elapse(m.rules.appealS)
    await m.conclude(at)
    const after = await m.itemView()
    for (let i = 0; i < 3; i++) await m.conclude(at, DISPUTE_VALUE.concludeAgain)
    const again = await m.itemView()
    expect([again.stake, again.slashed]).toEqual([after.stake, after.slashed])
    expect(again).toMatchObject({ stake: 60n * TON, slashed: 40n * TON })
  })

  it('with an appeal costs the loser both bonds', async () => {
    const { at } = await opened(0, 4, 40n * TON)
    await m.verdict(at, UPHELD)
    expect((await m.appeal(at, m.owner, BOND)).exit).toBe(0)
    await m.verdict(at, DISMISSED, [1, 2, 3])
    const before = await balanceOf(m.owner)
    await m.conclude(at)
    expect((await balanceOf(m.owner)) - before).toBeGreaterThan(2n * BOND)
    expect(await m.itemView()).toMatchObject({ stake: STAKE, frozen: 0n })
  })

  it('reaches a stake that is leaving, and not one that is gone', async () => {
    await m.unbond(STAKE)
    const { at } = await opened(0, 5, 60n * TON)
    const { unbondingS } = await m.itemView()
    await m.verdict(at, UPHELD)
    m.elapse(m.rules.appealS)
    await m.conclude(at)
    expect(await m.itemView()).toMatchObject({ unbonding: 40n * TON, slashed: 60n * TON })
    m.elapse(unbondingS)
    expect((await m.withdraw()).exit).toBe(0)
    const late = await opened(1, 6, 60n * TON)
    expect(await m.caseView(late.at)).toMatchObject({ state: 'void', frozen: 0n })
    expect(await balanceOf(late.at)).toBe(DISPUTE_FLOOR)
  })

  it('is refused with a bond below the least, and pays it back', async () => {
    const config = m.configOf(0, 7)
    const before = await balanceOf(m.challengers[0]!)
    await m.open(config, TON, TON - 1n)
    expect(await m.caseView(caseAddress(config))).toMatchObject({ state: 'void' })
    const back = (await balanceOf(m.challengers[0]!)) - before
    expect(back).toBeGreaterThan(TON + DISPUTE_VALUE.open - FEES - DISPUTE_FLOOR)
  })

  it('against an item that is not there ends after an hour, and pays the bond back', async () => {
    const missing = { kind: 'provider' as const, owner: someAddress('who never registered') }
    const config = { ...m.configOf(0, 8), accused: missing }
    const at = caseAddress(config)
    await m.open(config, TON)
    expect(await m.caseView(at)).toMatchObject({ state: 'opened' })
    m.elapse(3_600)
    await m.conclude(at)
    expect(await m.caseView(at)).toMatchObject({ state: 'void' })
  })
})

describe('several cases', () => {
  it('may freeze the same money, and each ends alone', async () => {
    const first = await opened(0, 10, 70n * TON)
    const second = await opened(1, 11, 70n * TON)
    const third = await opened(2, 12, 170n * TON)
    expect((await m.caseView(first.at)).frozen).toBe(70n * TON)
    expect((await m.caseView(second.at)).frozen).toBe(70n * TON)
    expect((await m.caseView(third.at)).frozen).toBe(100n * TON)
    await m.verdict(first.at, DISMISSED)
    await m.verdict(second.at, UPHELD)
    m.elapse(m.rules.appealS)
    await m.conclude(second.at)
    // 30 TON are left, all of them frozen by the two others.
    const one = { stake: 30n * TON, frozen: 30n * TON, slashed: 70n * TON }
    expect(await m.itemView()).toMatchObject(one)
    await m.conclude(first.at)
    expect(await m.itemView()).toMatchObject(one)
    m.elapse(m.rules.verdictS)
    await m.conclude(third.at)
    expect(await m.itemView()).toMatchObject({ ...one, frozen: 0n })
  })

  it('of a friend, over everything, does not shield the accused from the next', async () => {
    const friend = await opened(0, 10, 100n * TON)
    const honest = await opened(1, 11, 40n * TON)
    expect((await m.caseView(honest.at)).frozen).toBe(40n * TON)
    await m.verdict(friend.at, DISMISSED)
    await m.verdict(honest.at, UPHELD)
    m.elapse(m.rules.appealS)
    await m.conclude(friend.at)
    expect(await m.itemView()).toMatchObject({ stake: 100n * TON, frozen: 40n * TON })
    await m.conclude(honest.at)
    expect(await m.itemView()).toMatchObject({ stake: 60n * TON, slashed: 40n * TON })
  })
})

describe('a flood of sham cases', () => {
  it('is dearer than the honest case that it is to keep out', async () => {
    const sham = async (nonce: number, bonds: bigint) => {
      const config = m.configOf(0, nonce)
      await m.open(config, 1n, bonds * m.rules.leastBond)
      return (await m.caseView(caseAddress(config))).state
    }
    for (let nonce = 100; nonce < 116; nonce++) expect(await sham(nonce, 1n)).toBe('tried')
    // Sixteen least bonds are locked, and one more case of that kind is none.
    expect(await sham(116, 1n)).toBe('void')
    const balance = await balanceOf(m.challengers[1]!)
    const small = m.configOf(1, 200)
    await m.open(small, 40n * TON, 2n * m.rules.leastBond - 1n)
    expect(await m.caseView(caseAddress(small))).toMatchObject({ state: 'void', frozen: 0n })
    expect(balance - (await balanceOf(m.challengers[1]!))).toBeLessThan(FEES + DISPUTE_FLOOR)
    const honest = m.configOf(1, 201)
    await m.open(honest, 40n * TON, 2n * m.rules.leastBond)
    expect(await m.caseView(caseAddress(honest))).toMatchObject({ frozen: 40n * TON })
    expect((await m.itemView()).cases).toBe(17)
    await m.verdict(caseAddress(honest), UPHELD)
    m.elapse(m.rules.appealS)
    await m.conclude(caseAddress(honest))
    expect(await m.itemView()).toMatchObject({ slashed: 40n * TON, cases: 16 })
  })
})

describe('in any order', () => {
  const concluding = (to: Address): Post => {
    const value = DISPUTE_VALUE.conclude
    const message = internalMessage(m.challengers[2]!, to, value, concludeBody())
    return { to, value, message }
  }

  it.each([0, 1, 2, 3])('cases open and end among one another (%i)', async (first) => {
    let turn = first
    const pick = (alive: number) => turn++ % alive
    const configs = [30, 31, 32].map((nonce, i) => m.configOf(i, nonce))
    const all = configs.map((config) => caseAddress(config))
    await m.together(
      configs.map((config) => m.opening(config, 70n * TON, BOND)),
      pick,
    )
    for (const at of all) {
      expect(await m.caseView(at)).toMatchObject({ state: 'tried', frozen: 70n * TON })
    }
    for (const [i, at] of all.entries()) await m.verdict(at, i === 1 ? DISMISSED : UPHELD)
    m.elapse(m.rules.appealS)
    await m.together(all.map(concluding), pick)
    for (const at of all) expect(await balanceOf(at)).toBe(DISPUTE_FLOOR)
    const { stake, slashed, frozen } = await m.itemView()
    expect({ stake, slashed, frozen }).toEqual({ stake: 0n, slashed: STAKE, frozen: 0n })
  })
})

describe('between the contracts', () => {
  it('a conclusion that the registry cannot pass on is told again later', async () => {
    const { at } = await opened(0, 20, 40n * TON)
    await m.verdict(at, UPHELD)
    m.elapse(m.rules.appealS)
    const { code, data } = await stateOf(m.item)
    await refuseEverything(m.blockchain, m.item)
    await m.conclude(at)
    expect(await m.caseView(at)).toMatchObject({ state: 'concluded' })
    const balance = await balanceOf(m.item)
    const account = createShardAccount({ address: m.item, code, data, balance })
    await m.blockchain.setShardAccount(m.item, account)
    expect(await m.itemView()).toMatchObject({ slashed: 0n, frozen: 40n * TON })
    await m.conclude(at, DISPUTE_VALUE.concludeAgain)
    expect(await m.itemView()).toMatchObject({ slashed: 40n * TON, frozen: 0n })
  })

  it('a forged case is nobody to the registry', async () => {
    const { at, config } = await opened(0, 21, 40n * TON)
    const body = beginCell().storeUint(CASE_PROTOCOL.closeCase, 32).storeRef(caseConfigCell(config))
    body
      .storeUint(1, 32)
      .storeCoins(40n * TON)
      .storeCoins(40n * TON)
      .storeCoins(40n * TON)
    const from = m.challengers[2]!
    const forged = await m.send(from, m.registry.address, TON, body.endCell())
    expect(forged.exit).not.toBe(0)
    expect(await m.itemView()).toMatchObject({ stake: STAKE, frozen: 40n * TON })
    expect(await m.caseView(at)).toMatchObject({ state: 'tried' })
  })
})

interface Opened {
  readonly config: CaseConfig
  readonly at: Address
}

async function opened(challenger: number, nonce: number, amount: bigint): Promise<Opened> {
  const config = m.configOf(challenger, nonce)
  expect((await m.open(config, amount, BOND)).exit).toBe(0)
  return { config, at: caseAddress(config) }
}

async function balanceOf(of: Address): Promise<bigint> {
  return (await m.blockchain.getContract(of)).balance
}

async function stateOf(of: Address): Promise<{ code: Cell; data: Cell }> {
  const { accountState } = await m.blockchain.getContract(of)
  if (accountState?.type !== 'active') throw new Error('no state')
  const { code, data } = accountState.state
  return { code: code!, data: data! }
}
