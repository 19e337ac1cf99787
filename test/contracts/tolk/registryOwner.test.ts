/**
 * The compiled registry in the sandbox: what its owner, its guardian and nobody else may do.
 * @module
 */
import { type Address, beginCell, type Cell, Dictionary } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'

import {
  encodeParameters,
  type ListedParameters,
  PARAMETER_BOUNDS,
} from '../../../contracts/wrappers/parameters.ts'
import { REGISTRY_CODE, REGISTRY_EXIT } from '../../../contracts/wrappers/Registry.ts'
import {
  acceptOwnerBody,
  applyBody,
  cancelUpgradeBody,
  pauseBody,
  prepareBody,
  REGISTRY_VALUE,
  setGuardianBody,
  topUpRegistryBody,
  transferOwnerBody,
  unpauseBody,
  updateBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import { codeOf, type RegistrySandbox, registrySandbox } from '../../support/registrySandbox.ts'
import { DAY_S, START_S, sentTo } from '../../support/sandboxChain.ts'
import { someAddress, someParameters } from '../../support/someParameters.ts'

let s: RegistrySandbox
beforeAll(async () => {
  s = await registrySandbox()
})
beforeEach(() => s.reset())

const hashOf = (code: Cell): string => code.hash().toString('hex')
const exitOf = async (from: Address, body: Cell): Promise<number> => (await s.send(from, body)).exit

describe('every message of the owner', () => {
  const bodies = (): Cell[] => [
    updateBody(encodeParameters(someParameters({ version: 2 }))),
    prepareBody('registry', hashOf(codeOf('next'))),
    prepareBody('gpu', hashOf(codeOf('next'))),
    applyBody('registry', codeOf('next')),
    applyBody('gpu', codeOf('next')),
    cancelUpgradeBody('gpu'),
    setGuardianBody(s.stranger.address),
    transferOwnerBody(s.stranger.address),
  ]

  it('is refused from the guardian and from anyone else', async () => {
    for (const body of bodies()) {
      expect(await exitOf(s.guardian.address, body)).toBe(REGISTRY_EXIT.notOwner)
      expect(await exitOf(s.stranger.address, body)).toBe(REGISTRY_EXIT.notOwner)
      expect(await exitOf(s.address, body)).toBe(REGISTRY_EXIT.notOwner)
    }
  })

  it('costs the owner its fees, and the registry nothing', async () => {
    const before = await s.balance()
    const outcome = await s.update()
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.owner.address)).toBeGreaterThan(REGISTRY_VALUE - 10_000_000n)
    expect(await s.balance()).toBe(before)
  })
})

