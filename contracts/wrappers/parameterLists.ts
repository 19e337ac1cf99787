/**
 * The lists of the registry's parameters: models, measurements, assets, AMD's least firmware.
 *
 * `Lists` of contracts/tolk/common/protocol.tolk. Nothing on chain walks them: who wants one entry
 * reads the version once, and knows them all. Fields are in bounds when they come here
 * (`parameterBounds.ts`), except for keys of the lists.
 * @module
 */
import { beginCell, type Cell, Dictionary, type Slice } from '@ton/core'
import { fromHex, toBigInt, toHex, utf8 } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { ListedAsset, ListedModel, MarketParameters } from '../base/marketParameters.ts'
import { sha256 } from '../base/signing.ts'
import type { Multipliers } from '../base/terms.ts'
import { readDict } from './boundedDict.ts'
import { PARAMETER_BOUNDS } from './parameterBounds.ts'

/** Which machines a measurement is of, and since when it is accepted. */
export interface ListedImage {
  readonly machine: (typeof MACHINES)[number]
  readonly sinceS: number
}

/** By number on chain. */
const MACHINES = ['any', 'tdx', 'sev-snp', 'nvidia'] as const
/** AMD's products by number on chain, from 1. */
const PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const
/** Parts of a security version, one byte each from the highest; three bytes below are zero. */
const PARTS = ['bootloader', 'tee', 'snp', 'microcode', 'fmc'] as const
const BASECHAIN = 0

type Lists = Pick<MarketParameters, 'models' | 'measurements' | 'assets'> & {
  readonly images?: ReadonlyMap<string, ListedImage>
}

/** Throws `bad-input` where a key of a list is none. */
export function encodeLists({ models, measurements, assets, images }: Lists): Cell {
  const byHash = () => Dictionary.empty(Dictionary.Keys.BigUint(256), RAW)
  const modelDict = byHash()
  for (const [id, model] of models) {
    const value = beginCell().storeRef(encodeModel(id, model)).endCell()
    modelDict.set(toBigInt(sha256(utf8(id))), value)
  }
  const imageDict = byHash()
  for (const hash of measurements.list) {
    const { machine, sinceS } = images?.get(hash) ?? { machine: 'any', sinceS: 0 }
    const image = beginCell().storeUint(MACHINES.indexOf(machine), 8).storeUint(sinceS, 32)
    imageDict.set(BigInt(`0x${hash}`), image.endCell())
  }
  const assetDict = byHash()
  for (const [minter, { scale, decimals }] of assets) {
    const asset = beginCell().storeUint(scale, 64).storeUint(decimals, 8).endCell()
    assetDict.set(accountOf(minter), asset)
  }
  const cell = beginCell().storeDict(modelDict).storeDict(imageDict).storeDict(assetDict)
  return cell.storeDict(encodeLeastTcb(measurements.leastTcb ?? {})).endCell()
}

/** Throws as the reader of cells does; an entry that does not belong is found by encoding again. */
export function decodeLists(
  cell: Cell,
  version: number,
): Required<Pick<Lists, 'models' | 'measurements' | 'assets' | 'images'>> {
  const slice = cell.beginParse()
  const [models, images, assets] = (['models', 'images', 'assets'] as const).map((list) =>
    readDict(slice.loadMaybeRef(), 256, PARAMETER_BOUNDS[list]),
  )
  const leastTcb = readDict(slice.loadMaybeRef(), 8, PRODUCTS.length)
  const listed = new Map(images!.map(([hash, value]) => [hex(hash), decodeImage(value)] as const))
  return {
    models: new Map(models!.map(([, value]) => decodeModel(value.loadRef().beginParse()))),
    images: listed,
    measurements: {
      version,
      list: [...listed.keys()],
      ...(leastTcb.length > 0 ? { leastTcb: Object.fromEntries(leastTcb.map(decodeTcb)) } : {}),
    },
    assets: new Map(
      assets!.map(([account, value]): [string, ListedAsset] => [
        account === 0n ? 'ton' : `${BASECHAIN}:${hex(account)}`,
        { scale: value.loadUintBig(64), decimals: value.loadUint(8) },
      ]),
    ),
  }
}

