/**
 * `network.json`: what a node must know to join a network.
 *
 * Written by a running localnet or by whoever runs a network; read once by every composition root.
 * Unknown keys are refused, because a misspelt `schedulers` would otherwise be no scheduler at all.
 * Checked by hand: every verb of the command loads this file, and a schema library would cost it a
 * quarter of a second.
 * @module
 */
import { MarketError } from './errors.ts'
import { LIMITS } from './limits.ts'

/** A scheduler that clients and providers of the network may dial. */
export interface SchedulerAddress {
  /** Ed25519 identity, 64 hex digits: what its leases are signed with. */
  readonly identity: string
  /** Multiaddrs, tried in order. */
  readonly addresses: readonly string[]
}

/** Accepted measurements (hex, 64 digits) under one number: whoever changes the list raises it. */
export interface NetworkMeasurements {
  readonly version: number
  readonly list: readonly string[]
  /** Least security versions of AMD's firmware: product, part, number. */
  readonly leastTcb?: Readonly<Record<string, Readonly<Record<string, number>>>>
}

/** A jetton that jobs may be paid in. */
export interface NetworkAsset {
  /** What people choose it by: lower-case letters, digits and dashes. */
  readonly name: string
  /** Address of its minter: the jetton itself, whatever its name. */
  readonly minter: string
  readonly decimals: number
}

/** A network, as one JSON document. */
export interface NetworkConfig {
  /** The chain's own id (configuration parameter 19). */
  readonly id: number
  /** A folder name: where a node keeps what belongs to this network. */
  readonly name: string
  /** Endpoint of the toncenter HTTP API v2. */
  readonly toncenter: string
  /** Address of the registry contract, where the network has one. */
  readonly registry?: string
  readonly schedulers: readonly SchedulerAddress[]
  /** Provider identities (hex) that are accepted where there is no registry yet. */
  readonly providers?: readonly string[]
  /** Software of confidential machines that is accepted, until the registry lists it. */
  readonly measurements?: NetworkMeasurements
  /** Jettons that jobs may be paid in, beside TON. */
  readonly assets?: readonly NetworkAsset[]
  /** Where free coins come from; development networks only. */
  readonly faucet?: string
  /** True where coins are worth nothing: the only networks on which `simulated` evidence counts. */
  readonly development: boolean
}

/** TON mainnet and testnet: public networks, never for development evidence. */
const MAINNET = -239
const TESTNET = -3

/**
 * Checks a parsed `network.json` and freezes it. Throws `bad-config` naming the field.
 *
 * @example
 * parseNetwork({ id: 77, name: 'localnet', toncenter: 'http://127.0.0.1:18081/api/v2/jsonRPC',
 *   schedulers: [], development: true }).name // 'localnet'
 */
export function parseNetwork(json: unknown): NetworkConfig {
  const fields = record('network', json)
  onlyKeys('network', fields, KEYS)
  const { id, name, development } = fields
  if (typeof id !== 'number' || !Number.isInteger(id) || id < -(2 ** 31) || id >= 2 ** 31) {
    throw refuse('id', 'a signed 32-bit integer')
  }
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) {
    throw refuse('name', 'lower-case letters, digits and dashes')
  }
  if (typeof development !== 'boolean') throw refuse('development', 'true or false')
  if (development && (id === MAINNET || id === TESTNET)) {
    throw refuse('development', 'false on a public network')
  }
  if (!development && fields.faucet !== undefined) {
    throw refuse('faucet', 'nothing, outside development networks')
  }
  return Object.freeze({
    id,
    name,
    toncenter: url('toncenter', fields.toncenter),
    schedulers: list('schedulers', fields.schedulers).map(scheduler),
    development,
    ...optional('registry', fields.registry, text),
    ...optional('providers', fields.providers, (field, value) =>
      list(field, value).map((each) => identity(field, each)),
    ),
    ...optional('measurements', fields.measurements, parseMeasurements),
    ...optional('assets', fields.assets, assets),
    ...optional('faucet', fields.faucet, url),
  })
}

const KEYS = [
  'id',
  'name',
  'toncenter',
  'registry',
  'schedulers',
  'providers',
  'measurements',
  'assets',
  'faucet',
  'development',
]

