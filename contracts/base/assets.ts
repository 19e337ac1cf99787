/**
 * Assets by name: TON, and the jettons that a network lists in its `network.json`.
 *
 * A name is for people; a minter's address is what counts. Whatever is not listed is refused: a
 * jetton of anybody's own minting would be worth what its owner says.
 * @module
 */
import { Address } from '@ton/core'
import { MarketError } from './errors.ts'
import type { MarketParameters } from './marketParameters.ts'
import type { NetworkConfig } from './network.ts'
import type { Asset } from './terms.ts'
import { parseUnits } from './units.ts'

/** An asset with what a person calls it. */
export interface NamedAsset {
  readonly asset: Asset
  /** As it is chosen: `ton`, `usdt-test`. */
  readonly name: string
  /** As amounts are shown: `TON`, `USDT-TEST`. */
  readonly unit: string
  readonly decimals: number
}

/** What `contracts/money/ticks.ts` has a table for. */
const JETTON_DECIMALS = 6
const JETTON_SCALE = 1_000n

/** TON itself. */
export const TON_ASSET: NamedAsset = { asset: 'ton', name: 'ton', unit: 'TON', decimals: 9 }

/** TON, and the jettons that the network lists. */
export function assetsOf(network: Pick<NetworkConfig, 'assets'>): readonly NamedAsset[] {
  const jettons = (network.assets ?? []).map(({ name, minter, decimals }) => ({
    ...{ asset: minterOf(minter), name, unit: name.toUpperCase(), decimals },
  }))
  return [TON_ASSET, ...jettons]
}

/**
 * The asset that a network lists under a name or a minter's address; or that its registry lists
 * (`registered`), which knows addresses only. Throws `bad-asset`.
 *
 * @example
 * assetNamed({ assets: [] }, 'ton').decimals // 9
 */
export function assetNamed(
  network: Pick<NetworkConfig, 'assets'>,
  text: string,
  registered: MarketParameters['assets'] = new Map(),
): NamedAsset {
  const listed = assetsOf(network)
  const found = listed.find(({ name, asset }) => name === text || isMinter(asset, text))
  if (found) return found
  const jettons = [...registered.keys()].filter((key) => key !== 'ton').map(assetOf)
  const asset = jettons.find((each) => isMinter(each, text))
  const { decimals, scale } = registered.get(assetKey(asset)) ?? {}
  // One price table for jettons is known here, and it is for these.
  if (asset && decimals === JETTON_DECIMALS && scale === JETTON_SCALE) {
    const name = `${asset}`
    return { asset, name, unit: `of ${name.slice(0, 8)}…`, decimals }
  }
  const names = listed.map(({ name }) => name).join(', ')
  throw new MarketError('bad-asset', { asset: text.slice(0, 80), listed: names })
}

function minterOf(text: string): Address {
  try {
    return Address.parse(text)
  } catch (cause) {
    throw new MarketError('bad-config', { field: 'assets.minter' }, { cause })
  }
}

function isMinter(asset: Asset, text: string): boolean {
  if (asset === 'ton') return false
  try {
    return Address.parse(text).equals(asset)
  } catch {
    return false
  }
}

/**
 * An amount above 0 that a person wrote, in base units. Throws `bad-input`.
 *
 * @example
 * amountOf('1.5', TON_ASSET) // 1500000000n
 */
export function amountOf(text: string, { decimals, unit }: NamedAsset): bigint {
  const amount = parseUnits(text, decimals)
  if (amount > 0n) return amount
  throw new MarketError('bad-input', { field: 'amount', expected: `above 0 ${unit}` })
}

/** One word for an asset, the same for everyone: `ton`, or the minter's raw address. */
export function assetKey(asset: Asset | undefined): string {
  return asset === undefined || asset === 'ton' ? 'ton' : asset.toRawString()
}

/** The asset of a key; an empty one is TON. Throws `bad-input`. */
export function assetOf(key: string): Asset {
  if (key === '' || key === 'ton') return 'ton'
  try {
    return Address.parseRaw(key)
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'asset' }, { cause })
  }
}

/** True where two assets are the same; absent means TON. */
export function sameAsset(a: Asset | undefined, b: Asset | undefined): boolean {
  return assetKey(a) === assetKey(b)
}
