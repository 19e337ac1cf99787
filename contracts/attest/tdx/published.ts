/**
 * TCB info and enclave identity as Intel's Provisioning Certification Service (API v4) publishes
 * them: JSON, read after its signature was checked.
 *
 * Members that are used must be of their type and range; others may be there, the signature is
 * Intel's. Status words that are not known are refused: no policy could judge them.
 * @module
 */
import { type Bytes, fromHex } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'

export const STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
] as const

export type TcbStatus = (typeof STATUSES)[number]

/** A state of updates and Intel's advisories on what is missing. */
export interface TcbState {
  readonly status: TcbStatus
  readonly advisoryIds: readonly string[]
}

/** A level of an enclave or a module: holds from this security version on. */
export interface SvnLevel extends TcbState {
  readonly isvSvn: number
}

export interface PlatformLevel extends TcbState {
  readonly sgxComponents: readonly number[]
  readonly pceSvn: number
  readonly tdxComponents: readonly number[]
}

/** What TCB info and identities have alike. */
export interface Published {
  readonly issueMs: number
  readonly nextUpdateMs: number
  readonly evaluationNumber: number
}

/** What a TDX module is signed by, and its attributes under a mask. */
export interface ModuleIdentity {
  readonly mrSigner: Bytes
  readonly attributes: Bytes
  readonly attributesMask: Bytes
}

export interface TcbInfo extends Published {
  readonly fmspc: string
  readonly pceId: string
  readonly module: ModuleIdentity
  /** By id, like `TDX_01`. */
  readonly modules: ReadonlyMap<string, ModuleIdentity & { readonly levels: readonly SvnLevel[] }>
  readonly levels: readonly PlatformLevel[]
}

export interface QeIdentity extends Published {
  readonly miscSelect: Bytes
  readonly miscSelectMask: Bytes
  readonly attributes: Bytes
  readonly attributesMask: Bytes
  readonly mrSigner: Bytes
  readonly isvProdId: number
  readonly levels: readonly SvnLevel[]
}

/** TCB info of TDX, version 3. Throws `evidence-collateral`. */
export function parseTcbInfo(text: string): TcbInfo {
  const info = parse(text, 'TCB info')
  expect(info, { id: 'TDX', version: 3, tcbType: 0 })
  const modules = list(info.tdxModuleIdentities ?? []).map((each) => {
    const identity = object(each)
    const module = { ...moduleOf(identity), levels: list(identity.tcbLevels).map(svnLevel) }
    return [string(identity.id), module] as const
  })
  return {
    ...published(info),
    fmspc: hex(info.fmspc, 6),
    pceId: hex(info.pceId, 2),
    module: moduleOf(object(info.tdxModule)),
    modules: new Map(modules),
    levels: list(info.tcbLevels).map(platformLevel),
  }
}

/** Identity of the TDX quoting enclave, version 2. Throws `evidence-collateral`. */
export function parseQeIdentity(text: string): QeIdentity {
  const identity = parse(text, 'QE identity')
  expect(identity, { id: 'TD_QE', version: 2 })
  return {
    ...published(identity),
    miscSelect: bytes(identity.miscselect, 4),
    miscSelectMask: bytes(identity.miscselectMask, 4),
    attributes: bytes(identity.attributes, 16),
    attributesMask: bytes(identity.attributesMask, 16),
    mrSigner: bytes(identity.mrsigner, 32),
    isvProdId: integer(identity.isvprodid, 0xffff),
    levels: list(identity.tcbLevels).map(svnLevel),
  }
}

function published(json: Json): Published {
  return {
    issueMs: date(json.issueDate),
    nextUpdateMs: date(json.nextUpdate),
    evaluationNumber: integer(json.tcbEvaluationDataNumber, 2 ** 31),
  }
}

function moduleOf(json: Json): ModuleIdentity {
  return {
    mrSigner: bytes(json.mrsigner, 48),
    attributes: bytes(json.attributes, 8),
    attributesMask: bytes(json.attributesMask, 8),
  }
}

function platformLevel(json: unknown): PlatformLevel {
  const level = object(json)
  const tcb = object(level.tcb)
  return {
    sgxComponents: components(tcb.sgxtcbcomponents),
    pceSvn: integer(tcb.pcesvn, 0xffff),
    tdxComponents: components(tcb.tdxtcbcomponents),
    ...stateOf(level),
  }
}

function svnLevel(json: unknown): SvnLevel {
  const level = object(json)
  return { isvSvn: integer(object(level.tcb).isvsvn, 0xffff), ...stateOf(level) }
}

function components(json: unknown): number[] {
  const found = list(json).map((each) => integer(object(each).svn, 0xff))
  if (found.length !== 16) throw bad('a level has not 16 components')
  return found
}

function stateOf(level: Json): TcbState {
  const status = STATUSES.find((known) => known === level.tcbStatus)
  if (!status) throw bad('a status is not known')
  return { status, advisoryIds: list(level.advisoryIDs ?? []).map(string) }
}

type Json = Readonly<Record<string, unknown>>

function parse(text: string, name: string): Json {
  try {
    return object(JSON.parse(text))
  } catch (cause) {
    throw refused('evidence-collateral', `bad ${name}: it is no JSON object`, {}, cause)
  }
}

function expect(json: Json, members: Json): void {
  for (const [name, value] of Object.entries(members)) {
    if (json[name] !== value) throw bad(`its ${name} is another`)
  }
}

function object(json: unknown): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw bad('no object')
  return Object.fromEntries(Object.entries(json))
}

function list(json: unknown): readonly unknown[] {
  if (!Array.isArray(json) || json.length > LIMITS.tcbLevels) throw bad('no list, or a long one')
  return json
}

function string(json: unknown): string {
  if (typeof json !== 'string' || json.length > LIMITS.nameLength) throw bad('no text')
  return json
}

function integer(json: unknown, most: number): number {
  const whole = typeof json === 'number' && Number.isInteger(json)
  if (!whole || json < 0 || json > most) throw bad('a number out of its range')
  return json
}

function bytes(json: unknown, length: number): Bytes {
  return fromHex(hex(json, length))
}

/** Hex of either case, in lower case. */
function hex(json: unknown, length: number): string {
  const text = string(json).toLowerCase()
  if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) throw bad('no hex of its length')
  return text
}

function date(json: unknown): number {
  const text = string(json)
  const ms = Date.parse(text)
  const exact = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(ms)
  if (!exact || new Date(ms).toISOString() !== text.replace('Z', '.000Z')) throw bad('no date')
  return ms
}

function bad(because: string) {
  return refused('evidence-collateral', `bad TCB info or identity: ${because}`)
}
