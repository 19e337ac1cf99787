/**
 * The compiled registry in the sandbox: enrolment, code for items, and what it answers.
 * @module
 */
import { beginCell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toBigInt } from '../../../contracts/base/bytes.ts'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  type ItemKind,
  itemAddress,
  itemConfigCell,
} from '../../../contracts/wrappers/itemConfig.ts'
import { REGISTRY_EXIT, registryAddress } from '../../../contracts/wrappers/Registry.ts'
import {
  applyBody,
  askCodeBody,
  enrolBody,
  pauseBody,
  prepareBody,
  REGISTRY_PROTOCOL,
  topUpRegistryBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import { gasFee } from '../../../node/chain/simulatedFees.ts'
import {
  codeOf,
  deviceOf,
  type RegistrySandbox,
  registrySandbox,
  SOME_CODES,
} from '../../support/registrySandbox.ts'
import {
  DAY_S,
  type Outcome,
  refuseEverything,
  sentTo,
  TEST_NETWORK,
  takeEverything,
} from '../../support/sandboxChain.ts'

let s: RegistrySandbox
beforeAll(async () => {
  s = await registrySandbox()
})
beforeEach(() => s.reset())

/** The body of the message that the registry sent to an address. */
function bodyTo(outcome: Outcome, to: { equals(other: unknown): boolean }) {
  for (const { info, body } of outcome.tx?.outMessages.values() ?? []) {
    if (info.type === 'internal' && to.equals(info.dest)) return body.beginParse()
  }
  throw new Error('no message to that address')
}

describe('enrolment', () => {
  it('counts an item, links it to the one before, and carries the value on', async () => {
    const [first, second] = [s.item('provider', 'one'), s.item('provider', 'two')]
    const before = await s.balance()
    const outcomes = [await s.enrol(first, 50n * TON), await s.enrol(second, 50n * TON)]
    for (const [i, outcome] of outcomes.entries()) {
      const item = [first, second][i]!
      expect(outcome.exit).toBe(0)
      const body = bodyTo(outcome, s.addressOf(item))
      expect(body.loadUint(32)).toBe(REGISTRY_PROTOCOL.enrolled)
      expect(body.loadMaybeAddress()?.toString()).toBe(
        i === 0 ? undefined : s.addressOf(first).toString(),
      )
      expect(body.loadUint(32)).toBe(i + 1)
      expect(body.loadUint(32)).toBe(14 * DAY_S)
      const fees = gasFee(CHAIN_PRICES['sandbox-0.41'], outcome.gas)
      expect(sentTo(outcome, s.addressOf(item))).toBeLessThan(TON / 10n - fees)
      expect(sentTo(outcome, s.addressOf(item))).toBeGreaterThan(TON / 10n - fees - 2_000_000n)
    }
    const { kinds } = await s.view()
    expect(kinds.provider.count).toBe(2)
    expect(kinds.provider.last?.equals(s.addressOf(second))).toBe(true)
    expect([kinds.scheduler.count, kinds.gpu.count]).toEqual([0, 0])
    expect(await s.balance()).toBe(before)
  })

  it.each([
    ['provider', 50n],
    ['scheduler', 100n],
    ['gpu', 20n],
  ] as const)('of a %s asks for the least stake of its kind', async (kind, least) => {
    const item = s.item(kind, 'one', kind === 'gpu' ? deviceOf('a device') : undefined)
    expect((await s.enrol(item, least * TON - 1n)).exit).toBe(REGISTRY_EXIT.stake)
    expect((await s.view()).kinds[kind].count).toBe(0)
    expect((await s.enrol(item, least * TON)).exit).toBe(0)
    expect((await s.view()).kinds[kind].count).toBe(1)
  })

  it('is only for the item that the message names', async () => {
    const item = s.item('gpu', 'one', deviceOf('a device'))
    const body = enrolBody(itemConfigCell(item), 1_000n * TON)
    const impostors = [
      s.stranger.address,
      s.owner.address,
      s.addressOf(s.item('gpu', 'two', deviceOf('a device'))),
      s.addressOf(s.item('gpu', 'one', deviceOf('another device'))),
      itemAddress(SOME_CODES.provider, item),
      itemAddress(codeOf('forged'), item),
    ]
    for (const from of impostors) {
      expect((await s.send(from, body, TON)).exit).toBe(REGISTRY_EXIT.notItem)
    }
    expect((await s.enrol(item)).exit).toBe(0)
  })

  it('is refused for an item of another registry, and of a kind that there is not', async () => {
    const foreign = { ...s.item('provider'), registry: s.stranger.address }
    const from = itemAddress(SOME_CODES.provider, foreign)
    const body = enrolBody(itemConfigCell(foreign), 1_000n * TON)
    expect((await s.send(from, body, TON)).exit).toBe(REGISTRY_EXIT.otherRegistry)
    for (const kind of [0, 4, 255]) {
      const cell = beginCell().storeAddress(s.address).storeUint(kind, 8).storeUint(0, 256)
      const config = cell.storeAddress(s.stranger.address).endCell()
      const { exit } = await s.send(from, enrolBody(config, 1_000n * TON), TON)
      expect(exit).toBe(REGISTRY_EXIT.kind)
    }
  })

  it('is refused while registration is paused, and open when the pause is over', async () => {
    const item = s.item('scheduler')
    await s.send(s.guardian.address, pauseBody())
    const refused = await s.enrol(item)
    expect(refused.exit).toBe(REGISTRY_EXIT.paused)
    expect(sentTo(refused, s.addressOf(item))).toBeGreaterThan(TON / 10n - 6_000_000n)
    s.elapse(14 * DAY_S - 1)
    expect((await s.enrol(item)).exit).toBe(REGISTRY_EXIT.paused)
    s.elapse(1)
    expect((await s.enrol(item)).exit).toBe(0)
  })

  it('is refused with too little value for the answer', async () => {
    const item = s.item('provider')
    expect((await s.enrol(item, 50n * TON, 11_000_000n)).exit).toBe(REGISTRY_EXIT.tooLittleValue)
    expect((await s.enrol(item, 50n * TON, 13_000_000n)).exit).toBe(0)
  })

  it('is refused on a chain whose id is not the one in the registry', async () => {
    const foreign = await registrySandbox({ networkId: -3 })
    expect((await foreign.enrol(foreign.item('provider'))).exit).toBe(REGISTRY_EXIT.wrongNetwork)
    const config = { ...s.config, network: -3 }
    expect(registryAddress(config).equals(s.address)).toBe(false)
  })
})

describe('an item that refuses its place', () => {
  const refuse = async (name: string, kind: ItemKind = 'provider'): Promise<Outcome> => {
    const item = s.item(kind, name)
    await refuseEverything(s.blockchain, s.addressOf(item))
    const body = enrolBody(itemConfigCell(item), 100n * TON)
    return s.send(s.addressOf(item), body, TON / 10n)
  }

  it('leaves no trace where it was the newest, however many do so', async () => {
    const before = await s.balance()
    await s.enrol(s.item('provider', 'one'))
    await s.enrol(s.item('gpu', 'one', deviceOf('a device')))
    const known = JSON.stringify(await s.view())
    for (const name of ['two', 'three']) {
      expect((await refuse(name)).transactions).toHaveLength(3)
      expect(JSON.stringify(await s.view())).toBe(known)
    }
    // What the refused messages brought stays, for rent: never less than before.
    expect(await s.balance()).toBeGreaterThan(before)
    await s.enrol(s.item('provider', 'two'))
    expect((await s.view()).kinds.provider.count).toBe(2)
  })

  it.each(['provider', 'scheduler', 'gpu'] as const)('may be the very first %s', async (kind) => {
    await s.enrol(s.item(kind === 'gpu' ? 'provider' : 'gpu'))
    await refuse('one', kind)
    const { kinds, lost } = await s.view()
    expect([kinds[kind].count, kinds[kind].last, lost]).toEqual([0, undefined, 0])
    expect(kinds[kind === 'gpu' ? 'provider' : 'gpu'].count).toBe(1)
  })
})

describe('code for an item', () => {
  const next = codeOf('next')
  const upgrade = async (kind: ItemKind): Promise<void> => {
    expect((await s.own(prepareBody(kind, next.hash().toString('hex')))).exit).toBe(0)
    s.elapse(30 * DAY_S)
    expect((await s.own(applyBody(kind, next))).exit).toBe(0)
  }
  const ask = async (kind: ItemKind, have: number, value = TON / 10n): Promise<Outcome> => {
    const item = s.item(kind)
    await takeEverything(s.blockchain, s.addressOf(item))
    return s.send(s.addressOf(item), askCodeBody(itemConfigCell(item), have), value)
  }

  it('is given where there is newer, and moves no address', async () => {
    const address = s.addressOf(s.item('scheduler'))
    expect((await ask('scheduler', 0)).exit).toBe(REGISTRY_EXIT.noNewerCode)
    await upgrade('scheduler')
    const outcome = await ask('scheduler', 0)
    const body = bodyTo(outcome, address)
    expect(body.loadUint(32)).toBe(REGISTRY_PROTOCOL.newCode)
    expect(body.loadUint(16)).toBe(1)
    expect(body.loadRef().equals(next)).toBe(true)
    expect((await ask('scheduler', 1)).exit).toBe(REGISTRY_EXIT.noNewerCode)
    expect((await ask('provider', 0)).exit).toBe(REGISTRY_EXIT.noNewerCode)
    expect((await s.enrol(s.item('scheduler'))).exit).toBe(0)
    const { scheduler } = (await s.view()).kinds
    expect(scheduler.codeVersion).toBe(1)
    expect(scheduler.codeHash).toBe(next.hash().toString('hex'))
    expect(scheduler.firstCodeHash).toBe(SOME_CODES.scheduler.hash().toString('hex'))
  })

  it('is given to the item only, and for the value of the answer', async () => {
    await upgrade('provider')
    const body = askCodeBody(itemConfigCell(s.item('provider')), 0)
    expect((await s.send(s.stranger.address, body)).exit).toBe(REGISTRY_EXIT.notItem)
    expect((await ask('provider', 0, 9_000_000n)).exit).toBe(REGISTRY_EXIT.tooLittleValue)
  })

  it('that is too large for the value sends it back whole but for its fees', async () => {
    let code = beginCell().endCell()
    for (let i = 0; i < 200; i++) code = beginCell().storeUint(i, 1_000).storeRef(code).endCell()
    await s.own(prepareBody('gpu', code.hash().toString('hex')))
    s.elapse(30 * DAY_S)
    expect((await s.own(applyBody('gpu', code), TON)).exit).toBe(0)
    const before = await s.balance()
    const outcome = await ask('gpu', 0, 30_000_000n)
    expect(outcome.exit).toBe(37)
    expect(sentTo(outcome, s.addressOf(s.item('gpu')))).toBeGreaterThan(20_000_000n)
    expect(await s.balance()).toBe(before)
    expect((await ask('gpu', 0, TON)).exit).toBe(0)
  })
})

describe('what it answers', () => {
  it('are the addresses that TypeScript computes', async () => {
    const cases = [s.item('provider'), s.item('gpu', 'two', deviceOf('a device'))]
    for (const item of cases) {
      const { stackReader } = await s.blockchain.runGetMethod(s.address, 'get_item_address', [
        { type: 'int', value: BigInt(['provider', 'scheduler', 'gpu'].indexOf(item.kind) + 1) },
        { type: 'slice', cell: beginCell().storeAddress(item.owner).endCell() },
        { type: 'int', value: item.key ? toBigInt(item.key) : 0n },
      ])
      expect(stackReader.readAddress().equals(s.addressOf(item))).toBe(true)
    }
  })

  it('is all that was put in', async () => {
    const view = await s.view()
    expect(view).toMatchObject({ layout: 0, network: TEST_NETWORK, lost: 0, pausedUntilS: 0 })
    expect(view).toMatchObject({ parametersVersion: 1, oldestVersion: 1 })
    expect(view.owner.equals(s.owner.address)).toBe(true)
    expect(view.guardian.equals(s.guardian.address)).toBe(true)
    expect(view.offered).toBeUndefined()
    expect(view.disputeCodeHash).toBe(SOME_CODES.dispute.hash().toString('hex'))
  })

  it('of its size and rent is what the chain says', async () => {
    const { cells, bits, rentOfYear, reserve, balance, due } = await s.solvency()
    await s.send(s.stranger.address, topUpRegistryBody())
    const { used } = (await s.blockchain.getContract(s.address)).account.account!.storageStats
    // The getter counts cells that code and data share twice, and the account roughly.
    expect(Number(used.cells)).toBeLessThanOrEqual(cells)
    expect(Number(used.cells)).toBeGreaterThan(cells - 4)
    expect(Math.abs(Number(used.bits) - bits)).toBeLessThan(700)
    expect(reserve).toBeGreaterThan(4n * rentOfYear)
    expect(balance).toBeGreaterThan(10n * reserve)
    expect(due).toBe(0n)
  })
})

it('keeps a top-up of anyone, and bounces messages it does not know', async () => {
  const before = await s.balance()
  expect((await s.send(s.stranger.address, topUpRegistryBody(), TON)).exit).toBe(0)
  expect((await s.balance()) - before).toBeGreaterThan(TON - 1_000_000n)
  for (const body of [beginCell().endCell(), beginCell().storeUint(0x12345678, 32).endCell()]) {
    const outcome = await s.send(s.stranger.address, body, TON)
    expect(outcome.exit).toBe(REGISTRY_EXIT.unknownMessage)
    expect(sentTo(outcome, s.stranger.address)).toBeGreaterThan(TON - TON / 100n)
  }
})