function scheduler(json: unknown): SchedulerAddress {
  const fields = record('schedulers', json)
  onlyKeys('schedulers', fields, ['identity', 'addresses'])
  const addresses = list('addresses', fields.addresses).map((each) => text('addresses', each))
  if (addresses.length === 0) throw refuse('addresses', 'at least one multiaddr')
  if (!addresses.every((each) => each.startsWith('/'))) throw refuse('addresses', 'multiaddrs')
  return Object.freeze({ identity: identity('identity', fields.identity), addresses })
}

/** The price table of jettons is for 6 decimals (contracts/money/ticks.ts). */
const JETTON_DECIMALS = 6

function assets(field: string, json: unknown): readonly NetworkAsset[] {
  return list(field, json).map((each) => {
    const fields = record(field, each)
    onlyKeys(field, fields, ['name', 'minter', 'decimals'])
    const { decimals } = fields
    const name = text(`${field}.name`, fields.name)
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name) || name === 'ton') {
      throw refuse(`${field}.name`, 'lower-case letters, digits and dashes, and not ton')
    }
    if (decimals !== JETTON_DECIMALS) throw refuse(`${field}.decimals`, `${JETTON_DECIMALS}`)
    return Object.freeze({ name, minter: minter(`${field}.minter`, fields.minter), decimals })
  })
}

function minter(field: string, json: unknown): string {
  const value = text(field, json)
  // A raw or a friendly address; the SDK itself is loaded later, by who needs it.
  const isAddress = /^0:[0-9a-f]{64}$/.test(value) || /^[\w+/-]{48}$/.test(value)
  if (!isAddress) throw refuse(field, 'an address')
  return value
}

/** Accepted measurements as they stand in a file. Throws `bad-config` naming the field. */
export function parseMeasurements(field: string, json: unknown): NetworkMeasurements {
  const fields = record(field, json)
  onlyKeys(field, fields, ['version', 'list', 'leastTcb'])
  const { version } = fields
  if (!isCount(version)) throw refuse(`${field}.version`, 'a whole number')
  return Object.freeze({
    version,
    list: list(`${field}.list`, fields.list).map((each) => identity(`${field}.list`, each)),
    ...optional('leastTcb', fields.leastTcb, leastTcb),
  })
}

function leastTcb(field: string, json: unknown): Record<string, Record<string, number>> {
  const products = Object.entries(record(field, json)).map(([product, parts]) => {
    const numbers = Object.entries(record(field, parts)).map(([part, least]) => {
      if (!isCount(least) || least > 255) throw refuse(`${field}.${part}`, '0 to 255')
      return [part, least] as const
    })
    return [product, Object.fromEntries(numbers)] as const
  })
  return Object.fromEntries(products)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function optional<K extends string, T>(
  key: K,
  value: unknown,
  read: (field: string, value: unknown) => T,
): { [P in K]?: T } {
  const out: { [P in K]?: T } = {}
  if (value !== undefined) out[key] = read(key, value)
  return out
}

function record(field: string, json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw refuse(field, 'an object')
  }
  return { ...json }
}

function onlyKeys(field: string, fields: Record<string, unknown>, known: readonly string[]): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key))
  if (unknown !== undefined) {
    throw new MarketError('bad-config', { field, unknownKey: unknown.slice(0, LIMITS.nameLength) })
  }
}

function list(field: string, json: unknown): readonly unknown[] {
  if (!Array.isArray(json) || json.length > LIMITS.networkItems) {
    throw refuse(field, `a list of at most ${LIMITS.networkItems}`)
  }
  return json
}

function text(field: string, json: unknown): string {
  if (typeof json !== 'string' || json.length === 0 || json.length > 512) {
    throw refuse(field, 'a string of 1 to 512 characters')
  }
  return json
}

function url(field: string, json: unknown): string {
  const value = text(field, json)
  const protocol = URL.canParse(value) ? new URL(value).protocol : ''
  if (protocol !== 'http:' && protocol !== 'https:') throw refuse(field, 'an http or https URL')
  return value
}

function identity(field: string, json: unknown): string {
  const value = text(field, json)
  if (!/^[0-9a-f]{64}$/.test(value)) throw refuse(field, '64 lower-case hex digits')
  return value
}

function refuse(field: string, expected: string): MarketError {
  return new MarketError('bad-config', { field, expected })
}
