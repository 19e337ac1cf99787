/**
 * Claims, documents and contexts for the tests of this folder.
 * @module
 */

import { expect } from 'vitest'
import type { Claims } from '../../../contracts/attest/document.ts'
import { makeOpenEvidence } from '../../../contracts/attest/open.ts'
import { makeSimulatedEvidence } from '../../../contracts/attest/simulated.ts'
import type { EvidenceContext } from '../../../contracts/attest/verifier.ts'
import { utf8 } from '../../../contracts/base/bytes.ts'
import type { ErrorCode } from '../../../contracts/base/errors.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'

export const hash = (name: string) => sha256(utf8(name))
export const NOW_S = 1_800_000_000
export const IDENTITY_KEY = signingKey(hash('identity'))
export const DEVICE_KEY = signingKey(hash('device'))

export const CLAIMS: Claims = {
  identity: IDENTITY_KEY.publicKey,
  network: -217,
  tier: 'open',
  compute: 'cpu',
  modelHash: hash('model'),
  backendHash: hash('backend'),
  gpuEvidenceHash: new Uint8Array(32),
  freshSeqno: 51_234_567,
  freshBlock: hash('block'),
  freshAtS: NOW_S - 60,
}

/** The block that `CLAIMS` name, as the chain has it. */
export const BLOCK = { seqno: 51_234_567, hash: hash('block'), atS: NOW_S - 60 }

/** Claims that differ from `CLAIMS` in one field each. */
export const CHANGED_CLAIMS: [keyof Claims, Claims][] = [
  ['identity', { ...CLAIMS, identity: signingKey(hash('other')).publicKey }],
  ['network', { ...CLAIMS, network: -218 }],
  ['tier', { ...CLAIMS, tier: 'cpu-tee' }],
  ['compute', { ...CLAIMS, compute: 'outside' }],
  ['modelHash', { ...CLAIMS, modelHash: hash('other') }],
  ['backendHash', { ...CLAIMS, backendHash: hash('other') }],
  ['gpuEvidenceHash', { ...CLAIMS, gpuEvidenceHash: hash('other') }],
  ['freshSeqno', { ...CLAIMS, freshSeqno: 51_234_568 }],
  ['freshBlock', { ...CLAIMS, freshBlock: hash('other') }],
  ['freshAtS', { ...CLAIMS, freshAtS: NOW_S - 61 }],
]

export const CONTEXT: EvidenceContext = {
  atMs: NOW_S * 1_000,
  network: -217,
  development: true,
  isRegistered: () => true,
  block: BLOCK,
}

/** A context of the claims' own network and block, so that only a proof can refuse them. */
export const fitting = (claims: Claims): EvidenceContext => ({
  ...CONTEXT,
  network: claims.network,
  block: { seqno: claims.freshSeqno, hash: claims.freshBlock, atS: claims.freshAtS },
})

export const NOT_AFTER_S = NOW_S + 7_200

/** What the simulated device signs: its tier is its own. */
const asSimulated = (claims: Claims): Claims => ({ ...claims, tier: 'simulated' })

export const open = (claims: Claims = CLAIMS) => makeOpenEvidence(claims, IDENTITY_KEY)
export const simulated = (claims: Claims = CLAIMS) =>
  makeSimulatedEvidence({
    claims: asSimulated(claims),
    deviceKey: DEVICE_KEY,
    notAfterS: NOT_AFTER_S,
  })

export const coded = (code: ErrorCode) => expect.objectContaining({ code })
/** Any refusal of evidence. */
export const refusedEvidence = expect.objectContaining({
  code: expect.stringMatching(/^evidence-/),
})
