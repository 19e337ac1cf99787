/**
 * A case under rough handling: every value and too little gas, years of silence, a frozen account,
 * strangers' messages, and any order.
 * @module
 */
import { beginCell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import {
  caseStateInit,
  DISPUTE_EXIT,
  DISPUTE_FLOOR,
  verdictOn,
} from '../../../contracts/wrappers/Dispute.ts'
import {
  appealBody,
  concludeBody,
  DISPUTE_VALUE,
  frozenBody,
  openBody,
  verdictBody,
} from '../../../contracts/wrappers/disputeMessages.ts'
import { interleave } from '../../support/contractLab.ts'
import {
  AMOUNT,
  BOND,
  type DisputeSandbox,
  disputeSandbox,
  EVIDENCE,
} from '../../support/disputeSandbox.ts'
import {
  internalMessage,
  type Outcome,
  outcomeAmong,
  refuseEverything,
  SKIPPED,
  sentTo,
  TEST_NETWORK,
  YEAR_S,
} from '../../support/sandboxChain.ts'

const UPHELD = { uphold: true, loss: 30n * TON }
const EXIT = DISPUTE_EXIT
/** Out of gas, before anything was accepted: the TVM has two words for it. */
const OUT_OF_GAS = [-14, SKIPPED]

let s: DisputeSandbox
let fresh: ReturnType<DisputeSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await disputeSandbox({ arbiters: 10 })
  fresh = s.blockchain.snapshot()
})
beforeEach(() => s.blockchain.loadFrom(fresh))

describe('any value does all of a message or nothing', () => {
  it('an opening', async () => {
    await deployBlank()
    const exits = await sweep(
      (value) => s.open({ value }),
      BOND + DISPUTE_VALUE.open,
      async () => {
        expect((await s.view()).state).toBe('asked')
        expect((await s.solvency()).spare).toBeGreaterThan(0n)
      },
    )
    expectOnly(exits, [...OUT_OF_GAS, EXIT.tooLittleValue, 0])
  })

  it('a verdict, which never touches the bonds', async () => {
    await s.tried()
    const { owed } = await s.solvency()
    const before = await s.balance()
    const run = (value: bigint) => s.verdict(UPHELD, [0, 1], {}, value)
    const exits = await sweep(run, 20_000_000n, async () => {
      expect(await s.solvency()).toMatchObject({ owed })
      expect(await s.balance()).toBeGreaterThanOrEqual(before)
    })
    expectOnly(exits, [...OUT_OF_GAS, 0])
  })

  it('an appeal', async () => {
    await s.tried()
    await s.verdict(UPHELD)
    const run = (value: bigint) => s.appeal(s.owner.address, value)
    const exits = await sweep(run, BOND + DISPUTE_VALUE.appeal, async () => {
      expect((await s.solvency()).owed).toBe(2n * BOND)
    })
    expectOnly(exits, [...OUT_OF_GAS, EXIT.tooLittleValue, 0])
  })

  it('a conclusion, which pays in full and tells the registry', async () => {
    await s.tried()
    await s.verdict(UPHELD)
    s.elapse(s.rules.appealS)
    const exits = await sweep(
      (value) => s.conclude(value),
      20_000_000n,
      async (outcome) => {
        expect(sentTo(outcome, s.challenger.address)).toBeGreaterThan(BOND)
        expect(sentTo(outcome, s.registry.address)).toBeGreaterThan(50_000_000n)
      },
    )
    expectOnly(exits, [...OUT_OF_GAS, 0])
  })

  it('the answers of registry and item, which the case pays itself', async () => {
    await s.open()
    const opened = await sweep((value) => s.opened({ value }), 4_000_000n)
    expectOnly(opened, [...OUT_OF_GAS, 0])
    await s.opened()
    const item = s.item.address
    const frozen = await sweep((value) => s.frozen(AMOUNT, item, value), 2_000_000n)
    expectOnly(frozen, [...OUT_OF_GAS, 0])
  })
})

