/**
 * Policy: safe without being asked, weaker only by name, and fail-closed on every difference.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { applyPolicy, type LeaseFacts, policyFor } from '../../../contracts/attest/policy.ts'
import type { Verdict } from '../../../contracts/attest/verifier.ts'
import { verifyEvidence } from '../../../contracts/attest/verify.ts'
import { toHex } from '../../../contracts/base/bytes.ts'
import type { ErrorCode } from '../../../contracts/base/errors.ts'
import { TIERS, tierAtLeast } from '../../../contracts/base/tier.ts'
import { CLAIMS, CONTEXT, coded, hash, NOW_S, open, simulated } from './evidence.ts'
import { CPU, GPU, MEASUREMENTS } from './hardware.ts'

const DEVELOPMENT = { id: -217, development: true }
const LISTED = { ...DEVELOPMENT, measurements: MEASUREMENTS }
const PUBLIC = { id: -217, development: false }
const openVerdict = await verifyEvidence(open(), CONTEXT)
const simulatedVerdict = await verifyEvidence(simulated(), CONTEXT)
const badConfig = expect.objectContaining({ code: 'bad-config' })
const tooLow = expect.objectContaining({ code: 'tier-too-low' })

const facts = (verdict: Verdict, changes: Partial<LeaseFacts> = {}): LeaseFacts => ({
  network: -217,
  provider: CLAIMS.identity,
  modelHash: CLAIMS.modelHash,
  minTier: 'simulated',
  evidenceDigest: verdict.digest,
  epochNotAfterS: NOW_S + 600,
  atMs: NOW_S * 1_000,
  ...changes,
})

describe('the default policy', () => {
  it('asks gpu-tee on public networks and takes anything on development networks', () => {
    expect(policyFor(PUBLIC).minTier).toBe('gpu-tee')
    expect(policyFor({ id: -239, development: false }).minTier).toBe('gpu-tee')
    expect(policyFor(DEVELOPMENT).minTier).toBe('simulated')
  })

  it('lets nobody call mainnet or testnet a development network', () => {
    for (const id of [-239, -3]) {
      expect(() => policyFor({ id, development: true })).toThrow(badConfig)
    }
  })

  it('refuses to ask for simulated evidence, or for an unknown tier, on a public network', () => {
    expect(() => policyFor(PUBLIC, { minTier: 'simulated' })).toThrow(badConfig)
    const unknown = { minTier: JSON.parse('"none"') }
    expect(() => policyFor(PUBLIC, unknown)).toThrow(badConfig)
  })
})

describe('a policy', () => {
  it('takes evidence that satisfies it', () => {
    applyPolicy(simulatedVerdict, policyFor(DEVELOPMENT), facts(simulatedVerdict))
    applyPolicy(openVerdict, policyFor(DEVELOPMENT), facts(openVerdict))
    applyPolicy(openVerdict, policyFor(PUBLIC, { minTier: 'open' }), facts(openVerdict))
  })

  it('takes no evidence of any tier that is older than it says', () => {
    const ageS = NOW_S - CLAIMS.freshAtS
    for (const verdict of [openVerdict, simulatedVerdict]) {
      const aged = (maxAgeS: number) => () =>
        applyPolicy(verdict, policyFor(DEVELOPMENT, { hardware: { maxAgeS } }), facts(verdict))
      expect(aged(ageS)).not.toThrow()
      expect(aged(ageS - 1)).toThrow(coded('evidence-age'))
    }
  })

  it('takes open on a public network only where it was asked for by name', () => {
    const apply = () => applyPolicy(openVerdict, policyFor(PUBLIC), facts(openVerdict))
    expect(apply).toThrow(tooLow)
    expect(apply).toThrow(
      expect.objectContaining({ action: expect.stringContaining('owner can read your prompt') }),
    )
  })

  it('never takes simulated evidence outside development', () => {
    const policy = policyFor(PUBLIC, { minTier: 'open' })
    const apply = () => applyPolicy(simulatedVerdict, policy, facts(simulatedVerdict))
    expect(apply).toThrow(coded('evidence-root'))
  })

  it('holds for every pair of tiers, from the policy and from the lease', () => {
    for (const tier of TIERS) {
      for (const minTier of TIERS) {
        const verdict = { ...openVerdict, tier, hardware: [CPU, GPU] }
        const byPolicy = () => applyPolicy(verdict, policyFor(LISTED, { minTier }), facts(verdict))
        const byLease = () => applyPolicy(verdict, policyFor(LISTED), facts(verdict, { minTier }))
        for (const apply of [byPolicy, byLease]) {
          if (tierAtLeast(tier, minTier)) apply()
          else expect(apply).toThrow(tooLow)
        }
      }
    }
  })

  it.each<[string, ErrorCode, Partial<LeaseFacts>]>([
    ['another network', 'evidence-binding', { network: -218 }],
    ['another provider', 'evidence-binding', { provider: hash('other') }],
    ['another model', 'evidence-binding', { modelHash: hash('other') }],
    ['other evidence in the accept', 'evidence-binding', { evidenceDigest: hash('other') }],
    [
      'an epoch that outlives it',
      'evidence-outlived',
      { epochNotAfterS: openVerdict.validUntilS + 1 },
    ],
    ['a time after its end', 'evidence-expired', { atMs: (openVerdict.validUntilS + 1) * 1_000 }],
  ])('refuses evidence with %s: %s', (_, code, changes) => {
    const policy = policyFor(DEVELOPMENT)
    applyPolicy(openVerdict, policy, facts(openVerdict))
    const apply = () => applyPolicy(openVerdict, policy, facts(openVerdict, changes))
    expect(apply).toThrow(coded(code))
  })

  it('refuses a verdict that is about another network than its own', () => {
    const policy = policyFor({ id: -300, development: true })
    const apply = () => applyPolicy(openVerdict, policy, facts(openVerdict, { network: -300 }))
    expect(apply).toThrow(coded('evidence-binding'))
  })

  it('takes an epoch that ends with the evidence', () => {
    const epochNotAfterS = openVerdict.validUntilS
    applyPolicy(openVerdict, policyFor(DEVELOPMENT), facts(openVerdict, { epochNotAfterS }))
  })

  it('keeps to pinned providers', () => {
    const pinned = [toHex(CLAIMS.identity).toUpperCase()]
    applyPolicy(openVerdict, policyFor(DEVELOPMENT, { pinned }), facts(openVerdict))
    for (const others of [[], [toHex(hash('other'))]]) {
      const policy = policyFor(DEVELOPMENT, { pinned: others })
      expect(() => applyPolicy(openVerdict, policy, facts(openVerdict))).toThrow(
        expect.objectContaining({ code: 'unknown-provider' }),
      )
    }
  })
})
