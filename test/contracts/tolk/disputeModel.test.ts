/**
 * Random lives of a case beside its model: the same acts in the same order at the same times, and
 * after each the same exit code, state, deadlines, bonds and payments, to the nanoTON.
 * `DISPUTE_RUNS` sets how many lives (a campaign: 300), `DISPUTE_SEED` which.
 * @module
 */
import { type Address, beginCell } from '@ton/core'
import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { type CaseView, verdictOn } from '../../../contracts/wrappers/Dispute.ts'
import {
  CASE_PROTOCOL,
  DISPUTE_VALUE,
  verdictBody,
} from '../../../contracts/wrappers/disputeMessages.ts'
import { type Act, modelRun } from '../../support/contractLab.ts'
import { type Charges, DisputeModel, type Effect, type Party } from '../../support/disputeModel.ts'
import {
  BOND,
  type DisputeSandbox,
  disputeSandbox,
  EVIDENCE,
} from '../../support/disputeSandbox.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  outcomeOf,
  SKIPPED,
  START_S,
  sentTo,
  TEST_NETWORK,
} from '../../support/sandboxChain.ts'

const RUNS = Number(process.env.DISPUTE_RUNS ?? 6)
const SEED = Number(process.env.DISPUTE_SEED ?? 1)
const PARTIES = ['registry', 'item', 'challenger', 'owner', 'stranger'] as const
const RULES = { verdictS: 3 * DAY_S, appealS: DAY_S, needed: 2, neededOnAppeal: 3 }
/** Gas is 400 nanoTON a unit at the sandbox's prices; a conclusion is reckoned at 11,000. */
const GAS_PRICE = 400n
const GAS_BOUND = 11_000n * GAS_PRICE

interface World {
  readonly s: DisputeSandbox
  readonly model: DisputeModel
}

let s: DisputeSandbox
let fresh: ReturnType<DisputeSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await disputeSandbox()
  fresh = s.blockchain.snapshot()
})

const now = () => s.blockchain.now ?? START_S
const addressOf = (party: Party): Address => s[party].address

/** Plays on both and compares what happened. */
async function both(
  run: () => Promise<Outcome>,
  value: bigint,
  step: (balance: bigint, charges: Charges) => Effect,
): Promise<void> {
  const before = await s.balance()
  const outcome = await run()
  const { tx } = outcome
  if (tx?.description.type !== 'generic') throw new Error('no transaction')
  const { storagePhase: storage, computePhase: compute, actionPhase: action } = tx.description
  // An account that was never deployed runs nothing.
  if (compute.type !== 'vm') return expect(outcome.exit).toBe(SKIPPED)
  const rent = storage?.storageFeesCollected ?? 0n
  const charges = { gas: compute.gasFees, gasBound: GAS_BOUND }
  const effect = step(before - rent, charges)
  expect(outcome.exit).toBe(effect.exit)
  if (effect.exit !== 0) return
  const planned = Object.entries(effect.out).filter(([, amount]) => amount > 0n)
  const sent = PARTIES.filter((party) => sentTo(outcome, addressOf(party)) > 0n)
  expect(sent.toSorted()).toEqual(planned.map(([party]) => party).toSorted())
  const total = planned.reduce((sum, [, amount]) => sum + amount, 0n)
  const gone = PARTIES.reduce((sum, party) => sum + sentTo(outcome, addressOf(party)), 0n)
  expect(gone + (action?.totalFwdFees ?? 0n)).toBe(total)
  expect(await s.balance()).toBe(before - rent + value - charges.gas - total)
}

const party = fc.constantFrom<Party>(...PARTIES)
const mostly = (whom: Party) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(whom) }, { weight: 1, arbitrary: party })

type From<T> = fc.Arbitrary<T & { readonly from: Party }>