describe('too little gas', () => {
  it('ends every message without a trace', async () => {
    const steps: [name: string, run: () => Promise<Outcome>][] = [
      ['open', () => s.open()],
      ['opened', () => s.opened()],
      ['frozen', () => s.frozen()],
      ['verdict', () => s.verdict(UPHELD)],
      ['appeal', () => s.appeal()],
      ['verdict on appeal', () => s.verdict(UPHELD)],
      ['conclude', () => s.conclude()],
    ]
    await deployBlank()
    for (const [name, run] of steps) {
      const needs = (await s.lab.undone(run)).gas
      const before = await s.lab.state()
      for (const limit of [needs - 1n, needs / 2n]) {
        await s.lab.undone(async () => {
          const { exit } = await s.lab.atGas({ limit }, run)
          expect({ name, limit, exit }).toEqual({ name, limit, exit: -14 })
          expect(await s.lab.state()).toBe(before)
        })
      }
      expect((await run()).exit).toBe(0)
    }
  })
})

describe('five years of silence', () => {
  it.each(['asked', 'opened', 'tried', 'judged', 'appealed', 'final'] as const)(
    'a case that is %s ends, and pays its bonds in full',
    async (state) => {
      await reach(state)
      const { owed } = await s.solvency()
      s.elapse(5 * YEAR_S)
      const outcome = await s.conclude()
      expect(outcome.exit).toBe(0)
      const paid = sentTo(outcome, s.challenger.address) + sentTo(outcome, s.owner.address)
      expect(paid).toBeGreaterThan(owed - 1_000_000n)
      expect(await s.balance()).toBe(DISPUTE_FLOOR)
    },
  )

  it('more of it: whoever attaches what the rent took ends the case', async () => {
    await reach('judged')
    s.elapse(20 * YEAR_S)
    expect((await s.conclude()).exit).toBe(EXIT.reserve)
    expect((await s.conclude(TON)).exit).toBe(0)
  })
})

describe('a frozen account', () => {
  it('comes back as it was, and its case can be ended', async () => {
    await reach('judged')
    const before = await s.lab.state()
    await s.lab.freeze()
    expect((await s.conclude()).exit).toBe(SKIPPED)
    await s.lab.unfreeze(s.stranger.address, 10n * TON)
    expect(await s.lab.state()).toBe(before)
    expect((await s.conclude()).exit).toBe(0)
    expect((await s.view()).state).toBe('concluded')
  })

  it('that is a tombstone is still one: it cannot be opened again', async () => {
    await reach('final')
    await s.conclude()
    await s.lab.freeze()
    await s.open()
    expect(await s.lab.status()).toBe('frozen')
    await s.lab.unfreeze(s.stranger.address, 10n * TON)
    expect((await s.open()).exit).toBe(EXIT.state)
  })
})

describe('strangers', () => {
  it('cannot spend anything from outside', async () => {
    await reach('judged')
    const statement = verdictOn(TEST_NETWORK, s.address, await s.view(), UPHELD)
    const votes = [0, 1].map((place) => s.vote(statement, place))
    const bodies = [concludeBody(), appealBody(), verdictBody(true, UPHELD.loss, votes)]
    const many = Array.from({ length: 60 }, (_, i) => bodies[i % 3]!)
    expect(await s.lab.spam(many)).toEqual({ accepted: 0, cost: 0n })
  })

  it('cannot make the case larger', async () => {
    await reach('tried')
    const { cells } = await s.lab.size()
    const from = s.stranger.address
    for (let i = 0; i < 8; i++) {
      await s.internal(from, TON, openBody(EVIDENCE, BigInt(i + 1)), i % 2 === 0)
      await s.internal(from, TON, frozenBody(AMOUNT, i), i % 2 === 0)
      await s.verdict(UPHELD, [i % 10])
    }
    expect((await s.lab.size()).cells).toBe(cells)
    expect((await s.view()).state).toBe('tried')
  })

  it('who give it coins make the winner richer', async () => {
    await reach('final')
    await s.internal(s.stranger.address, 5n * TON, beginCell().endCell(), false)
    const outcome = await s.conclude()
    expect(sentTo(outcome, s.challenger.address)).toBeGreaterThan(2n * BOND + 5n * TON)
    // Later, too: the tombstone keeps nothing but its floor.
    await s.internal(s.stranger.address, 5n * TON, beginCell().endCell(), false)
    expect(sentTo(await s.conclude(), s.challenger.address)).toBeGreaterThan(4n * TON)
  })

  it('who deploy the case first change nothing', async () => {
    await deployBlank()
    expect((await s.open({ from: s.stranger.address })).exit).toBe(EXIT.notChallenger)
    expect((await s.conclude()).exit).toBe(EXIT.state)
    expect((await s.open()).exit).toBe(0)
    expect((await s.view()).bond).toBe(BOND)
  })
})

