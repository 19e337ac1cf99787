/**
 * The signed records that parties exchange: lease, accept, receipt, binding, epoch key.
 *
 * Each codec turns typed fields into one canonical cell and back; `contracts/wire/records.tlb` is
 * the schema. Every record starts with a tag of its own kind and the network id, so that no
 * signature over one can be shown as another, or on another network.
 *
 * @example
 * const signature = signRecord(lease.encode(fields), schedulerIdentity)
 * const cell = parseRecord(bytes)
 * checkRecord(cell, signature, schedulerKey)
 * const { provider } = lease.decode(cell, network)
 * @module
 */
import { type Address, type Builder, beginCell, type Cell, type Slice } from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { TokenUsage } from '../base/terms.ts'
import { TIERS, type Tier } from '../base/tier.ts'
import type { NanoTon } from '../base/units.ts'
import {
  loadBytes,
  loadLong,
  loadUsage,
  loadWord,
  recordCodec,
  storeAmount,
  storeBytes,
  storeLong,
  storeUsage,
  storeWord,
  within,
} from './records/codec.ts'

export { checkRecord, parseRecord, recordBytes, recordHash, signRecord } from './records/cells.ts'
export { type EpochKey, epochKey, KEM_PUBLIC_KEY_BYTES } from './records/epochKey.ts'
export { type Lease, lease, priceAsset, STRATEGIES } from './records/lease.ts'

export const OUTCOMES = ['completed', 'length', 'aborted', 'unpaid', 'failed'] as const
export const ROLES = ['provider', 'scheduler'] as const
const ENERGY_SOURCES = ['measured', 'estimated'] as const

/** The provider's yes to a lease. */
export interface Accept {
  readonly network: number
  readonly leaseHash: Bytes
  /** Hash of the epoch key record. */
  readonly epochKeyHash: Bytes
  /** SHA-256 of the evidence document, 32 bytes. */
  readonly evidenceDigest: Bytes
  readonly expiryS: number
}

/** What a job used and cost. `fee` is the scheduler's, on top of `cost`. */
export interface Receipt {
  readonly network: number
  readonly leaseHash: Bytes
  readonly billed: TokenUsage
  readonly cost: NanoTon
  readonly fee: NanoTon
  readonly modelHash: Bytes
  readonly tier: Tier
  readonly outcome: (typeof OUTCOMES)[number]
  readonly startS: number
  readonly endS: number
  readonly transcriptHash: Bytes
  /** Kept to the millijoule; absent where nobody can say. */
  readonly energy?: { readonly joules: number; readonly how: (typeof ENERGY_SOURCES)[number] }
}

/** Ties wallet, peer id and identity of a server together; signed by all three keys. */
export interface Binding {
  readonly network: number
  readonly role: (typeof ROLES)[number]
  readonly wallet: Address
  /** Ed25519 public key of the peer id, 32 bytes. */
  readonly peerId: Bytes
  readonly identity: Bytes
  readonly expiryS: number
}

export const accept = recordCodec<Accept>({
  name: 'accept',
  tag: 0xd3742cd6,
  write(builder, value) {
    storeBytes(builder, value.leaseHash, 32)
    storeBytes(builder, value.epochKeyHash, 32)
    storeBytes(builder, value.evidenceDigest, 32)
    return storeLong(builder, value.expiryS)
  },
  read: (slice, network) => ({
    network,
    leaseHash: loadBytes(slice, 32),
    epochKeyHash: loadBytes(slice, 32),
    evidenceDigest: loadBytes(slice, 32),
    expiryS: loadLong(slice),
  }),
})

export const receipt = recordCodec<Receipt>({
  name: 'receipt',
  tag: 0xc6d5d3ca,
  write(builder, value) {
    if (value.endS < value.startS) throw new MarketError('bad-input', { field: 'endS' })
    storeBytes(builder, value.leaseHash, 32)
    storeBytes(builder, value.modelHash, 32)
    storeBytes(builder, value.transcriptHash, 32)
    storeWord(builder, value.tier, TIERS)
    storeWord(builder, value.outcome, OUTCOMES)
    storeLong(builder, value.startS)
    storeLong(builder, value.endS)
    const account = storeUsage(beginCell(), value.billed)
    storeAmount(account, value.cost)
    storeAmount(account, value.fee)
    return builder.storeRef(storeEnergy(account, value.energy))
  },
  read(slice, network) {
    const [leaseHash, modelHash] = [loadBytes(slice, 32), loadBytes(slice, 32)]
    const transcriptHash = loadBytes(slice, 32)
    const [tier, outcome] = [loadWord(slice, TIERS), loadWord(slice, OUTCOMES)]
    const [startS, endS] = [loadLong(slice), loadLong(slice)]
    const account = slice.loadRef().beginParse()
    const money = {
      billed: loadUsage(account),
      cost: account.loadCoins(),
      fee: account.loadCoins(),
    }
    const energy = readEnergy(account)
    const facts = { network, leaseHash, modelHash, transcriptHash, tier, outcome, startS, endS }
    return energy ? { ...facts, ...money, energy } : { ...facts, ...money }
  },
})

export const binding = recordCodec<Binding>({
  name: 'binding',
  tag: 0x7a193539,
  write(builder, value) {
    storeWord(builder, value.role, ROLES).storeAddress(value.wallet)
    storeBytes(builder, value.peerId, 32)
    storeBytes(builder, value.identity, 32)
    return storeLong(builder, value.expiryS)
  },
  read: (slice, network) => ({
    network,
    role: loadWord(slice, ROLES),
    wallet: slice.loadAddress(),
    peerId: loadBytes(slice, 32),
    identity: loadBytes(slice, 32),
    expiryS: loadLong(slice),
  }),
})

function storeEnergy(builder: Builder, energy: Receipt['energy']): Cell {
  if (energy === undefined) return builder.storeBit(false).endCell()
  const millijoules = within(Math.round(energy.joules * 1_000), 0, 2 ** 48 - 1)
  builder.storeBit(true).storeUint(millijoules, 48)
  return storeWord(builder, energy.how, ENERGY_SOURCES).endCell()
}

function readEnergy(slice: Slice): Receipt['energy'] {
  if (!slice.loadBit()) return undefined
  const joules = slice.loadUint(48) / 1_000
  return { joules, how: loadWord(slice, ENERGY_SOURCES) }
}