const openWith = (parts: From<{ extra: bigint; amount: bigint }>) =>
  parts.map(
    ({ from, extra, amount }): Act<World> => ({
      text: `open from ${from}, ${extra} above the costs, for ${amount}`,
      play: ({ model }) => {
        const value = DISPUTE_VALUE.open + extra
        const run = () => s.open({ from: addressOf(from), value, amount, evidence: EVIDENCE })
        return both(run, value, () => model.open(from, value, amount, now()))
      },
    }),
  )

const answerWith = (parts: From<{ days: number }>) =>
  parts.map(
    ({ from, days }): Act<World> => ({
      text: `opened by ${from}, frozen for ${days} days`,
      play: ({ model }) => {
        const [untilS, value] = [now() + days * DAY_S, 30_000_000n]
        const run = () => s.opened({ from: addressOf(from), untilS, value })
        return both(run, value, () => model.opened(from, untilS, now()))
      },
    }),
  )

const refuse = fc.constant<Act<World>>({
  text: 'the opening comes back',
  play: ({ model }) => {
    const [value, bounced] = [90_000_000n, true]
    const body = beginCell().storeUint(0xffffffff, 32).storeUint(CASE_PROTOCOL.openCase, 32)
    const from = s.registry.address
    const message = internalMessage(from, s.address, value, body.endCell(), { bounced })
    const run = () => outcomeOf(s.blockchain, s.address, message)
    return both(run, value, (balance, charges) => model.refused(balance, value, charges))
  },
})

const freezeWith = (parts: From<{ amount: bigint }>) =>
  parts.map(
    ({ from, amount }): Act<World> => ({
      text: `frozen by ${from}: ${amount}`,
      play: ({ model }) => {
        const value = 30_000_000n
        const run = () => s.frozen(amount, addressOf(from), value)
        return both(run, value, (balance, charges) =>
          model.frozenBy(from, amount, now(), balance, value, charges),
        )
      },
    }),
  )

const decideWith = (parts: fc.Arbitrary<{ uphold: boolean; loss: bigint; votes: number }>) =>
  parts.map(
    ({ uphold, loss, votes }): Act<World> => ({
      text: `${votes} arbiters ${uphold ? `uphold, ${loss}` : 'dismiss'}`,
      play: async ({ model }) => {
        const ruling = { uphold, loss: uphold ? loss : 0n }
        const state = model.state === 'appealed' ? ('appealed' as const) : ('tried' as const)
        const openedAtS = await openedAt()
        const view = { state, evidence: EVIDENCE, openedAtS }
        const statement = verdictOn(TEST_NETWORK, s.address, view, ruling)
        const signed = Array.from({ length: votes }, (_, place) => s.vote(statement, place))
        const body = verdictBody(uphold, ruling.loss, signed)
        const value = DISPUTE_VALUE.verdict
        const run = () => s.internal(s.stranger.address, value, body)
        return both(run, value, (_, charges) => model.verdict(ruling, votes, now(), value, charges))
      },
    }),
  )

const appealWith = (parts: From<{ more: bigint }>) =>
  parts.map(
    ({ from, more }): Act<World> => ({
      text: `appeal of ${from}, ${more} TON above the bond`,
      play: ({ model }) => {
        const value = model.bond + BOND + more * TON + DISPUTE_VALUE.appeal
        const run = () => s.appeal(addressOf(from), value)
        return both(run, value, () => model.appeal(from, value, now()))
      },
    }),
  )

const conclude = fc.bigInt(10_000_000n, 200_000_000n).map(
  (value): Act<World> => ({
    text: `conclude with ${value}`,
    play: ({ model }) =>
      both(
        () => s.conclude(value),
        value,
        (balance, charges) => model.conclude(now(), balance, value, charges),
      ),
  }),
)

const wait = fc
  .oneof(fc.integer({ min: 1, max: 3_600 }), fc.integer({ min: DAY_S, max: 9 * DAY_S }))
  .map(
    (seconds): Act<World> => ({
      text: `wait ${seconds} s`,
      play: async () => s.elapse(seconds),
    }),
  )

