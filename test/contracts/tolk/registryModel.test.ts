/**
 * The compiled registry beside its model: random messages from anyone, at any time, must end with
 * the same exit code, the same answers and the same balance, to the nanoTON.
 *
 * `REGISTRY_MODEL_RUNS` and `REGISTRY_MODEL_SEED` make it longer, or another.
 * @module
 */
import { type Address, beginCell, type Cell } from '@ton/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { ITEM_KINDS, itemConfigCell } from '../../../contracts/wrappers/itemConfig.ts'
import { encodeParameters } from '../../../contracts/wrappers/parameters.ts'
import { REGISTRY_CODE } from '../../../contracts/wrappers/Registry.ts'
import {
  acceptOwnerBody,
  applyBody,
  askCodeBody,
  cancelUpgradeBody,
  enrolBody,
  pauseBody,
  prepareBody,
  REGISTRY_PROTOCOL,
  setGuardianBody,
  topUpRegistryBody,
  transferOwnerBody,
  unpauseBody,
  updateBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import { type Act, contractLab, modelRun } from '../../support/contractLab.ts'
import { inModelWords, type RegistryAct, RegistryModel } from '../../support/registryModel.ts'
import {
  codeOf,
  type RegistrySandbox,
  registrySandbox,
  SOME_CODES,
  type SomeCase,
} from '../../support/registrySandbox.ts'
import { DAY_S, START_S, takeEverything } from '../../support/sandboxChain.ts'
import { someParameters } from '../../support/someParameters.ts'

const RUNS = Number(process.env.REGISTRY_MODEL_RUNS ?? 3)
const SEED = Number(process.env.REGISTRY_MODEL_SEED ?? 20_261_126)
const VALUE = TON / 5n
const PEOPLE = ['owner', 'guardian', 'stranger'] as const
const OWNERS = ['a', 'b', 'c'] as const

interface World {
  readonly s: RegistrySandbox
  readonly model: RegistryModel
  readonly about: SomeCase
  readonly names: Map<string, string>
}

/** Code of the registry's own next version: the same program with a bit behind it. */
const codeBy = (kind: string, name: string): Cell =>
  kind === 'registry'
    ? beginCell()
        .storeSlice(REGISTRY_CODE.beginParse())
        .storeBit(name === 'x')
        .endCell()
    : codeOf(name)

let shared: Promise<Pick<World, 's' | 'about' | 'names'>> | undefined

/** One chain for all runs, put back before each. */
async function world(): Promise<World> {
  shared ??= (async () => {
    const s = await registrySandbox()
    const names = new Map<string, string>()
    for (const name of PEOPLE) names.set(s[name].address.toRawString(), name)
    for (const kind of ITEM_KINDS) names.set(SOME_CODES[kind].hash().toString('hex'), kind)
    for (const name of ['x', 'y']) names.set(codeOf(name).hash().toString('hex'), name)
    for (const kind of ITEM_KINDS) {
      for (const name of OWNERS) names.set(s.addressOf(s.item(kind, name)).toRawString(), name)
    }
    const about = await s.caseAgainst(s.item('provider', 'a'))
    return { s, about, names }
  })()
  const { s, about, names } = await shared
  await s.reset()
  for (const kind of ITEM_KINDS) {
    for (const name of OWNERS) await takeEverything(s.blockchain, s.addressOf(s.item(kind, name)))
  }
  await takeEverything(s.blockchain, about.address)
  return { s, about, names, model: new RegistryModel(await s.balance(), START_S) }
}

function bodyOf({ s, about }: World, act: RegistryAct): Cell {
  switch (act.op) {
    case 'enrol':
      return enrolBody(itemConfigCell(s.item(act.kind, act.item)), act.stake)
    case 'askCode':
      return askCodeBody(itemConfigCell(s.item(act.kind, 'a')), act.have)
    case 'openCase':
    case 'closeCase': {
      const body = beginCell().storeUint(REGISTRY_PROTOCOL[act.op], 32).storeRef(about.config)
      if (act.op === 'openCase') return body.storeCoins(act.amount).storeCoins(act.bond).endCell()
      return body.storeUint(3, 32).storeCoins(TON).storeCoins(TON).storeCoins(1n).endCell()
    }
    case 'update': {
      const { version, window } = act
      const cell = encodeParameters(someParameters({ version }))
      // Version and time are as encoded; the window may be one that TypeScript would refuse.
      const root = beginCell().storeUint(version, 32).storeUint(0, 32).storeUint(window, 32)
      return updateBody(root.storeSlice(cell.beginParse().skip(96)).endCell())
    }
    case 'prepare':
      return prepareBody(act.kind, codeBy(act.kind, act.code).hash().toString('hex'))
    case 'apply':
      return applyBody(act.kind, codeBy(act.kind, act.code))
    case 'cancel':
      return cancelUpgradeBody(act.kind)
    case 'setGuardian':
      return setGuardianBody(person(s, act.to))
    case 'transferOwner':
      return transferOwnerBody(person(s, act.to))
    case 'acceptOwner':
      return acceptOwnerBody()
    case 'pause':
      return pauseBody()
    case 'unpause':
      return unpauseBody()
    case 'topUp':
      return topUpRegistryBody()
    case 'unknown':
      return beginCell().storeUint(0xdead, 32).endCell()
  }
}

const person = (s: RegistrySandbox, name: string): Address =>
  s[PEOPLE.find((each) => each === name)!].address

/** The account that a message names as its sender. */
function itself({ s, about }: World, act: RegistryAct): Address {
  if (act.op === 'enrol') return s.addressOf(s.item(act.kind, act.item))
  if (act.op === 'askCode') return s.addressOf(s.item(act.kind, 'a'))
  return about.address
}

/** A message of an item or a case is its own three times of four, a person's otherwise. */
const message = (act: fc.Arbitrary<RegistryAct>, senders: readonly string[]) =>
  fc.record({ act, from: fc.constantFrom(...senders), afterS: fc.nat(3 * DAY_S) }).map(
    ({ act, from, afterS }): Act<World> => ({
      text: `after ${afterS} s, ${from}: ${act.op} ${Object.values(act).slice(1).join(' ')}`,
      async play(world) {
        const { s, model } = world
        s.elapse(afterS)
        const now = s.blockchain.now!
        const size = await contractLab(s.blockchain, s.address).size()
        const sender = from === 'itself' ? itself(world, act) : person(s, from)
        const { exit, gas } = await s.send(sender, bodyOf(world, act), VALUE)
        expect({ exit }).toEqual({ exit: model.play(from, act, now) })
        model.settle(size, now, model.keeps(act, exit, VALUE, gas))
      },
    }),
  )

const kind = fc.constantFrom(...ITEM_KINDS)
const upgradable = fc.constantFrom('registry' as const, ...ITEM_KINDS)
const code = fc.constantFrom('x', 'y')
const own = ['itself', 'itself', 'itself', 'stranger']
const ruling = ['owner', 'owner', 'owner', 'guardian', 'stranger']
const to = fc.constantFrom(...PEOPLE)
const stake = fc.constantFrom(20n * TON - 1n, 20n * TON, 50n * TON, 100n * TON)

const acts: readonly fc.Arbitrary<Act<World>>[] = [
  message(
    fc.record({ op: fc.constant('enrol'), kind, item: fc.constantFrom(...OWNERS), stake }),
    own,
  ),
  message(fc.record({ op: fc.constant('askCode'), kind, have: fc.nat(2) }), own),
  message(
    fc.record({
      op: fc.constant('openCase'),
      amount: fc.constantFrom(0n, 1n, TON),
      bond: fc.constantFrom(5n * TON - 1n, 5n * TON),
    }),
    own,
  ),
  message(fc.record({ op: fc.constant('closeCase') }), own),
  message(fc.record({ op: fc.constant('prepare'), kind: upgradable, code }), ruling),
  message(fc.record({ op: fc.constant('apply'), kind: upgradable, code }), ruling),
  message(fc.record({ op: fc.constant('cancel'), kind: upgradable }), ruling),
  message(fc.record({ op: fc.constantFrom('setGuardian', 'transferOwner'), to }), ruling),
  message(fc.record({ op: fc.constantFrom('acceptOwner', 'pause', 'unpause') }), [...PEOPLE]),
  message(fc.record({ op: fc.constantFrom('topUp', 'unknown') }), [...PEOPLE]),
  // The next version of the model, or one beside it: known only when it is played.
  fc
    .record({ ahead: fc.constantFrom(0, 1, 1, 1, 2), window: fc.nat((1 << 20) + 1) })
    .map(({ ahead, window }) => ({
      text: `update by ${ahead}, window ${window}`,
      async play(world) {
        const { s, model } = world
        const size = await contractLab(s.blockchain, s.address).size()
        const act = { op: 'update', version: model.version + ahead, window } as const
        const { exit } = await s.send(person(s, model.owner), bodyOf(world, act), VALUE)
        expect({ exit }).toEqual({ exit: model.play(model.owner, act, s.blockchain.now!) })
        model.settle(size, s.blockchain.now!, 0n)
      },
    })),
  // Long enough that prepared code is due, or lapses.
  fc.integer({ min: 10, max: 45 }).map((days) => ({
    text: `${days} days`,
    play: async ({ s }) => s.elapse(days * DAY_S),
  })),
]

async function equal({ s, model, names }: World): Promise<void> {
  expect(inModelWords(await s.view(), (what) => names.get(what) ?? what)).toEqual(model.view())
  expect(await s.balance()).toBe(model.balance)
  const oldest = Math.min(...model.windows.keys())
  expect((await s.parameters(oldest))?.window).toBe(model.windows.get(oldest))
  if (oldest > 1) expect(await s.parameters(oldest - 1)).toBeUndefined()
}

it(`does what its model does, ${RUNS} lives from seed ${SEED}`, async () => {
  await modelRun({ world, acts, equal, seed: SEED, runs: RUNS, length: 40 })
}, 600_000)
