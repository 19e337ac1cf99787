/**
 * Placements of the played market: lease, epoch key, evidence and accept of an attempt, honest
 * unless a `Forgery` says what a hostile scheduler changes, at which moment.
 * @module
 */
import type { Claims } from '../../contracts/attest/document.ts'
import { makeSimulatedEvidence } from '../../contracts/attest/simulated.ts'
import { type Bytes, fromHex, toHex } from '../../contracts/base/bytes.ts'
import type { Clock, Kem } from '../../contracts/base/ports.ts'
import { type SigningKey, sha256, signingKey } from '../../contracts/base/signing.ts'
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
import type { JobSpec } from '../../contracts/wire/submit.ts'
import { simulatedBlock } from '../../node/chain/simulated.ts'

export const NETWORK_ID = 77
export const FEE = 500
export const TICK = 40
/** A block a second: its number is its time. */
export const BLOCK_MS = 1_000
export const MODEL_HASH = sha256(new Uint8Array(3))

/** Keys of the played peer, which is scheduler and provider in one. */
export type Keys = Readonly<Record<'identity' | 'provider' | 'spare', SigningKey>>

/** What goes over the wire. */
export interface PlacedMessage {
  readonly lease: { readonly record: Bytes; readonly signature: Bytes }
  readonly accepted: {
    readonly record: Bytes
    readonly signature: Bytes
    readonly epochKey: Bytes
    readonly epochSignature: Bytes
    readonly evidence: Bytes
  }
}

/**
 * The first five change what is then signed, as if the provider played along; `by` says who signs
 * in whose stead; `swap` exchanges parts of the finished message, which needs nobody's key.
 */
export interface Forgery {
  readonly lease?: (honest: Lease, keys: Keys) => Lease
  readonly epoch?: (honest: EpochKey, keys: Keys) => EpochKey
  readonly evidence?: (claims: Claims, keys: Keys) => Bytes
  readonly accept?: (honest: Accept, keys: Keys) => Accept
  readonly by?: (keys: Keys) => Partial<Record<'lease' | 'accept' | 'epoch', SigningKey>>
  readonly swap?: (message: PlacedMessage, keys: Keys) => PlacedMessage
}

/** Whose provider serves: the spare one where the first is excluded. */
export function providerFor({ exclude }: JobSpec, keys: Keys): SigningKey {
  return exclude.includes(toHex(keys.provider.publicKey)) ? keys.spare : keys.provider
}

export function place(
  spec: JobSpec,
  attempt: number,
  { clock, keys, kem }: { readonly clock: Clock; readonly keys: Keys; readonly kem: Kem },
  forge: Forgery = {},
) {
  const nowS = Math.floor(clock.nowMs() / 1_000)
  const provider = providerFor(spec, keys)
  const by = { lease: keys.identity, accept: provider, epoch: provider, ...forge.by?.(keys) }
  const honest = honestLease(spec, attempt, nowS, keys)
  const signedLease = forge.lease?.(honest, keys) ?? honest
  const leaseCell = lease.encode(signedLease)
  const pair = kem.generateKeyPair()
  const epoch = {
    network: NETWORK_ID,
    epoch: nowS,
    notBeforeS: nowS,
    notAfterS: nowS + 1_800,
    kemPublicKey: pair.publicKey,
  }
  const epochCell = epochKey.encode(forge.epoch?.(epoch, keys) ?? epoch)
  const claims = honestClaims(provider.publicKey, nowS)
  const evidence = forge.evidence?.(claims, keys) ?? simulated(claims)
  const accepted = {
    network: NETWORK_ID,
    leaseHash: recordHash(leaseCell),
    epochKeyHash: recordHash(epochCell),
    evidenceDigest: sha256(evidence),
    expiryS: nowS + 600,
  }
  const acceptCell = accept.encode(forge.accept?.(accepted, keys) ?? accepted)
  const message = {
    lease: { record: recordBytes(leaseCell), signature: signRecord(leaseCell, by.lease) },
    accepted: {
      record: recordBytes(acceptCell),
      signature: signRecord(acceptCell, by.accept),
      epochKey: recordBytes(epochCell),
      epochSignature: signRecord(epochCell, by.epoch),
      evidence,
    },
  }
  return {
    lease: signedLease,
    leaseHash: recordHash(leaseCell),
    secretKey: pair.secretKey,
    binding: {
      network: NETWORK_ID,
      leaseHash: recordHash(leaseCell),
      acceptHash: recordHash(acceptCell),
      minTier: spec.minTier,
      evidenceDigest: sha256(evidence),
    },
    message: forge.swap?.(message, keys) ?? message,
  }
}

function honestLease(spec: JobSpec, attempt: number, nowS: number, keys: Keys): Lease {
  return {
    network: NETWORK_ID,
    jobId: fromHex(spec.jobId),
    attempt,
    scheduler: keys.identity.publicKey,
    provider: providerFor(spec, keys).publicKey,
    clientJobKey: spec.clientJobKey,
    modelHash: MODEL_HASH,
    minTier: spec.minTier,
    asset: 'ton',
    tick: TICK,
    fee: FEE,
    multipliers: DEFAULT_PARAMETERS.multipliers,
    steps: DEFAULT_PARAMETERS.steps,
    window: DEFAULT_PARAMETERS.window,
    parameterVersion: DEFAULT_PARAMETERS.version,
    strategy: 'exact',
    expiryS: nowS + 600,
  }
}

function honestClaims(identity: Bytes, nowS: number): Claims {
  return {
    identity,
    network: NETWORK_ID,
    tier: 'simulated',
    compute: 'cpu',
    modelHash: MODEL_HASH,
    backendHash: new Uint8Array(32),
    gpuEvidenceHash: new Uint8Array(32),
    ...freshAt(nowS),
  }
}

/** Claims about the block of a second, as the chain of the played market has it. */
export function freshAt(atS: number, networkId = NETWORK_ID) {
  const { seqno, hash } = simulatedBlock({ networkId, blockMs: BLOCK_MS }, atS)
  return { freshSeqno: seqno, freshBlock: hash, freshAtS: atS }
}

/** Simulated evidence of a provider, valid for a day. */
export function simulatedEvidence(identity: Bytes, nowS: number): Bytes {
  return simulated(honestClaims(identity, nowS))
}

function simulated(claims: Claims): Bytes {
  return makeSimulatedEvidence({
    claims,
    deviceKey: signingKey(sha256(claims.identity)),
    notAfterS: claims.freshAtS + 86_400,
  })
}
