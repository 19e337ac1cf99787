/**
 * Random lives of items beside a model of them, equal after every act to the nanoTON. `ITEM_LIVES`
 * sets how many (a campaign: 500), `ITEM_SEED` repeats a run.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { ITEM_KINDS, type ItemKind } from '../../../contracts/wrappers/itemConfig.ts'
import { ITEM_FLOOR, ITEM_VALUE } from '../../../contracts/wrappers/itemMessages.ts'
import { gasFee } from '../../../node/chain/simulatedFees.ts'
import { type Act, modelRun } from '../../support/contractLab.ts'
import { type Done, FORWARD, ItemModel } from '../../support/itemModel.ts'
import { type ItemSandbox, itemSandbox, STAKE, UNBONDING_S } from '../../support/itemSandbox.ts'
import { DAY_S, type Outcome, SKIPPED, sentTo } from '../../support/sandboxChain.ts'

const LIVES = Number(process.env.ITEM_LIVES ?? 6)
const SEED = Number(process.env.ITEM_SEED ?? 2_026)
const GAS_ADD_STAKE = 8_500n
const MESSAGE = TON / 10n

interface World {
  readonly s: ItemSandbox
  readonly model: ItemModel
  /** Of the item, as the model has it. */
  balance: bigint
  /** All that was ever bonded. */
  bonded: bigint
  /** Rent has taken everything: the account takes no message that brings less than its debt. */
  asleep: boolean
}

async function world(kind: ItemKind): Promise<World> {
  const s = await itemSandbox({ kind })
  await s.register()
  const model = new ItemModel(kind, STAKE, UNBONDING_S, s.blockchain.now!)
  return { s, model, balance: await s.balance(), bonded: STAKE, asleep: false }
}

/** Does the same to both; the model is told what rent and gas were. */
async function play(
  w: World,
  value: bigint,
  real: () => Promise<Outcome>,
  modelled: (kept: bigint, nowS: number) => Done,
): Promise<void> {
  if (w.asleep) return
  const outcome = await real()
  const { tx, exit } = outcome
  if (tx?.description.type !== 'generic') throw new Error('no transaction')
  const rent = tx.description.storagePhase?.storageFeesCollected ?? 0n
  const kept = w.balance - rent
  if (exit === SKIPPED) {
    expect(kept).toBe(0n)
    w.asleep = true
    return
  }
  const done = modelled(kept, w.s.blockchain.now!)
  expect(exit).toBe(done.exit)
  const gas = gasFee(CHAIN_PRICES['sandbox-0.41'], outcome.gas)
  w.balance = kept - done.left + (done.exit === 0 && done.keepsValue ? value - gas : 0n)
  if (exit === 0 && !done.keepsValue) {
    const toOwner = sentTo(outcome, w.s.owner.address)
    if (toOwner > 0n) expect(toOwner).toBe(value - gas - FORWARD + done.left)
  }
  if (done.bore) {
    const owed = w.model.bonded + ITEM_FLOOR
    expect(w.balance).toBeGreaterThanOrEqual(owed < kept ? owed : kept)
  }
}

async function equal({ s, model, balance, bonded, asleep }: World): Promise<void> {
  if (asleep) return
  const nowS = s.blockchain.now!
  expect(await s.facts()).toMatchObject(model.facts(nowS))
  expect(await s.balance()).toBe(balance)
  const { withdrawn, slashed, borne } = model
  expect(model.bonded + withdrawn + slashed + borne).toBe(bonded)
}

const amounts = fc.oneof(
  fc.bigInt(0n, 2n * STAKE),
  fc.constantFrom(0n, 1n, FORWARD - 1n, FORWARD, TON, STAKE, STAKE + 1n),
)
const spans = fc.oneof(
  fc.constantFrom(0, 1, DAY_S, 7 * DAY_S, 14 * DAY_S, 30 * DAY_S, 45 * DAY_S),
  fc.integer({ min: 1, max: 20 * DAY_S }),
)

