/**
 * What the owner of a channel can do about it, over the played market and the simulated chain:
 * list, top up, close without anybody's help, finish, and look without spending.
 * @module
 */
import { Address } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import { TON } from '../../contracts/base/units.ts'
import { CHANNEL_FLOOR } from '../../contracts/wrappers/Channel.ts'
import { CHANNEL_VALUE } from '../../contracts/wrappers/channelMessages.ts'
import { createSettler } from '../../node/settlement/settler.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { playMarket } from './playedMarket.ts'

const LIMIT_MS = 600_000
const DELAY_S = LIMITS.closeDelayS
const REQUEST = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }], maxTokens: 64 }

async function played(seed: string, script = {}) {
  const world = await playMarket(seed, script)
  const now = <T>(promise: Promise<T>) => world.clock.settle(promise, LIMIT_MS)
  const walletOf = async (address: string) => {
    const { balance } = await world.ton.chain().account(Address.parse(address))
    return balance
  }
  const deps = {
    chain: world.ton.chain(),
    wallet: world.ton.wallet(world.keys.wallet),
    clock: world.clock,
    logger: silentLogger,
  }
  const settler = createSettler(deps, () => world.served.accounts)
  return { ...world, now, walletOf, settler }
}

describe('closeChannel', () => {
  it('returns all but what was claimed and the fees, to the nanoTON', async () => {
    const { client, now, clock, ton, walletOf, settler, keys } = await played('close')
    ton.faucet(ton.wallet(keys.wallet).address, TON)
    const market = await client({ deposit: 4n * TON })
    await now(market.submit(REQUEST).result())
    const { wallet } = await now(market.balance())
    const [{ signed = 0n, address = '', deposited } = {}] = await now(market.channels())
    const chain = ton.chain()
    const [channel, payer] = [Address.parse(address), Address.parse(wallet.address)]
    const payee = ton.wallet(keys.wallet).address
    const feesSoFar = async () =>
      (await flowOf(chain, channel, payee)).fees + (await flowOf(chain, payer, payee)).fees
    const feesToOpen = await feesSoFar()
    const closing = await now(market.closeChannel())
    const expected = Math.floor(clock.nowMs() / 1_000) + DELAY_S
    expect(closing).toMatchObject({ address, status: 'closing', refundable: 4n * TON - signed })
    expect(Math.abs((closing.closeAtS ?? 0) - expected)).toBeLessThan(60)
    expect(signed).toBeGreaterThan(0n)
    expect(deposited).toBe(4n * TON)

    await now(settler.settle()) // the scheduler claims while the channel closes
    await clock.advance((DELAY_S + 60) * 1_000) // the running client finishes by itself
    await clock.advance(2 * LIMITS.watchMs)
    const [closed] = await now(market.channels())
    expect(closed).toMatchObject({ status: 'closed', deposited: 4n * TON, claimed: signed })
    expect(closed).toMatchObject({ inUse: false, signed })

    expect((await chain.account(channel)).balance).toBe(CHANNEL_FLOOR)
    const flow = await flowOf(chain, channel, payee)
    expect(flow.out - flow.in).toBeLessThan(signed) // the payee has borne its claim's own fees
    const fees = await feesSoFar()
    expect(await walletOf(wallet.address)).toBe(
      10n * TON - (flow.out - flow.in) - fees - CHANNEL_FLOOR,
    )
    // What the command says of the fees before it closes: less than what it attaches.
    const { startClose, finishClose } = CHANNEL_VALUE
    expect(fees - feesToOpen).toBeLessThan(startClose + finishClose)
    await now(market.close())
  })

  it('refuses while a job is open, hurting none; then refuses jobs', async () => {
    const { client, now } = await played('open job', { paceMs: 500 })
    const market = await client()
    const job = market.submit(REQUEST)
    const refusal = { code: 'too-many-jobs', facts: { open: 1 } }
    await expect(now(market.closeChannel())).rejects.toMatchObject(refusal)
    expect((await now(job.result())).text).toBe('Hello world')
    const closing = now(market.closeChannel())
    expect(() => market.submit(REQUEST)).toThrow(
      expect.objectContaining({ code: 'channel-closing', action: expect.stringMatching(/again/) }),
    )
    expect((await closing).status).toBe('closing')
    expect(() => market.submit(REQUEST)).toThrow('closing')
    expect((await now(market.closeChannel())).status).toBe('closing') // asked twice: the same
    await now(market.close())
  })

  it('takes jobs again where the start of closing failed', async () => {
    const { client, now, ton } = await played('failed close')
    const chain = ton.chain()
    const net = { down: false }
    const account: Chain['account'] = async (address, signal) => {
      if (net.down) throw new MarketError('chain-unavailable')
      return chain.account(address, signal)
    }
    const market = await client({ ports: { chain: { ...chain, account } } })
    net.down = true
    await expect(now(market.closeChannel())).rejects.toMatchObject({ code: 'chain-unavailable' })
    net.down = false
    await expect(now(market.closeChannel('nonsense'))).rejects.toMatchObject({ code: 'bad-input' })
    expect((await now(market.submit(REQUEST).result())).text).toBe('Hello world')
    await now(market.close())
  })

  it('lets the next connection open another, and finishes the old one in time', async () => {
    const { client, now, clock } = await played('again')
    const first = await client({ deposit: 2n * TON })
    const { address } = await now(first.closeChannel())
    await now(first.close())
    const second = await client({ deposit: 3n * TON })
    expect((await now(second.submit(REQUEST).result())).text).toBe('Hello world')
    const listed = await now(second.channels())
    expect(listed).toMatchObject([
      { address, status: 'closing', inUse: false, deposited: 2n * TON },
      { status: 'open', inUse: true, deposited: 3n * TON },
    ])
    expect(listed[1]?.address).not.toBe(address)
    await expect(now(second.finishClose())).rejects.toMatchObject({
      code: 'channel-closing',
      facts: { closeAtS: listed[0]?.closeAtS },
    })
    await now(second.close())
    await clock.advance((DELAY_S + 60) * 1_000) // nobody runs
    const third = await client()
    await clock.advance(30_000)
    expect((await now(third.channels())).map(({ status }) => status)).toEqual(['closed', 'open'])
    await expect(now(third.finishClose())).rejects.toMatchObject({ code: 'no-channel' })
    await now(third.close())
  })

  it('needs no scheduler: a client that cannot reach one closes and finishes', async () => {
    const { client, now, clock, network } = await played('alone')
    const first = await client()
    await now(first.close())
    const nobody = {
      ...network,
      schedulers: [{ ...network.schedulers[0]!, addresses: [`/memory/1/p2p/${'1'.repeat(52)}`] }],
    }
    const alone = await client({ network: nobody, openChannel: false })
    const { channel } = await now(alone.balance())
    expect(channel).toMatchObject({ deposited: 2n * TON, signed: 0n, credit: 0n })
    const { address, status } = await now(alone.closeChannel())
    expect(status).toBe('closing')
    await expect(now(alone.finishClose(address))).rejects.toMatchObject({ code: 'channel-closing' })
    await clock.advance((DELAY_S + 2 * LIMITS.watchMs) * 1_000)
    expect(await now(alone.channels())).toMatchObject([{ address, status: 'closed' }])
    await now(alone.close())
  })
})

