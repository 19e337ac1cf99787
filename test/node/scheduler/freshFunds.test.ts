/**
 * A job short of funds: the chain is asked once before it is refused, and not more often than that.
 * @module
 */
import { expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { TON } from '../../../contracts/base/units.ts'
import { channelAddress } from '../../../contracts/wrappers/Channel.ts'
import { topUpBody, topUpValue } from '../../../contracts/wrappers/channelMessages.ts'
import { createFreshFunds } from '../../../node/scheduler/freshFunds.ts'
import { watchWorld } from '../settlement/watchWorld.ts'

it('takes a job that a fresh top-up covers, and looks again after a while only', async () => {
  const { open, payer, now, clock, net } = await watchWorld()
  const account = await open(TON, 0n)
  const freshFunds = createFreshFunds(clock)
  const enter = (needed: bigint) => () => {
    const { deposit } = account.state()
    if (deposit < needed) throw new MarketError('no-funds', { needed, free: deposit })
    return 'entered'
  }
  const topUp = async () => {
    const to = channelAddress(account.config)
    await now(payer.send([{ to, value: topUpValue(TON), body: topUpBody(TON) }]))
  }
  const refused = { code: 'no-funds' }
  await topUp()
  expect(account.state().deposit).toBe(TON)
  expect(await now(freshFunds(account, enter(2n * TON)))).toBe('entered')
  await expect(freshFunds(undefined, enter(3n * TON))).rejects.toMatchObject(refused)

  await clock.advance(LIMITS.lookAgainMs)
  await expect(now(freshFunds(account, enter(3n * TON)))).rejects.toMatchObject(refused) // looked
  const { length: reads } = net.reads
  await expect(now(freshFunds(account, enter(3n * TON)))).rejects.toMatchObject(refused)
  expect(net.reads).toHaveLength(reads) // asked again at once: not looked
  await topUp()
  await clock.advance(LIMITS.lookAgainMs)
  expect(await now(freshFunds(account, enter(3n * TON)))).toBe('entered')
})

it('leaves every other refusal as it is', async () => {
  const { open, clock, net } = await watchWorld()
  const account = await open(TON, 0n)
  net.reads.length = 0
  const freshFunds = createFreshFunds(clock)
  const refusal = () => {
    throw new MarketError('channel-closing')
  }
  await expect(freshFunds(account, refusal)).rejects.toMatchObject({ code: 'channel-closing' })
  expect(net.reads).toEqual([])
})
