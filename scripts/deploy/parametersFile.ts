/**
 * The market's parameters as a JSON file that a person reads and edits: what `chrysalis market
 * --chain --json` prints, `chrysalis deploy --parameters` begins with and `govern propose` takes.
 * Amounts are decimal strings of nanoTON; unknown keys are refused.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { ListedModel, MarketParameters } from '../../contracts/base/marketParameters.ts'
import { parseMeasurements } from '../../contracts/base/network.ts'
import type { Multipliers } from '../../contracts/base/terms.ts'
import { parseNano } from '../../contracts/base/units.ts'

/** A parameters file that stands on this machine. Throws `bad-config`. */
export async function readParametersFile(path: string): Promise<MarketParameters> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new MarketError('bad-config', { file: path, expected: 'a file' }, { cause })
  }
  try {
    return parseParameters(within(JSON.parse(text)))
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    throw new MarketError('bad-config', { file: path, expected: 'JSON' }, { cause })
  }
}

/** `market --chain --json` tells more than the parameters: they are one field of it. */
function within(json: unknown): unknown {
  const isAround = typeof json === 'object' && json !== null && 'parameters' in json
  return isAround ? json.parameters : json
}

type Fields = Readonly<Record<string, unknown>>

/** What the file says, in one order of keys: equal parameters give equal text. */
export function parametersJson(parameters: MarketParameters): object {
  const { models, assets, stakes, disputes, sinceS: _, ...rest } = parameters
  return {
    ...rest,
    stakes: {
      ...stakes,
      provider: `${stakes.provider}`,
      scheduler: `${stakes.scheduler}`,
      gpu: `${stakes.gpu}`,
    },
    disputes: {
      ...disputes,
      leastBond: `${disputes.leastBond}`,
      arbiters: disputes.arbiters.map(({ key, account }) => ({ key, account: `${account}` })),
    },
    models: Object.fromEntries(models),
    assets: Object.fromEntries(
      [...assets].map(([id, { scale, decimals }]) => [id, { scale: `${scale}`, decimals }]),
    ),
  }
}

/**
 * Parameters from a parsed file. Checks their shape; bounds are checked where they become a cell.
 * Throws `bad-config` naming the field.
 *
 * @example
 * parseParameters(parametersJson(FIRST_PARAMETERS)).window // 256
 */
export function parseParameters(json: unknown): MarketParameters {
  const fields = record('parameters', json, TOP)
  const steps = record('steps', fields.steps, ['prompt', 'cachedPrompt', 'completion'])
  const stakes = record('stakes', fields.stakes, ['provider', 'scheduler', 'gpu', 'unbondingS'])
  const disputes = record('disputes', fields.disputes, DISPUTES)
  const models = record('models', fields.models)
  const assets = record('assets', fields.assets)
  return {
    version: count('version', fields.version),
    sinceS: 0,
    window: count('window', fields.window),
    steps: {
      prompt: count('steps.prompt', steps.prompt),
      cachedPrompt: count('steps.cachedPrompt', steps.cachedPrompt),
      completion: count('steps.completion', steps.completion),
    },
    multipliers: multipliersOf('multipliers', fields.multipliers),
    leastCloseDelayS: count('leastCloseDelayS', fields.leastCloseDelayS),
    stakes: {
      provider: amount('stakes.provider', stakes.provider),
      scheduler: amount('stakes.scheduler', stakes.scheduler),
      gpu: amount('stakes.gpu', stakes.gpu),
      unbondingS: count('stakes.unbondingS', stakes.unbondingS),
    },
    disputes: {
      verdictS: count('disputes.verdictS', disputes.verdictS),
      appealS: count('disputes.appealS', disputes.appealS),
      leastBond: amount('disputes.leastBond', disputes.leastBond),
      threshold: count('disputes.threshold', disputes.threshold),
      arbiters: items('disputes.arbiters', disputes.arbiters).map(arbiterOf),
    },
    models: new Map(Object.entries(models).map(([id, model]) => [id, modelOf(id, model)])),
    measurements: parseMeasurements('measurements', fields.measurements),
    assets: new Map(
      Object.entries(assets).map(([id, value]) => {
        const asset = record(`assets.${id}`, value, ['scale', 'decimals'])
        const scale = amount(`assets.${id}.scale`, asset.scale)
        return [id, { scale, decimals: count(`assets.${id}.decimals`, asset.decimals) }]
      }),
    ),
  }
}

const TOP = [
  ...['version', 'window', 'steps', 'multipliers', 'leastCloseDelayS'],
  ...['stakes', 'disputes', 'models', 'measurements', 'assets', 'images'],
]
const DISPUTES = ['verdictS', 'appealS', 'leastBond', 'threshold', 'arbiters']
const CLASSES = ['prompt', 'cachedPrompt', 'completion', 'reasoning']
const MODEL = ['weightsHash', 'tokenizerHash', 'quantisation', 'referenceTick', 'multipliers']

function modelOf(id: string, json: unknown): ListedModel {
  const at = `models.${id}`
  const fields = record(at, json, MODEL)
  const { tokenizerHash } = fields
  return {
    weightsHash: hash(`${at}.weightsHash`, fields.weightsHash),
    ...(tokenizerHash === undefined
      ? {}
      : { tokenizerHash: hash(`${at}.tokenizerHash`, tokenizerHash) }),
    quantisation: text(`${at}.quantisation`, fields.quantisation),
    referenceTick: count(`${at}.referenceTick`, fields.referenceTick),
    multipliers: multipliersOf(`${at}.multipliers`, fields.multipliers),
  }
}

function multipliersOf(at: string, json: unknown): Multipliers {
  const fields = record(at, json, CLASSES)
  return {
    prompt: count(`${at}.prompt`, fields.prompt),
    cachedPrompt: count(`${at}.cachedPrompt`, fields.cachedPrompt),
    completion: count(`${at}.completion`, fields.completion),
    reasoning: count(`${at}.reasoning`, fields.reasoning),
  }
}

function arbiterOf(json: unknown) {
  const fields = record('disputes.arbiters', json, ['key', 'account'])
  const account = text('disputes.arbiters.account', fields.account)
  try {
    return { key: hash('disputes.arbiters.key', fields.key), account: Address.parse(account) }
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    throw refuse('disputes.arbiters.account', 'an address')
  }
}

function record(field: string, json: unknown, keys?: readonly string[]): Fields {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw refuse(field, 'an object')
  }
  const unknown = keys && Object.keys(json).find((key) => !keys.includes(key))
  if (unknown !== undefined) throw new MarketError('bad-config', { field, unknownKey: unknown })
  return { ...json }
}

function items(field: string, json: unknown): readonly unknown[] {
  if (!Array.isArray(json)) throw refuse(field, 'a list')
  return json
}

function count(field: string, json: unknown): number {
  if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < 0) {
    throw refuse(field, 'a whole number')
  }
  return json
}

function amount(field: string, json: unknown): bigint {
  if (typeof json !== 'string' || !/^\d{1,37}$/.test(json)) {
    throw refuse(field, 'base units as a string of digits')
  }
  return parseNano(json)
}

function text(field: string, json: unknown): string {
  if (typeof json !== 'string' || json.length > 512) throw refuse(field, 'a string')
  return json
}

function hash(field: string, json: unknown): string {
  const value = text(field, json)
  if (!/^[0-9a-f]{64}$/.test(value)) throw refuse(field, '64 lower-case hex digits')
  return value
}

function refuse(field: string, expected: string): MarketError {
  return new MarketError('bad-config', { field, expected })
}
