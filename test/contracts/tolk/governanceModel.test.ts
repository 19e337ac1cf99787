/**
 * The compiled multisig and timelock beside their models: random orders and operations, signed by
 * anyone, executed at any time and with any value, to a target that refuses or does not.
 *
 * `GOVERNANCE_MODEL_RUNS` and `GOVERNANCE_MODEL_SEED` make it longer, or another.
 * @module
 */
import { type Address, beginCell, type Cell } from '@ton/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { toHex } from '../../../contracts/base/bytes.ts'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { type OrderAction, topUpMultisigBody } from '../../../contracts/wrappers/Multisig.ts'
import {
  cancelBody,
  executeBody,
  queueBody,
  setDelayBody,
  topUpTimelockBody,
} from '../../../contracts/wrappers/Timelock.ts'
import { forwardFee } from '../../../node/chain/simulatedFees.ts'
import { type Act, contractLab, modelRun } from '../../support/contractLab.ts'
import { type ModelOperation, MultisigModel, TimelockModel } from '../../support/governanceModel.ts'
import {
  type GovernanceSandbox,
  governanceSandbox,
  signerKey,
} from '../../support/governanceSandbox.ts'
import {
  DAY_S,
  type Outcome,
  outcomeAmong,
  refuseEverything,
  START_S,
  takeEverything,
} from '../../support/sandboxChain.ts'
import { someAddress } from '../../support/someParameters.ts'

const RUNS = Number(process.env.GOVERNANCE_MODEL_RUNS ?? 3)
const SEED = Number(process.env.GOVERNANCE_MODEL_SEED ?? 20_261_126)
const PRICES = CHAIN_PRICES['sandbox-0.41']
const TARGET = someAddress('a target')
const DELAY_S = 2 * DAY_S

interface World {
  readonly g: GovernanceSandbox
  readonly timelock: TimelockModel
  readonly multisig: MultisigModel
}

let shared: Promise<GovernanceSandbox> | undefined

/** One chain for all runs, put back before each. */
async function world(): Promise<World> {
  shared ??= governanceSandbox({ signers: 4, threshold: 2 })
  const g = await shared
  await g.reset()
  await takeEverything(g.blockchain, TARGET)
  const timelock = new TimelockModel(await g.balance(g.timelock), START_S, DELAY_S)
  const first = { threshold: 2, of: [0, 1, 2, 3] }
  return { g, timelock, multisig: new MultisigModel(await g.balance(g.multisig), START_S, first) }
}

/** Sends a message to one of the two, whose model has paid its rent by then. */
async function send(
  { g, timelock, multisig }: World,
  to: Address,
  body: Cell,
  value: bigint,
  from = g.helper.address,
): Promise<Outcome> {
  const model = to.equals(g.timelock) ? timelock : multisig
  model.payRent(await contractLab(g.blockchain, to).size(), g.now())
  const size = await contractLab(g.blockchain, g.multisig).size()
  const outcome = await g.send(to, body, value, from)
  if (from.equals(g.multisig)) {
    // What is left of a message of the multisig, or came back of it, arrives there.
    const [left] = transactionsOf(outcome, g.multisig)
    multisig.payRent(size, g.now())
    if (left) multisig.take(arrivedWith(left), outcomeAmong([left], g.multisig).gas)
  }
  return outcome
}

function transactionsOf({ transactions }: Outcome, of: Address): Outcome['transactions'] {
  const account = BigInt(`0x${of.hash.toString('hex')}`)
  return transactions.filter(({ address }) => address === account)
}

function arrivedWith({ inMessage }: Outcome['transactions'][number]): bigint {
  return inMessage?.info.type === 'internal' ? inMessage.info.value.coins : 0n
}

/** Fee of forwarding a body that is one cell beside the message's root. */
const bodyFee = (body: Cell): bigint =>
  forwardFee(PRICES, BigInt(body.bits.length), 1n) - PRICES.forward.lump

/** What came back to one of the two: its second transaction, or its third. */
function nth(
  outcome: Outcome,
  of: Address,
  n: number,
): { value: bigint; gas: bigint; exit: number } {
  const tx = transactionsOf(outcome, of)[n]
  if (!tx) return { value: 0n, gas: 0n, exit: -1 }
  const { gas, exit } = outcomeAmong([tx], of)
  return { value: arrivedWith(tx), gas, exit }
}

