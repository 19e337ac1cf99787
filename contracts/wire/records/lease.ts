/**
 * The lease: the scheduler's signed word that an attempt runs on a provider at a price.
 *
 * Three cells: who, the service, the money. `contracts/wire/records.tlb` is the schema.
 * @module
 */
import { type Address, beginCell, type Cell, type Slice } from '@ton/core'
import type { Bytes } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { type PriceAsset, type Terms, TICKS } from '../../base/terms.ts'
import { TIERS, type Tier } from '../../base/tier.ts'
import {
  loadBytes,
  loadLong,
  loadUsage,
  loadWord,
  recordCodec,
  storeBytes,
  storeLong,
  storeUsage,
  storeWord,
  within,
} from './codec.ts'

export const STRATEGIES = ['exact', 'p2c', 'cocoon', 'reserve', 'pinned'] as const

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

/** Which price table a lease's asset uses. */
export function priceAsset(asset: Lease['asset']): PriceAsset {
  return asset === 'ton' ? 'ton' : 'jetton'
}

function leaseService(value: Lease): Cell {
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

function leaseMoney(value: Lease): Cell {
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