function encodeModel(id: string, model: ListedModel): Cell {
  return beginCell()
    .storeBuffer(Buffer.from(fromHex(model.weightsHash, 32)))
    .storeBuffer(Buffer.from(fromHex(model.tokenizerHash ?? NO_HASH, 32)))
    .storeUint(model.referenceTick, 8)
    .storeUint(toBigInt(utf8(model.quantisation)), 128)
    .storeSlice(encodeMultipliers(model.multipliers).beginParse())
    .storeRef(
      beginCell()
        .storeBuffer(Buffer.from(utf8(id)))
        .endCell(),
    )
    .endCell()
}

function decodeModel(slice: Slice): [string, ListedModel] {
  const weightsHash = toHex(slice.loadBuffer(32))
  const tokenizerHash = toHex(slice.loadBuffer(32))
  const referenceTick = slice.loadUint(8)
  const quantisation = slice.loadBuffer(16).toString('latin1').replace(/^\0+/, '')
  const multipliers = decodeMultipliers(slice)
  const name = slice.loadRef().beginParse()
  const id = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
    name.loadBuffer(name.remainingBits / 8),
  )
  const known = tokenizerHash === NO_HASH ? {} : { tokenizerHash }
  return [id, { weightsHash, ...known, quantisation, referenceTick, multipliers }]
}

function decodeImage(value: Slice): ListedImage {
  const machine = MACHINES[value.loadUint(8)]
  if (machine === undefined) throw new MarketError('bad-frame', { record: 'image' })
  return { machine, sinceS: value.loadUint(32) }
}

type LeastTcb = NonNullable<MarketParameters['measurements']['leastTcb']>

function encodeLeastTcb(leastTcb: LeastTcb): Dictionary<number, Cell> {
  const dict = Dictionary.empty(Dictionary.Keys.Uint(8), RAW)
  for (const [product, least] of Object.entries(leastTcb)) {
    const products: readonly string[] = PRODUCTS
    const number = products.indexOf(product) + 1
    const parts: readonly string[] = PARTS
    const unknown = Object.keys(least).find((part) => !parts.includes(part))
    if (number === 0 || unknown !== undefined) {
      throw new MarketError('bad-input', { parameters: `leastTcb.${product}.${unknown ?? ''}` })
    }
    const cell = beginCell()
    for (const part of PARTS) cell.storeUint(least[part] ?? 0, 8)
    dict.set(number, cell.storeUint(0, 24).endCell())
  }
  return dict
}

/** A part that is zero accepts any: it is left out. */
function decodeTcb([number, value]: readonly [bigint, Slice]): [string, Record<string, number>] {
  const product = PRODUCTS[Number(number) - 1]
  if (product === undefined) throw new MarketError('bad-frame', { record: 'leastTcb' })
  const parts = PARTS.map((part) => [part, value.loadUint(8)] as const)
  return [product, Object.fromEntries(parts.filter(([, least]) => least > 0))]
}

/** Parts per 10,000 of each class, 16 bits each. */
export function encodeMultipliers(multipliers: Multipliers): Cell {
  const { prompt, cachedPrompt, completion, reasoning } = multipliers
  const cell = beginCell()
  for (const parts of [prompt, cachedPrompt, completion, reasoning]) cell.storeUint(parts, 16)
  return cell.endCell()
}

export function decodeMultipliers(slice: Slice): Multipliers {
  const prompt = slice.loadUint(16)
  const cachedPrompt = slice.loadUint(16)
  const completion = slice.loadUint(16)
  const reasoning = slice.loadUint(16)
  return { prompt, cachedPrompt, completion, reasoning }
}

/** Account id of a minter in the basechain; 0 is TON itself. */
function accountOf(minter: string): bigint {
  if (minter === 'ton') return 0n
  const match = /^0:([0-9a-f]{64})$/.exec(minter)
  const account = match ? BigInt(`0x${match[1]}`) : 0n
  if (account === 0n) throw new MarketError('bad-input', { parameters: `assets.${minter}` })
  return account
}

const NO_HASH = '0'.repeat(64)

/** Values that are already cells: their bits and references are stored in place. */
const RAW = {
  serialize: (cell: Cell, builder: ReturnType<typeof beginCell>) =>
    void builder.storeSlice(cell.beginParse()),
  parse: (slice: Slice) => slice.asCell(),
}

function hex(hash: bigint): string {
  return hash.toString(16).padStart(64, '0')
}
