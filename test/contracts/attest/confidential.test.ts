/**
 * Evidence of confidential machines is bound to its claims in every part, and its tier follows from
 * what is bound: nobody talks it up.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { confidentialVerifier } from '../../../contracts/attest/confidential.ts'
import {
  type Claims,
  encodeEvidence,
  gpuNonce,
  parseEvidence,
  reportData,
} from '../../../contracts/attest/document.ts'
import type { EvidenceContext } from '../../../contracts/attest/verifier.ts'
import { verifyEvidence } from '../../../contracts/attest/verify.ts'
import { type Bytes, toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import {
  CHANGED_CLAIMS,
  CLAIMS,
  CONTEXT,
  coded,
  fitting,
  hash,
  refusedEvidence,
} from './evidence.ts'
import {
  CPU,
  PLAYED_VERIFIERS,
  playedEvidence,
  playedGpu,
  playedQuote,
  readQuote,
} from './hardware.ts'

const CPU_CLAIMS: Claims = { ...CLAIMS, tier: 'cpu-tee', compute: 'cpu' }
const GPU_CLAIMS: Claims = { ...CLAIMS, tier: 'gpu-tee', compute: 'gpu' }
const cpu = () => playedEvidence(CPU_CLAIMS)
const gpu = () => playedEvidence(GPU_CLAIMS, { gpu: true })
const verify = (bytes: Bytes, context: Partial<EvidenceContext> = {}) =>
  verifyEvidence(bytes, { ...CONTEXT, ...context }, PLAYED_VERIFIERS)
const binding = coded('evidence-binding')

describe('the tier that is proved', () => {
  it.each<[string, Claims, boolean, string]>([
    ['CPU work in a confidential machine', CPU_CLAIMS, false, 'cpu-tee'],
    ['a confidential GPU bound to it', GPU_CLAIMS, true, 'gpu-tee'],
    ['an ordinary GPU', { ...GPU_CLAIMS, tier: 'open' }, false, 'open'],
    ['a server outside', { ...CPU_CLAIMS, tier: 'open', compute: 'outside' }, false, 'open'],
    ['less claimed than proved', { ...GPU_CLAIMS, tier: 'cpu-tee' }, true, 'cpu-tee'],
    ['only `open` claimed', { ...CPU_CLAIMS, tier: 'open' }, false, 'open'],
  ])('of %s', async (_, claims, withGpu, tier) => {
    for (const kind of ['tdx', 'sev-snp'] as const) {
      const verdict = await verify(playedEvidence(claims, { kind, gpu: withGpu }))
      expect(verdict).toMatchObject({ kind, tier, deviceId: CPU.platformId })
      expect(verdict.hardware.map(({ vendor }) => vendor)).toEqual([
        kind === 'tdx' ? 'intel-tdx' : 'amd-snp',
        ...(withGpu ? ['nvidia'] : []),
      ])
    }
  })

  it.each<[string, Claims, boolean]>([
    ['gpu-tee without GPU evidence', GPU_CLAIMS, false],
    ['gpu-tee for CPU work', { ...CPU_CLAIMS, tier: 'gpu-tee' }, false],
    ['cpu-tee for an ordinary GPU', { ...GPU_CLAIMS, tier: 'cpu-tee' }, false],
    ['cpu-tee for a server outside', { ...CPU_CLAIMS, compute: 'outside' }, false],
    ['simulated', { ...CPU_CLAIMS, tier: 'simulated' }, false],
  ])('is not talked up: %s', async (_, claims, withGpu) => {
    const verdict = verify(playedEvidence(claims, { gpu: withGpu }))
    await expect(verdict).rejects.toThrow(coded('evidence-tier'))
  })

  it('of `open` needs the registry, the others do not', async () => {
    const isRegistered = () => false
    const open = playedEvidence({ ...CPU_CLAIMS, tier: 'open' })
    await expect(verify(open, { isRegistered })).rejects.toThrow(coded('unknown-provider'))
    expect((await verify(cpu(), { isRegistered })).tier).toBe('cpu-tee')
  })

  it('says what it means: what is not proved, too', async () => {
    const open = await verify(playedEvidence({ ...GPU_CLAIMS, tier: 'open' }))
    expect(open.notProved.join()).toContain('a GPU that is not confidential')
    const { proved, notProved } = await verify(gpu())
    expect(proved.join()).toContain('the GPU answered for these claims and no others')
    expect(notProved.join()).toContain('GPU and CPU are one machine')
  })
})

describe('the binding to claims', () => {
  it.each(CHANGED_CLAIMS)('is broken by another %s', async (field, changed) => {
    for (const bytes of [cpu(), gpu()]) {
      const document = parseEvidence(bytes)
      const value = field === 'tier' ? 'open' : changed[field]
      const claims = { ...document.claims, [field]: value }
      const swapped = encodeEvidence({ ...document, claims })
      const verdict = verify(swapped, fitting(claims))
      await expect(verdict).rejects.toThrow(binding)
    }
  })

  it('holds the nonce of the GPU to every claim but the hash of its own answer', () => {
    const before = toHex(gpuNonce(GPU_CLAIMS))
    for (const [field, changed] of CHANGED_CLAIMS) {
      const nonce = toHex(gpuNonce({ ...GPU_CLAIMS, [field]: changed[field] }))
      expect(nonce === before, field).toBe(field === 'gpuEvidenceHash')
    }
    expect(before).not.toBe(toHex(sha256(reportData(GPU_CLAIMS))))
  })

  it('refuses the GPU evidence of another machine, renewed or replayed', async () => {
    const other: Claims = { ...GPU_CLAIMS, identity: hash('other') }
    const relayed = playedGpu(gpuNonce(other))
    const bytes = playedEvidence(GPU_CLAIMS, { gpuEvidence: relayed })
    await expect(verify(bytes)).rejects.toThrow(binding)
    const old = playedGpu(gpuNonce({ ...GPU_CLAIMS, freshAtS: CLAIMS.freshAtS - 600 }))
    await expect(verify(playedEvidence(GPU_CLAIMS, { gpuEvidence: old }))).rejects.toThrow(binding)
  })

  it('refuses GPU evidence that was put in after the CPU had signed', async () => {
    const signedWithout = playedQuote(reportData(GPU_CLAIMS))
    const bytes = playedEvidence(GPU_CLAIMS, { gpu: true, quote: signedWithout })
    await expect(verify(bytes)).rejects.toThrow(binding)
    const document = parseEvidence(playedEvidence({ ...GPU_CLAIMS, tier: 'open' }))
    const nvidia = playedGpu(gpuNonce(document.claims))
    const added = encodeEvidence({ ...document, proof: { ...document.proof, nvidia } })
    await expect(verify(added)).rejects.toThrow(binding)
  })

  it('refuses GPU evidence that was taken out, and a GPU that claims to be none', async () => {
    const document = parseEvidence(gpu())
    const { nvidia: _, ...proof } = document.proof
    await expect(verify(encodeEvidence({ ...document, proof }))).rejects.toThrow(binding)
    const idle = playedEvidence({ ...GPU_CLAIMS, compute: 'cpu' }, { gpu: true })
    await expect(verify(idle)).rejects.toThrow(binding)
  })

  it('refuses the report of another machine bound to its own claims', async () => {
    const theirs = playedQuote(reportData({ ...CPU_CLAIMS, identity: hash('other') }), {
      board: 'theirs',
    })
    await expect(verify(playedEvidence(CPU_CLAIMS, { quote: theirs }))).rejects.toThrow(binding)
  })
})

describe('a document of a confidential machine', () => {
  it('passes on what the vendor refuses', async () => {
    const forged = playedEvidence(CPU_CLAIMS, { quote: utf8('forged') })
    await expect(verify(forged)).rejects.toThrow(coded('evidence-signature'))
    const forgedGpu = playedEvidence(GPU_CLAIMS, { gpuEvidence: utf8('forged') })
    await expect(verify(forgedGpu)).rejects.toThrow(coded('evidence-signature'))
  })

  it('has exactly its parts, in order', async () => {
    const document = parseEvidence(gpu())
    const { quote = cpu(), collateral = cpu(), nvidia = cpu() } = document.proof
    const shapes: Record<string, Bytes>[] = [
      { quote, nvidia },
      { collateral, quote, nvidia },
      { quote },
      { report: quote, collateral },
    ]
    for (const proof of shapes) {
      const bytes = encodeEvidence({ ...document, proof })
      await expect(verify(bytes)).rejects.toThrow(refusedEvidence)
    }
  })

  it('is of one vendor: a quote under the other kind is refused', async () => {
    const document = parseEvidence(cpu())
    const relabelled = encodeEvidence({ ...document, kind: 'sev-snp' })
    await expect(verify(relabelled)).rejects.toThrow(coded('evidence-malformed'))
  })

  it('ends with the first of its parts to end', async () => {
    const soon = CLAIMS.freshAtS + 900
    const short = { ...PLAYED_VERIFIERS[0]! }
    const verifier = confidentialVerifier({
      kind: 'tdx',
      cpu: ({ quote }) => ({ ...readQuote(quote!, 'intel-tdx'), validUntilS: soon }),
      gpu: () => CPU,
    })
    expect((await verifyEvidence(cpu(), CONTEXT, [verifier])).validUntilS).toBe(soon)
    const whole = await verifyEvidence(cpu(), CONTEXT, [short])
    expect(whole.validUntilS).toBe(CLAIMS.freshAtS + LIMITS.evidenceLifeS)
  })
})
