/**
 * One valid record of each kind, and generators of them.
 * @module
 */
import { Address } from '@ton/core'
import fc from 'fast-check'
import { TIERS } from '../../../contracts/base/tier.ts'
import type { Verdict } from '../../../contracts/wire/records/verdict.ts'
import {
  type Accept,
  type Binding,
  type EpochKey,
  type Lease,
  OUTCOMES,
  type Receipt,
  ROLES,
  STRATEGIES,
} from '../../../contracts/wire/records.ts'

export const fill = (byte: number, length = 32) => new Uint8Array(length).fill(byte)
const minter = Address.parseRaw(`0:${'5a'.repeat(32)}`)

export const LEASE: Lease = {
  network: -3,
  jobId: fill(1, 16),
  attempt: 1,
  scheduler: fill(2),
  provider: fill(3),
  clientJobKey: fill(4),
  modelHash: fill(5),
  minTier: 'open',
  asset: 'ton',
  tick: 40,
  fee: 250,
  multipliers: { prompt: 2_500, cachedPrompt: 500, completion: 10_000, reasoning: 10_000 },
  steps: { prompt: 64, cachedPrompt: 64, completion: 32 },
  window: 256,
  parameterVersion: 1,
  strategy: 'exact',
  expiryS: 1_800_000_600,
}

export const ACCEPT: Accept = {
  network: -3,
  leaseHash: fill(6),
  epochKeyHash: fill(7),
  evidenceDigest: fill(8),
  expiryS: 1_800_000_600,
}

export const EPOCH_KEY: EpochKey = {
  network: -3,
  epoch: 9,
  notBeforeS: 1_800_000_000,
  notAfterS: 1_800_003_600,
  kemPublicKey: Uint8Array.from({ length: 1_216 }, (_, i) => i % 251),
}

export const RECEIPT: Receipt = {
  network: -3,
  leaseHash: fill(6),
  billed: { prompt: 64, cachedPrompt: 0, completion: 96, reasoning: 32 },
  cost: 13_399n,
  fee: 335n,
  modelHash: fill(5),
  tier: 'open',
  outcome: 'completed',
  startS: 1_800_000_010,
  endS: 1_800_000_020,
  transcriptHash: fill(10),
  energy: { joules: 12.345, how: 'measured' },
}

export const BINDING: Binding = {
  network: -3,
  role: 'provider',
  wallet: minter,
  peerId: fill(11),
  identity: fill(12),
  expiryS: 1_800_000_600,
}

export const VERDICT: Verdict = {
  network: -3,
  case: minter,
  evidence: fill(13),
  openedAtS: 1_800_000_000,
  round: 1,
  uphold: true,
  loss: 13_399n,
}

const network = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const time = fc.nat(2 ** 32)
const tokens = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const usage = fc.record({
  prompt: tokens,
  cachedPrompt: tokens,
  completion: tokens,
  reasoning: tokens,
})
const step = fc.integer({ min: 1, max: 65_536 })
const amount = fc.bigInt(0n, (1n << 120n) - 1n)

export const anyLease: fc.Arbitrary<Lease> = fc.record({
  network,
  jobId: bytes(16),
  attempt: fc.integer({ min: 1, max: 3 }),
  scheduler: bytes(32),
  provider: bytes(32),
  clientJobKey: bytes(32),
  modelHash: bytes(32),
  minTier: fc.constantFrom(...TIERS),
  asset: fc.constantFrom('ton' as const, minter),
  tick: fc.nat(95),
  fee: fc.nat(10_000),
  multipliers: usage,
  steps: fc.record({ prompt: step, cachedPrompt: step, completion: step }),
  window: step,
  parameterVersion: tokens,
  strategy: fc.constantFrom(...STRATEGIES),
  expiryS: time,
})

export const anyAccept: fc.Arbitrary<Accept> = fc.record({
  network,
  leaseHash: bytes(32),
  epochKeyHash: bytes(32),
  evidenceDigest: bytes(32),
  expiryS: time,
})

export const anyEpochKey: fc.Arbitrary<EpochKey> = fc
  .record({ network, epoch: fc.maxSafeNat(), start: time, life: fc.nat(10_000), key: bytes(1_216) })
  .map(({ network, epoch, start, life, key }) => ({
    network,
    epoch,
    notBeforeS: start,
    notAfterS: start + life,
    kemPublicKey: key,
  }))

const energy = fc.record({
  joules: fc.nat(2 ** 31 - 1).map((millijoules) => millijoules / 1_000),
  how: fc.constantFrom('measured' as const, 'estimated' as const),
})

export const anyReceipt: fc.Arbitrary<Receipt> = fc
  .record({
    network,
    leaseHash: bytes(32),
    billed: usage,
    cost: amount,
    fee: amount,
    modelHash: bytes(32),
    tier: fc.constantFrom(...TIERS),
    outcome: fc.constantFrom(...OUTCOMES),
    startS: time,
    transcriptHash: bytes(32),
    energy: fc.option(energy, { nil: undefined }),
  })
  .map(({ energy, ...rest }) => {
    const plain = { ...rest, endS: rest.startS + 5 }
    return energy ? { ...plain, energy } : plain
  })

export const anyBinding: fc.Arbitrary<Binding> = fc.record({
  network,
  role: fc.constantFrom(...ROLES),
  wallet: bytes(32).map((hash) => new Address(0, Buffer.from(hash))),
  peerId: bytes(32),
  identity: bytes(32),
  expiryS: time,
})

export const anyVerdict: fc.Arbitrary<Verdict> = fc
  .record({
    network,
    case: bytes(32).map((hash) => new Address(0, Buffer.from(hash))),
    evidence: bytes(32),
    openedAtS: fc.nat(2 ** 32 - 1),
    round: fc.constantFrom(1, 2),
    uphold: fc.boolean(),
    loss: amount,
  })
  .map((verdict) => (verdict.uphold ? verdict : { ...verdict, loss: 0n }))