describe('an update', () => {
  it('puts the next version into force, and the one before stays known', async () => {
    s.elapse(100)
    expect((await s.update({ window: 512, sinceS: 5 })).exit).toBe(0)
    const next = await s.parameters()
    expect(next).toMatchObject({ version: 2, window: 512, sinceS: START_S + 100 })
    expect(encodeParameters((await s.parameters(2))!).equals(encodeParameters(next!))).toBe(true)
    expect(await s.parameters(1)).toMatchObject({ version: 1, window: 256, sinceS: 0 })
    expect(await s.parameters(3)).toBeUndefined()
  })

  it('is refused with any version but the next', async () => {
    for (const version of [1, 3, 0xffff_ffff]) {
      expect((await s.update({ version })).exit).toBe(REGISTRY_EXIT.version)
    }
    const old = updateBody(encodeParameters(someParameters({ version: 2 })))
    expect((await s.own(old)).exit).toBe(0)
    expect((await s.own(old)).exit).toBe(REGISTRY_EXIT.version)
  })

  it('keeps the last sixteen versions, and no more', async () => {
    for (let version = 2; version <= 18; version++) expect((await s.update()).exit).toBe(0)
    expect(await s.view()).toMatchObject({ parametersVersion: 18, oldestVersion: 3 })
    const known = []
    for (let version = 1; version <= 19; version++) {
      if (await s.parameters(version)) known.push(version)
    }
    expect(known).toEqual(Array.from({ length: 16 }, (_, i) => i + 3))
    const { cells } = await s.solvency()
    await s.update()
    expect((await s.solvency()).cells).toBe(cells)
  })

  const good = someParameters()
  const { stakes, disputes, steps } = good
  const { unbondingS, verdictS, appealS, stake, leastBond, leastCloseDelayS } = PARAMETER_BOUNDS
  const edges: readonly [
    string,
    (value: never) => Partial<ListedParameters>,
    readonly unknown[],
  ][] = [
    ['window', (window) => ({ window }), [1, PARAMETER_BOUNDS.window.most]],
    ['prompt', (prompt) => ({ steps: { ...steps, prompt } }), [1, 4_096]],
    ['cachedPrompt', (cachedPrompt) => ({ steps: { ...steps, cachedPrompt } }), [1, 4_096]],
    ['completion', (completion) => ({ steps: { ...steps, completion } }), [1, 4_096]],
    ['close delay', (leastCloseDelayS) => ({ leastCloseDelayS }), limits(leastCloseDelayS)],
    ['provider', (provider) => ({ stakes: { ...stakes, provider } }), limits(stake)],
    ['scheduler', (scheduler) => ({ stakes: { ...stakes, scheduler } }), limits(stake)],
    ['gpu', (gpu) => ({ stakes: { ...stakes, gpu } }), limits(stake)],
    ['unbonding', (unbondingS) => ({ stakes: { ...stakes, unbondingS } }), limits(unbondingS)],
    ['verdict', (verdictS) => ({ disputes: { ...disputes, verdictS } }), limits(verdictS)],
    ['appeal', (appealS) => ({ disputes: { ...disputes, appealS } }), limits(appealS)],
    ['bond', (leastBond) => ({ disputes: { ...disputes, leastBond } }), limits(leastBond)],
    ['threshold', (threshold) => ({ disputes: { ...disputes, threshold } }), [1, 3]],
  ]

  it.each(edges)('is taken at the edges of %s, and refused beyond', async (_, change, ends) => {
    const [least, most] = ends as [number, number] | [bigint, bigint]
    const beyond = [plus(least, -1), plus(most, 1)] as never[]
    const inside = [least, most] as never[]
    for (const value of beyond) {
      const body = updateBody(unchecked({ ...good, version: 2, ...change(value) }))
      expect((await s.own(body)).exit).toBe(REGISTRY_EXIT.bounds)
      // TypeScript refuses the same.
      expect(() => encodeParameters({ ...good, ...change(value) })).toThrow('not valid')
    }
    for (const value of inside) expect((await s.update(change(value))).exit).toBe(0)
  })

  it('is refused with more than ten arbiters, with none, with gaps in their numbers', async () => {
    const arbiter = disputes.arbiters[0]!
    const many = (n: number) => Array.from({ length: n }, () => arbiter)
    for (const [arbiters, exit] of [
      [many(11), REGISTRY_EXIT.bounds],
      [[], REGISTRY_EXIT.bounds],
      [many(10), 0],
    ] as const) {
      const next = { ...good, version: 2, disputes: { ...disputes, arbiters, threshold: 1 } }
      expect((await s.own(updateBody(unchecked(next)))).exit).toBe(exit)
    }
    await s.reset()
    const gaps = unchecked({ ...good, version: 2 }, (place) => place * 2)
    expect((await s.own(updateBody(gaps))).exit).toBe(REGISTRY_EXIT.bounds)
  })

  it('is refused where a cell of it is none', async () => {
    const cell = encodeParameters(someParameters({ version: 2 }))
    const empty = beginCell().endCell()
    for (const place of [0, 1, 2]) {
      const builder = beginCell().storeBits(cell.bits)
      for (const [i, ref] of cell.refs.entries()) builder.storeRef(i === place ? empty : ref)
      expect((await s.own(updateBody(builder.endCell()))).exit).toBe(9)
    }
    expect((await s.own(updateBody(empty))).exit).toBe(9)
    expect((await s.own(updateBody(cell))).exit).toBe(0)
  })
})

