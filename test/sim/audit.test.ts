/**
 * The auditor of the seeded world must see what it is there to see: every rule, broken on purpose.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { encodePayee, encodePayer } from '../../contracts/money/accountCodec.ts'
import { type PayeeState, startPayee } from '../../contracts/money/payee.ts'
import { type PayerState, startPayer } from '../../contracts/money/payer.ts'
import { createSimulatedDisk, createSimulatedStore } from '../../node/store/simulatedStore.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'
import { createAuditor } from '../../scripts/market/world/audit.ts'
import { findFaults, type Ledger } from '../../scripts/market/world/books.ts'

const CHANNEL = `0:${'ab'.repeat(32)}`
const JOB = '01'.repeat(16)
const OTHER = '02'.repeat(16)
const PAYER = startPayer({ network: -77, channel: CHANNEL, deposit: 100_000n })
const PAYEE = startPayee({ network: -77, channel: CHANNEL, deposit: 100_000n })

const granted = (...jobIds: string[]): PayeeState['jobs'] =>
  new Map(jobIds.map((jobId) => [jobId, { granted: 50n, cost: 0n }]))

describe('the auditor', () => {
  it('finds nothing in sound books, and notes each charge once', async () => {
    const auditor = await audit([
      payer({ cumulative: 1_000n }),
      payee({ cumulative: 1_000n, jobs: granted(JOB) }),
      payee({ cumulative: 1_000n, spent: 40n }),
    ])
    expect(auditor.broken).toEqual([])
    expect(auditor.charges).toMatchObject([{ jobId: JOB, amount: 40n }])
    expect(auditor.highestExposurePer10k()).toBe(10_000)
  })

  const faults: [string, string, (ReturnType<typeof payer> | ReturnType<typeof payee>)[]][] = [
    ['more at stake than the limit', 'at stake 1001', [payer({ cumulative: 1_001n })]],
    ['more spent than signed', 'spent 2 above', [payer({ cumulative: 1n, spent: 2n })]],
    [
      'more signed than deposited',
      'above the deposit',
      [payer({ cumulative: 100_001n, spent: 100_001n })],
    ],
    ['a conflict', 'conflicted', [payer({ conflicted: true })]],
    ['a payee that spends what it was not promised', 'promised', [payee({ spent: 1n })]],
    ['a claim of what was not signed', 'claimed more', [payee({ claimed: 1n })]],
    [
      'spent money that comes back',
      'went back by 5',
      [payee({ cumulative: 9n, spent: 9n }), payee({ cumulative: 9n, spent: 4n })],
    ],
    [
      'a charge for no job',
      'belongs to 0 jobs',
      [payee({ cumulative: 9n }), payee({ cumulative: 9n, spent: 4n })],
    ],
    [
      'a job charged twice',
      'charged twice',
      [
        payee({ cumulative: 9n, jobs: granted(JOB) }),
        payee({ cumulative: 9n, spent: 4n }),
        payee({ cumulative: 9n, spent: 4n, jobs: granted(JOB, OTHER) }),
        payee({ cumulative: 9n, spent: 5n, jobs: granted(OTHER) }),
      ],
    ],
  ]
  it.each(faults)('sees %s', async (_, rule, rows) => {
    const { broken } = await audit(rows)
    expect(broken).toHaveLength(1)
    expect(broken[0]).toContain(rule)
  })
})

describe('a settled ledger', () => {
  const sums = { machine: 'm', cumulative: 10n, spent: 8n, openJobs: 0 }
  const books = { channel: CHANNEL, payer: sums, payee: sums, deposited: 100n, claimed: 10n }
  const balances = [{ owner: 'm', address: CHANNEL, balance: 90n }]
  const totals = { faucet: 100n, balances: 90n, fees: 10n }
  const hash = new Uint8Array(32)
  const sound: Ledger = { channels: [books], balances, totals, hash }

  it('has no fault where all agrees', () => {
    expect(findFaults(sound)).toEqual([])
  })

  const channel = (change: Partial<typeof books>): Partial<Ledger> => ({
    channels: [{ ...books, ...change }],
  })
  const faults: [string, Partial<Ledger>][] = [
    ['the chain lost 1', { totals: { ...totals, fees: 9n } }],
    ['1 nanoTON on unknown', { balances: [{ ...balances[0]!, balance: 89n }] }],
    ['payer 10/8, payee 10/7', channel({ payee: { ...sums, spent: 7n } })],
    ['1 and 0 jobs left open', channel({ payer: { ...sums, openJobs: 1 } })],
    ['claimed 9 of 10', channel({ claimed: 9n })],
    ['signed more than', channel({ deposited: 9n })],
  ]
  it.each(faults)('tells: %s', (fault, change) => {
    const found = findFaults({ ...sound, ...change })
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(fault)
  })
})

function payer(change: Partial<PayerState>) {
  return { table: 'payer', value: encodePayer({ ...PAYER, ...change }) }
}

function payee(change: Partial<PayeeState>) {
  return { table: 'payee', value: encodePayee({ ...PAYEE, ...change }) }
}

/** An auditor that has seen these rows written, one after the other. */
async function audit(rows: readonly { table: string; value: Uint8Array }[]) {
  const clock = createSimulatedClock({ startMs: 0 })
  const auditor = createAuditor()
  const store = createSimulatedStore(createSimulatedDisk({ clock }), { name: 'm' })
  const watched = auditor.watch('m', store)
  for (const { table, value } of rows) {
    await clock.settle(watched.write([{ table, key: CHANNEL, value }]), 1_000)
  }
  return auditor
}