const bodyOf = ({ delayS }: ModelOperation): Cell =>
  delayS === undefined ? beginCell().storeUint(7, 32).endCell() : setDelayBody(delayS)

const show = (what: object): string =>
  JSON.stringify(what, (_, value) => (typeof value === 'bigint' ? `${value}` : value))

const act = (text: string, play: (world: World) => Promise<void>): Act<World> => ({ text, play })

const value = fc.constantFrom(TON / 20n, TON / 4n, TON, 3n * TON)
const operation: fc.Arbitrary<ModelOperation> = fc.oneof(
  value.map((value) => ({ value })),
  fc.constantFrom(DAY_S, 3 * DAY_S, 40 * DAY_S).map((delayS) => ({ value: TON / 10n, delayS })),
)
const id = fc.integer({ min: 1, max: 12 }).map(BigInt)

const queue = fc
  .record({
    operation,
    ahead: fc.constantFrom(0, 1, 1, 1),
    soon: fc.constantFrom(-1, 0, DAY_S, 61 * DAY_S),
    honest: fc.constantFrom(true, true, false),
  })
  .map(({ operation, ahead, soon, honest }) =>
    act(`queue ${show(operation)} ${ahead} ${soon} ${honest}`, async (world) => {
      const { g, timelock } = world
      const number = timelock.lastId + BigInt(ahead)
      const etaS = g.now() + timelock.delayS + soon
      const to = operation.delayS === undefined ? TARGET : g.timelock
      const decided = { to, value: operation.value, body: bodyOf(operation) }
      const body = queueBody({ id: number, etaS, operation: decided })
      const from = honest ? g.multisig : g.helper.address
      const { exit } = await send(world, g.timelock, body, TON / 10n, from)
      expect(exit).toBe(timelock.put(honest, number, etaS, operation, g.now()))
    }),
  )

const execute = fc
  .record({ id, value: fc.constantFrom(0n, 1n, 4n).map((ton) => ton * TON + TON / 50n) })
  .map(({ id, value }) =>
    act(`execute ${id} with ${value}`, async (world) => {
      const { g, timelock } = world
      const known = timelock.queue.get(id)?.operation
      const fee = known ? bodyFee(bodyOf(known)) : 0n
      const outcome = await send(world, g.timelock, executeBody(id), value)
      expect(outcome.exit).toBe(timelock.execute(id, value, outcome.gas, fee, g.now()))
      if (outcome.exit !== 0 || !known) return
      const back = nth(outcome, g.timelock, 1)
      if (known.delayS === undefined) {
        // The target refused where there is a second transaction.
        if (back.exit === -1) return
        timelock.failed++
        timelock.take(back.value, back.gas)
        return
      }
      const exit = timelock.setDelay(known.delayS)
      expect(back.exit).toBe(exit)
      if (exit === 0) return timelock.take(back.value, back.gas)
      // Refused by itself, it comes back to itself with what its fees left.
      const refused = nth(outcome, g.timelock, 2)
      timelock.take(refused.value, refused.gas)
      timelock.failed++
    }),
  )

const cancel = fc.record({ id, honest: fc.boolean() }).map(({ id, honest }) =>
  act(`cancel ${id} ${honest}`, async (world) => {
    const { g, timelock } = world
    const from = honest ? g.multisig : g.helper.address
    const { exit } = await send(world, g.timelock, cancelBody(id), TON / 10n, from)
    expect(exit).toBe(timelock.cancel(honest, id, g.now()))
  }),
)

const topUp = fc.record({ value, locked: fc.boolean() }).map(({ value, locked }) =>
  act(`top up ${value} ${locked}`, async (world) => {
    const { g, timelock, multisig } = world
    const to = locked ? g.timelock : g.multisig
    const body = locked ? topUpTimelockBody() : topUpMultisigBody()
    const { exit, gas } = await send(world, to, body, value)
    expect(exit).toBe(0)
    const model = locked ? timelock : multisig
    model.take(value, gas)
  }),
)

