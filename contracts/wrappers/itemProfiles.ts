/**
 * What an item says of itself, by kind, as a cell and as plain values.
 *
 * Layouts and bounds are those of `contracts/tolk/items/profiles.tolk`. The contract checks sizes
 * only, so what is read here was written by strangers: every reader has bounds of its own and
 * throws `bad-frame`, never anything else.
 * @module
 */
import { Address, beginCell, type Cell, type Slice } from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { Chain } from '../base/ports.ts'
import { TIERS, type Tier } from '../base/tier.ts'

export interface ProviderProfile {
  /** Ed25519 public key, 32 bytes. */
  readonly identity: Bytes
  /** Ed25519 public key of the peer id, 32 bytes. */
  readonly peerId: Bytes
}

export interface SchedulerProfile extends ProviderProfile {
  /** Parts per 10,000 of what its clients pay for work. */
  readonly fee: number
  /** Multiaddrs. */
  readonly addresses: readonly string[]
}

export interface GpuProfile {
  /** The item of the provider that the device serves. */
  readonly provider: Address
  /** Hash of its evidence, 32 bytes. */
  readonly evidence: Bytes
  /** That the evidence claims. A client computes its own from the evidence. */
  readonly tier: Tier
  /** Of the device, as its vendor names it. */
  readonly model: string
}

/** Bytes of a cell. */
const CELL_BYTES = 127
const MOST_FEE = 10_000
const ADDRESS = /^\/[!-~]{1,254}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/

/** A provider's profile as a cell. Throws `bad-input`. */
export function providerProfileCell({ identity, peerId }: ProviderProfile): Cell {
  return beginCell().storeBuffer(key(identity)).storeBuffer(key(peerId)).endCell()
}

/** A scheduler's profile as a cell. Throws `bad-input`. */
export function schedulerProfileCell(profile: SchedulerProfile): Cell {
  const { identity, peerId, fee, addresses } = profile
  if (!(Number.isInteger(fee) && fee >= 0 && fee <= MOST_FEE)) throw wrong('fee')
  const text = addresses.join('\n')
  const fits = addresses.length <= LIMITS.dialAddresses && text.length <= LIMITS.itemAddressBytes
  if (!fits || !addresses.every((each) => ADDRESS.test(each))) throw wrong('addresses')
  return beginCell()
    .storeBuffer(key(identity))
    .storeBuffer(key(peerId))
    .storeUint(fee, 16)
    .storeRef(snakeOf(Buffer.from(text, 'ascii')))
    .endCell()
}

/** A GPU's profile as a cell. Throws `bad-input`. */
export function gpuProfileCell({ provider, evidence, tier, model }: GpuProfile): Cell {
  if (!Address.isAddress(provider)) throw wrong('provider')
  const name = Buffer.from(model, 'utf8')
  const fits = name.length > 0 && name.length <= CELL_BYTES
  if (!fits || UNPRINTABLE.test(model)) throw wrong('model')
  if (!TIERS.includes(tier)) throw wrong('tier')
  return beginCell()
    .storeAddress(provider)
    .storeBuffer(key(evidence))
    .storeUint(TIERS.indexOf(tier), 8)
    .storeRef(beginCell().storeBuffer(name).endCell())
    .endCell()
}

/** Reads a provider's profile. Throws `bad-frame`. */
export function parseProviderProfile(cell: Cell): ProviderProfile {
  return parsed('provider', cell, (slice) => ({ identity: bytes(slice), peerId: bytes(slice) }))
}

/** Reads a scheduler's profile. Throws `bad-frame`. */
export function parseSchedulerProfile(cell: Cell): SchedulerProfile {
  return parsed('scheduler', cell, (slice) => {
    const identity = bytes(slice)
    const peerId = bytes(slice)
    const fee = slice.loadUint(16)
    if (fee > MOST_FEE) throw wrong('fee')
    return { identity, peerId, fee, addresses: addressesOf(slice.loadRef()) }
  })
}

/** Reads a GPU's profile. Throws `bad-frame`. */
export function parseGpuProfile(cell: Cell): GpuProfile {
  return parsed('gpu', cell, (slice) => {
    const provider = slice.loadAddress()
    const evidence = bytes(slice)
    const tier = TIERS[slice.loadUint(8)]
    const model = textOf(slice.loadRef())
    if (!tier || !model || UNPRINTABLE.test(model)) throw wrong('tier or model')
    return { provider, evidence, tier, model }
  })
}

/**
 * The profile that an item shows. Throws `contract-failed` where there is no item, `bad-frame`
 * where it shows none, or none that `parse` can read.
 */
export async function readProfile<T>(
  chain: Chain,
  item: Address,
  parse: (cell: Cell) => T,
): Promise<T> {
  const reader = await chain.getter(item, 'get_profile')
  const shown = reader.pop()
  if (shown.type !== 'cell') throw new MarketError('bad-frame', { profile: shown.type })
  return parse(shown.cell)
}

function parsed<T>(kind: string, cell: Cell, read: (slice: Slice) => T): T {
  try {
    const slice = cell.beginParse()
    const profile = read(slice)
    slice.endParse()
    return profile
  } catch (cause) {
    throw new MarketError('bad-frame', { profile: kind }, { cause })
  }
}

/** Multiaddrs, one a line. What is none is left out: the rest of the profile is still of use. */
function addressesOf(first: Cell): string[] {
  const lines = unsnake(first, LIMITS.itemAddressBytes).toString('latin1').split('\n')
  return lines.filter((line) => ADDRESS.test(line)).slice(0, LIMITS.dialAddresses)
}

function textOf(cell: Cell): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(unsnake(cell, CELL_BYTES))
}

function snakeOf(data: Buffer): Cell {
  let next: Cell | undefined
  const cells = Math.max(1, Math.ceil(data.length / CELL_BYTES))
  for (let at = (cells - 1) * CELL_BYTES; at >= 0; at -= CELL_BYTES) {
    const builder = beginCell().storeBuffer(data.subarray(at, at + CELL_BYTES))
    next = (next ? builder.storeRef(next) : builder).endCell()
  }
  return next!
}

function unsnake(first: Cell, most: number): Buffer {
  const parts: Buffer[] = []
  let length = 0
  for (let next: Cell | undefined = first; next; ) {
    const slice: Slice = next.beginParse()
    if (slice.remainingBits % 8 !== 0 || slice.remainingRefs > 1) throw wrong('bytes')
    const part = slice.loadBuffer(slice.remainingBits / 8)
    parts.push(part)
    length += part.length
    // An empty cell that has a successor could make a chain without end.
    if (length > most || (part.length === 0 && slice.remainingRefs > 0)) throw wrong('bytes')
    next = slice.remainingRefs > 0 ? slice.loadRef() : undefined
  }
  return Buffer.concat(parts)
}

function key(value: Bytes): Buffer {
  if (value.length !== 32) throw wrong('32 bytes')
  return Buffer.from(value)
}

function bytes(slice: Slice): Bytes {
  return new Uint8Array(slice.loadBuffer(32))
}

function wrong(field: string): MarketError {
  return new MarketError('bad-input', { profile: field })
}
