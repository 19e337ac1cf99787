/**
 * A placement is refused for every part that is not what was asked for; the honest one passes.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { freshBlocks } from '../../client/freshBlocks.ts'
import { type ExpectedPlacement, verifyPlacement } from '../../client/verifyPlacement.ts'
import { settleHardware } from '../../contracts/attest/hardwarePolicy.ts'
import { makeOpenEvidence } from '../../contracts/attest/open.ts'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import { type SigningKey, sha256, signingKey } from '../../contracts/base/signing.ts'
import type { Tier } from '../../contracts/base/tier.ts'
import { FIRST_PARAMETERS } from '../../contracts/money/marketTerms.ts'
import { DEFAULT_PARAMETERS } from '../../contracts/money/price.ts'
import {
  type Accept,
  accept,
  type EpochKey,
  epochKey,
  type Lease,
  lease,
  recordBytes,
  recordHash,
  signRecord,
} from '../../contracts/wire/records.ts'
import { createSimulatedChain } from '../../node/chain/simulated.ts'
import { createSeededRandom } from '../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'
import { FEE, MODEL_HASH, NETWORK_ID, simulatedEvidence } from './playedJob.ts'
import { BLOCK_MS, freshAt } from './playedPlacement.ts'

const random = createSeededRandom('placement')
const NOW_MS = 1_795_000_000_000
const NOW_S = NOW_MS / 1_000
const clock = createSimulatedClock({ startMs: NOW_MS })
const chain = createSimulatedChain({ clock, networkId: NETWORK_ID, blockMs: BLOCK_MS }).chain()
const scheduler = signingKey(random.bytes(32))
const provider = signingKey(random.bytes(32))
const stranger = signingKey(random.bytes(32))
const clientJobKey = signingKey(random.bytes(32)).publicKey
const jobId = random.bytes(16)

/** What may be swapped; the rest is honest. */
interface Swaps {
  lease?: Partial<Lease>
  accept?: Partial<Accept>
  epoch?: Partial<EpochKey>
  evidence?: Bytes
  leaseBy?: SigningKey
  acceptBy?: SigningKey
  epochBy?: SigningKey
  attempt?: number
  expected?: Partial<ExpectedPlacement>
  spec?: Partial<ExpectedPlacement['spec']>
}

function check(swaps: Swaps = {}) {
  const leaseCell = lease.encode({ ...honestLease(), ...swaps.lease })
  const epochCell = epochKey.encode({
    network: NETWORK_ID,
    epoch: 1,
    notBeforeS: NOW_S - 60,
    notAfterS: NOW_S + 1_740,
    kemPublicKey: new Uint8Array(1_216).fill(7),
    ...swaps.epoch,
  })
  const evidence = swaps.evidence ?? simulatedEvidence(provider.publicKey, NOW_S)
  const acceptCell = accept.encode({
    network: NETWORK_ID,
    leaseHash: recordHash(leaseCell),
    epochKeyHash: recordHash(epochCell),
    evidenceDigest: sha256(evidence),
    expiryS: NOW_S + 600,
    ...swaps.accept,
  })
  const placed = {
    attempt: swaps.attempt ?? 1,
    lease: {
      record: recordBytes(leaseCell),
      signature: signRecord(leaseCell, swaps.leaseBy ?? scheduler),
    },
    accepted: {
      record: recordBytes(acceptCell),
      signature: signRecord(acceptCell, swaps.acceptBy ?? provider),
      epochKey: recordBytes(epochCell),
      epochSignature: signRecord(epochCell, swaps.epochBy ?? provider),
      evidence,
    },
  }
  const expected = honestExpectation()
  return verifyPlacement(placed as unknown as Parameters<typeof verifyPlacement>[0], {
    ...expected,
    ...swaps.expected,
    spec: { ...expected.spec, ...swaps.spec },
  })
}

