/**
 * The payee's watch: what it does about a channel, and that no promise is lost by looking late.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { TON } from '../../../contracts/base/units.ts'
import { startPayee } from '../../../contracts/money/payee.ts'
import type { ChannelView } from '../../../contracts/wrappers/Channel.ts'
import { channelAddress } from '../../../contracts/wrappers/Channel.ts'
import { topUpBody, topUpValue } from '../../../contracts/wrappers/channelMessages.ts'
import type { PayeeAccount } from '../../../node/settlement/payeeAccount.ts'
import { createSettler } from '../../../node/settlement/settler.ts'
import { CLAIM_FEES, LEAST_EXTERNAL_CLAIM } from '../../../node/settlement/tonChannel.ts'
import { watchChannels, watchRule } from '../../../node/settlement/watch.ts'
import { DELAY_S, silentStream, watchWorld } from './watchWorld.ts'

describe('watchRule', () => {
  const deposit = 3n * TON
  const books = (cumulative: bigint, more = {}) => ({
    ...startPayee({ network: 77, channel: 'c', deposit }),
    cumulative,
    ...more,
  })
  const view = (more: Partial<ChannelView> = {}) =>
    ({ status: 'open', deposited: deposit, claimed: 0n, bounced: false, ...more }) as ChannelView
  const closing = view({ status: 'closing', closeAtS: 1 })
  const LEAST = LEAST_EXTERNAL_CLAIM // more than a 64th of 3 TON, which is 46,875,000

  it('does nothing where books and chain agree and nothing is due', () => {
    expect(watchRule(view(), books(0n))).toBe('nothing')
    expect(watchRule(view(), books(LEAST - 1n))).toBe('nothing')
  })

  it('claims an open channel from what an external claim must move', () => {
    expect(watchRule(view(), books(LEAST))).toBe('claim')
    const large = view({ deposited: 64n * TON })
    expect(watchRule(large, books(TON - 1n, { deposit: 64n * TON }))).toBe('nothing')
    expect(watchRule(large, books(TON, { deposit: 64n * TON }))).toBe('claim')
  })

  it('claims the whole rest although it is below a 64th, but never below its least', () => {
    const rest = view({ deposited: 64n * TON, claimed: 64n * TON - LEAST })
    expect(watchRule(rest, books(64n * TON))).toBe('claim')
    const dust = view({ deposited: 64n * TON, claimed: 64n * TON - LEAST + 1n })
    expect(watchRule(dust, books(64n * TON))).toBe('refresh')
  })

  it('claims from the threshold that is set, and not below it or the fees', () => {
    const claimFrom = 50_000_000n
    expect(watchRule(view(), books(claimFrom), { claimFrom })).toBe('claim')
    expect(watchRule(view(), books(claimFrom - 1n), { claimFrom })).toBe('nothing')
    expect(watchRule(view(), books(CLAIM_FEES), { claimFrom: 1n })).toBe('nothing')
  })

  it('claims at once where the payer is closing, if it is worth the fees', () => {
    expect(watchRule(closing, books(CLAIM_FEES + 1n))).toBe('claim')
    expect(watchRule(closing, books(CLAIM_FEES))).toBe('refresh')
    expect(watchRule(closing, books(CLAIM_FEES, { status: 'closing' }))).toBe('nothing')
    expect(watchRule(closing, books(TON, { status: 'closing', claimed: TON }))).toBe('claim')
  })

  it('claims what a closed channel still owes, and only that', () => {
    const closed = view({ status: 'closed', deposited: TON, claimed: TON })
    expect(watchRule(closed, books(5n * TON))).toBe('refresh')
    const owed = view({ status: 'closed', deposited: TON, claimed: TON / 2n, bounced: true })
    expect(watchRule(owed, books(5n * TON))).toBe('claim')
  })

  it('leaves an open channel to requests where a payout bounced', () => {
    expect(watchRule(view({ bounced: true }), books(5n * TON))).toBe('nothing')
  })

  it('refreshes books that are behind the chain', () => {
    expect(watchRule(view({ deposited: deposit + 1n }), books(0n))).toBe('refresh')
    expect(watchRule(view({ claimed: 1n }), books(1n))).toBe('refresh')
    expect(watchRule(closing, books(0n))).toBe('refresh')
  })
})

/** Gas of a wallet that takes a payout. */
const RECEIVING = 51_668n

