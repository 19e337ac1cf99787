/**
 * The provider's evidence: one document a model, renewed while it is still good, and the epoch key
 * that never outlives it.
 *
 * `open` shows only who answers; `simulated` imitates a TEE for development networks and can never
 * be mistaken for one. Above them a collector asks the hardware, and what it brings is verified
 * here as a client will, before anybody is offered anything.
 * @module
 */
import { type Claims, type Compute, evidenceDigest } from '../../contracts/attest/document.ts'
import { refused } from '../../contracts/attest/hardware.ts'
import { makeOpenEvidence } from '../../contracts/attest/open.ts'
import { makeSimulatedEvidence } from '../../contracts/attest/simulated.ts'
import type { EvidenceVerifier } from '../../contracts/attest/verifier.ts'
import { verifyEvidence } from '../../contracts/attest/verify.ts'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import { chainTime } from '../../contracts/base/chainTime.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain, ChainBlock, Clock, Kem, Logger } from '../../contracts/base/ports.ts'
import { type SigningKey, sha256 } from '../../contracts/base/signing.ts'
import type { Tier } from '../../contracts/base/tier.ts'
import { currentEpoch, type Epochs } from '../../contracts/seal/epoch.ts'
import { epochKey, recordBytes, recordHash, signRecord } from '../../contracts/wire/records.ts'

/**
 * Asks this machine's hardware for a document about claims whose GPU hash is not known yet. Throws
 * `no-device` saying what is needed.
 */
export type Collect = (claims: Omit<Claims, 'gpuEvidenceHash'>) => Promise<Bytes>

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
  readonly logger: Logger
  readonly kem: Kem
  readonly epochs: Epochs
  readonly networkId: number
  readonly identity: SigningKey
  readonly deviceKey: SigningKey
  /** Where the backend runs its models. */
  readonly compute: Compute
  /** For tiers above `open`. */
  readonly collect?: Collect
  /** For tests: verifiers instead of this version's own. */
  readonly unsafeVerifiers?: readonly EvidenceVerifier[]
}

interface Kept {
  readonly bytes: Bytes
  readonly validUntilS: number
  readonly renewAtS: number
}

export type Attest = (modelHash: Bytes, backendHash: Bytes, tier: Tier) => Promise<Attested>