function honestLease(): Lease {
  return {
    network: NETWORK_ID,
    jobId,
    attempt: 1,
    scheduler: scheduler.publicKey,
    provider: provider.publicKey,
    clientJobKey,
    modelHash: MODEL_HASH,
    minTier: 'simulated',
    asset: 'ton',
    tick: 40,
    fee: FEE,
    ...DEFAULT_PARAMETERS,
    parameterVersion: DEFAULT_PARAMETERS.version,
    strategy: 'exact',
    expiryS: NOW_S + 600,
  }
}

function honestExpectation(): ExpectedPlacement {
  return {
    networkId: NETWORK_ID,
    policy: {
      minTier: 'simulated',
      maxTick: 95,
      maxFee: 1_000,
      models: {},
      development: true,
      hardware: settleHardware(),
    },
    directory: { version: async (version) => (version === 1 ? FIRST_PARAMETERS : undefined) },
    registry: (identity) => toHex(identity) === toHex(provider.publicKey),
    blocks: freshBlocks({ chain, clock }),
    scheduler: { identity: scheduler.publicKey, fee: FEE },
    spec: {
      jobId: toHex(jobId),
      model: 'm',
      maxTick: 40,
      promptTokens: 64,
      maxTokens: 64,
      minTier: 'simulated',
      regions: [],
      gpus: [],
      minMemoryGiB: 0,
      exclude: [],
      tags: [],
      speedWeight: 0,
      priority: 0,
      deadlineMs: 1_000,
    },
    clientJobKey,
    attempt: 1,
    nowMs: NOW_MS,
  }
}

function openEvidence(by: SigningKey = provider, modelHash = MODEL_HASH): Bytes {
  const zeros = new Uint8Array(32)
  const claims = {
    identity: by.publicKey,
    network: NETWORK_ID,
    tier: 'open' as const,
    compute: 'cpu' as const,
    modelHash,
    backendHash: zeros,
    gpuEvidenceHash: zeros,
    ...freshAt(NOW_S),
  }
  return makeOpenEvidence(claims, by)
}

