/**
 * The provider's yes or no to a lease: everything a provider checks before it promises a place.
 *
 * Pure. Throws the typed refusal that the scheduler sees; nothing is sealed or paid before the
 * accept.
 * @module
 */
import { sameAsset } from '../../contracts/base/assets.ts'
import { type Bytes, equal, toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { MarketParameters } from '../../contracts/base/marketParameters.ts'
import type { Asset } from '../../contracts/base/terms.ts'
import { type Tier, tierAtLeast } from '../../contracts/base/tier.ts'
import { termsOf } from '../../contracts/money/marketTerms.ts'
import type { JobBinding } from '../../contracts/seal/binding.ts'
import {
  checkRecord,
  type Lease,
  lease,
  parseRecord,
  recordHash,
} from '../../contracts/wire/records.ts'

/** One slot as its owner sells it. */
export interface SlotTerms {
  readonly model: string
  readonly modelHash: Bytes
  readonly tick: number
  /** What the tick is in; absent: TON. */
  readonly asset?: Asset
  readonly tier: Tier
}

/** A lease that was found acceptable, before a place is taken for it. */
export interface CheckedLease {
  readonly lease: Lease
  readonly leaseHash: Bytes
  readonly jobId: string
  readonly slot: SlotTerms
}

/** An accepted lease: what sealing and running it need. */
export interface AcceptedLease extends Omit<CheckedLease, 'slot' | 'leaseHash'> {
  readonly model: string
  readonly tier: Tier
  readonly epoch: number
  readonly binding: JobBinding
}

/**
 * Checks a signed lease against what this provider offers. Throws `bad-signature`, `wrong-network`,
 * `bad-lease` (with the field), `no-model`.
 */
export async function checkLease(
  signed: { readonly record: Bytes; readonly signature: Bytes },
  own: {
    readonly network: number
    readonly identity: Bytes
    readonly slots: readonly SlotTerms[]
    readonly scheduler: Bytes
    readonly nowS: number
    /** A version of the market's parameters that leases may name. */
    version(version: number): Promise<MarketParameters | undefined>
  },
): Promise<CheckedLease> {
  const cell = parseRecord(signed.record)
  checkRecord(cell, signed.signature, own.scheduler)
  const terms = lease.decode(cell, own.network)
  if (!equal(terms.scheduler, own.scheduler)) throw bad('scheduler')
  if (!equal(terms.provider, own.identity)) throw bad('provider')
  if (terms.expiryS <= own.nowS) throw bad('expiry')
  if (terms.expiryS > own.nowS + LIMITS.leaseMs / 1000 + LIMITS.clockSkewS) throw bad('expiry')
  const ofModel = own.slots.filter((each) => equal(each.modelHash, terms.modelHash))
  if (ofModel.length === 0) throw new MarketError('no-model', { modelHash: toHex(terms.modelHash) })
  const slot = ofModel.find((each) => sameAsset(each.asset, terms.asset))
  if (!slot) throw bad('asset')
  if (terms.tick < slot.tick) throw bad('tick')
  if (!tierAtLeast(slot.tier, terms.minTier)) throw bad('minTier')
  const parameters = await own.version(terms.parameterVersion)
  if (!parameters) throw bad('parameterVersion')
  const pinned = termsOf(parameters, slot.model)
  if (!sameNumbers(terms.multipliers, pinned.multipliers)) throw bad('multipliers')
  if (!sameNumbers(terms.steps, pinned.steps)) throw bad('steps')
  if (terms.window !== pinned.window) throw bad('window')
  return { lease: terms, leaseHash: recordHash(cell), jobId: toHex(terms.jobId), slot }
}

function sameNumbers(a: object, b: object): boolean {
  const values = (record: object) => JSON.stringify(Object.entries(record).sort())
  return values(a) === values(b)
}

function bad(field: string): MarketError {
  return new MarketError('bad-lease', { field })
}
