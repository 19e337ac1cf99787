/**
 * The registry's parameters as a cell, and back: `Parameters` of tolk/common/protocol.tolk.
 *
 * There is one cell for given parameters, and reading takes no other: a proposal that the signers
 * look at is refused where it holds anything that these words do not say.
 * @module
 */
import { beginCell, type Cell, Dictionary } from '@ton/core'
import { fromHex, toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { DisputeRules, MarketParameters, StakeRules } from '../base/marketParameters.ts'
import type { Steps } from '../base/terms.ts'
import { readDict } from './boundedDict.ts'
import { checkParameters, PARAMETER_BOUNDS } from './parameterBounds.ts'
import {
  decodeLists,
  decodeMultipliers,
  encodeLists,
  encodeMultipliers,
  type ListedImage,
} from './parameterLists.ts'

export { CONCLUDE_S, longestCaseS, PARAMETER_BOUNDS } from './parameterBounds.ts'
export type { ListedImage } from './parameterLists.ts'

/** Parameters with all that the chain says of them. */
export interface ListedParameters extends MarketParameters {
  /** By measurement, the same as in `measurements.list`. */
  readonly images: ReadonlyMap<string, ListedImage>
}

/**
 * The cell of these parameters. Measurements that `images` does not name are listed as of no
 * particular machine, since ever. Throws `bad-input` naming the field that is out of its bounds.
 *
 * @example
 * const cell = encodeParameters(parameters)
 */
export function encodeParameters(
  parameters: MarketParameters & Partial<Pick<ListedParameters, 'images'>>,
): Cell {
  checkParameters(parameters)
  const { version, sinceS, window, steps, multipliers, leastCloseDelayS } = parameters
  const root = beginCell().storeUint(version, 32).storeUint(sinceS, 32).storeUint(window, 32)
  for (const step of [steps.prompt, steps.cachedPrompt, steps.completion]) root.storeUint(step, 16)
  return root
    .storeSlice(encodeMultipliers(multipliers).beginParse())
    .storeUint(leastCloseDelayS, 32)
    .storeRef(encodeStakes(parameters.stakes))
    .storeRef(encodeDisputeRules(parameters.disputes))
    .storeRef(encodeLists(parameters))
    .endCell()
}

/**
 * What a cell of parameters says. Throws `bad-frame` where it is none, or not the one that
 * `encodeParameters` makes of the same words, `limit-exceeded` where a list is too long.
 *
 * @example
 * decodeParameters(cell).models.get('tiny-chat')?.referenceTick
 */
export function decodeParameters(cell: Cell): ListedParameters {
  try {
    const decoded = parse(cell)
    if (!encodeParameters(decoded).equals(cell)) throw malformed('not the only form of its words')
    return decoded
  } catch (cause) {
    const known = cause instanceof MarketError && cause.code !== 'bad-input'
    throw known ? cause : malformed('parameters', cause)
  }
}

function parse(cell: Cell): ListedParameters {
  const root = cell.beginParse()
  const version = root.loadUint(32)
  const sinceS = root.loadUint(32)
  const window = root.loadUint(32)
  const [prompt, cachedPrompt, completion] = [0, 0, 0].map(() => root.loadUint(16)) as Three
  const steps: Steps = { prompt, cachedPrompt, completion }
  const multipliers = decodeMultipliers(root)
  const leastCloseDelayS = root.loadUint(32)
  const stakes = decodeStakes(root.loadRef())
  const disputes = decodeDisputeRules(root.loadRef())
  const lists = decodeLists(root.loadRef(), version)
  return {
    ...{ version, sinceS, window, steps, multipliers, leastCloseDelayS, stakes, disputes },
    ...lists,
  }
}

type Three = [number, number, number]

function encodeStakes({ provider, scheduler, gpu, unbondingS }: StakeRules): Cell {
  const cell = beginCell().storeCoins(provider).storeCoins(scheduler).storeCoins(gpu)
  return cell.storeUint(unbondingS, 32).endCell()
}

function decodeStakes(cell: Cell): StakeRules {
  const slice = cell.beginParse()
  const provider = slice.loadCoins()
  const scheduler = slice.loadCoins()
  const gpu = slice.loadCoins()
  return { provider, scheduler, gpu, unbondingS: slice.loadUint(32) }
}

/** `DisputeRules`: the registry pins them into every case that is opened. */
export function encodeDisputeRules(rules: DisputeRules): Cell {
  const arbiters = Dictionary.empty(Dictionary.Keys.Uint(8), Dictionary.Values.Cell())
  for (const [index, { key, account }] of rules.arbiters.entries()) {
    const arbiter = beginCell().storeBuffer(Buffer.from(fromHex(key, 32)))
    arbiters.set(index, arbiter.storeAddress(account).endCell())
  }
  const cell = beginCell().storeUint(rules.verdictS, 32).storeUint(rules.appealS, 32)
  cell.storeCoins(rules.leastBond).storeUint(rules.threshold, 8)
  return cell.storeDict(arbiters).endCell()
}

/** Throws where the cell is too short; who needs more certainty encodes again. */
export function decodeDisputeRules(cell: Cell): DisputeRules {
  const slice = cell.beginParse()
  const verdictS = slice.loadUint(32)
  const appealS = slice.loadUint(32)
  const leastBond = slice.loadCoins()
  const threshold = slice.loadUint(8)
  const entries = readDict(slice.loadMaybeRef(), 8, PARAMETER_BOUNDS.arbiters)
  const arbiters = entries.map(([, value]) => {
    const arbiter = value.loadRef().beginParse()
    const key = toHex(arbiter.loadBuffer(32))
    return { key, account: arbiter.loadAddress() }
  })
  return { verdictS, appealS, leastBond, threshold, arbiters }
}

function malformed(record: string, cause?: unknown): MarketError {
  return new MarketError('bad-frame', { record }, { cause })
}
