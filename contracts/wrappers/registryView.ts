/**
 * What a registry answers: its state, its parameters by version, the code of its items, its rent.
 *
 * Nothing here touches a network except what is handed one.
 * @module
 */
import { type Address, beginCell, type Cell, type TupleReader } from '@ton/core'
import { type Bytes, fromBigInt, toBigInt, toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { Chain } from '../base/ports.ts'
import type { NanoTon } from '../base/units.ts'
import { getterOr } from './absent.ts'
import { ITEM_KINDS, type ItemKind, kindNumber } from './itemConfig.ts'
import { decodeParameters, type ListedParameters } from './parameters.ts'

/** An upgrade that was prepared: the hash of the code, and from when it may be applied. */
export interface PreparedCode {
  readonly codeHash: string
  readonly fromS: number
}

/** What the registry keeps of a kind of items. Hashes are lower-case hex. */
export interface KindView {
  readonly count: number
  /** The item enrolled last; each names the one before it. */
  readonly last?: Address
  readonly codeVersion: number
  readonly codeHash: string
  readonly firstCodeHash: string
  readonly prepared?: PreparedCode
}

export interface RegistryView {
  /** Version of the registry's own data; changes with its code only. */
  readonly layout: number
  readonly network: number
  readonly owner: Address
  readonly guardian: Address
  /** Ownership was offered to it, and not accepted yet. */
  readonly offered?: Address
  /** Registration is paused before this; 0 where it never was under this guardian. */
  readonly pausedUntilS: number
  /** Items in the list that refused their place when others followed them already. */
  readonly lost: number
  readonly parametersVersion: number
  /** Oldest version that can still be read. */
  readonly oldestVersion: number
  readonly disputeCodeHash: string
  /** Of the registry's own next code. */
  readonly prepared?: PreparedCode
  readonly kinds: Readonly<Record<ItemKind, KindView>>
}

/** What the registry holds, and what its rent costs at the prices of today. */
export interface RegistrySolvency {
  readonly balance: NanoTon
  /** Rent that could not be paid. */
  readonly due: NanoTon
  readonly cells: number
  readonly bits: number
  readonly rentOfYear: NanoTon
  /** Rent of five years. */
  readonly reserve: NanoTon
}

/**
 * State of a registry, final on chain. Throws `no-registry` where there is none.
 *
 * @example
 * const { kinds, parametersVersion } = await readRegistry(chain, address)
 */
export async function readRegistry(chain: Chain, address: Address): Promise<RegistryView> {
  return parseRegistryView(await getterOr('no-registry', chain, address, 'get_registry'))
}

/**
 * A version of the parameters, by default the one in force; undefined where the registry does not
 * know it, yet or any more. Throws `bad-frame` where it answers with anything else.
 *
 * @example
 * const { window } = (await readParameters(chain, registry))!
 */
export async function readParameters(
  chain: Chain,
  address: Address,
  version = 0,
): Promise<ListedParameters | undefined> {
  const asked = { type: 'int', value: BigInt(version) } as const
  const reader = await chain.getter(address, 'get_parameters', [asked])
  const cell = reader.readCellOpt()
  return cell ? decodeParameters(cell) : undefined
}

/** First, or newest, code of a kind of items. */
export async function readItemCode(
  chain: Chain,
  address: Address,
  kind: ItemKind,
  which: 'first' | 'newest',
): Promise<Cell> {
  const reader = await chain.getter(address, 'get_code', [
    { type: 'int', value: BigInt(kindNumber(kind)) },
    { type: 'int', value: which === 'first' ? -1n : 0n },
  ])
  return reader.readCell()
}

/** What the registry itself says the address of an item is. */
export async function readItemAddress(
  chain: Chain,
  address: Address,
  { kind, owner, key }: { kind: ItemKind; owner: Address; key?: Bytes },
): Promise<Address> {
  const reader = await chain.getter(address, 'get_item_address', [
    { type: 'int', value: BigInt(kindNumber(kind)) },
    { type: 'slice', cell: beginCell().storeAddress(owner).endCell() },
    { type: 'int', value: key ? toBigInt(key) : 0n },
  ])
  return reader.readAddress()
}

/** Balance and rent of a registry. */
export async function readSolvency(chain: Chain, address: Address): Promise<RegistrySolvency> {
  return parseSolvency(await chain.getter(address, 'get_solvency'))
}

/** The answer of `get_registry`. Throws `bad-frame`. */
export function parseRegistryView(reader: TupleReader): RegistryView {
  try {
    const layout = reader.readNumber()
    const network = reader.readNumber()
    const owner = reader.readAddress()
    const guardian = reader.readAddress()
    const offered = reader.readAddressOpt()
    const pausedUntilS = reader.readNumber()
    const lost = reader.readNumber()
    const parametersVersion = reader.readNumber()
    const oldestVersion = reader.readNumber()
    const disputeCodeHash = readHash(reader)
    const own = readPrepared(reader)
    const [provider, scheduler, gpu] = ITEM_KINDS.map(() => readKind(reader))
    return {
      ...{ layout, network, owner, guardian, ...(offered ? { offered } : {}), pausedUntilS, lost },
      ...{ parametersVersion, oldestVersion, disputeCodeHash, ...own },
      kinds: { provider: provider!, scheduler: scheduler!, gpu: gpu! },
    }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'registry' }, { cause })
  }
}

/** The answer of `get_solvency`. Throws `bad-frame`. */
export function parseSolvency(reader: TupleReader): RegistrySolvency {
  try {
    const balance = reader.readBigNumber()
    const due = reader.readBigNumber()
    const cells = reader.readNumber()
    const bits = reader.readNumber()
    const rentOfYear = reader.readBigNumber()
    return { balance, due, cells, bits, rentOfYear, reserve: reader.readBigNumber() }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'solvency' }, { cause })
  }
}

function readKind(reader: TupleReader): KindView {
  const count = reader.readNumber()
  const last = reader.readAddressOpt()
  const codeVersion = reader.readNumber()
  const codeHash = readHash(reader)
  const firstCodeHash = readHash(reader)
  const known = { codeVersion, codeHash, firstCodeHash, ...readPrepared(reader) }
  return { count, ...(last ? { last } : {}), ...known }
}

function readPrepared(reader: TupleReader): { readonly prepared?: PreparedCode } {
  const codeHash = readHash(reader)
  const fromS = reader.readNumber()
  return fromS === 0 ? {} : { prepared: { codeHash, fromS } }
}

function readHash(reader: TupleReader): string {
  return toHex(fromBigInt(reader.readBigNumber(), 32))
}
