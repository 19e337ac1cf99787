/**
 * The life of a deposit, by the command and the SDK, against a real localnet: quoted, opened,
 * topped up, spent from, closed, and back in the wallet once the delay has passed.
 * @module
 */
import { Address } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../client/index.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import { parseTon, TON } from '../../contracts/base/units.ts'
import { CHANNEL_FLOOR } from '../../contracts/wrappers/Channel.ts'
import { connectChain } from '../../node/chain/tonClient.ts'
import { readNetwork } from '../../node/system/home.ts'
import { postJson, realClock } from '../support/localnet.ts'
import {
  lastJson,
  openProcesses,
  PROVIDERS,
  type Processes,
  type RunningMarket,
  records,
  startMarket,
  statusOf,
  until,
} from '../support/marketProcesses.ts'

const PROMPT = 'What is the capital of Peru?'
const DELAY_S = LIMITS.closeDelayS

let processes: Processes
let market: RunningMarket
let chain: Chain
let localnet: string

beforeAll(async () => {
  processes = await openProcesses()
  market = await startMarket(processes, PROVIDERS.slice(0, 1))
  const network = await readNetwork('localnet', processes.home)
  localnet = String(market.localnet.first.url)
  chain = await connectChain({
    endpoint: network.toncenter,
    networkId: network.id,
    clock: realClock,
  })
})
afterAll(() => processes?.end())

describe('before anything is spent', () => {
  it('quote: price, worst case, fees, lock; no channel is opened and no money moves', async () => {
    const text = await ok(['quote', PROMPT])
    expect(text).toMatch(/worst case +0\.0\d+ TON \(tick 60\), the fee of 0\.0\d+ TON included/)
    expect(text).toMatch(/lock +a deposit can take up to 24 hours/)
    const { quote } = lastJson(await ok(['quote', '-', '--json'], PROMPT)) as Json
    expect(quote).toMatchObject({ model: 'tiny-chat', tick: 40, longestLockS: DELAY_S })
    expect(BigInt(quote!.worstCase!)).toBeGreaterThan(BigInt(quote!.likely!))
    expect(await ok(['balance'])).toMatch(/ 0 TON\nchannel +none: the first job opens one\n$/)
    expect(await ok(['channel', 'list'])).toBe('No channel has been opened.\n')
    expect(records((await statusOf(market.scheduler)).clientChannels)).toEqual([])
  })

  it('refuses what cannot be: no channel to fund or close, no amount, no consent', async () => {
    expect(await failure(['channel', 'deposit', '1'])).toEqual([4, 'no-channel'])
    expect(await failure(['channel', 'close', '--yes'])).toEqual([4, 'no-channel'])
    for (const amount of ['0', '-1', '1e3', '0.0000000001', 'all']) {
      expect((await failure(['channel', 'open', amount]))[0], amount).toBe(2)
    }
  })

  it('provider status and scheduler status: what runs, or that nothing does', async () => {
    const ports = [market.scheduler, ...market.providers].map(
      ({ first }) => new URL(String(first.status)).port,
    )
    const [scheduler, provider] = [
      await ok(['scheduler', 'status', '--port', ports[0]!]),
      await ok(['provider', 'status', '--port', ports[1]!]),
    ]
    expect(scheduler).toContain(String(market.scheduler.first.identity))
    expect(provider).toContain(String(market.providers[0]?.first.identity))
    expect(provider).toMatch(/earned +0 TON/)
    const json = lastJson(await ok(['provider', 'status', '--port', ports[1]!, '--json'])) as Json
    expect(json.status).toMatchObject({ identity: market.providers[0]?.first.identity })
    expect(await failure(['provider', 'status', '--port', '1'])).toEqual([6, 'unreachable'])
  })
})

