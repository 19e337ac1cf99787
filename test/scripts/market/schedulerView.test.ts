/**
 * What a scheduler's status says of the market's health, and how it looks at the chain.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Chain } from '../../../contracts/base/ports.ts'
import { TIER_MEANING } from '../../../contracts/base/tier.ts'
import { tickPrice } from '../../../contracts/money/price.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'
import { schedulerView, watchChain } from '../../../scripts/market/schedulerView.ts'
import { NETWORK, SCHEDULER } from './statusFigures.ts'

const CHAIN = { answers: true, lastBlockAgeS: 5 }
const PUBLIC = { ...NETWORK, id: -3, name: 'testnet', development: false }
const problems = (status = SCHEDULER, network = NETWORK, chain: typeof CHAIN = CHAIN) =>
  schedulerView(status, network, chain).health.problems

describe('a view', () => {
  it('adds prices, what tiers mean, and exact sums', () => {
    const view = schedulerView(SCHEDULER, NETWORK, CHAIN)
    expect(view.slots[0]).toEqual({
      ...SCHEDULER.slots[0],
      priceNano: tickPrice(40, 'ton'),
      tierMeaning: TIER_MEANING.open,
    })
    expect(view.totals).toEqual({
      ...{ slots: 3, channels: 2 },
      ...{ deposit: 2n ** 60n + 3n, cumulative: 44n, spent: 33n, claimed: 21n },
    })
    expect(view.network).toEqual({ id: -18_081, name: 'localnet', development: true })
    expect(view.health).toEqual({ ok: true, problems: [] })
  })

  it('cuts long lists, and sums over all of them', () => {
    const many = LIMITS.statusRows + 7
    const view = schedulerView(
      {
        ...SCHEDULER,
        slots: Array.from({ length: many }, () => SCHEDULER.slots[0]!),
        clientChannels: Array.from({ length: many }, () => SCHEDULER.clientChannels[1]!),
      },
      NETWORK,
      CHAIN,
    )
    expect(view.slots).toHaveLength(LIMITS.statusRows)
    expect(view.clientChannels).toHaveLength(LIMITS.statusRows)
    expect(view.totals).toMatchObject({ slots: many, channels: many, deposit: 2n * BigInt(many) })
  })

  it('says what is wrong', () => {
    expect(problems({ ...SCHEDULER, providers: [] })).toEqual([
      expect.stringContaining('No provider is connected'),
    ])
    const unpaid = SCHEDULER.providers.map((each, i) => ({ ...each, payable: i > 0 }))
    expect(problems({ ...SCHEDULER, providers: unpaid })).toEqual([
      expect.stringContaining('1 of 2 providers cannot be paid'),
    ])
    expect(problems({ ...SCHEDULER, slots: [] })).toEqual(['No provider offers a slot.'])
    expect(problems(SCHEDULER, NETWORK, { ...CHAIN, answers: false })).toEqual([
      expect.stringContaining('The chain does not answer'),
    ])
  })

  it('calls an old last block a fault on a public network only', () => {
    const late = { answers: true, lastBlockAgeS: LIMITS.statusBlockAgeS + 1 }
    expect(problems(SCHEDULER, PUBLIC, late)).toEqual([expect.stringContaining('61 s old')])
    expect(problems(SCHEDULER, NETWORK, late)).toEqual([])
    expect(problems(SCHEDULER, PUBLIC, { ...late, lastBlockAgeS: 60 })).toEqual([])
  })
})

describe('a look at the chain', () => {
  const startMs = 1_700_000_000_000
  const hash = new Uint8Array(32)

  it('is shared by readers, and made anew when it is old', async () => {
    const clock = createSimulatedClock({ startMs })
    let asked = 0
    const lastBlock: Chain['lastBlock'] = async () => {
      asked += 1
      return { seqno: 1, hash, atS: startMs / 1000 - 3 }
    }
    const look = watchChain({ lastBlock }, clock)
    const first = await Promise.all([look(), look()])
    expect(first).toEqual(Array(2).fill({ answers: true, lastBlockAgeS: 3 }))
    expect(asked).toBe(1)
    await clock.advance(LIMITS.statusChainEveryMs - 1)
    await look()
    expect(asked).toBe(1)
    await clock.advance(1)
    expect(await look()).toEqual({ answers: true, lastBlockAgeS: 4 })
    expect(asked).toBe(2)
    expect(clock.pending).toBe(0)
  })

  it('of a chain whose time was set ahead gives no negative age', async () => {
    const clock = createSimulatedClock({ startMs })
    const lastBlock = async () => ({ seqno: 1, hash, atS: startMs / 1000 + 86_400 })
    expect(await watchChain({ lastBlock }, clock)()).toMatchObject({ lastBlockAgeS: 0 })
  })

  it('that fails leaves what was known, and says so', async () => {
    const clock = createSimulatedClock({ startMs })
    let fails = false
    const lastBlock = async () => {
      if (fails) throw new MarketError('chain-unavailable')
      return { seqno: 1, hash, atS: startMs / 1000 }
    }
    const look = watchChain({ lastBlock }, clock)
    await look()
    fails = true
    await clock.advance(30_000)
    expect(await look()).toEqual({ answers: false, lastBlockAgeS: 30 })
    fails = false
    await clock.advance(LIMITS.statusChainEveryMs)
    expect(await look()).toEqual({ answers: true, lastBlockAgeS: 31 })
  })

  it('that hangs holds up no reader, and is given up', async () => {
    const clock = createSimulatedClock({ startMs })
    let given: AbortSignal | undefined
    const lastBlock: Chain['lastBlock'] = (signal) => {
      given = signal
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    }
    const look = watchChain({ lastBlock }, clock)
    const unknown = { answers: false, lastBlockAgeS: null }
    expect(await clock.settle(look(), LIMITS.statusChainMs)).toEqual(unknown)
    expect(given?.aborted).toBe(false)
    await clock.advance(LIMITS.statusChainLookMs)
    expect(given?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })
})
