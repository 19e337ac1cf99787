/**
 * Which collateral comes from servers: `sources.json` in the operator's folder. Without it all of
 * it comes from files.
 * @module
 */
import { join } from 'node:path'
import type { Bytes } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { checkUrl } from './http.ts'
import { type Files, systemCode } from './machine.ts'
import type { PcsPlace } from './pcs.ts'

export interface Sources {
  readonly pcs?: PcsPlace
  /** URLs by the name that the file would have. */
  readonly files: Readonly<Record<string, string>>
}

const NAME = 'sources.json'
const FILES = ['amd.crl', 'nvidia-root.crl', 'nvidia-line.crl']
const PCS = ['url', 'rootCrl', 'fmspc', 'ca', 'update']

/** The sources of a folder. Throws `bad-config` naming what is wrong, unknown names included. */
export async function readSources(files: Files, folder: string): Promise<Sources> {
  let bytes: Bytes
  try {
    bytes = await files.read(join(folder, NAME))
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return { files: {} }
    throw thrown
  }
  const { tdx, ...named } = objectOf(parsed(bytes), ['tdx', ...FILES], NAME)
  for (const [name, url] of Object.entries(named)) checkUrl(textOf(url, name))
  return {
    files: Object.fromEntries(Object.entries(named).map(([name, url]) => [name, String(url)])),
    ...(tdx !== undefined && { pcs: placeOf(tdx) }),
  }
}

function placeOf(json: unknown): PcsPlace {
  const { url, rootCrl, fmspc, ca, update } = objectOf(json, PCS, 'tdx')
  if (ca !== 'platform' && ca !== 'processor') throw wrong('tdx.ca', 'platform or processor')
  if (update !== undefined && update !== 'early' && update !== 'standard') {
    throw wrong('tdx.update', 'early or standard')
  }
  return {
    url: textOf(url, 'tdx.url'),
    rootCrl: textOf(rootCrl, 'tdx.rootCrl'),
    fmspc: textOf(fmspc, 'tdx.fmspc'),
    ca,
    ...(update && { update }),
  }
}

function parsed(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new MarketError('bad-config', { file: NAME, expected: 'JSON' }, { cause })
  }
}

function objectOf(json: unknown, known: readonly string[], field: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw wrong(field, 'an object')
  }
  const unknown = Object.keys(json).find((key) => !known.includes(key))
  if (unknown !== undefined) throw wrong(unknown.slice(0, 64), known.join(', '))
  return { ...json }
}

function textOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value
  throw wrong(field, 'text')
}

function wrong(field: string, expected: string): MarketError {
  return new MarketError('bad-config', { file: NAME, field, expected })
}
