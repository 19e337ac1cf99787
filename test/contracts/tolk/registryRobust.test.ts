/**
 * The registry handled roughly: too little gas or value, messages in any order, spam, frost, years
 * of silence, and strangers who would make it grow.
 * @module
 */
import { beginCell, type Cell } from '@ton/core'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { DISPUTE_CODE } from '../../../contracts/wrappers/Dispute.ts'
import { GPU_CODE } from '../../../contracts/wrappers/Gpu.ts'
import { itemConfigCell } from '../../../contracts/wrappers/itemConfig.ts'
import { PROVIDER_CODE } from '../../../contracts/wrappers/Provider.ts'
import { encodeParameters } from '../../../contracts/wrappers/parameters.ts'
import { REGISTRY_EXIT } from '../../../contracts/wrappers/Registry.ts'
import {
  applyBody,
  askCodeBody,
  enrolBody,
  pauseBody,
  prepareBody,
  REGISTRY_VALUE,
  topUpRegistryBody,
  updateBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import { SCHEDULER_CODE } from '../../../contracts/wrappers/Scheduler.ts'
import { type ContractLab, contractLab, interleave } from '../../support/contractLab.ts'
import { codeOf, type RegistrySandbox, registrySandbox } from '../../support/registrySandbox.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  refuseEverything,
  sentTo,
  takeEverything,
  YEAR_S,
} from '../../support/sandboxChain.ts'
import { hashOf, someParameters } from '../../support/someParameters.ts'

const OUT_OF_GAS = -14
/** `CHRYSALIS_ROUGH=1` handles every message in finer steps: minutes instead of seconds. */
const ROUGH = process.env.CHRYSALIS_ROUGH !== undefined
const STEPS = ROUGH ? 100 : 8
const STEP_GAS = ROUGH ? 130n : 5_200n
const RUNS = ROUGH ? 100 : 4
const MANY = ROUGH ? 1_000 : 10
const CODES = {
  provider: PROVIDER_CODE,
  scheduler: SCHEDULER_CODE,
  gpu: GPU_CODE,
  dispute: DISPUTE_CODE,
} as const

let s: RegistrySandbox
let lab: ContractLab
beforeAll(async () => {
  // The real programs of items and cases: what it keeps is as large as on chain.
  s = await registrySandbox({ config: { codes: CODES } })
  lab = contractLab(s.blockchain, s.address)
})
beforeEach(() => s.reset())

const next = codeOf('next')
const nextHash = next.hash().toString('hex')
const update = (): Cell => updateBody(encodeParameters(someParameters({ version: 2 })))

describe('with too little gas', () => {
  it('a message changes nothing, or does all of it', async () => {
    const messages: readonly (() => Promise<Outcome>)[] = [
      () => s.enrol(s.item('provider')),
      () => s.own(update()),
      () => s.own(prepareBody('gpu', nextHash)),
      () => s.send(s.guardian.address, pauseBody()),
    ]
    const before = await lab.state()
    for (const run of messages) {
      const exits = new Set<number>()
      for (let limit = 400n; limit <= 16_000n; limit += STEP_GAS) {
        await lab.undone(async () => {
          const { exit } = await lab.atGas({ limit }, run)
          exits.add(exit)
          expect((await lab.state()) === before).toBe(exit !== 0)
        })
      }
      expect(exits).toEqual(new Set([OUT_OF_GAS, 0]))
    }
  })
})