const signerSet = fc
  .subarray([0, 1, 2, 3, 4, 5], { minLength: 1, maxLength: 5 })
  .chain((of) => fc.integer({ min: 1, max: of.length }).map((threshold) => ({ threshold, of })))

const submit = fc
  .record({
    late: fc.constantFrom(0, 0, 0, -1, 1),
    lives: fc.constantFrom(-1, 0, DAY_S),
    what: fc.oneof(
      value.map((value) => ({ value })),
      signerSet.map((signers) => ({ signers })),
    ),
    extra: fc.option(fc.constantFrom(0, 1, 2, 3, 4, 5), { freq: 3 }),
    enough: fc.constantFrom(true, true, true, false),
    attached: fc.constantFrom(TON / 50n, 2n * TON, 4n * TON),
  })
  .map(({ late, lives, what, extra, enough, attached }) =>
    act(`submit ${show(what)} ${late} ${lives} ${enough} ${extra}`, async (world) => {
      const { g, multisig } = world
      const { threshold, of } = multisig.signers
      const by = new Set(of.slice(0, enough ? threshold : threshold - 1))
      if (extra !== null) by.add(extra)
      const seqno = Math.max(0, multisig.seqno + late)
      const validUntilS = g.now() + lives
      const body = bodyOf({ value: 0n })
      const action: OrderAction =
        'value' in what
          ? { kind: 'send', operation: { to: TARGET, value: what.value, body } }
          : {
              kind: 'signers',
              signers: {
                threshold: what.signers.threshold,
                keys: what.signers.of.map((i) => signerKey(i).publicKey),
              },
            }
      const order = await g.order(action, { seqno, validUntilS })
      multisig.payRent(await contractLab(g.blockchain, g.multisig).size(), g.now())
      const outcome = await g.submit(order, [...by].map(signerKey), attached)
      const { gas } = outcome
      const cost = { gas, bodyFee: bodyFee(body), nowS: g.now() }
      expect(outcome.exit).toBe(
        multisig.submit({ seqno, validUntilS, ...what }, by, attached, cost),
      )
      const back = nth(outcome, g.multisig, 1)
      if (back.exit === -1) return
      multisig.failed++
      multisig.take(back.value, back.gas)
    }),
  )

const target = fc.boolean().map((refuses) =>
  act(`the target ${refuses ? 'refuses' : 'takes'}`, async ({ g }) => {
    await (refuses ? refuseEverything : takeEverything)(g.blockchain, TARGET)
  }),
)
const wait = fc
  .constantFrom(1, DAY_S, DELAY_S, 15 * DAY_S)
  .map((seconds) => act(`${seconds} s`, async ({ g }) => g.elapse(seconds)))

async function equal({ g, timelock, multisig }: World): Promise<void> {
  const { delayS, lastId, executed, failed } = await g.timelockView()
  expect({ delayS, lastId, executed, failed }).toEqual({
    ...{ delayS: timelock.delayS, lastId: timelock.lastId },
    ...{ executed: timelock.executed, failed: timelock.failed },
  })
  const waiting = (await g.waiting()).map(({ id, etaS, operation }) => [id, etaS, operation.value])
  expect(waiting).toEqual(
    [...timelock.queue].map(([id, { etaS, operation }]) => [id, etaS, operation.value]),
  )
  const view = await g.multisigView()
  expect([view.seqno, view.failed]).toEqual([multisig.seqno, multisig.failed])
  expect(view.signers.threshold).toBe(multisig.signers.threshold)
  const keys = multisig.signers.of.map((i) => toHex(signerKey(i).publicKey))
  expect(view.signers.keys.map(toHex)).toEqual(keys)
  expect(await g.balance(g.timelock)).toBe(timelock.balance)
  expect(await g.balance(g.multisig)).toBe(multisig.balance)
}

it(`do what their models do, ${RUNS} lives from seed ${SEED}`, async () => {
  const acts = [queue, queue, execute, execute, cancel, topUp, submit, submit, target, wait, wait]
  await modelRun({ world, acts, equal, seed: SEED, runs: RUNS, length: 40 })
}, 600_000)
