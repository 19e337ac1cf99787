/**
 * The signed records that parties exchange: lease, accept, receipt, binding, epoch key.
 *
 * Each codec turns typed fields into one canonical cell and back; `contracts/wire/records.tlb` is the
 * schema. Every record starts with a tag of its own kind and the network id, so that no signature
 * over one can be shown as another, or on another network.
 *
 * @example
 * const signature = signRecord(lease.encode(fields), schedulerIdentity)
 * const cell = parseRecord(bytes)
 * checkRecord(cell, signature, schedulerKey)
 * const { provider } = lease.decode(cell, network)
 * @module
 */
import { type Address, type Builder, beginCell, type Slice } from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import { concat } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import { TIERS, type Tier } from '../base/tier.ts'
import type { NanoTon } from '../base/units.ts'
import { type PriceAsset, type Terms, TICKS, type TokenUsage } from '../money/price.ts'
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

export const STRATEGIES = ['exact', 'p2c', 'cocoon', 'reserve', 'pinned'] as const
export const OUTCOMES = ['completed', 'length', 'aborted', 'unpaid', 'failed'] as const
export const ROLES = ['provider', 'scheduler'] as const
const ENERGY_SOURCES = ['measured', 'estimated'] as const

/** Bytes of an MLKEM768-X25519 public key. */
export const KEM_PUBLIC_KEY_BYTES = 1_216
/** Bytes that fill a cell of the key's chain. */
const KEY_CELL_BYTES = 127

/** The scheduler's word that an attempt runs on a provider at these terms until `expiryS`. */
export interface Lease extends Terms {
  readonly network: number
  /** 16 bytes. */
  readonly jobId: Bytes
  /** 1 to `LIMITS.attempts`. */
  readonly attempt: number
  /** Identity keys, 32 bytes. */
  readonly scheduler: Bytes
  readonly provider: Bytes
  readonly clientJobKey: Bytes
  readonly modelHash: Bytes
  readonly minTier: Tier
  /** TON, or the jetton of this minter. */
  readonly asset: 'ton' | Address
  readonly parameterVersion: number
  readonly strategy: (typeof STRATEGIES)[number]
  readonly expiryS: number
}

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

/** The key that requests are sealed to, for its time. */
export interface EpochKey {
  readonly network: number
  readonly epoch: number
  readonly notBeforeS: number
  readonly notAfterS: number
  /** 1,216 bytes. */
  readonly kemPublicKey: Bytes
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

export const lease = recordCodec<Lease>({
  name: 'lease',
  tag: 0xc8dbcdb5,
  write(builder, value) {
    storeBytes(builder, value.jobId, 16)
    builder.storeUint(within(value.attempt, 1, LIMITS.attempts), 8)
    storeBytes(builder, value.scheduler, 32)
    storeBytes(builder, value.provider, 32)
    storeBytes(builder, value.clientJobKey, 32)
    return builder.storeRef(leaseService(value)).storeRef(leaseMoney(value))
  },
  read(slice, network) {
    const jobId = loadBytes(slice, 16)
    const attempt = slice.loadUint(8)
    const [scheduler, provider] = [loadBytes(slice, 32), loadBytes(slice, 32)]
    const clientJobKey = loadBytes(slice, 32)
    const service = readLeaseService(slice.loadRef().beginParse())
    const money = readLeaseMoney(slice.loadRef().beginParse())
    return { network, jobId, attempt, scheduler, provider, clientJobKey, ...service, ...money }
  },
})

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

export const epochKey = recordCodec<EpochKey>({
  name: 'epoch key',
  tag: 0x5bedcc2e,
  write(builder, value) {
    if (value.notAfterS < value.notBeforeS)
      throw new MarketError('bad-input', { field: 'notAfter' })
    storeLong(builder, value.epoch)
    storeLong(builder, value.notBeforeS)
    storeLong(builder, value.notAfterS)
    return builder.storeRef(keyChain(value.kemPublicKey))
  },
  read: (slice, network) => ({
    network,
    epoch: loadLong(slice),
    notBeforeS: loadLong(slice),
    notAfterS: loadLong(slice),
    kemPublicKey: readKeyChain(slice.loadRef().beginParse()),
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

/** Which price table a lease's asset uses. */
export function priceAsset(asset: Lease['asset']): PriceAsset {
  return asset === 'ton' ? 'ton' : 'jetton'
}

function leaseService(value: Lease) {
  const builder = storeBytes(beginCell(), value.modelHash, 32)
  storeWord(builder, value.minTier, TIERS)
  if (value.asset === 'ton') builder.storeBit(false)
  else builder.storeBit(true).storeAddress(value.asset)
  builder.storeUint(value.parameterVersion, 32)
  storeWord(builder, value.strategy, STRATEGIES)
  return storeLong(builder, value.expiryS).endCell()
}

function readLeaseService(slice: Slice) {
  return {
    modelHash: loadBytes(slice, 32),
    minTier: loadWord(slice, TIERS),
    asset: slice.loadBit() ? slice.loadAddress() : ('ton' as const),
    parameterVersion: slice.loadUint(32),
    strategy: loadWord(slice, STRATEGIES),
    expiryS: loadLong(slice),
  }
}

function leaseMoney(value: Lease) {
  const { steps } = value
  const builder = beginCell()
    .storeUint(within(value.tick, 0, TICKS - 1), 8)
    .storeUint(within(value.fee, 0, 10_000), 16)
  storeUsage(builder, value.multipliers)
  // A step or window of 0 would divide by zero or never pay.
  for (const tokens of [steps.prompt, steps.cachedPrompt, steps.completion, value.window]) {
    builder.storeUint(within(tokens, 1, LIMITS.maxTokens), 32)
  }
  return builder.endCell()
}

function readLeaseMoney(slice: Slice): Terms {
  const [tick, fee] = [slice.loadUint(8), slice.loadUint(16)]
  const multipliers = loadUsage(slice)
  const [prompt, cachedPrompt] = [slice.loadUint(32), slice.loadUint(32)]
  const steps = { prompt, cachedPrompt, completion: slice.loadUint(32) }
  return { tick, fee, multipliers, steps, window: slice.loadUint(32) }
}

function keyChain(key: Bytes) {
  if (key.length !== KEM_PUBLIC_KEY_BYTES) {
    throw new MarketError('bad-input', { expectedBytes: KEM_PUBLIC_KEY_BYTES })
  }
  const starts = Array.from(
    { length: Math.ceil(key.length / KEY_CELL_BYTES) },
    (_, i) => i * KEY_CELL_BYTES,
  )
  const part = (at: number) => key.subarray(at, at + KEY_CELL_BYTES)
  const [last, ...before] = starts.reverse().map(part)
  const end = storeBytes(beginCell(), last!, last!.length).endCell()
  return before.reduce(
    (next, bytes) => storeBytes(beginCell(), bytes, KEY_CELL_BYTES).storeRef(next).endCell(),
    end,
  )
}

function readKeyChain(first: Slice): Bytes {
  const parts: Bytes[] = []
  let slice = first
  for (let left = KEM_PUBLIC_KEY_BYTES; left > 0; left -= KEY_CELL_BYTES) {
    parts.push(loadBytes(slice, Math.min(left, KEY_CELL_BYTES)))
    if (left > KEY_CELL_BYTES) slice = slice.loadRef().beginParse()
  }
  return concat(...parts)
}

function storeEnergy(builder: Builder, energy: Receipt['energy']) {
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
