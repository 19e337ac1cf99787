/**
 * The item of a provider as TypeScript sees it. What all items have in common is in
 * `bondedItem.ts`, the owner's messages in `itemMessages.ts`, the profile in `itemProfiles.ts`.
 * @module
 */
import { type Address, Cell, type StateInit } from '@ton/core'
import type { Chain } from '../base/ports.ts'
import artefact from './compiled/provider.json' with { type: 'json' }
import { type ItemConfig, itemAddress, itemStateInit } from './itemConfig.ts'
import { type ProviderProfile, parseProviderProfile, readProfile } from './itemProfiles.ts'

/** First code of a provider's item. */
export const PROVIDER_CODE = Cell.fromBase64(artefact.code)
/** Hash of that code, lower-case hex. */
export const PROVIDER_CODE_HASH: string = artefact.codeHash

/** What a provider's item is known by. */
export interface ProviderKey {
  readonly registry: Address
  readonly owner: Address
}

/** Configuration of a provider's item. */
export function providerConfig({ registry, owner }: ProviderKey): ItemConfig {
  return { registry, owner, kind: 'provider' }
}

/** Initial state of a provider's item. Throws `bad-input`. */
export function providerStateInit(key: ProviderKey): StateInit {
  return itemStateInit(PROVIDER_CODE, providerConfig(key))
}

/** Address of a provider's item. Throws `bad-input`. */
export function providerAddress(key: ProviderKey): Address {
  return itemAddress(PROVIDER_CODE, providerConfig(key))
}

/**
 * What a provider says of itself. Throws `contract-failed` where there is no item, and `bad-frame`
 * where it says nothing, or nothing that can be read.
 *
 * @example
 * const profile = await readProviderProfile(chain, providerAddress(key))
 */
export function readProviderProfile(chain: Chain, item: Address): Promise<ProviderProfile> {
  return readProfile(chain, item, parseProviderProfile)
}
