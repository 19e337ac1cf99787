/**
 * The item of a GPU as TypeScript sees it. What all items have in common is in
 * `bondedItem.ts`, the owner's messages in `itemMessages.ts`, the profile in `itemProfiles.ts`.
 * @module
 */
import { type Address, Cell, type StateInit } from '@ton/core'
import type { Bytes } from '../base/bytes.ts'
import type { Chain } from '../base/ports.ts'
import artefact from './compiled/gpu.json' with { type: 'json' }
import { type ItemConfig, itemAddress, itemStateInit } from './itemConfig.ts'
import { type GpuProfile, parseGpuProfile, readProfile } from './itemProfiles.ts'

/** First code of a GPU's item. */
export const GPU_CODE = Cell.fromBase64(artefact.code)
/** Hash of that code, lower-case hex. */
export const GPU_CODE_HASH: string = artefact.codeHash

/** What a GPU's item is known by. */
export interface GpuKey {
  readonly registry: Address
  readonly owner: Address
  /** Device id, 32 bytes. */
  readonly device: Bytes
}

/** Configuration of a GPU's item. */
export function gpuConfig({ registry, owner, device }: GpuKey): ItemConfig {
  return { registry, owner, kind: 'gpu', key: device }
}

/** Initial state of a GPU's item. Throws `bad-input`. */
export function gpuStateInit(key: GpuKey): StateInit {
  return itemStateInit(GPU_CODE, gpuConfig(key))
}

/** Address of a GPU's item. Throws `bad-input`. */
export function gpuAddress(key: GpuKey): Address {
  return itemAddress(GPU_CODE, gpuConfig(key))
}

/**
 * What a GPU says of itself. Throws `contract-failed` where there is no item, and `bad-frame`
 * where it says nothing, or nothing that can be read.
 *
 * @example
 * const profile = await readGpuProfile(chain, gpuAddress(key))
 */
export function readGpuProfile(chain: Chain, item: Address): Promise<GpuProfile> {
  return readProfile(chain, item, parseGpuProfile)
}