describe('new code', () => {
  const next = codeOf('next')

  it.each(['registry', 'provider', 'scheduler', 'gpu'] as const)(
    'for the %s waits thirty days, and lapses after thirty more',
    async (kind) => {
      expect((await s.own(applyBody(kind, next))).exit).toBe(REGISTRY_EXIT.notPrepared)
      expect((await s.own(prepareBody(kind, hashOf(next)))).exit).toBe(0)
      const view = await s.view()
      const prepared = kind === 'registry' ? view.prepared : view.kinds[kind].prepared
      expect(prepared).toEqual({ codeHash: hashOf(next), fromS: START_S + 30 * DAY_S })
      s.elapse(30 * DAY_S - 1)
      expect((await s.own(applyBody(kind, next))).exit).toBe(REGISTRY_EXIT.tooEarly)
      const early = s.blockchain.snapshot()
      s.elapse(30 * DAY_S + 1)
      expect((await s.own(applyBody(kind, next))).exit).toBe(REGISTRY_EXIT.tooLate)
      await s.blockchain.loadFrom(early)
      s.elapse(30 * DAY_S)
      const wrong = applyBody(kind, codeOf('another'))
      expect((await s.own(wrong)).exit).toBe(REGISTRY_EXIT.notPrepared)
      expect((await s.own(applyBody(kind, next))).exit).toBe(0)
      if (kind === 'registry') return
      expect((await s.view()).kinds[kind]).toMatchObject({ codeVersion: 1 })
      expect((await s.own(applyBody(kind, next))).exit).toBe(REGISTRY_EXIT.notPrepared)
    },
  )

  it('is prepared one at a time, and may be taken back', async () => {
    for (const kind of ['registry', 'gpu'] as const) {
      await s.own(prepareBody(kind, hashOf(next)))
      const again = await s.own(prepareBody(kind, hashOf(codeOf('another'))))
      expect(again.exit).toBe(REGISTRY_EXIT.alreadyPrepared)
      expect((await s.own(cancelUpgradeBody(kind))).exit).toBe(0)
      expect((await s.own(cancelUpgradeBody(kind))).exit).toBe(REGISTRY_EXIT.notPrepared)
      s.elapse(30 * DAY_S)
      expect((await s.own(applyBody(kind, next))).exit).toBe(REGISTRY_EXIT.notPrepared)
      expect((await s.own(prepareBody(kind, hashOf(codeOf('another'))))).exit).toBe(0)
    }
  })

  it('of a kind that there is not is refused', async () => {
    for (const kind of [0, 4]) {
      const prepare = beginCell().storeUint(0x2c5a2008, 32).storeUint(kind, 8).storeUint(1, 256)
      expect((await s.own(prepare.endCell())).exit).toBe(REGISTRY_EXIT.kind)
    }
    await s.own(prepareBody('registry', hashOf(next)))
    s.elapse(30 * DAY_S)
    const apply = beginCell().storeUint(0x2c5a2009, 32).storeUint(0, 8).storeRef(next)
    expect((await s.own(apply.endCell())).exit).toBe(REGISTRY_EXIT.kind)
  })

  it('of the registry runs from the next message on, with the state of before', async () => {
    // The same program with a word behind it: its hash differs, what it does does not.
    const code = beginCell().storeSlice(REGISTRY_CODE.beginParse()).storeBit(true).endCell()
    await s.enrol(s.item('provider'))
    await s.own(prepareBody('registry', hashOf(code)))
    s.elapse(30 * DAY_S)
    expect((await s.own(applyBody('registry', code))).exit).toBe(0)
    const { accountState } = await s.blockchain.getContract(s.address)
    expect(accountState).toMatchObject({ type: 'active' })
    const state = accountState?.type === 'active' ? accountState.state : undefined
    expect(state?.code?.equals(code)).toBe(true)
    const view = await s.view()
    expect(view.kinds.provider.count).toBe(1)
    expect(view.prepared).toBeUndefined()
    expect((await s.enrol(s.item('provider', 'two'))).exit).toBe(0)
  })
})

describe('the guardian', () => {
  const pause = () => exitOf(s.guardian.address, pauseBody())
  const unpause = (from = s.guardian.address) => exitOf(from, unpauseBody())

  it('pauses for two weeks, then rests for two', async () => {
    expect(await pause()).toBe(0)
    expect((await s.view()).pausedUntilS).toBe(START_S + 14 * DAY_S)
    s.elapse(28 * DAY_S - 1)
    expect(await pause()).toBe(REGISTRY_EXIT.tooEarly)
    s.elapse(1)
    expect(await pause()).toBe(0)
  })

  it('and the owner end a pause; the rest begins then', async () => {
    for (const from of [s.guardian.address, s.owner.address]) {
      await s.reset()
      expect(await unpause(from)).toBe(REGISTRY_EXIT.notPaused)
      await pause()
      expect(await unpause(s.stranger.address)).toBe(REGISTRY_EXIT.notGuardian)
      s.elapse(DAY_S)
      expect(await unpause(from)).toBe(0)
      expect((await s.enrol(s.item('provider'))).exit).toBe(0)
      s.elapse(14 * DAY_S - 1)
      expect(await pause()).toBe(REGISTRY_EXIT.tooEarly)
      s.elapse(1)
      expect(await pause()).toBe(0)
    }
  })

  it('alone may pause: not the owner, nobody else', async () => {
    for (const from of [s.owner.address, s.stranger.address, s.address]) {
      expect(await exitOf(from, pauseBody())).toBe(REGISTRY_EXIT.notGuardian)
    }
  })

  it('is replaced by the owner; the pause of the one before ends', async () => {
    await pause()
    expect((await s.own(setGuardianBody(s.stranger.address))).exit).toBe(0)
    expect((await s.enrol(s.item('provider'))).exit).toBe(0)
    expect(await pause()).toBe(REGISTRY_EXIT.notGuardian)
    expect(await exitOf(s.stranger.address, pauseBody())).toBe(0)
  })
})

