/**
 * Random lives of a jetton-channel in the sandbox beside a model of it: the same exit codes, the
 * same jettons to the base unit, the same TON to the nanoTON, after every message.
 *
 * `JETTON_MODEL_RUNS` sets how many lives; the default is what the suite has time for.
 * @module
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { type Act, modelRun } from '../../support/contractLab.ts'
import { type Came, JettonModel, type Owner } from '../../support/jettonModel.ts'
import { DOLLAR, type JettonSandbox, openJettonSandbox } from '../../support/jettonSandbox.ts'
import { DAY_S, type Outcome, refuseEverything } from '../../support/sandboxChain.ts'

const RUNS = Number(process.env.JETTON_MODEL_RUNS ?? 5)
const SEED = Number(process.env.JETTON_MODEL_SEED ?? 20_261_126)

interface World {
  readonly s: JettonSandbox
  readonly model: JettonModel
  unlock?: () => void
}
type WorldAct = fc.Arbitrary<Act<World>>

let shared: { s: JettonSandbox; opened: ReturnType<JettonSandbox['blockchain']['snapshot']> }

async function world(): Promise<World> {
  if (!shared) {
    const s = await openJettonSandbox(50n * DOLLAR)
    shared = { s, opened: s.blockchain.snapshot() }
  }
  const { s, opened } = shared
  await s.blockchain.loadFrom(opened)
  const owners = { payer: 950n * DOLLAR, payee: 0n, stranger: 1_000n * DOLLAR }
  const model = new JettonModel(owners, await s.balance())
  model.deposited = 50n * DOLLAR
  model.held = 50n * DOLLAR
  return { s, model }
}

async function equal({ s, model }: World): Promise<void> {
  const { status, deposited, claimed, rest } = await s.view()
  const real = {
    ...{ status, deposited, claimed, rest, balance: await s.balance() },
    held: model.locked ? model.held : await s.held(),
    payer: await s.held(s.payer.address),
    payee: await s.held(s.payee.address),
    stranger: await s.held(s.stranger.address),
  }
  const { balance, held, owners } = model
  expect(real).toEqual({
    ...{ status: model.status, deposited: model.deposited, claimed: model.claimed },
    ...{ rest: model.rest, balance, held, ...owners },
  })
}

/** What each transaction of the channel brought, burned and paid in rent. */
function came(s: JettonSandbox, { transactions }: Outcome): Came[] {
  const own = BigInt(`0x${s.address.hash.toString('hex')}`)
  return transactions
    .filter(({ address }) => address === own)
    .map(({ description, inMessage }) => {
      if (description.type !== 'generic' || inMessage?.info.type !== 'internal') throw new Error()
      const { computePhase, storagePhase } = description
      const gas = computePhase.type === 'vm' ? computePhase.gasFees : 0n
      const rent = storagePhase?.storageFeesCollected ?? 0n
      return { rent, value: inMessage.info.value.coins, gas }
    })
}

const owner = fc.constantFrom<Owner>('payer', 'payee', 'stranger')
const amount = fc.oneof(
  fc.bigInt(0n, 60n * DOLLAR),
  fc.constantFrom(0n, 1n, 50n * DOLLAR, 1_000n * DOLLAR),
)

const deposit: WorldAct = fc
  .tuple(fc.constantFrom<Owner>('payer', 'stranger'), amount, fc.boolean())
  .map(([from, sum, told]) => ({
    text: `deposit ${sum} from ${from}${told ? '' : ', untold'}`,
    async play({ s, model }) {
      const forward = told ? TON / 20n : 0n
      const outcome = await s.deposit(sum, { from: s[from].address, forward })
      model.deposit(from, sum, told, came(s, outcome))
    },
  }))

/** An act that is one message to the channel. */
function message<T>(
  name: string,
  values: fc.Arbitrary<T>,
  real: (s: JettonSandbox, value: T) => Promise<Outcome>,
  modelled: (world: World, value: T, came: Came[]) => number,
): WorldAct {
  return values.map((value) => ({
    text: `${name} ${String(value)}`,
    async play(at) {
      const outcome = await real(at.s, value)
      expect(modelled(at, value, came(at.s, outcome))).toBe(outcome.exit)
    },
  }))
}

const now = ({ s }: World): number => s.blockchain.now!
const mostly = <T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other })

const acts: WorldAct[] = [
  deposit,
  message(
    'claim',
    fc.tuple(mostly<Owner>('payee', owner), amount),
    (s, [from, sum]) => s.claim(s.voucher(sum), { from: s[from].address }),
    ({ model }, [from, sum], ton) => model.claim(from, sum, ton),
  ),
  message(
    'open',
    fc.bigInt(150_000_000n, TON),
    (s, value) => s.open(value, s.stranger.address),
    ({ model }, _, ton) => model.open(ton),
  ),
  message(
    'start-close',
    mostly<Owner>('payer', owner),
    (s, from) => s.startClose(s[from].address),
    (at, from, ton) => at.model.startClose(from, now(at), ton),
  ),
  message(
    'finish-close',
    owner,
    (s, from) => s.finishClose(s[from].address),
    (at, _, ton) => at.model.finishClose(now(at), ton),
  ),
  message(
    'cooperative close',
    fc.tuple(mostly<Owner>('payee', owner), fc.option(amount, { nil: undefined })),
    (s, [from, sum]) =>
      s.cooperativeClose(sum === undefined ? undefined : s.voucher(sum), s[from].address),
    ({ model }, [from, sum], ton) => model.cooperativeClose(from, sum, ton),
  ),
  message(
    'sweep',
    amount,
    (s, extra) => s.sweep(extra),
    ({ model }, extra, ton) => model.sweep(extra, ton),
  ),
  fc.integer({ min: 1, max: 2 * DAY_S }).map((seconds) => ({
    text: `${seconds} s`,
    play: async ({ s }) => s.elapse(seconds),
  })),
  fc.constant({
    text: 'the own wallet refuses, or takes again',
    async play(at: World) {
      const { s, model } = at
      model.locked = !model.locked
      if (at.unlock) at.unlock()
      else at.unlock = await lock(s)
      if (!model.locked) at.unlock = undefined
    },
  }),
]

async function lock(s: JettonSandbox): Promise<() => void> {
  const address = await s.walletOf(s.address)
  const { account } = await s.blockchain.getContract(address)
  await refuseEverything(s.blockchain, address)
  const contract = await s.blockchain.getContract(address)
  return () => {
    contract.account = account
  }
}

it(`lives like its model (${RUNS} lives, seed ${SEED})`, { timeout: 600_000 }, async () => {
  await modelRun({ world, acts, equal, seed: SEED, runs: RUNS, length: 40 })
})
