/**
 * The seeded world: real client, scheduler and two providers over simulated clock, network, disk
 * and chain. The same seed must give the same ledger, and every world must be sound.
 *
 * Rules are checked by an auditor that reads the parties' books from outside; assertions of the
 * kind "sometimes" make sure that the world really does the things it is meant to survive.
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { runWorld, type WorldReport } from '../../scripts/market/simulated.ts'

const SEED = 2
const JOBS = 200
const TIMEOUT_MS = 120_000

describe('a world of 200 jobs', () => {
  let first: WorldReport
  let again: WorldReport
  beforeAll(async () => {
    first = await runWorld({ seed: SEED, jobs: JOBS })
    again = await runWorld({ seed: SEED, jobs: JOBS })
  }, TIMEOUT_MS)

  it('has the same ledger, jobs and events twice under one seed', () => {
    expect(again.ledgerHash).toBe(first.ledgerHash)
    expect(again).toEqual(first)
  })

  it('breaks no rule', () => {
    expect(first.broken).toEqual([])
  })

  it('conserves every nanoTON on chain', () => {
    const { faucet, balances, fees } = first.totals
    expect(balances + fees).toBe(faucet)
    expect(fees).toBeGreaterThan(0n)
  })

  it('leaves both ends of every channel and the chain in agreement', () => {
    expect(first.channels).toHaveLength(3)
    for (const { payer, payee, deposited, claimed } of first.channels) {
      expect(payee).toMatchObject({ cumulative: payer.cumulative, spent: payer.spent, openJobs: 0 })
      expect(payer.openJobs).toBe(0)
      expect(claimed).toBe(payer.cumulative)
      expect(payer.spent).toBeLessThanOrEqual(payer.cumulative)
      expect(payer.cumulative).toBeLessThanOrEqual(deposited)
      expect(claimed).toBeGreaterThan(0n)
    }
  })

  it('ends every job, in a result or in a typed error', () => {
    expect(first.records).toHaveLength(JOBS)
    const known = Object.entries(first.outcomes)
    expect(known.reduce((sum, [, count]) => sum + count, 0)).toBe(JOBS)
    expect(first.outcomes).not.toHaveProperty('internal')
    expect(first.outcomes).not.toHaveProperty('account-conflict')
    expect(first.outcomes).not.toHaveProperty('bad-input')
  })

  it('serves most jobs, with verified and undisputed receipts', () => {
    const done = first.records.filter(({ outcome }) => outcome === 'done')
    expect(done.length).toBeGreaterThan(JOBS * 0.7)
    for (const { verified, disputed, charged, receiptHash } of done) {
      expect({ verified, disputed }).toEqual({ verified: true, disputed: false })
      expect(charged).toBeGreaterThan(0n)
      expect(receiptHash).toMatch(/^[0-9a-f]{64}$/)
    }
  })

  it('comes to its exposure limits, refuses there, and never goes beyond', () => {
    // What was charged on a payee's word alone takes part of the limit for good.
    expect(first.highestExposurePer10k).toBeGreaterThan(8_000)
    expect(first.highestExposurePer10k).toBeLessThanOrEqual(10_000)
    expect(first.outcomes.exposure).toBeGreaterThan(0)
  })

  it('sometimes fails over, continues, aborts, crashes and loses connections', () => {
    const { failedOver, resumed, aborted, faults } = first
    expect({ failedOver, resumed, aborted }).toEqual({
      failedOver: expect.toSatisfy(atLeastOne),
      resumed: expect.toSatisfy(atLeastOne),
      aborted: expect.toSatisfy(atLeastOne),
    })
    expect(faults.providerCrashes).toBeGreaterThan(0)
    expect(faults.schedulerCrashes).toBeGreaterThan(0)
    expect(faults.partitions).toBeGreaterThan(0)
    expect(faults.jobsHit).toBeGreaterThan(0)
    // Four crashes and one partition end connections too: more of them means lost messages.
    expect(faults.brokenConnections).toBeGreaterThan(5)
  })
})

describe('other worlds', () => {
  it(
    'differ by their seed, and are sound on a network that loses ten times as much',
    async () => {
      const hashes = new Set<string>()
      for (const seed of [11, 12, 13]) {
        const { broken, ledgerHash, records } = await runWorld({ seed, jobs: 30, lossRate: 0.004 })
        expect({ seed, broken }).toEqual({ seed, broken: [] })
        expect(records).toHaveLength(30)
        hashes.add(ledgerHash)
      }
      expect(hashes.size).toBe(3)
    },
    TIMEOUT_MS,
  )
})

function atLeastOne(count: number): boolean {
  return count >= 1
}