describe('any order', () => {
  it('of the two answers: the item’s first bounces, and the case ends empty', async () => {
    await s.open()
    expect((await s.frozen()).exit).toBe(EXIT.state)
    expect((await s.opened()).exit).toBe(0)
    s.elapse(3_600)
    expect(sentTo(await s.conclude(), s.challenger.address)).toBeGreaterThan(BOND)
  })

  it('of verdict, appeal, conclusion and conclusion: the same money moves', async () => {
    await reach('judged')
    s.elapse(s.rules.appealS - 1)
    const start = s.blockchain.snapshot()
    for (let seed = 0; seed < 6; seed++) {
      await s.blockchain.loadFrom(start)
      const to = (
        from: typeof s.owner,
        value: bigint,
        body: Parameters<typeof internalMessage>[3],
      ) => internalMessage(from.address, s.address, value, body)
      const messages = [
        to(s.owner, BOND + DISPUTE_VALUE.appeal, appealBody()),
        to(s.stranger, TON, concludeBody()),
        to(s.owner, BOND + DISPUTE_VALUE.appeal, appealBody()),
      ]
      let turn = seed
      await interleave(s.blockchain, messages, (alive) => turn++ % alive)
      expect(await s.view()).toMatchObject({ state: 'appealed', appealBond: BOND })
      expect((await s.solvency()).owed).toBe(2n * BOND)
    }
  })

  it('of an opening that bounces and a case that others want to end', async () => {
    await refuseEverything(s.blockchain, s.registry.address)
    const messages = [
      internalMessage(
        s.challenger.address,
        s.address,
        BOND + DISPUTE_VALUE.open,
        openBody(EVIDENCE, AMOUNT),
        { init: caseStateInit(s.config) },
      ),
      internalMessage(s.stranger.address, s.address, TON, concludeBody()),
      internalMessage(s.stranger.address, s.address, TON, concludeBody()),
    ]
    for (let seed = 0; seed < 6; seed++) {
      await s.blockchain.loadFrom(fresh)
      await refuseEverything(s.blockchain, s.registry.address)
      let turn = seed
      const done = await interleave(s.blockchain, messages, (alive) => turn++ % alive)
      expect(done[0]!.length).toBeGreaterThan(2)
      expect(outcomeAmong(done[0]!, s.address).exit).toBe(0)
      expect(await s.view()).toMatchObject({ state: 'void' })
      expect(await s.balance()).toBeLessThan(2n * DISPUTE_FLOOR)
    }
  })
})

/** As a stranger might: the code runs, and refuses to do anything. */
async function deployBlank(): Promise<void> {
  const body = beginCell().endCell()
  const init = caseStateInit(s.config)
  const gift = internalMessage(s.stranger.address, s.address, TON, body, { bounce: false, init })
  await s.blockchain.sendMessage(gift)
  expect(await s.lab.status()).toBe('active')
}

/** Exits over all values, in steps; what succeeded is shown to `whole`. */
async function sweep(
  run: (value: bigint) => Promise<Outcome>,
  upTo: bigint,
  whole?: (outcome: Outcome) => Promise<void>,
): Promise<Set<number>> {
  const seen = await s.lab.atEveryValue(run, { upTo, steps: 10, ...(whole ? { whole } : {}) })
  return new Set(seen.keys())
}

/** These exits and no others, success among them. */
function expectOnly(exits: ReadonlySet<number>, allowed: readonly number[]): void {
  expect(exits.has(0) && exits.size > 1).toBe(true)
  expect(allowed).toEqual(expect.arrayContaining([...exits]))
}

async function reach(
  state: 'asked' | 'opened' | 'tried' | 'judged' | 'appealed' | 'final',
): Promise<void> {
  await s.open()
  if (state === 'asked') return
  await s.opened()
  if (state === 'opened') return
  await s.frozen()
  if (state === 'tried') return
  await s.verdict(UPHELD)
  if (state === 'judged') return
  await s.appeal()
  if (state === 'appealed') return
  await s.verdict(UPHELD)
}
