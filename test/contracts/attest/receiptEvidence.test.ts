/**
 * Evidence in receipt files: judged at the time of the job, bound to its lease, and open about what
 * a file alone cannot tell.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { Claims } from '../../../contracts/attest/document.ts'
import { makeOpenEvidence } from '../../../contracts/attest/open.ts'
import { judgeReceiptEvidence } from '../../../contracts/attest/receiptEvidence.ts'
import { makeSimulatedEvidence } from '../../../contracts/attest/simulated.ts'
import type { Bytes } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { verifyReceipt } from '../../../contracts/money/receipt.ts'
import { type Changes, KEYS, signedJob } from '../money/receiptWorld.ts'
import { EPOCH_KEY, LEASE, RECEIPT } from '../wire/recordSamples.ts'
import { coded, DEVICE_KEY } from './evidence.ts'
import { PLAYED_VERIFIERS, playedEvidence } from './hardware.ts'

const CLAIMS: Claims = {
  identity: KEYS.provider.publicKey,
  network: LEASE.network,
  tier: 'open',
  compute: 'cpu',
  modelHash: LEASE.modelHash,
  backendHash: new Uint8Array(32),
  gpuEvidenceHash: new Uint8Array(32),
  freshSeqno: 5,
  freshBlock: new Uint8Array(32),
  freshAtS: RECEIPT.startS - 600,
}
const open = (change: Partial<Claims> = {}) =>
  makeOpenEvidence({ ...CLAIMS, ...change }, KEYS.provider)
const LOW: Changes = { lease: { minTier: 'open' }, receipt: { tier: 'open' } }

/** What is judged of a file that is otherwise whole. */
function judged(evidence: Bytes, changes: Changes = LOW, verifiers?: typeof PLAYED_VERIFIERS) {
  const file = signedJob({ ...changes, evidence })
  expect(verifyReceipt(file)).toMatchObject({ ok: true })
  return judgeReceiptEvidence(file, verifiers)
}

describe('evidence in a receipt', () => {
  it('is judged at the begin of its job, long after', async () => {
    const found = await judged(open())
    expect(found).toMatchObject({ kind: 'open', tier: 'open', atS: RECEIPT.startS })
    expect(found!.proved).toContain('whoever answers holds the identity key')
    expect(found!.proved.join()).not.toContain('registered')
    expect(found!.notProved.join()).toContain('no registry was asked')
    expect(found!.notProved.join()).toContain('that it is fresh')
  })

  it('of hardware names the software that the holder has to know', async () => {
    const high: Changes = { lease: { minTier: 'cpu-tee' }, receipt: { tier: 'cpu-tee' } }
    const evidence = playedEvidence({ ...CLAIMS, tier: 'cpu-tee' })
    const found = await judged(evidence, high, PLAYED_VERIFIERS)
    expect(found!.tier).toBe('cpu-tee')
    expect(found!.notProved.join()).toMatch(/that software of measurement [0-9a-f]{64} is any/)
  })

  it('that is simulated proves nothing, and says so', async () => {
    const claims: Claims = { ...CLAIMS, tier: 'simulated' }
    const notAfterS = RECEIPT.startS + 86_400
    const evidence = makeSimulatedEvidence({ claims, deviceKey: DEVICE_KEY, notAfterS })
    const low: Changes = { lease: { minTier: 'simulated' }, receipt: { tier: 'simulated' } }
    const found = await judged(evidence, low)
    expect(found!.notProved.join()).toContain('anything about a real machine')
  })

  it('may be missing', async () => {
    expect(await judgeReceiptEvidence(signedJob())).toBeUndefined()
  })
})

describe('a receipt is not supported by evidence', () => {
  it.each<[string, string, Bytes, Changes?]>([
    [
      'about another provider',
      'evidence-binding',
      makeOpenEvidence({ ...CLAIMS, identity: KEYS.stranger.publicKey }, KEYS.stranger),
    ],
    ['about another model', 'evidence-binding', open({ modelHash: new Uint8Array(32).fill(9) })],
    ['of another network', 'evidence-binding', open({ network: LEASE.network - 1 })],
    [
      'that was over',
      'evidence-expired',
      open({ freshAtS: RECEIPT.startS - LIMITS.evidenceLifeS - 1 }),
    ],
    [
      'that is younger than the job',
      'evidence-expired',
      open({ freshAtS: RECEIPT.startS + LIMITS.clockSkewS + 1 }),
    ],
    [
      'of a lower tier than it says',
      'evidence-tier',
      open(),
      { lease: { minTier: 'cpu-tee' }, receipt: { tier: 'cpu-tee' } },
    ],
    [
      'that ended before its key',
      'evidence-outlived',
      open({ freshAtS: EPOCH_KEY.notAfterS - LIMITS.evidenceLifeS - 1 }),
    ],
    ['that is none', 'evidence-malformed', new Uint8Array(9)],
  ])('%s: %s', async (_, code, evidence, changes) => {
    await expect(judged(evidence, changes)).rejects.toThrow(coded(code as 'evidence-tier'))
  })
})