describe('with too little value', () => {
  it('an item is enrolled and told so, or neither', async () => {
    const item = s.item('provider')
    const seen = await lab.atEveryValue((value) => s.enrol(item, 50n * TON, value), {
      ...{ upTo: 25_000_000n, steps: STEPS },
      // The item has the gas that it may use (common/gas.tolk), so that it cannot refuse for gas.
      whole: (outcome) => expect(sentTo(outcome, s.addressOf(item))).toBeGreaterThan(3_200_000n),
    })
    expect(seen.get(0)).toBeDefined()
    expect(seen.get(REGISTRY_EXIT.tooLittleValue)).toBeDefined()
  })

  it('a case is opened with both of its messages, or with none', async () => {
    const item = s.item('provider')
    await takeEverything(s.blockchain, s.addressOf(item))
    const about = await s.caseAgainst(item)
    const before = await s.balance()
    await lab.atEveryValue((value) => s.openCase(about, TON, 5n * TON, value), {
      ...{ upTo: 50_000_000n, steps: STEPS },
      whole: async (outcome) => {
        expect(outcome.tx?.outMessagesCount).toBe(2)
        expect(sentTo(outcome, about.address)).toBeGreaterThan(6_800_000n)
        expect(sentTo(outcome, about.accused)).toBeGreaterThan(8_400_000n)
        expect(await s.balance()).toBe(before)
      },
    })
  })

  it('no message of any size of value takes from the balance', async () => {
    const about = await s.caseAgainst(s.item('provider'))
    const item = s.item('gpu')
    const before = await s.balance()
    const senders = [
      [s.addressOf(item), enrolBody(itemConfigCell(item), 50n * TON)],
      [s.addressOf(item), askCodeBody(itemConfigCell(item), 0)],
      [s.owner.address, update()],
      [s.owner.address, prepareBody('registry', nextHash)],
      [s.owner.address, applyBody('registry', next)],
      [s.guardian.address, pauseBody()],
      [s.stranger.address, topUpRegistryBody()],
      [s.stranger.address, beginCell().endCell()],
    ] as const
    const settlement = { ticket: 1, release: TON, slash: TON, loss: TON }
    for (const value of ROUGH
      ? [1n, 500_000n, 3_000_000n, 5_000_000n, 20_000_000n]
      : [3_000_000n]) {
      for (const [from, body] of senders) await s.send(from, body, value)
      await s.openCase(about, TON, 5n * TON, value)
      await s.closeCase(about, settlement, value)
      expect(await s.balance()).toBeGreaterThanOrEqual(before)
    }
  })
})

describe('in any order', () => {
  it('enrolments, a pause and an update that cross leave one list without gaps', async () => {
    const items = ['one', 'two', 'three', 'four'].map((name) => s.item('provider', name))
    for (const item of items) await takeEverything(s.blockchain, s.addressOf(item))
    const messages = () => [
      ...items.map((item) =>
        internalMessage(
          s.addressOf(item),
          s.address,
          TON / 10n,
          enrolBody(itemConfigCell(item), 50n * TON),
        ),
      ),
      internalMessage(s.guardian.address, s.address, REGISTRY_VALUE, pauseBody()),
      internalMessage(s.owner.address, s.address, REGISTRY_VALUE, update()),
    ]
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(1_000)), (picks) =>
        lab.undone(async () => {
          await interleave(s.blockchain, messages(), (alive) => picks.next().value! % alive)
          const { kinds, parametersVersion, lost } = await s.view()
          expect({ parametersVersion, lost }).toEqual({ parametersVersion: 2, lost: 0 })
          expect(kinds.provider.count).toBeLessThanOrEqual(4)
          expect(kinds.provider.count === 0).toBe(kinds.provider.last === undefined)
        }),
      ),
      { seed: 5, numRuns: RUNS },
    )
  })

  it('a refusal that comes back after another enrolment is counted as a gap', async () => {
    const [first, second] = [s.item('provider', 'one'), s.item('provider', 'two')]
    await refuseEverything(s.blockchain, s.addressOf(first))
    await takeEverything(s.blockchain, s.addressOf(second))
    const messages = [first, second].map((item) =>
      internalMessage(
        s.addressOf(item),
        s.address,
        TON / 10n,
        enrolBody(itemConfigCell(item), 50n * TON),
      ),
    )
    const picks = [0, 1]
    await interleave(s.blockchain, messages, () => picks.shift() ?? 0)
    const { kinds, lost } = await s.view()
    expect({ count: kinds.provider.count, lost }).toEqual({ count: 2, lost: 1 })
    expect(kinds.provider.last?.equals(s.addressOf(second))).toBe(true)
  })
})