const addStake = amounts.map(
  (amount): Act<World> => ({
    text: `add ${amount}`,
    play: (w) => {
      const value = amount + ITEM_VALUE.addStake
      const reserved = gasFee(CHAIN_PRICES['sandbox-0.41'], GAS_ADD_STAKE)
      return play(
        w,
        value,
        () => w.s.addStake(amount, value),
        (kept, nowS) => {
          const done = w.model.addStake(nowS, kept, amount, kept + value - reserved)
          if (done.exit === 0) w.bonded += amount
          return done
        },
      )
    },
  }),
)

const unbond = amounts.map(
  (amount): Act<World> => ({
    text: `unbond ${amount}`,
    play: (w) =>
      play(
        w,
        ITEM_VALUE.unbond,
        () => w.s.unbond(amount),
        (kept, nowS) => w.model.unbond(nowS, kept, amount),
      ),
  }),
)

const withdraw = fc.constant<Act<World>>({
  text: 'withdraw',
  play: (w) =>
    play(
      w,
      ITEM_VALUE.withdraw,
      () => w.s.withdraw(),
      (kept, nowS) => w.model.withdraw(nowS, kept),
    ),
})

const heartbeat = fc.boolean().map(
  (shown): Act<World> => ({
    text: shown ? 'heartbeat with profile' : 'heartbeat',
    play: (w) =>
      play(
        w,
        ITEM_VALUE.heartbeat,
        () => w.s.heartbeat(shown ? w.s.profile : undefined),
        (_, nowS) => w.model.heartbeat(nowS, shown),
      ),
  }),
)

/** Now and then a flood of cases, after which one must risk more. */
const floods = fc.constantFrom(1, 1, 1, 17)
const freeze = fc.tuple(amounts, spans, floods, fc.constantFrom(1, 1, 2, 8)).map(
  ([amount, forS, cases, bonds]): Act<World> => ({
    text: `freeze ${amount} for ${forS}, ${cases} times, with ${bonds} bonds`,
    play: async (w) => {
      for (let i = 0; i < cases; i++) {
        await play(
          w,
          MESSAGE,
          () => w.s.freeze(amount, forS, w.s.stranger.address, MESSAGE, bonds),
          (kept, nowS) => w.model.freeze(nowS, kept, amount, nowS + forS, bonds),
        )
      }
    },
  }),
)

const settle = fc.record({ back: fc.nat(6), release: amounts, slash: amounts, loss: amounts }).map(
  ({ back, ...end }): Act<World> => ({
    text: `settle the ${back}th last: ${end.release}, ${end.slash}, ${end.loss}`,
    play: (w) => {
      const ticket = Math.max(0, w.model.tickets + 1 - back)
      return play(
        w,
        MESSAGE,
        () => w.s.settle({ ticket, ...end }),
        (kept, nowS) => w.model.settle(nowS, kept, { ticket, ...end }),
      )
    },
  }),
)

const wait = spans.map(
  (seconds): Act<World> => ({
    text: `wait ${seconds}`,
    play: async ({ s }) => s.elapse(seconds),
  }),
)

const silence = fc.integer({ min: 1, max: 6 }).map(
  (years): Act<World> => ({
    text: `wait ${years} years`,
    play: async ({ s }) => s.elapse(years * 365 * DAY_S),
  }),
)

describe('an item is its model, to the nanoTON', () => {
  it.each(ITEM_KINDS)(
    '%s',
    async (kind) => {
      const acts = [addStake, unbond, withdraw, heartbeat, freeze, settle, wait, wait, silence]
      await modelRun({
        ...{ world: () => world(kind), acts, equal, seed: SEED },
        ...{ runs: Math.ceil(LIVES / 3), length: 40 },
      })
    },
    600_000,
  )

  it('its floor stays when everything has gone', async () => {
    const { s, model } = await world('provider')
    await s.unbond(STAKE)
    model.unbond(s.blockchain.now!, await s.balance(), STAKE)
    s.elapse(UNBONDING_S)
    await s.withdraw()
    model.withdraw(s.blockchain.now!, 2n * STAKE)
    expect(await s.facts()).toMatchObject(model.facts(s.blockchain.now!))
    expect(await s.balance()).toBe(ITEM_FLOOR)
  })
})