/** Gives current evidence and epoch key for a model. */
export function createEvidence(deps: EvidenceDeps): Attest {
  const kept = new Map<string, Kept>()
  const renewing = new Map<string, Promise<Kept>>()
  const time = watchedTime(deps)

  const renew = async (modelHash: Bytes, backendHash: Bytes, tier: Tier): Promise<Kept> => {
    const { seqno, hash, atS } = await namedBlock(deps.chain)
    time.seen(atS)
    const claims = {
      identity: deps.identity.publicKey,
      network: deps.networkId,
      tier,
      compute: deps.compute,
      modelHash,
      backendHash,
      freshSeqno: seqno,
      freshBlock: hash,
      freshAtS: atS,
    }
    const made = await make(claims, deps, time.nowS() * 1_000)
    const madeS = time.nowS()
    return { ...made, renewAtS: madeS + Math.floor((made.validUntilS - madeS) / 2) }
  }

  /** One renewal at a time for a key; its outcome is for whoever waits. */
  const renewed = (key: string, ...about: Parameters<typeof renew>): Promise<Kept> => {
    const running = renewing.get(key)
    if (running) return running
    const started = renew(...about)
      .then((made) => {
        kept.set(key, made)
        return made
      })
      .finally(() => renewing.delete(key))
    renewing.set(key, started)
    return started
  }

  const fresh = async (modelHash: Bytes, backendHash: Bytes, tier: Tier): Promise<Kept> => {
    const key = [tier, ...[modelHash, backendHash].map(toHex)].join('/')
    const known = kept.get(key)
    time.watch()
    const atS = time.nowS()
    if (known && atS < known.renewAtS) return known
    const next = renewed(key, modelHash, backendHash, tier)
    if (!known || atS + LIMITS.epochMinS >= known.validUntilS) return next
    // No lease waits for hardware, which may take seconds: what is there is good for an epoch.
    next.catch((thrown: unknown) => {
      const { code, message } = asMarketError(thrown)
      deps.logger.warn({ code, detail: message }, 'evidence was not renewed')
    })
    return known
  }

  return async (modelHash, backendHash, tier) => {
    const { bytes, validUntilS } = await fresh(modelHash, backendHash, tier)
    const nowS = Math.floor(deps.clock.nowMs() / 1_000)
    const epoch = currentEpoch(deps.epochs, nowS, deps.kem, validUntilS)
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

/**
 * The time that evidence is renewed by. Clients judge by the chain's where it is ahead, and a
 * development network may be moved on by days: `watch` keeps up, now and then. Nobody waits for
 * it, and a chain that is away does no harm.
 */
function watchedTime({ chain, clock }: Pick<EvidenceDeps, 'chain' | 'clock'>) {
  const { nowMs, seen } = chainTime(clock)
  let lookAtMs = Number.NEGATIVE_INFINITY
  const watch = (): void => {
    const atMs = clock.monotonicMs()
    if (atMs < lookAtMs + LIMITS.chainTimeMs) return
    lookAtMs = atMs
    chain.lastBlock().then(
      ({ atS }) => seen(atS),
      () => undefined,
    )
  }
  return { nowS: () => Math.floor(nowMs() / 1_000), seen, watch }
}

/** The kind of backend that claims name: this program's own port. */
export const BACKEND = 'chrysalis'

/** Hash of what a backend is, for the claims: its kind and the model it serves. */
export function backendHash(kind: string, model: string): Bytes {
  return sha256(new TextEncoder().encode(`chrysalis/backend/1 ${kind} ${model}`))
}

/** The last block, as everybody can ask for it by its number. */
async function namedBlock(chain: Chain): Promise<ChainBlock> {
  const { seqno } = await chain.lastBlock()
  const block = await chain.block(seqno)
  if (!block) throw new MarketError('chain-unavailable', { block: seqno })
  return block
}

async function make(
  given: Omit<Claims, 'gpuEvidenceHash'>,
  deps: EvidenceDeps,
  atMs: number,
): Promise<{ bytes: Bytes; validUntilS: number }> {
  const claims: Claims = { ...given, gpuEvidenceHash: new Uint8Array(32) }
  const validUntilS = claims.freshAtS + LIMITS.evidenceLifeS
  const { identity, deviceKey } = deps
  switch (claims.tier) {
    case 'open':
      return { bytes: makeOpenEvidence(claims, identity), validUntilS }
    case 'simulated':
      return {
        bytes: makeSimulatedEvidence({ claims, deviceKey, notAfterS: validUntilS }),
        validUntilS,
      }
    default:
      return collected(given, deps, atMs)
  }
}

/** A client would refuse what does not verify here, or is about something else. */
async function collected(
  claims: Omit<Claims, 'gpuEvidenceHash'>,
  { collect, networkId, unsafeVerifiers }: EvidenceDeps,
  atMs: number,
): Promise<{ bytes: Bytes; validUntilS: number }> {
  if (!collect) {
    const needs = 'a collector of evidence for this kind of machine'
    throw new MarketError('no-device', { because: 'no collector was given', needs })
  }
  const bytes = await collect(claims)
  const context = { atMs, network: networkId }
  const { tier, claims: found, validUntilS } = await verifyEvidence(bytes, context, unsafeVerifiers)
  const { gpuEvidenceHash: _, ...about } = found
  if (JSON.stringify(shown(about)) !== JSON.stringify(shown(claims)) || tier !== claims.tier) {
    throw refused('evidence-binding', 'what was collected is about something else')
  }
  return { bytes, validUntilS }
}

function shown(claims: Omit<Claims, 'gpuEvidenceHash'>): unknown[] {
  const entries = Object.entries(claims).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([name, value]) => [name, value instanceof Uint8Array ? toHex(value) : value])
}