describe('spam and growth', () => {
  it('a hundred external messages cost nothing', async () => {
    const item = s.item('provider')
    const bodies = [
      update(),
      pauseBody(),
      enrolBody(itemConfigCell(item), TON),
      beginCell().endCell(),
    ]
    const all = Array.from({ length: 100 }, (_, i) => bodies[i % bodies.length]!)
    expect(await lab.spam(all)).toEqual({ accepted: 0, cost: 0n })
  })

  it('strangers change nothing, whatever they send', async () => {
    const before = await lab.state()
    const balance = await s.balance()
    const bounced = { bounced: true, bounce: false }
    for (let op = 0x2c5a2000; op <= 0x2c5a2018; op++) {
      if (op === 0x2c5a2010) continue // a top-up is anyone's
      for (const body of [
        beginCell().storeUint(op, 32).endCell(),
        beginCell()
          .storeUint(op, 32)
          .storeUint(2n ** 255n, 256)
          .storeRef(next)
          .endCell(),
      ]) {
        const { exit } = await s.send(s.stranger.address, body, 20_000_000n)
        expect(exit).not.toBe(0)
        const message = internalMessage(s.stranger.address, s.address, 20_000_000n, body, bounced)
        await s.blockchain.sendMessage(message)
      }
    }
    expect(await lab.state()).toBe(before)
    expect(await s.balance()).toBeGreaterThanOrEqual(balance)
  })

  it('does not grow with the number of items', async () => {
    await s.enrol(s.item('provider', 'the first'))
    const { cells, bits } = await lab.size()
    const gas = new Set<bigint>()
    for (let i = 0; i < MANY; i++) gas.add((await s.enrol(s.item('provider', `number ${i}`))).gas)
    expect(await lab.size()).toEqual({ cells, bits })
    expect(gas.size).toBe(1)
    expect((await s.view()).kinds.provider.count).toBe(MANY + 1)
  })

  it('costs the same to change with one model and with a hundred', async () => {
    const gas: bigint[] = []
    for (const models of [1, ROUGH ? 1_000 : 100]) {
      const parameters = someParameters({ version: 2 }, models)
      await lab.undone(async () => {
        const outcome = await s.own(updateBody(encodeParameters(parameters)), 10n * TON)
        expect(outcome.exit).toBe(0)
        gas.push(outcome.gas)
        expect((await s.parameters())?.models.size).toBe(models)
      })
    }
    expect(gas[0]).toBe(gas[1])
  })
})

describe('in time', () => {
  /** Sixteen versions of which no list is that of another. */
  const fill = async (): Promise<void> => {
    for (let version = 2; version <= 17; version++) {
      const name = (of: string): string => hashOf(`${of} of version ${version}`)
      const list = [name('one'), name('two')].sort()
      const model = { weightsHash: name('weights'), quantisation: 'Q8_0', referenceTick: 3 }
      const { multipliers } = someParameters()
      const { exit } = await s.update({
        images: new Map(),
        measurements: { version, list, leastTcb: { Genoa: { snp: version } } },
        models: new Map([0, 1].map((i) => [name(`model ${i}`), { ...model, multipliers }])),
        assets: new Map([[`0:${name('minter')}`, { scale: 7n, decimals: 6 }]]),
      })
      expect(exit).toBe(0)
    }
  }

  it('five years of silence leave sixteen versions as they were, at dear prices', async () => {
    await fill()
    const { reserve, balance } = await s.solvency()
    expect(reserve).toBeLessThan(balance)
    const before = await lab.state()
    s.elapse(5 * YEAR_S)
    expect(await lab.state()).toBe(before)
    expect((await s.enrol(s.item('provider'))).exit).toBe(0)
    expect((await s.update()).exit).toBe(0)
    expect(await s.balance()).toBeGreaterThan(0n)
    expect(await lab.status()).toBe('active')
  })

  it('a debt of rent is paid by the next message, which works all the same', async () => {
    const item = s.item('provider')
    await takeEverything(s.blockchain, s.addressOf(item))
    const about = await s.caseAgainst(item)
    const work: readonly (() => Promise<Outcome>)[] = [
      () => s.openCase(about, TON, 5n * TON, TON),
      () => s.enrol(item, 50n * TON, TON),
      () => s.own(update(), TON),
    ]
    for (const run of work) {
      await lab.undone(async () => {
        const account = await s.blockchain.getContract(s.address)
        account.balance = 1_000_000n
        s.elapse(YEAR_S / 2)
        expect((await run()).exit).toBe(0)
        expect(await s.balance()).toBe(0n)
      })
    }
  })

  it('a frozen registry is brought back by anyone, as it was, and works', async () => {
    await s.enrol(s.item('provider'))
    const before = await lab.state()
    await lab.freeze()
    expect((await s.enrol(s.item('provider', 'two'))).exit).toBe(-2)
    const back = await lab.unfreeze(s.stranger.address, 3n * TON, topUpRegistryBody())
    expect(back.exit).toBe(0)
    expect(await lab.state()).toBe(before)
    expect((await s.enrol(s.item('provider', 'two'))).exit).toBe(0)
    expect((await s.view()).kinds.provider.count).toBe(2)
  })

  it('a pause of a lost guardian and an upgrade of nobody are over by themselves', async () => {
    await s.send(s.guardian.address, pauseBody())
    await s.own(prepareBody('registry', nextHash))
    s.elapse(5 * YEAR_S)
    expect((await s.enrol(s.item('provider'))).exit).toBe(0)
    expect((await s.own(applyBody('registry', next))).exit).toBe(REGISTRY_EXIT.tooLate)
    s.elapse(DAY_S)
  })
})