describe('a deposit', () => {
  let address: string
  let wallet: string

  it('is opened and topped up to the nanoTON', async () => {
    const { channel } = lastJson(await ok(['channel', 'open', '1.5', '--json'])) as Json
    expect(channel).toMatchObject({ status: 'open', inUse: true, deposited: '1500000000' })
    address = String(channel!.address)
    expect(await ok(['channel', 'open', '9'])).toContain('(it was open before)')
    const text = await ok(['channel', 'deposit', '0.500000001'])
    expect(text).toContain('deposited 2.000000001 TON, 0.500000001 TON of it now')
    expect(await ok(['channel', 'list'])).toMatch(/open, in use +2\.000000001 TON +0 TON +0 TON\n$/)
    wallet = String((lastJson(await ok(['balance', '--json'])) as Json).wallet!.address)
  })

  it('pays for a job, and says the worst case before it is closed', async () => {
    await ok(['run', PROMPT])
    const refused = await processes.run(['channel', 'close'])
    expect(refused.exit).toBe(2)
    expect(refused.error).toMatch(/action: Say --yes/)
    expect(refused.error).toMatch(/at worst +1\.99\d+ TON of it come back/)
    expect(refused.error).toMatch(/locked for +24 hours/)
    expect(await ok(['channel', 'list'])).toContain('open, in use')
  })

  it('starts to close without anybody’s help; jobs then need another channel', async () => {
    const { channel } = lastJson(await ok(['channel', 'close', '--yes', '--json'])) as Json
    const { status, closeAtS, refundable } = channel!
    expect(status).toBe('closing')
    expect(Number(closeAtS) - (await chain.now())).toBeGreaterThan(DELAY_S - 60)
    expect(BigInt(refundable!)).toBeGreaterThan(parseTon('1.99'))
    const again = lastJson(await ok(['channel', 'close', '--json'])) as Json
    expect(again.channel).toMatchObject({ address, status: 'closing', refundable })
  })

  it('is claimed by the scheduler while it closes, then comes back but for fees', async () => {
    expect(await market.scheduler.stop()).toBe(0) // it claims what it holds as it stops
    const before = await listed()
    expect(before).toMatchObject({ status: 'closing', claimed: before.signed })
    expect(BigInt(before.claimed!)).toBeGreaterThan(0n)
    await control('time', { advanceSeconds: DELAY_S + 1 })
    const text = await ok(['channel', 'close'])
    expect(text).toContain(`channel  ${address} is closed`)
    expect(await listed()).toMatchObject({ status: 'closed', deposited: '2000000001' })

    const [own, channel] = [Address.parse(wallet), Address.parse(address)]
    expect((await chain.account(channel)).balance).toBe(CHANNEL_FLOOR)
    const [ofWallet, ofChannel] = [await flowOf(own, channel), await flowOf(channel, own)]
    // All that went in came back, but for the claim and the fees: nothing else has an account.
    const kept = ofChannel.otherOut - ofChannel.otherIn + ofChannel.fees + CHANNEL_FLOOR
    expect(ofWallet.out - ofWallet.in).toBe(kept)
    expect((await chain.account(own)).balance).toBe(ofWallet.otherIn - kept - ofWallet.fees)
    expect(ofChannel.otherOut - ofChannel.otherIn).toBeLessThanOrEqual(BigInt(before.claimed!))
    expect(ofWallet.fees + ofChannel.fees).toBeLessThan(TON / 20n)
  })
})

describe('a client that runs', () => {
  it('finishes an old channel by itself, and pays from another meanwhile', async () => {
    const scheduler = await processes.start(['scheduler', 'start', '--status-port', '0'])
    const network = await readNetwork('localnet', processes.home)
    const known = { ...network, schedulers: network.schedulers.slice(-1) }
    const options = { network: known, home: processes.home, profile: 'sdk' }
    await using first = await connect(options)
    const { address, closeAtS } = await first.closeChannel()
    expect(() =>
      first.submit({ model: 'tiny-chat', messages: [{ role: 'user', content: PROMPT }] }),
    ).toThrow(expect.objectContaining({ code: 'channel-closing' }))
    await expect(first.finishClose()).rejects.toMatchObject({
      code: 'channel-closing',
      facts: { closeAtS },
    })
    await first.close()
    await control('time', { advanceSeconds: DELAY_S + 1 })
    await using second = await connect(options)
    const closed = async () => (await second.channels())[0]?.status === 'closed'
    await until('the old channel is finished', closed)
    expect(await second.channels()).toMatchObject([
      { address, status: 'closed', inUse: false },
      { status: 'open', inUse: true, deposited: 2n * TON },
    ])
    await second.close()
    await scheduler.stop()
  })
})

type Json = Record<string, Record<string, string> | undefined>

async function listed(): Promise<Record<string, string>> {
  const { channels } = lastJson(await ok(['channel', 'list', '--json']))
  return records(channels)[0] as Record<string, string>
}

async function control(verb: string, body: object): Promise<void> {
  const answer = await postJson(`${localnet}/control/${verb}`, body)
  expect(answer.body.ok, answer.body.error).toBe(true)
}

/** What an account paid in fees, and what it exchanged with another and with all the rest. */
async function flowOf(account: Address, other: Address) {
  const flow = { fees: 0n, in: 0n, out: 0n, otherIn: 0n, otherOut: 0n }
  const raw = other.toRawString()
  for (const { fees, in: received, out } of await chain.transactions(account, 100)) {
    flow.fees += fees
    flow[received.source === raw ? 'in' : 'otherIn'] += received.value
    for (const { destination, value } of out) {
      flow[destination === raw ? 'out' : 'otherOut'] += value
    }
  }
  return flow
}

async function ok(args: readonly string[], input?: string): Promise<string> {
  const { exit, out, error } = await processes.run(args, { input })
  expect(exit, `${args.join(' ')}\n${out}${error}`).toBe(0)
  return out
}

/** Exit code and error code of a command that fails. */
async function failure(args: readonly string[]): Promise<[number | null, string]> {
  const { exit, out } = await processes.run([...args, '--json'])
  const { error } = lastJson(out) as Json
  return [exit, String(error?.code)]
}