describe('the first deposit', () => {
  it('may be written as a person does, in the asset', async () => {
    const { client, now } = await played('written deposit')
    const market = await client({ deposit: '2.5' })
    expect(await now(market.channels())).toMatchObject([{ deposited: (5n * TON) / 2n }])
    await now(market.close())
  })

  it.each([0n, -1n, 2 as unknown as bigint, '0', '2,5'])(
    'is refused where it is %s',
    async (deposit) => {
      const { client } = await played('no deposit')
      await expect(client({ deposit })).rejects.toMatchObject({ code: 'bad-input' })
    },
  )
})

describe('topUp', () => {
  it('is usable at once: the payee looks at the chain before it refuses', async () => {
    const { client, now, served } = await played('top up')
    const market = await client({ deposit: 1_000n })
    const request = { ...REQUEST, consent: true }
    await expect(now(market.submit(request).result())).rejects.toMatchObject({ code: 'no-funds' })
    const after = await now(market.topUp(4n * TON))
    expect(after).toMatchObject({ status: 'open', inUse: true, deposited: 4n * TON + 1_000n })
    expect(served.accounts[0]?.state().deposit).toBe(1_000n)
    const { cost, fee } = await now(market.submit(request).result())
    expect(cost + fee).toBeGreaterThan(0n)
    expect(served.accounts[0]?.state().deposit).toBe(4n * TON + 1_000n)
    await now(market.close())
  })

  it('refuses what is no amount, a closing channel, and one that is not ours', async () => {
    const { client, now } = await played('bad top up')
    const market = await client()
    for (const amount of [0n, -1n, 1 as unknown as bigint]) {
      await expect(now(market.topUp(amount))).rejects.toMatchObject({ code: 'bad-input' })
    }
    const other = 'EQCD39VS5jcptHL8vMjEXrzGaRcCVYto7HUn4bpAOg8xqB2N'
    await expect(now(market.topUp(1n, other))).rejects.toMatchObject({ code: 'no-channel' })
    const { address } = await now(market.closeChannel())
    const refused = { code: 'channel-closing' }
    await expect(now(market.topUp(TON, address))).rejects.toMatchObject(refused)
    await now(market.close())
  })
})

describe('a client that only looks', () => {
  it('quotes and lists models with nothing spent and no channel opened', async () => {
    const { client, now } = await played('looks')
    const market = await client({ openChannel: false })
    const quote = await now(market.quote(REQUEST))
    expect(quote).toMatchObject({ model: 'm', tick: 40, longestLockS: DELAY_S })
    expect((await now(market.models())).map(({ model }) => model)).toEqual(['m'])
    expect(await now(market.channels())).toEqual([])
    await expect(now(market.submit(REQUEST).result())).rejects.toMatchObject({ code: 'no-channel' })
    await expect(now(market.closeChannel())).rejects.toMatchObject({ code: 'no-channel' })
    await expect(now(market.topUp(1n))).rejects.toMatchObject({ code: 'no-channel' })
    await expect(now(market.balance())).rejects.toMatchObject({ code: 'no-channel' })
    expect((await now(market.wallet())).balance).toBe(10n * TON)
    await now(market.close())
    const paying = await client()
    expect(await now(paying.channels())).toHaveLength(1)
    await now(paying.close())
  })

  it('uses the channel that stands', async () => {
    const { client, now } = await played('stands')
    await now((await client()).close())
    const market = await client({ openChannel: false })
    expect((await now(market.submit(REQUEST).result())).text).toBe('Hello world')
    expect(await now(market.channels())).toHaveLength(1)
    await now(market.close())
  })
})

/** Every fee of an account, and what passed between it and another. */
async function flowOf(chain: Chain, account: Address, other: Address) {
  const flow = { fees: 0n, in: 0n, out: 0n }
  const [all, raw] = [await chain.transactions(account, 100), other.toRawString()]
  for (const { fees, in: received, out } of all) {
    flow.fees += fees
    if (received.source === raw) flow.in += received.value
    for (const { destination, value } of out) if (destination === raw) flow.out += value
  }
  return flow
}
