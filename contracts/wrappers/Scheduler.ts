/**
 * The item of a scheduler as TypeScript sees it. What all items have in common is in
 * `bondedItem.ts`, the owner's messages in `itemMessages.ts`, the profile in `itemProfiles.ts`.
 * @module
 */
import { type Address, Cell, type StateInit } from '@ton/core'
import type { Chain } from '../base/ports.ts'
import artefact from './compiled/scheduler.json' with { type: 'json' }
import { type ItemConfig, itemAddress, itemStateInit } from './itemConfig.ts'
import { parseSchedulerProfile, readProfile, type SchedulerProfile } from './itemProfiles.ts'

/** First code of a scheduler's item. */
export const SCHEDULER_CODE = Cell.fromBase64(artefact.code)
/** Hash of that code, lower-case hex. */
export const SCHEDULER_CODE_HASH: string = artefact.codeHash

/** What a scheduler's item is known by. */
export interface SchedulerKey {
  readonly registry: Address
  readonly owner: Address
}

/** Configuration of a scheduler's item. */
export function schedulerConfig({ registry, owner }: SchedulerKey): ItemConfig {
  return { registry, owner, kind: 'scheduler' }
}

/** Initial state of a scheduler's item. Throws `bad-input`. */
export function schedulerStateInit(key: SchedulerKey): StateInit {
  return itemStateInit(SCHEDULER_CODE, schedulerConfig(key))
}

/** Address of a scheduler's item. Throws `bad-input`. */
export function schedulerAddress(key: SchedulerKey): Address {
  return itemAddress(SCHEDULER_CODE, schedulerConfig(key))
}

/**
 * What a scheduler says of itself. Throws `contract-failed` where there is no item, and `bad-frame`
 * where it says nothing, or nothing that can be read.
 *
 * @example
 * const profile = await readSchedulerProfile(chain, schedulerAddress(key))
 */
export function readSchedulerProfile(chain: Chain, item: Address): Promise<SchedulerProfile> {
  return readProfile(chain, item, parseSchedulerProfile)
}
