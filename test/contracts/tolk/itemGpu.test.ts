/**
 * What a GPU's item does besides: renewal with evidence, an end without it. And new code, which is
 * the same for all kinds.
 * @module
 */
import type { Cell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { ITEM_EXIT } from '../../../contracts/wrappers/bondedItem.ts'
import { gpuProfileCell, parseGpuProfile } from '../../../contracts/wrappers/itemProfiles.ts'
import {
  FIRST_CODE,
  hashOf,
  type ItemSandbox,
  itemSandbox,
  profileOf,
  STAKE,
  UNBONDING_S,
} from '../../support/itemSandbox.ts'
import { DAY_S, START_S, sentTo } from '../../support/sandboxChain.ts'
import { newCodeBody } from '../../support/testRegistry.ts'

const WEEK_S = 7 * DAY_S
const MONTH_S = 30 * DAY_S

let gpu: ItemSandbox
let fresh: ReturnType<ItemSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  gpu = await itemSandbox({ kind: 'gpu' })
  await gpu.register()
  fresh = gpu.blockchain.snapshot()
}, 60_000)
beforeEach(() => gpu.blockchain.loadFrom(fresh))

const shown = (name: string): Cell => profileOf('gpu', name, gpu.stranger.address)

describe('a GPU', () => {
  it('is renewed with evidence, or not at all', async () => {
    gpu.elapse(WEEK_S)
    expect((await gpu.heartbeat()).exit).toBe(ITEM_EXIT.noProfile)
    expect((await gpu.heartbeat(shown('second'))).exit).toBe(0)
    const { evidence } = parseGpuProfile(await gpu.profileShown())
    expect(evidence).toEqual(hashOf('evidence of second'))
  })

  it('is renewed weekly at most', async () => {
    gpu.elapse(WEEK_S - 1)
    expect((await gpu.heartbeat(shown('early'))).exit).toBe(ITEM_EXIT.tooSoon)
    gpu.elapse(1)
    expect((await gpu.heartbeat(shown('second'))).exit).toBe(0)
    expect((await gpu.heartbeat(shown('third'))).exit).toBe(ITEM_EXIT.tooSoon)
  })

  it('ends after 30 days without, and its bond has been unbonding since', async () => {
    gpu.elapse(MONTH_S - 1)
    expect((await gpu.view()).stake).toBe(STAKE)
    gpu.elapse(1)
    const endedAt = START_S + MONTH_S
    const ended = { stake: 0n, unbonding: STAKE, unbondAtS: endedAt + UNBONDING_S }
    expect(await gpu.view()).toMatchObject(ended)
    expect((await gpu.addStake(TON)).exit).toBe(ITEM_EXIT.ended)
    expect((await gpu.unbond(TON)).exit).toBe(ITEM_EXIT.amount)
    expect((await gpu.withdraw()).exit).toBe(ITEM_EXIT.tooEarly)
    gpu.elapse(UNBONDING_S)
    expect(sentTo(await gpu.withdraw(), gpu.owner.address)).toBeGreaterThan(STAKE)
  })

  it('ended, keeps what was unbonding for its full time', async () => {
    gpu.elapse(MONTH_S - DAY_S)
    await gpu.unbond(TON)
    gpu.elapse(DAY_S)
    expect((await gpu.view()).unbondAtS).toBe(START_S + MONTH_S + UNBONDING_S)
    expect((await gpu.view()).unbonding).toBe(STAKE)
  })

  it('ended with nothing at stake, changes nothing of what is unbonding', async () => {
    await gpu.unbond(STAKE)
    gpu.elapse(MONTH_S)
    expect((await gpu.facts()).unbondAtS).toBe(START_S + UNBONDING_S)
    expect((await gpu.withdraw()).exit).toBe(0)
  })

  it('ended, is bonded again by a renewal', async () => {
    gpu.elapse(MONTH_S + DAY_S)
    expect((await gpu.heartbeat(shown('again'))).exit).toBe(0)
    expect(await gpu.view()).toMatchObject({ stake: STAKE, unbonding: 0n })
    expect((await gpu.addStake(TON)).exit).toBe(0)
    // Also where a case has looked in between.
    gpu.elapse(MONTH_S)
    await gpu.freeze(TON, WEEK_S)
    expect(await gpu.view()).toMatchObject({ stake: 0n, unbonding: STAKE + TON, frozen: TON })
    expect((await gpu.heartbeat(shown('and again'))).exit).toBe(0)
    expect(await gpu.view()).toMatchObject({ stake: STAKE + TON, unbonding: 0n, frozen: TON })
  })

  it('is one for each device and owner', async () => {
    const { blockchain, registry } = gpu
    const other = await itemSandbox({ kind: 'gpu', blockchain, registry, owner: 'b' })
    expect(other.address.equals(gpu.address)).toBe(false)
    await other.register()
    expect((await other.view()).status).toBe('enrolled')
  })

  it('names a device that its readers can print', () => {
    const profile = { provider: gpu.address, evidence: hashOf('e'), tier: 'open' as const }
    for (const model of ['', 'a\nb', 'x'.repeat(128)]) {
      expect(() => gpuProfileCell({ ...profile, model })).toThrow('not valid')
    }
    expect(parseGpuProfile(gpuProfileCell({ ...profile, model: 'H200' })).model).toBe('H200')
  })
})

