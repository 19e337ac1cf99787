/**
 * Every refusal of one GPU's evidence by one chosen defect, each with its code and a sentence, and
 * what a verdict says. The tree is below a root of the test's own.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { NVIDIA_ROOTS } from '../../../../contracts/attest/nvidia/roots.ts'
import {
  type GpuEvidence,
  type NvidiaContext,
  tagged,
  verifyGpu,
} from '../../../../contracts/attest/nvidia/verify.ts'
import { concat, toHex } from '../../../../contracts/base/bytes.ts'
import type { ErrorCode } from '../../../../contracts/base/errors.ts'
import {
  block,
  deviceIdentity,
  NONCE,
  NVIDIA_AT_MS,
  nvidiaCrl,
  nvidiaTree,
} from '../../../support/nvidiaTree.ts'
import { refusal } from '../../../support/refusal.ts'
import { serialOf, testKey } from '../../../support/testPki.ts'

const tree = nvidiaTree()
const { root, line, maker, chip } = tree
const DAY = 86_400_000
const stranger = testKey('P-384')

interface Case {
  readonly evidence?: GpuEvidence
  readonly context?: Partial<NvidiaContext>
}
const verify = (given: Case = {}) =>
  verifyGpu(given.evidence ?? tree.evidence(), { ...tree.context, ...given.context })
const crls = [nvidiaCrl(root), nvidiaCrl(line)]
const listed = (...lists: NonNullable<NvidiaContext['crls']>): Case => ({
  context: { crls: lists },
})

describe('a verdict', () => {
  it('says which GPU, what runs on it, and until when', () => {
    const verdict = verify({ context: { nonce: NONCE, crls, requireCrl: true } })
    expect(verdict).toMatchObject({
      vendor: 'nvidia',
      model: 'GH100 A01 GSP BROM',
      reportData: NONCE,
      measurement: tagged('measurement', concat(...[1, 2, 3, 9].map((i) => block(i)))),
      platformId: tagged('platform', chip.key.keyHash),
      tcbStatus: 'driver=590.12 vbios=96.00.A5.00.01',
      validUntilS: NVIDIA_AT_MS / 1_000 + 30 * 86_400,
    })
    const seen = { number: 7n, thisUpdateMs: NVIDIA_AT_MS - DAY }
    const expected = [root, line].map(({ key }) => [toHex(key.keyHash), seen])
    expect([...verdict.crls]).toEqual(expected)
    expect(verdict.notProved.join()).not.toContain('no revocation list was given')
  })

  it('says what was not checked', () => {
    const verdict = verify({ evidence: tree.evidence({ opaque: { 20: null } }) })
    const words = verdict.notProved.join('\n')
    expect(words).toContain(`whether ${maker.subject} was revoked: no revocation list was given`)
    expect(words).toContain(`whether ${line.subject} was revoked: no revocation list was given`)
    expect(words).toContain('that its key was made for the firmware that runs')
    expect(words).toContain("that the measurements are NVIDIA's own")
    expect(verdict.crls.size).toBe(0)
  })

  it('says that links are protected where the GPU says so', () => {
    const evidence = tree.evidence({ opaque: { 21: Uint8Array.of(0xaa) } })
    expect(verify({ evidence }).proved.join()).toContain('protected mode')
    expect(verify().proved.join()).not.toContain('protected mode')
  })
})

const { evidence } = tree
const identity = (more: Parameters<typeof deviceIdentity>[1]) => ({
  evidence: evidence({}, { identity: deviceIdentity(chip.key, more) }),
})

const DEFECTS: readonly (readonly [string, ErrorCode, string, () => Case])[] = [
  [
    'measurements that are cut',
    'evidence-malformed',
    'ends too early',
    () => ({
      evidence: { ...evidence(), report: new Uint8Array() },
    }),
  ],
  [
    'a chain that is no PEM',
    'evidence-malformed',
    'bad PEM',
    () => ({
      evidence: { ...evidence(), chain: 'x' },
    }),
  ],
  [
    "roots that are not NVIDIA's",
    'evidence-root',
    'not a pinned root',
    () => ({
      context: { roots: NVIDIA_ROOTS },
    }),
  ],
  [
    'a chain of two',
    'evidence-signature',
    'too short',
    () => ({
      evidence: evidence({}, { length: 2 }),
    }),
  ],
  [
    'a chain with a gap',
    'evidence-signature',
    'another issuer',
    () => ({
      evidence: evidence({}, { length: 4 }),
    }),
  ],
  [
    'a chip of another maker',
    'evidence-signature',
    'not signed by its issuer',
    () => ({
      evidence: evidence({}, { chip: { issuer: { ...maker, key: stranger } } }),
    }),
  ],
  [
    'a forged leaf',
    'evidence-signature',
    'not signed by its issuer',
    () => ({
      evidence: evidence({}, { leaf: { forged: true } }),
    }),
  ],
  [
    'a leaf that is an authority',
    'evidence-signature',
    'is a certificate authority',
    () => ({
      evidence: evidence({}, { leaf: { ca: true } }),
    }),
  ],
  [
    'a leaf that may not sign',
    'evidence-signature',
    'may not sign measurements',
    () => ({
      evidence: evidence({}, { leaf: { keyUsage: '20' } }),
    }),
  ],
  [
    'a leaf made for another chip',
    'evidence-signature',
    'another chip',
    () => ({
      evidence: evidence({}, { identity: deviceIdentity(stranger) }),
    }),
  ],
  [
    'a leaf without firmware',
    'evidence-malformed',
    'names no firmware',
    () => ({
      evidence: evidence({}, { identity: null }),
    }),
  ],
  ['a device id of a new form', 'evidence-malformed', 'new form', () => identity({ version: 2 })],
  [
    'a firmware id of another hash',
    'evidence-malformed',
    'no SHA-384',
    () => identity({ hash: '2.16.840.1.101.3.4.2.1' }),
  ],
  [
    'a firmware id of another length',
    'evidence-malformed',
    'no SHA-384',
    () => identity({ firmware: new Uint8Array(32) }),
  ],
  [
    'other firmware than its key',
    'evidence-measurement',
    'other firmware',
    () => ({
      evidence: evidence({ opaque: { 20: new Uint8Array(48) } }),
    }),
  ],
  [
    'an expired chain',
    'evidence-expired',
    'has expired',
    () => ({
      context: { atMs: NVIDIA_AT_MS + 366 * DAY },
    }),
  ],
  [
    'a signature of another key',
    'evidence-signature',
    'not signed by the key',
    () => ({
      evidence: evidence({ signer: stranger }),
    }),
  ],
  [
    'a key that is not on P-384',
    'evidence-signature',
    'not signed by the key',
    () => ({
      evidence: evidence({}, { leaf: { key: testKey('P-256') } }),
    }),
  ],
  [
    'another nonce',
    'evidence-binding',
    'another nonce',
    () => ({
      context: { nonce: new Uint8Array(32) },
    }),
  ],
  [
    'a nonce of another length',
    'evidence-binding',
    'another nonce',
    () => ({
      context: { nonce: NONCE.subarray(1) },
    }),
  ],
  [
    'a revoked maker',
    'evidence-revoked',
    'is revoked',
    () => listed(nvidiaCrl(line, { revoked: [serialOf(maker.subject)] })),
  ],
  [
    'a revoked line',
    'evidence-revoked',
    'is revoked',
    () => listed(nvidiaCrl(root, { revoked: [serialOf(line.subject)] })),
  ],
  [
    'an expired list',
    'evidence-expired',
    'has expired',
    () => listed(nvidiaCrl(root, { untilDays: -0.5 })),
  ],
  [
    'a forged list',
    'evidence-collateral',
    'not signed',
    () => listed(nvidiaCrl(root, { signer: stranger })),
  ],
  [
    'a list of somebody else',
    'evidence-collateral',
    'another issuer',
    () => listed(nvidiaCrl({ subject: 'Somebody', key: stranger })),
  ],
  [
    'an older list',
    'evidence-rollback',
    'older than one seen',
    () => ({
      context: {
        crls,
        seen: new Map([[toHex(line.key.keyHash), { number: 8n, thisUpdateMs: 0 }]]),
      },
    }),
  ],
  [
    'a missing list where it is asked for',
    'evidence-collateral',
    'is missing',
    () => ({
      context: { crls: [nvidiaCrl(root)], requireCrl: true },
    }),
  ],
  [
    'more lists than issuers',
    'evidence-collateral',
    'more revocation lists',
    () => listed(...Array.from({ length: 9 }, () => crls[0]!)),
  ],
]

describe('a GPU is refused', () => {
  it.each(DEFECTS)('for %s', (_name, code, because, make) => {
    expect(() => verify(make())).toThrow(refusal(code, because))
  })

  it('each time with a sentence that a person can read', () => {
    for (const [, , , make] of DEFECTS) {
      try {
        verify(make())
      } catch (error) {
        const { because } = (error as { facts: { because: string } }).facts
        expect(because).toMatch(/^[A-Za-z][ -~]{15,160}[a-z0-9)A-Z-]$/)
        expect(because.split(' ').length).toBeGreaterThan(3)
      }
    }
  })
})