const only = <T>(value: T) => fc.constant(value)
const open = openWith(
  fc.record({
    from: mostly('challenger'),
    extra: fc.bigInt(0n, 3n * TON),
    amount: fc.bigInt(0n, 9n),
  }),
)
const answer = answerWith(
  fc.record({ from: mostly('registry'), days: fc.integer({ min: 2, max: 9 }) }),
)
const freeze = freezeWith(fc.record({ from: mostly('item'), amount: fc.bigInt(0n, 12n) }))
const decide = decideWith(
  fc.record({
    uphold: fc.boolean(),
    loss: fc.bigInt(0n, 12n),
    votes: fc.integer({ min: 1, max: 5 }),
  }),
)
const appeal = appealWith(
  fc.record({
    from: fc.constantFrom<Party>('owner', 'challenger', 'stranger'),
    more: fc.bigInt(-1n, 3n),
  }),
)

/** What an honest party would do next, so that lives get old. */
const goOn = fc
  .tuple(fc.boolean(), fc.bigInt(1n, 9n))
  .chain(([uphold, amount]) =>
    fc.record({
      blank: openWith(
        fc.record({ from: only('challenger'), extra: only(BOND), amount: only(amount) }),
      ),
      asked: answerWith(fc.record({ from: only('registry'), days: only(9) })),
      opened: freezeWith(fc.record({ from: only('item'), amount: only(amount) })),
      tried: decideWith(fc.record({ uphold: only(uphold), loss: only(amount), votes: only(3) })),
      lost: appealWith(fc.record({ from: only('challenger'), more: only(0n) })),
      upheld: appealWith(fc.record({ from: only('owner'), more: only(0n) })),
      later: conclude,
    }),
  )
  .map(
    (acts): Act<World> => ({
      text: `go on: ${acts.blank.text}; ${acts.tried.text}`,
      play: (world) => {
        const { state, first } = world.model
        if (state === 'judged') return acts[first?.uphold ? 'upheld' : 'lost'].play(world)
        if (state === 'appealed') return acts.tried.play(world)
        const known = {
          blank: acts.blank,
          asked: acts.asked,
          opened: acts.opened,
          tried: acts.tried,
        }
        const next = Object.entries(known).find(([name]) => name === state)?.[1] ?? acts.later
        return next.play(world)
      },
    }),
  )

const ACTS = [
  ...[goOn, goOn, goOn, goOn, goOn, goOn, goOn],
  ...[open, answer, refuse, freeze, decide, appeal, conclude, wait],
]

it('lives as its model does', { timeout: 3_600_000 }, async () => {
  const seen = new Map<string, number>()
  await modelRun<World>({
    world: async () => {
      await s.blockchain.loadFrom(fresh)
      return { s, model: new DisputeModel(RULES) }
    },
    acts: ACTS,
    equal: async ({ model }) => {
      seen.set(model.state, (seen.get(model.state) ?? 0) + 1)
      if (model.state === 'blank') return
      const view = await s.view()
      expect(facts(view)).toEqual(facts(model))
      const { owed, balance } = await s.solvency()
      expect(owed).toBe(model.owed())
      expect(balance).toBeGreaterThanOrEqual(owed)
    },
    ...{ seed: SEED, runs: RUNS, length: 30 },
  })
  // Every state was lived in, or the acts are too few to say anything.
  console.info(`seed ${SEED}, ${RUNS} lives, acts by state:`, Object.fromEntries(seen))
  if (RUNS >= 100) expect(seen.size).toBe(9)
})

function facts(of: CaseView | DisputeModel) {
  const { state, deadlineS, amount, bond, frozen, appealBond, first, second } = of
  return { state, deadlineS, amount, bond, frozen, appealBond, first, second }
}

async function openedAt(): Promise<number> {
  try {
    return (await s.view()).openedAtS
  } catch {
    return 0
  }
}