describe('watchChannels', () => {
  it('claims every nanoTON signed while its payer closes', async () => {
    const { clock, deps, open, send, deployPayee, viewOf } = await watchWorld()
    await deployPayee()
    const account = await open(20n * TON, 123_456_789n)
    const watch = watchChannels(deps, () => [account])
    await clock.advance(2 * LIMITS.watchMs)
    expect((await viewOf(account)).claimed).toBe(0n) // below the threshold: it waits
    await send('startClose', account)
    await clock.advance(LIMITS.watchMs + LIMITS.chainFinalMs)
    expect(await viewOf(account)).toMatchObject({ status: 'closing', claimed: 123_456_789n })
    expect(account.state()).toMatchObject({ status: 'closing', claimed: 123_456_789n })
    await watch.stop()
  })

  it('claims in time when it was away while the payer closed', async () => {
    const { clock, deps, open, send, deployPayee, viewOf } = await watchWorld()
    await deployPayee()
    const account = await open(20n * TON, 5n * TON)
    await send('startClose', account)
    await clock.advance((DELAY_S - 600) * 1_000)
    const watch = watchChannels(deps, () => [account])
    await clock.advance(30_000)
    expect((await viewOf(account)).claimed).toBe(5n * TON)
    await watch.stop()
    await clock.advance(600_000)
    await send('finishClose', account)
    expect(await viewOf(account)).toMatchObject({ status: 'closed', claimed: 5n * TON })
  })

  it('loses what it never came back for: the delay is the bound', async () => {
    const { clock, deps, open, send, deployPayee, viewOf } = await watchWorld()
    await deployPayee()
    const account = await open(20n * TON, 5n * TON)
    await send('startClose', account)
    await clock.advance((DELAY_S + 1) * 1_000)
    await send('finishClose', account)
    const watch = watchChannels(deps, () => [account])
    await clock.advance(30_000)
    expect(await viewOf(account)).toMatchObject({ status: 'closed', claimed: 0n })
    expect(account.state().status).toBe('closed')
    await watch.stop()
  })

  it('claims an open channel from outside when the threshold is reached', async () => {
    const { clock, deps, open, deployPayee, viewOf, balanceOf, payee } = await watchWorld()
    await deployPayee()
    const below = await open(3n * TON, LEAST_EXTERNAL_CLAIM - 1n, 1)
    const at = await open(3n * TON, LEAST_EXTERNAL_CLAIM, 2)
    const before = await balanceOf(payee)
    const watch = watchChannels(deps, () => [below, at])
    await clock.advance(3 * LIMITS.watchMs)
    expect((await viewOf(below)).claimed).toBe(0n)
    expect((await viewOf(at)).claimed).toBe(LEAST_EXTERNAL_CLAIM)
    // Paid from the claim itself: at most a hundredth of it; the wallet pays for receiving alone.
    const got = (await balanceOf(payee)) - before
    expect(got).toBe((LEAST_EXTERNAL_CLAIM * 99n) / 100n - RECEIVING)
    await watch.stop()
  })

  it('survives an outage, looking further and further apart, and then claims', async () => {
    const { clock, deps, net, open, send, deployPayee, viewOf, said } = await watchWorld()
    await deployPayee()
    const account = await open(20n * TON, TON / 5n)
    await send('startClose', account)
    net.down = true
    net.reads.length = 0
    const watch = watchChannels(deps, () => [account])
    await clock.advance(3_600_000)
    // At worst one look each gap and backoff: about 30 an hour, not one a second.
    expect(net.reads.length).toBeGreaterThan(20)
    expect(net.reads.length).toBeLessThan(40)
    expect(said.some(({ message }) => message === 'channel not looked at')).toBe(true)
    net.down = false
    await clock.advance(3 * LIMITS.watchMs)
    expect((await viewOf(account)).claimed).toBe(TON / 5n)
    await watch.stop()
  })

  it('deploys the payee’s wallet with its first claim: no payout bounces', async () => {
    const { clock, ton, deps, open, send, payee, viewOf } = await watchWorld()
    ton.faucet(payee.address, TON)
    const account = await open(20n * TON, 5n * TON)
    await send('startClose', account)
    expect((await ton.chain().account(payee.address)).status).toBe('uninit')
    const watch = watchChannels(deps, () => [account])
    await clock.advance(2 * LIMITS.watchMs)
    expect((await ton.chain().account(payee.address)).status).toBe('active')
    expect(await viewOf(account)).toMatchObject({ claimed: 5n * TON, bounced: false })
    await watch.stop()
  })

  it('says what is not worth claiming, and what a claim through the wallet costs', async () => {
    const { clock, deps, open, send, deployPayee, viewOf, said, balanceOf, payee } =
      await watchWorld()
    await deployPayee()
    const dust = await open(20n * TON, CLAIM_FEES, 1)
    const worth = await open(20n * TON, CLAIM_FEES + 1n, 2)
    await send('startClose', dust)
    await send('startClose', worth)
    const before = await balanceOf(payee)
    const watch = watchChannels(deps, () => [dust, worth])
    await clock.advance(3 * LIMITS.watchMs)
    expect((await viewOf(dust)).claimed).toBe(0n)
    expect((await viewOf(worth)).claimed).toBe(CLAIM_FEES + 1n)
    const cost = before + CLAIM_FEES + 1n - (await balanceOf(payee))
    expect(cost).toBeLessThanOrEqual(CLAIM_FEES)
    expect(cost).toBeGreaterThan((CLAIM_FEES * 3n) / 4n)
    const dismissed = said.filter(({ message }) => message === 'the rest is not worth claiming')
    expect(dismissed).toEqual([
      expect.objectContaining({ facts: expect.objectContaining({ unclaimed: `${CLAIM_FEES}` }) }),
    ])
    await watch.stop()
  })

  it('makes a top-up usable without a reconnect, where the payer is connected', async () => {
    const { clock, deps, open, payer, now } = await watchWorld()
    const [live, idle] = [await open(20n * TON, 0n, 1), await open(20n * TON, 0n, 2)]
    void live.serve(silentStream(), () => undefined)
    const watch = watchChannels(deps, () => [live, idle])
    await clock.advance(1_000)
    for (const account of [live, idle]) {
      const to = channelAddress(account.config)
      await now(payer.send([{ to, value: topUpValue(TON), body: topUpBody(TON) }]))
    }
    await clock.advance(LIMITS.watchMs + 1_000)
    expect(live.state().deposit).toBe(21n * TON)
    expect(idle.state().deposit).toBe(20n * TON) // read when its payer connects
    await watch.stop()
  })

  it('spreads its reads, and makes none after it has stopped', async () => {
    const { clock, deps, net, open } = await watchWorld()
    const accounts: PayeeAccount[] = []
    for (let i = 1; i <= 6; i++) accounts.push(await open(20n * TON, TON / 10n, i))
    const watch = watchChannels(deps, () => accounts)
    await clock.advance(LIMITS.watchGapMs * 6)
    net.reads.length = 0
    await clock.advance(2 * LIMITS.watchMs)
    const gaps = net.reads.slice(1).map((atMs, i) => atMs - net.reads[i]!)
    expect(net.reads).toHaveLength(12)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(LIMITS.watchMs / 6)
    await watch.stop()
    net.reads.length = 0
    await clock.advance(3 * LIMITS.watchMs)
    expect(net.reads).toEqual([])
  })
})

describe('createSettler', () => {
  it('never claims one voucher twice: a request and the watch take turns', async () => {
    const { clock, deps, open, send, deployPayee, viewOf, balanceOf, payee, now } =
      await watchWorld()
    await deployPayee()
    const account = await open(20n * TON, 5n * TON)
    await send('startClose', account)
    const before = await balanceOf(payee)
    const settler = createSettler(deps, () => [account])
    const [reports] = await now(Promise.all([settler.settle(), settler.look()]))
    const asset = 'ton'
    expect(reports).toEqual([
      { channel: account.channel, asset, moved: 5n * TON, claimed: 5n * TON },
    ])
    expect((await viewOf(account)).claimed).toBe(5n * TON)
    expect((await balanceOf(payee)) - before).toBeGreaterThan(5n * TON - CLAIM_FEES)
    settler.start()
    await clock.advance(LIMITS.watchMs)
    await settler.stop()
    expect((await viewOf(account)).claimed).toBe(5n * TON)
  })
})
