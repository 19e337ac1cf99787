/**
 * The state of a platform's security updates, by Intel's rules (Intel TDX DCAP Quoting Library API;
 * PCS API v4, "Get TDX TCB Info" and "Get TDX QE Identity").
 *
 * Three things are compared with what Intel publishes: the platform below (security versions in the
 * PCK certificate and in the TD report), the TDX module, the quoting enclave. Each has a state; the
 * platform's is all of them together, the worse counting. Judging a state is policy, except what no
 * policy may accept: revoked, or older than anything Intel has a word for.
 * @module
 */
import { type Bytes, equal } from '../../base/bytes.ts'
import { refused } from '../hardware.ts'
import type { PckPlatform } from './pck.ts'
import type {
  ModuleIdentity,
  QeIdentity,
  SvnLevel,
  TcbInfo,
  TcbState,
  TcbStatus,
} from './published.ts'
import type { TdReport } from './quote.ts'

/** An SGX report of the quoting enclave (384 bytes), as far as it is compared. */
export interface QeReport {
  readonly miscSelect: Bytes
  readonly attributes: Bytes
  readonly mrSigner: Bytes
  readonly isvProdId: number
  readonly isvSvn: number
  readonly reportData: Bytes
}

/** Reads a report of 384 bytes. */
export function qeReportOf(bytes: Bytes): QeReport {
  const u16 = (at: number) => bytes[at]! | (bytes[at + 1]! << 8)
  return {
    miscSelect: bytes.subarray(16, 20),
    attributes: bytes.subarray(48, 64),
    mrSigner: bytes.subarray(128, 160),
    isvProdId: u16(256),
    isvSvn: u16(258),
    reportData: bytes.subarray(320, 384),
  }
}

/**
 * The state of platform, TDX module and quoting enclave together. Throws `evidence-collateral` for
 * collateral of another platform, `evidence-signature` for an enclave or a module that is not
 * Intel's, `evidence-tcb` below every published level, `evidence-revoked`.
 */
export function tcbStateOf(
  platform: PckPlatform,
  report: TdReport,
  qe: QeReport,
  info: TcbInfo,
  identity: QeIdentity,
): TcbState {
  if (info.fmspc !== platform.fmspc || info.pceId !== platform.pceId) {
    const facts = { fmspc: platform.fmspc, published: info.fmspc }
    throw refused('evidence-collateral', 'the TCB info is of another platform', facts)
  }
  checkQe(qe, identity)
  const states = [
    platformState(platform, report, info),
    ...moduleState(report, info),
    levelOf(identity.levels, qe.isvSvn, 'quoting enclave'),
  ]
  const state = together(states)
  if (state.status === 'Revoked') {
    throw refused('evidence-revoked', 'Intel has revoked the state of this platform')
  }
  return state
}

function checkQe(qe: QeReport, identity: QeIdentity): void {
  const same =
    equal(qe.mrSigner, identity.mrSigner) &&
    qe.isvProdId === identity.isvProdId &&
    equalMasked(qe.miscSelect, identity.miscSelect, identity.miscSelectMask) &&
    equalMasked(qe.attributes, identity.attributes, identity.attributesMask)
  if (!same) throw refused('evidence-signature', "the quoting enclave is not Intel's")
  // Bit 1 of the attributes: whatever the mask says, its memory could be read.
  if (qe.attributes[0]! & 0x02) throw refused('evidence-debug', 'the quoting enclave is in debug')
}

/** The first level, of those in Intel's order, that the platform reaches in every component. */
function platformState(platform: PckPlatform, report: TdReport, info: TcbInfo): TcbState {
  // A module that has a version has levels of its own; its two components are not compared here.
  const from = report.teeTcbSvn[1]! > 0 ? 2 : 0
  const level = info.levels.find(
    ({ sgxComponents, pceSvn, tdxComponents }) =>
      sgxComponents.every((svn, i) => platform.components[i]! >= svn) &&
      platform.pceSvn >= pceSvn &&
      tdxComponents.every((svn, i) => i < from || report.teeTcbSvn[i]! >= svn),
  )
  if (level) return level
  throw refused('evidence-tcb', 'the platform is below every level that Intel publishes')
}

/** The module's signer and attributes must be as published; its level, where it has a version. */
function moduleState(report: TdReport, info: TcbInfo): TcbState[] {
  const [svn, version] = report.teeTcbSvn
  if (version === 0) {
    checkModule(report, info.module)
    return []
  }
  const id = `TDX_${version!.toString(16).toUpperCase().padStart(2, '0')}`
  const module = info.modules.get(id)
  if (!module) throw refused('evidence-tcb', 'the TDX module has no published identity', { id })
  checkModule(report, module)
  return [levelOf(module.levels, svn!, 'TDX module')]
}

function checkModule(report: TdReport, module: ModuleIdentity): void {
  const { mrSigner, attributes, attributesMask } = module
  const same =
    equal(report.mrSignerSeam, mrSigner) &&
    equalMasked(report.seamAttributes, attributes, attributesMask)
  if (!same) throw refused('evidence-signature', "the TDX module is not Intel's")
}

/** Levels stand in falling order: the first that is not above counts. */
function levelOf(levels: readonly SvnLevel[], svn: number, of: string): TcbState {
  const level = levels.find(({ isvSvn }) => isvSvn <= svn)
  if (level) return level
  throw refused('evidence-tcb', `the ${of} is below every level that Intel publishes`, { svn })
}

/** What each status says: words of a status are added up, then named again. */
const SAYS = {
  UpToDate: [],
  SWHardeningNeeded: ['hardening'],
  ConfigurationNeeded: ['configuration'],
  ConfigurationAndSWHardeningNeeded: ['configuration', 'hardening'],
  OutOfDate: ['old'],
  OutOfDateConfigurationNeeded: ['old', 'configuration'],
  Revoked: ['revoked'],
} as const satisfies Record<TcbStatus, readonly string[]>

/** The state of several parts: every shortcoming of any, every advisory once. */
export function together(states: readonly TcbState[]): TcbState {
  const said = new Set<string>(states.flatMap(({ status }) => SAYS[status]))
  const advisoryIds = [...new Set(states.flatMap((state) => state.advisoryIds))].sort()
  return { status: nameOf(said), advisoryIds }
}

function nameOf(said: ReadonlySet<string>): TcbStatus {
  const configuration = said.has('configuration')
  if (said.has('revoked')) return 'Revoked'
  if (said.has('old')) return configuration ? 'OutOfDateConfigurationNeeded' : 'OutOfDate'
  if (!said.has('hardening')) return configuration ? 'ConfigurationNeeded' : 'UpToDate'
  return configuration ? 'ConfigurationAndSWHardeningNeeded' : 'SWHardeningNeeded'
}

/** Equality of the bits under a mask. */
function equalMasked(value: Bytes, expected: Bytes, mask: Bytes): boolean {
  return value.every((byte, i) => (byte & mask[i]!) === (expected[i]! & mask[i]!))
}
