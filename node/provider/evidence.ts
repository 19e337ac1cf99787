/**
 * The provider's evidence: one document a model, renewed while it is still good, and the epoch key
 * that never outlives it.
 *
 * `open` shows only who answers; `simulated` imitates a TEE for development networks and can never
 * be mistaken for one. Collectors of real evidence stand behind the same function.
 * @module
 */
import { type Claims, type Compute, evidenceDigest } from '../../contracts/attest/document.ts'
import { makeOpenEvidence } from '../../contracts/attest/open.ts'
import { makeSimulatedEvidence } from '../../contracts/attest/simulated.ts'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain, Clock, Kem } from '../../contracts/base/ports.ts'
import { type SigningKey, sha256 } from '../../contracts/base/signing.ts'
import type { Tier } from '../../contracts/base/tier.ts'
import { currentEpoch, type Epochs } from '../../contracts/seal/epoch.ts'
import { epochKey, recordBytes, recordHash, signRecord } from '../../contracts/wire/records.ts'

/** The tiers that this build can make evidence for. */
export type MadeTier = Extract<Tier, 'open' | 'simulated'>

/** What an accept names: evidence, and the signed epoch key. */
export interface Attested {
  readonly evidence: Bytes
  readonly digest: Bytes
  readonly epoch: number
  readonly epochRecord: Bytes
  readonly epochHash: Bytes
  readonly epochSignature: Bytes
}

export interface EvidenceDeps {
  readonly chain: Chain
  readonly clock: Clock
  readonly kem: Kem
  readonly epochs: Epochs
  readonly networkId: number
  readonly identity: SigningKey
  readonly deviceKey: SigningKey
  /** Where the backend runs its models. */
  readonly compute: Compute
}

/** Gives current evidence and epoch key for a model. */
export function createEvidence(deps: EvidenceDeps) {
  const kept = new Map<string, { bytes: Bytes; validUntilS: number }>()
  const nowS = () => Math.floor(deps.clock.nowMs() / 1000)

  const fresh = async (modelHash: Bytes, backendHash: Bytes, tier: MadeTier) => {
    const key = `${tier}/${toHex(modelHash)}`
    const known = kept.get(key)
    if (known && nowS() < known.validUntilS - LIMITS.evidenceLifeS / 2) return known
    const { hash, atS } = await deps.chain.lastBlock()
    const claims: Claims = {
      identity: deps.identity.publicKey,
      network: deps.networkId,
      tier,
      compute: deps.compute,
      modelHash,
      backendHash,
      gpuEvidenceHash: new Uint8Array(32),
      freshBlock: hash,
      freshAtS: Math.min(atS, nowS()),
    }
    const validUntilS = claims.freshAtS + LIMITS.evidenceLifeS
    const made = { bytes: make(claims, tier, validUntilS), validUntilS }
    kept.set(key, made)
    return made
  }

  const make = (claims: Claims, tier: MadeTier, notAfterS: number): Bytes =>
    tier === 'open'
      ? makeOpenEvidence(claims, deps.identity)
      : makeSimulatedEvidence({ claims, deviceKey: deps.deviceKey, notAfterS })

  return async (modelHash: Bytes, backendHash: Bytes, tier: MadeTier): Promise<Attested> => {
    const { bytes, validUntilS } = await fresh(modelHash, backendHash, tier)
    const epoch = currentEpoch(deps.epochs, nowS(), deps.kem, validUntilS)
    const cell = epochKey.encode({ network: deps.networkId, ...epoch })
    return {
      evidence: bytes,
      digest: evidenceDigest(bytes),
      epoch: epoch.epoch,
      epochRecord: recordBytes(cell),
      epochHash: recordHash(cell),
      epochSignature: signRecord(cell, deps.identity),
    }
  }
}

/** Hash of what a backend is, for the claims: its kind and the model it serves. */
export function backendHash(kind: string, model: string): Bytes {
  return sha256(new TextEncoder().encode(`chrysalis/backend/1 ${kind} ${model}`))
}
