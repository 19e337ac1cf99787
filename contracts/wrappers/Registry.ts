/**
 * The registry as TypeScript sees it: its code, its address, its bounds and exit codes.
 *
 * `registryMessages.ts` has the message bodies, `registryView.ts` what it answers, `parameters.ts`
 * the cell of parameters, `itemConfig.ts` the addresses of items.
 * @module
 */
import { type Address, beginCell, Cell, contractAddress, type StateInit } from '@ton/core'
import { MarketError } from '../base/errors.ts'
import type { MarketParameters } from '../base/marketParameters.ts'
import type { NanoTon } from '../base/units.ts'
import artefact from './compiled/registry.json' with { type: 'json' }
import { ITEM_KINDS, type ItemKind } from './itemConfig.ts'
import { encodeParameters } from './parameters.ts'

/** What is fixed in the address of a registry. */
export interface RegistryConfig {
  /** Global id of the chain, signed 32 bits. */
  readonly network: number
  /** The timelock. */
  readonly owner: Address
  /** May pause registration, nothing else. */
  readonly guardian: Address
  /** Version 1; its `sinceS` is 0. */
  readonly parameters: MarketParameters
  /** First code of each kind of item, and the code of a case: their addresses are made of it. */
  readonly codes: Readonly<Record<ItemKind | 'dispute', Cell>>
}

/** Exit codes of the contract (`contracts/tolk/registry/errors.tolk`). */
export const REGISTRY_EXIT = {
  notOwner: 720,
  notGuardian: 721,
  notItem: 722,
  notCase: 723,
  kind: 724,
  paused: 725,
  stake: 726,
  bond: 727,
  noNewerCode: 728,
  version: 729,
  bounds: 730,
  notPrepared: 731,
  tooEarly: 732,
  tooLate: 733,
  alreadyPrepared: 734,
  notOffered: 735,
  notPaused: 736,
  tooLittleValue: 737,
  wrongNetwork: 738,
  otherRegistry: 739,
  unknownMessage: 0xffff,
} as const

/** Times of the contract, seconds (`contracts/tolk/registry/bounds.tolk`). */
export const REGISTRY_TIMES = {
  upgradeDelayS: 30 * 86_400,
  applyWithinS: 30 * 86_400,
  pauseS: 14 * 86_400,
} as const
/**
 * Five years of rent at the dearest prices known, with 16 versions of parameters in which all lists
 * changed every time. Many models need more: `readSolvency` says how much.
 */
export const REGISTRY_RESERVE: NanoTon = 2_000_000_000n
/** Versions of the parameters that can be read, the one in force included. */
export const REGISTRY_HISTORY = 16

/** Code of the registry. */
export const REGISTRY_CODE = Cell.fromBase64(artefact.code)
/** Hash of that code, lower-case hex. */
export const REGISTRY_CODE_HASH: string = artefact.codeHash

/** Initial state of a registry. Throws `bad-input`. */
export function registryStateInit(config: RegistryConfig): StateInit {
  const { network, owner, guardian, parameters, codes } = config
  if (network !== (network | 0)) throw new MarketError('bad-input', { registry: 'network' })
  if (parameters.version !== 1 || parameters.sinceS !== 0) {
    throw new MarketError('bad-input', { registry: 'parameters', expected: 'version 1, since 0' })
  }
  const kinds = beginCell()
  for (const kind of ITEM_KINDS) {
    const code = codes[kind]
    const record = beginCell().storeUint(0, 32).storeAddress(null).storeUint(0, 16)
    kinds.storeRef(record.storeRef(code).storeRef(code).endCell())
  }
  const data = beginCell()
    .storeUint(0, 16)
    .storeRef(kinds.storeRef(codes.dispute).endCell())
    .storeUint(0, 16)
    .storeUint(0, 32)
    .storeInt(network, 32)
    .storeAddress(owner)
    .storeAddress(guardian)
    .storeAddress(null)
    .storeRef(encodeParameters(parameters))
    .storeBit(false)
    .storeBit(false)
    .endCell()
  return { code: REGISTRY_CODE, data }
}

/** Address of a registry, in workchain 0. Throws `bad-input`. */
export function registryAddress(config: RegistryConfig): Address {
  return contractAddress(0, registryStateInit(config))
}