describe('verifyPlacement', () => {
  it('accepts what was asked for, and binds the seal to it', async () => {
    const placement = await check()
    expect(placement.verdict.tier).toBe('simulated')
    expect(placement.binding).toMatchObject({ network: NETWORK_ID, minTier: 'simulated' })
    expect(placement.binding.leaseHash).toEqual(placement.leaseHash)
  })

  const other = new Uint8Array(32).fill(9)
  const steps = { ...DEFAULT_PARAMETERS.steps, completion: 64 }
  const multipliers = { ...DEFAULT_PARAMETERS.multipliers, prompt: 2_501 }
  const outlives = { notBeforeS: NOW_S, notAfterS: NOW_S + 3_600 }
  const dayOld = simulatedEvidence(provider.publicKey, NOW_S - 86_400 + 600)
  const wrong: [string, string, Swaps][] = [
    ['a lease signed by another', 'bad-signature', { leaseBy: stranger }],
    ['an accept signed by another', 'bad-signature', { acceptBy: stranger }],
    ['an accept signed by the scheduler', 'bad-signature', { acceptBy: scheduler }],
    ['an epoch key signed by another', 'bad-signature', { epochBy: stranger }],
    ['an epoch key signed by the scheduler', 'bad-signature', { epochBy: scheduler }],
    ['a lease of another network', 'wrong-network', { lease: { network: 78 } }],
    ['an accept of another network', 'wrong-network', { accept: { network: 78 } }],
    ['an epoch key of another network', 'wrong-network', { epoch: { network: 78 } }],
    ['another job', 'bad-lease', { lease: { jobId: random.bytes(16) } }],
    ['another attempt in the lease', 'bad-lease', { lease: { attempt: 2 } }],
    ['another attempt in the message', 'bad-lease', { attempt: 2 }],
    ['another scheduler in the lease', 'bad-lease', { lease: { scheduler: stranger.publicKey } }],
    ['another client key', 'bad-lease', { lease: { clientJobKey: other } }],
    ['an excluded provider', 'bad-lease', { spec: { exclude: [toHex(provider.publicKey)] } }],
    ['a higher price', 'bad-lease', { lease: { tick: 41 } }],
    ['another fee than announced', 'bad-lease', { lease: { fee: FEE + 1 } }],
    [
      'a fee above the policy',
      'bad-lease',
      { expected: { policy: { ...honestExpectation().policy, maxFee: FEE - 1 } } },
    ],
    ['other parameters', 'bad-lease', { lease: { parameterVersion: 2 } }],
    ['other multipliers', 'bad-lease', { lease: { multipliers } }],
    ['other steps', 'bad-lease', { lease: { steps } }],
    ['another window', 'bad-lease', { lease: { window: 512 } }],
    ['a lease that has ended', 'bad-lease', { lease: { expiryS: NOW_S } }],
    ['a lease without end', 'bad-lease', { lease: { expiryS: NOW_S + 86_400 } }],
    ['a lower tier in the lease', 'tier-too-low', { spec: { minTier: 'open' } }],
    ['a higher tier than asked', 'bad-lease', { lease: { minTier: 'open' } }],
    [
      'another model than pinned',
      'bad-model',
      { expected: { policy: { ...honestExpectation().policy, models: { m: toHex(other) } } } },
    ],
    ['an accept of another lease', 'bad-lease', { accept: { leaseHash: other } }],
    ['an accept with another epoch key', 'bad-lease', { accept: { epochKeyHash: other } }],
    ['an accept that has ended', 'bad-lease', { accept: { expiryS: NOW_S } }],
    ['an accept with other evidence', 'evidence-binding', { accept: { evidenceDigest: other } }],
    ['an epoch that has ended', 'epoch-expired', { epoch: { notAfterS: NOW_S } }],
    ['an epoch of the future', 'epoch-expired', { epoch: { notBeforeS: NOW_S + 900 } }],
    ['an epoch that lives too long', 'epoch-expired', { epoch: { notAfterS: NOW_S + 3_600 } }],
    [
      'an epoch that outlives the evidence',
      'evidence-outlived',
      { epoch: outlives, evidence: dayOld },
    ],
    [
      'evidence of another provider',
      'evidence-binding',
      { evidence: simulatedEvidence(stranger.publicKey, NOW_S) },
    ],
    ['evidence for another model', 'evidence-binding', { evidence: openEvidence(provider, other) }],
    ['evidence that is none', 'evidence-malformed', { evidence: new Uint8Array(8) }],
  ]
  it.each(wrong)('refuses %s: %s', async (_, code, swaps) => {
    await expect(check(swaps)).rejects.toMatchObject({ code })
  })

  const at = (minTier: Tier): Swaps => ({ lease: { minTier }, spec: { minTier } })

  it('refuses evidence below the tier that was asked for', async () => {
    await expect(check(at('open'))).rejects.toMatchObject({ code: 'tier-too-low' })
    await expect(check({ ...at('cpu-tee'), evidence: openEvidence() })).rejects.toMatchObject({
      code: 'tier-too-low',
    })
  })

  it('accepts `open` from a registered provider only', async () => {
    const open = { ...at('open'), evidence: openEvidence() }
    expect((await check(open)).verdict.tier).toBe('open')
    const unregistered = { ...open, expected: { registry: async () => false } }
    await expect(check(unregistered)).rejects.toMatchObject({ code: 'unknown-provider' })
    // A scheduler that offers its own provider under a registered lease key cannot sign the accept.
    const own = { ...open, acceptBy: scheduler, epochBy: scheduler }
    await expect(check(own)).rejects.toMatchObject({ code: 'bad-signature' })
  })

  it('refuses simulated evidence outside development networks', async () => {
    const policy = { ...honestExpectation().policy, development: false }
    await expect(check({ expected: { policy } })).rejects.toMatchObject({ code: 'evidence-root' })
  })

  it('refuses a message without its parts', async () => {
    await expect(
      verifyPlacement({ attempt: 1, lease: undefined, accepted: undefined }, honestExpectation()),
    ).rejects.toMatchObject({ code: 'bad-frame' })
  })
})
