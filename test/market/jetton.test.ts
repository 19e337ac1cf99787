/**
 * A job paid in the test jetton through the whole market, on a localnet: both legs in the jetton,
 * claimed, closed, and conserved to the base unit and to the nanoTON.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Address } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../client/index.ts'
import { parseNano } from '../../contracts/base/units.ts'
import { readChannel } from '../../contracts/wrappers/Channel.ts'
import { jettonBalance } from '../../contracts/wrappers/jetton.ts'
import { TEST_JETTON, testJettonMinter } from '../../contracts/wrappers/testJetton.ts'
import { sumMarket } from '../../node/audit/chainMarket.ts'
import { DEV_MODEL, type DevMarket, startDev } from '../../scripts/market/dev.ts'

const minter = testJettonMinter()
const messages = [{ role: 'user' as const, content: 'What is the capital of Peru?' }]

let home: string
let dev: DevMarket
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'chrysalis-jetton-'))
  const providers = 1
  dev = await startDev({ home, name: 'localnet', localnetPort: 0, providers, asset: 'usdt-test' })
}, 120_000)
afterAll(async () => {
  await dev?.stop()
  await rm(home, { recursive: true, force: true })
})

const chain = () => dev.scheduler.ports.chain
const held = (owner: Address) => jettonBalance(chain(), minter, owner)
const supply = async () => (await chain().getter(minter, 'get_jetton_data')).readBigNumber()

/** Sums of the localnet, in nanoTON. */
async function totals(): Promise<Record<'minted' | 'balances' | 'fees' | 'inFlight', bigint>> {
  const response = await fetch(`${dev.localnet.url}/control/totals`)
  const { result } = (await response.json()) as { result: Record<string, string> }
  const field = (name: string) => parseNano(result[name]!)
  return {
    ...{ minted: field('minted'), balances: field('balances') },
    ...{ fees: field('fees'), inFlight: field('inFlight') },
  }
}

describe('a market in the test jetton', () => {
  it('quotes, answers and charges in the jetton, fees of the chain apart', async () => {
    const { market } = dev
    expect(market.asset).toMatchObject({ name: 'usdt-test', unit: TEST_JETTON.symbol, decimals: 6 })
    const [model] = await market.models()
    const quote = await market.quote({ model: DEV_MODEL, messages, maxTokens: 64 })
    // Tick 40 of the jetton's table: 0.09305 dollars for a million tokens.
    expect(quote).toMatchObject({ asset: minter.toRawString(), tick: 40, price: 93_050n })
    expect(model!.price).toBe(quote.price)
    expect(quote.chainFees.openChannel).toBeGreaterThan(100_000_000n)

    const job = market.submit({ model: DEV_MODEL, messages, maxTokens: 64, temperature: 0 })
    const result = await job.result()
    expect(result).toMatchObject({ asset: minter.toRawString(), verified: true, disputed: false })
    expect(result.cost + result.fee).toBeGreaterThan(0n)
    expect(result.cost + result.fee).toBeLessThanOrEqual(quote.likely)
    const { channel, jettons } = await market.balance()
    expect(channel).toMatchObject({ asset: minter.toRawString(), deposited: 2_000_000n })
    expect(channel.spent).toBe(result.cost + result.fee)
    expect(jettons).toBe(await held(Address.parse((await market.wallet()).address)))
  })

  it('is shown by name where a wallet or an explorer asks (getTokenData)', async () => {
    const url = `${dev.localnet.url}/api/v2/getTokenData?address=${minter}`
    const answer = (await (await fetch(url)).json()) as { result: { jetton_content: object } }
    const { symbol, decimals, name } = TEST_JETTON
    expect(answer.result.jetton_content).toMatchObject({ data: { symbol, decimals, name } })
  })

  it('settles both legs, and not one base unit or nanoTON is missing', async () => {
    const { market, scheduler, providers } = dev
    const before = await supply()
    const settlement = await dev.settle()
    expect(settlement.conserved).toBe(true)
    const { channel } = await market.balance()
    expect(settlement.claimed.clientChannel).toBe(channel.signed)
    const { jettons } = providers[0]!.role.status()
    expect(jettons).toEqual([
      {
        ...{ asset: minter.toRawString(), claimed: settlement.claimed.providerChannel },
        earned: expect.any(BigInt),
      },
    ])

    const owners = [
      Address.parse((await market.wallet()).address),
      scheduler.ports.wallet.address,
      providers[0]!.ports.wallet.address,
      Address.parse(channel.address),
      ...(await providerChannels()),
    ]
    const sums = await Promise.all(owners.map(held))
    expect(sums.reduce((sum, each) => sum + each, 0n)).toBe(before)
    expect(await supply()).toBe(before)
    expect(await held(providers[0]!.ports.wallet.address)).toBe(settlement.claimed.providerChannel)
    const { minted, balances, fees, inFlight } = await totals()
    expect(minted).toBe(balances + fees + inFlight)
  })

  it('is summed on chain by jetton, and TON apart', async () => {
    const { channels, jettonChannels } = await sumMarket(
      chain(),
      Address.parse(dev.network.registry!),
    )
    // The scheduler's channel of TON to the provider, which no job used.
    expect(channels).toMatchObject({ found: 1, deposited: 2_000_000_000n, claimed: 0n })
    const { channel } = await dev.market.balance()
    const addresses = [Address.parse(channel.address), ...(await providerChannels())]
    const all = await Promise.all(addresses.map((each) => readChannel(chain(), each)))
    const views = all.filter(({ config }) => config.minter)
    const sum = (figure: 'deposited' | 'claimed') =>
      views.reduce((total, each) => total + each[figure], 0n)
    expect(views).toHaveLength(2)
    expect(jettonChannels).toEqual([
      {
        ...{ minter: minter.toRawString(), found: 2, open: 2, closing: 0, closed: 0 },
        ...{ deposited: sum('deposited'), claimed: sum('claimed') },
        ...{ locked: sum('deposited') - sum('claimed'), insolvent: [] },
      },
    ])
    expect(sum('claimed')).toBeGreaterThan(0n)
  })

  it('gives the deposit back when the channel is closed', async () => {
    const { market } = dev
    const owner = Address.parse((await market.wallet()).address)
    const { channel } = await market.balance()
    const before = await held(owner)
    const closing = await market.closeChannel()
    expect(closing).toMatchObject({ status: 'closing', asset: minter.toRawString() })
    expect(closing.refundable).toBe(channel.deposited - channel.signed)
    await fetch(`${dev.localnet.url}/control/time`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ advanceSeconds: 90_000 }),
    })
    await market.finishClose().catch((error) => {
      if (error.code !== 'no-channel') throw error // finished in the background
    })
    expect((await held(owner)) - before).toBe(channel.deposited - channel.claimed)
  })

  it('refuses a jetton that is not listed, and one that the scheduler does not take', async () => {
    await expect(connect({ network: dev.network, home, asset: 'dollars' })).rejects.toMatchObject({
      code: 'bad-asset',
    })
    const fake = { name: 'fake', minter: `0:${'0f'.repeat(32)}`, decimals: 6 }
    const { schedulers } = dev.scheduler.network
    const network = { ...dev.network, schedulers, assets: [fake] }
    const refused = connect({ network, home, profile: 'fake', asset: 'fake' })
    await expect(refused).rejects.toMatchObject({ code: 'bad-asset' })
  })
})

/** The scheduler's channels to its providers, as it keeps them. */
async function providerChannels(): Promise<Address[]> {
  const { store } = dev.scheduler.ports
  return store.list('payer').map(([raw]) => Address.parseRaw(raw))
}