describe('ownership', () => {
  it('passes to who was offered it, when it accepts', async () => {
    expect(await exitOf(s.stranger.address, acceptOwnerBody())).toBe(REGISTRY_EXIT.notOffered)
    expect((await s.own(transferOwnerBody(s.stranger.address))).exit).toBe(0)
    expect((await s.view()).offered?.equals(s.stranger.address)).toBe(true)
    expect(await exitOf(s.guardian.address, acceptOwnerBody())).toBe(REGISTRY_EXIT.notOffered)
    expect((await s.update()).exit).toBe(0)
    expect(await exitOf(s.stranger.address, acceptOwnerBody())).toBe(0)
    expect(await exitOf(s.stranger.address, acceptOwnerBody())).toBe(REGISTRY_EXIT.notOffered)
    expect((await s.view()).offered).toBeUndefined()
    expect((await s.update()).exit).toBe(REGISTRY_EXIT.notOwner)
    expect(await exitOf(s.stranger.address, transferOwnerBody(s.owner.address))).toBe(0)
  })

  it('that was offered by mistake is offered to another', async () => {
    await s.own(transferOwnerBody(someAddress('nobody')))
    await s.own(transferOwnerBody(s.stranger.address))
    expect(await exitOf(someAddress('nobody'), acceptOwnerBody())).toBe(REGISTRY_EXIT.notOffered)
    expect(await exitOf(s.stranger.address, acceptOwnerBody())).toBe(0)
    expect(await exitOf(s.stranger.address, topUpRegistryBody())).toBe(0)
  })
})

function plus(value: number | bigint, by: number): number | bigint {
  return typeof value === 'bigint' ? value + BigInt(by) : value + by
}

function limits<N>({ least, most }: { least: N; most: N }): readonly [N, N] {
  return [least, most]
}

/** The cell of parameters that `encodeParameters` refuses to make. */
function unchecked(p: ListedParameters, place = (i: number): number => i): Cell {
  const cell = encodeParameters(someParameters({ version: p.version }))
  const root = beginCell().storeUint(p.version, 32).storeUint(p.sinceS, 32).storeUint(p.window, 32)
  const { prompt, cachedPrompt, completion } = p.steps
  for (const step of [prompt, cachedPrompt, completion]) root.storeUint(step, 16)
  for (const parts of Object.values(p.multipliers)) root.storeUint(parts, 16)
  const { provider, scheduler, gpu, unbondingS } = p.stakes
  const stakes = beginCell().storeCoins(provider).storeCoins(scheduler).storeCoins(gpu)
  const { verdictS, appealS, leastBond, threshold, arbiters } = p.disputes
  const dict = Dictionary.empty(Dictionary.Keys.Uint(8), Dictionary.Values.Cell())
  for (const [i, { key, account }] of arbiters.entries()) {
    dict.set(
      place(i),
      beginCell()
        .storeUint(BigInt(`0x${key}`), 256)
        .storeAddress(account)
        .endCell(),
    )
  }
  const disputes = beginCell().storeUint(verdictS, 32).storeUint(appealS, 32).storeCoins(leastBond)
  return root
    .storeUint(p.leastCloseDelayS, 32)
    .storeRef(stakes.storeUint(unbondingS, 32).endCell())
    .storeRef(disputes.storeUint(threshold, 8).storeDict(dict).endCell())
    .storeRef(cell.refs[2]!)
    .endCell()
}