describe('new code', () => {
  /** The code of a GPU with another number in it: one that runs. */
  const second = FIRST_CODE.provider

  it('comes when the owner asks, and keeps everything', async () => {
    await gpu.become({ code: second, version: 1 })
    const before = await gpu.facts()
    expect((await gpu.upgrade()).exit).toBe(0)
    expect(await gpu.facts()).toEqual({ ...before, codeVersion: 1 })
    const { accountState } = await gpu.blockchain.getContract(gpu.address)
    expect(accountState).toMatchObject({ type: 'active' })
    expect(accountState?.type === 'active' && accountState.state.code?.equals(second)).toBe(true)
  })

  it('is never pushed upon an owner that did not ask', async () => {
    expect((await gpu.told(newCodeBody(1, second))).exit).toBe(ITEM_EXIT.notAsked)
    await gpu.become({ code: second, version: 1 })
    await gpu.upgrade()
    expect((await gpu.told(newCodeBody(2, FIRST_CODE.gpu))).exit).toBe(ITEM_EXIT.notAsked)
    expect((await gpu.upgrade(gpu.stranger.address)).exit).toBe(ITEM_EXIT.notOwner)
  })

  it('comes within an hour of the asking', async () => {
    await gpu.become({ silent: true })
    await gpu.upgrade()
    gpu.elapse(3_600)
    expect((await gpu.told(newCodeBody(1, second))).exit).toBe(ITEM_EXIT.notAsked)
    await gpu.upgrade()
    gpu.elapse(3_599)
    expect((await gpu.told(newCodeBody(1, second))).exit).toBe(0)
  })

  it('is no older than what runs, and comes from the registry alone', async () => {
    await gpu.become({ silent: true })
    await gpu.upgrade()
    expect((await gpu.told(newCodeBody(0, second))).exit).toBe(ITEM_EXIT.oldCode)
    const forged = await gpu.internal(gpu.owner.address, TON, newCodeBody(1, second))
    expect(forged.exit).toBe(ITEM_EXIT.notRegistry)
    expect((await gpu.told(newCodeBody(1, second))).exit).toBe(0)
  })

  it('that there is none of, leaves the item as it was', async () => {
    const before = await gpu.facts()
    const out = await gpu.upgrade()
    expect(out.transactions.length).toBeGreaterThan(2)
    expect(await gpu.facts()).toEqual(before)
    // The asking ended with the refusal.
    expect((await gpu.told(newCodeBody(1, second))).exit).toBe(ITEM_EXIT.notAsked)
    expect((await gpu.solvency()).solvent).toBe(true)
  })
})
