/**
 * Whether a contract covers what it owes, to the base unit, where no getter says so.
 * @module
 */
import { TupleReader } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { ITEM_LIVE_S, isLive, itemExpiresAtS } from '../../../contracts/wrappers/bondedItem.ts'
import { CHANNEL_FLOOR } from '../../../contracts/wrappers/Channel.ts'
import { parseCaseSolvency } from '../../../contracts/wrappers/Dispute.ts'
import { channelSolvency, jettonChannelSolvency } from '../../../contracts/wrappers/solvency.ts'

describe('a channel', () => {
  const view = { deposited: 5n * TON, claimed: 2n * TON }

  it('covers deposited less claimed above its floor, and not a nanoTON less', () => {
    const least = 3n * TON + CHANNEL_FLOOR
    expect(channelSolvency(view, least)).toEqual({
      ...{ owed: 3n * TON, covered: 3n * TON, floor: CHANNEL_FLOOR, solvent: true },
    })
    expect(channelSolvency(view, least - 1n)).toMatchObject({ solvent: false })
  })

  it('that owes nothing is solvent, also where rent took its floor', () => {
    const closed = { deposited: 2n * TON, claimed: 2n * TON }
    expect(channelSolvency(closed, 0n)).toMatchObject({ owed: 0n, covered: 0n, solvent: true })
  })
})

describe('a jetton-channel', () => {
  it('covers it with jettons, a refund that came back included', () => {
    const view = { deposited: 100n, claimed: 40n, rest: 0n }
    expect(jettonChannelSolvency(view, 60n)).toMatchObject({ owed: 60n, solvent: true })
    expect(jettonChannelSolvency(view, 59n)).toMatchObject({ solvent: false })
    const returned = { deposited: 40n, claimed: 40n, rest: 60n }
    expect(jettonChannelSolvency(returned, 60n)).toMatchObject({ owed: 60n, solvent: true })
    expect(jettonChannelSolvency(returned, 59n)).toMatchObject({ solvent: false })
  })
})

describe('a case', () => {
  const answer = (values: readonly bigint[]) =>
    parseCaseSolvency(new TupleReader(values.map((value) => ({ type: 'int', value }))))

  it('covers its bonds as long as nothing of its floor is missing', () => {
    const whole = { balance: 9n, owed: 2n, spare: 0n, solvent: true }
    expect(answer([9n, 2n, 0n])).toEqual(whole)
    expect(answer([9n, 2n, -1n])).toMatchObject({ solvent: false })
    expect(() => answer([9n])).toThrow(expect.objectContaining({ code: 'bad-frame' }))
  })
})

describe('an item', () => {
  it('expires thirty days after it was seen, to the second', () => {
    const item = { status: 'enrolled', stake: TON, seenAtS: 1_795_000_000 } as const
    const end = itemExpiresAtS(item)
    expect(end - item.seenAtS).toBe(ITEM_LIVE_S)
    expect([end - 1, end].map((nowS) => isLive(item, TON, nowS))).toEqual([true, false])
  })
})
