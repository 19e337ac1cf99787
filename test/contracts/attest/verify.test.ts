/**
 * Verifiers prove what they say and fail closed on everything else.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { encodeEvidence, parseEvidence } from '../../../contracts/attest/document.ts'
import { openVerifier } from '../../../contracts/attest/open.ts'
import {
  makeSimulatedEvidence,
  SIMULATED_ROOT_SEED,
  simulatedVerifier,
} from '../../../contracts/attest/simulated.ts'
import type { EvidenceContext } from '../../../contracts/attest/verifier.ts'
import { verifyEvidence } from '../../../contracts/attest/verify.ts'
import { type Bytes, equal } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import {
  BLOCK,
  CHANGED_CLAIMS,
  CLAIMS,
  CONTEXT,
  coded,
  DEVICE_KEY,
  fitting,
  hash,
  IDENTITY_KEY,
  NOT_AFTER_S,
  NOW_S,
  open,
  refusedEvidence,
  simulated,
} from './evidence.ts'

const kinds: [string, () => Bytes][] = [
  ['open', open],
  ['simulated', simulated],
]

describe.each(kinds)('evidence of kind %s', (kind, make) => {
  it('proves what its verdict says, and says what it does not', async () => {
    const verdict = await verifyEvidence(make(), CONTEXT)
    expect(verdict).toMatchObject({ kind, tier: kind, claims: { ...CLAIMS, tier: kind } })
    expect(verdict.digest).toEqual(sha256(make()))
    expect(verdict.proved.length).toBeGreaterThan(0)
    expect(verdict.notProved.length).toBeGreaterThan(0)
  })

  it.each(CHANGED_CLAIMS)('is refused with another %s', async (_, claims) => {
    const document = parseEvidence(make())
    const bytes = encodeEvidence({ ...document, claims })
    await expect(verifyEvidence(bytes, fitting(claims))).rejects.toThrow(refusedEvidence)
  })

  it('is refused with any byte of its proof changed, or with other parts', async () => {
    const document = parseEvidence(make())
    for (const [name, part] of Object.entries(document.proof)) {
      for (let at = 0; at < part.length; at++) {
        const changed = part.slice()
        changed[at]! ^= 0x40
        const bytes = encodeEvidence({ ...document, proof: { ...document.proof, [name]: changed } })
        await expect(verifyEvidence(bytes, CONTEXT)).rejects.toThrow(refusedEvidence)
      }
      const shorter = { ...document.proof, [name]: part.subarray(1) }
      const { [name]: _, ...without } = document.proof
      const more = { ...document.proof, more: part }
      for (const proof of [shorter, without, more]) {
        const bytes = encodeEvidence({ ...document, proof })
        await expect(verifyEvidence(bytes, CONTEXT)).rejects.toThrow(refusedEvidence)
      }
    }
  })

  it('is refused elsewhere, a day later and from the future', async () => {
    const refused = (context: Partial<EvidenceContext>) =>
      expect(verifyEvidence(make(), { ...CONTEXT, ...context })).rejects.toThrow(refusedEvidence)
    await refused({ network: -218 })
    await refused({ atMs: (CLAIMS.freshAtS + LIMITS.evidenceLifeS + 1) * 1_000 })
    await refused({ atMs: (CLAIMS.freshAtS - LIMITS.clockSkewS - 1) * 1_000 })
  })

  it.each([
    ['another hash', { ...BLOCK, hash: hash('other') }],
    ['another number', { ...BLOCK, seqno: BLOCK.seqno + 1 }],
    ['a later time', { ...BLOCK, atS: BLOCK.atS + 1 }],
    ['an earlier time', { ...BLOCK, atS: BLOCK.atS - 1 }],
  ])('is refused where its block has %s on the chain', async (_, block) => {
    await expect(verifyEvidence(make(), { ...CONTEXT, block })).rejects.toThrow(
      coded('evidence-block'),
    )
  })

  it('says so where nobody looked up its block', async () => {
    const without = await verifyEvidence(make(), { ...CONTEXT, block: undefined })
    const looked = await verifyEvidence(make(), CONTEXT)
    expect(without.notProved.length).toBe(looked.notProved.length + 1)
    expect(without.proved.length).toBe(looked.proved.length - 1)
  })

  it('is not taken for the other kind', async () => {
    const other = kind === 'open' ? simulatedVerifier : openVerifier
    expect(() => other.verify(make(), CONTEXT)).toThrow(coded('evidence-kind'))
    const document = parseEvidence(make())
    const relabelled = encodeEvidence({ ...document, kind: other.kind })
    await expect(verifyEvidence(relabelled, CONTEXT)).rejects.toThrow(refusedEvidence)
  })
})

describe('open evidence', () => {
  it('needs the registry: an unknown identity, or no access to the chain, is refused', async () => {
    const unknown = expect.objectContaining({ code: 'unknown-provider' })
    for (const isRegistered of [() => false, undefined]) {
      await expect(verifyEvidence(open(), { ...CONTEXT, isRegistered })).rejects.toThrow(unknown)
    }
    const asked: Bytes[] = []
    const isRegistered = (identity: Bytes) => asked.push(identity) === 1
    await verifyEvidence(open(), { ...CONTEXT, isRegistered })
    expect(asked).toEqual([IDENTITY_KEY.publicKey])
  })

  it('says that the owner can read the prompt', async () => {
    expect((await verifyEvidence(open(), CONTEXT)).notProved.join()).toContain('owner can')
  })
})

describe('simulated evidence', () => {
  const made = (changes: Partial<Parameters<typeof makeSimulatedEvidence>[0]>) =>
    makeSimulatedEvidence({
      claims: { ...CLAIMS, tier: 'simulated' },
      deviceKey: DEVICE_KEY,
      notAfterS: NOT_AFTER_S,
      ...changes,
    })

  it('verifies only on development networks', async () => {
    for (const development of [false, undefined]) {
      await expect(verifyEvidence(simulated(), { ...CONTEXT, development })).rejects.toThrow(
        refusedEvidence,
      )
    }
  })

  it('ends with its device and report', async () => {
    expect((await verifyEvidence(simulated(), CONTEXT)).validUntilS).toBe(NOT_AFTER_S)
    const notAfterS = NOW_S - 1
    await expect(verifyEvidence(made({ notAfterS }), CONTEXT)).rejects.toThrow(refusedEvidence)
    expect((await verifyEvidence(made({ notAfterS: NOW_S }), CONTEXT)).validUntilS).toBe(NOW_S)
  })

  it('is refused in debug mode, with another image, and off another root', async () => {
    await expect(verifyEvidence(made({ debug: true }), CONTEXT)).rejects.toThrow(refusedEvidence)
    await expect(verifyEvidence(made({ measurement: hash('x') }), CONTEXT)).rejects.toThrow(
      refusedEvidence,
    )
    await expect(verifyEvidence(made({ rootKey: DEVICE_KEY }), CONTEXT)).rejects.toThrow(
      refusedEvidence,
    )
    const rootKey = signingKey(SIMULATED_ROOT_SEED)
    expect((await verifyEvidence(made({ rootKey }), CONTEXT)).tier).toBe('simulated')
  })

  it('begins with a magic that is no version of a TDX quote or SEV-SNP report', async () => {
    const report = parseEvidence(simulated()).proof.report!
    const view = new DataView(report.buffer, report.byteOffset)
    expect([3, 4, 5]).not.toContain(view.getUint16(0, true))
    expect([2, 3, 4, 5]).not.toContain(view.getUint32(0, true))
    expect(new TextDecoder().decode(report.subarray(0, 19))).toBe('CHRYSALIS SIMULATED')
  })

  it('of two owners of one device names the same device', async () => {
    const other = await verifyEvidence(
      made({ claims: { ...CHANGED_CLAIMS[0]![1], tier: 'simulated' } }),
      CONTEXT,
    )
    const same = await verifyEvidence(simulated(), CONTEXT)
    expect(equal(other.deviceId!, same.deviceId!)).toBe(true)
  })
})
