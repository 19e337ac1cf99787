/**
 * The verifier of Intel TDX quotes: from a quote and Intel's collateral to a verdict, at a time.
 *
 * Two paths, both ending at Intel's one root key, must meet: the quote's own (`genuine.ts`) and
 * that of what Intel says today about this platform, its TDX module and its quoting enclave, and
 * whom it has revoked (`trusted.ts`, `tcb.ts`). Anything missing is a refusal. The state of updates
 * is said, not judged, and so is the measurement: that is policy.
 * @module
 */
import { type Bytes, equal, lengthPrefixed, utf8 } from '../../base/bytes.ts'
import { sha256 } from '../../base/signing.ts'
import { type HardwareVerdict, refused } from '../hardware.ts'
import { checkNotRevoked } from '../x509/crl.ts'
import { parseCollateral } from './collateral.ts'
import { genuineQuote } from './genuine.ts'
import type { PckPlatform } from './pck.ts'
import type { TcbState } from './published.ts'
import { parseTdxQuote, type TdReport } from './quote.ts'
import { INTEL_ROOTS } from './roots.ts'
import type { TdxSeen } from './seen.ts'
import { tcbStateOf } from './tcb.ts'
import { trustedCollateral } from './trusted.ts'

export interface TdxContext {
  readonly atMs: number
  /** What was seen of collateral before: older ones are refused. */
  readonly seen?: TdxSeen | undefined
  /** For tests alone: SHA-256 of root keys in the place of Intel's. */
  readonly roots?: readonly Bytes[] | undefined
}

export interface TdxVerdict extends HardwareVerdict {
  readonly vendor: 'intel-tdx'
  /** Intel's advisories on what the platform lacks. */
  readonly advisoryIds: readonly string[]
  /** What to remember of the collateral, with `newestSeen`. */
  readonly seen: TdxSeen
}

/**
 * The verdict on a quote. Throws one of the `evidence-*` errors: README.md says which when.
 *
 * @example
 * const verdict = verifyTdxQuote(quote, collateral, { atMs, seen })
 * verdict.tcbStatus // 'UpToDate'
 */
export function verifyTdxQuote(
  quote: Bytes,
  collateral: Bytes,
  { atMs, seen, roots = INTEL_ROOTS }: TdxContext,
): TdxVerdict {
  const trust = { atMs, seen, roots }
  const parsed = parseTdxQuote(quote)
  const published = parseCollateral(collateral)
  const genuine = genuineQuote(parsed, trust)
  const { report } = parsed
  checkAttributes(report)
  const trusted = trustedCollateral(published, trust)
  if (!equal(genuine.authority.keyHash, trusted.authority.keyHash)) {
    throw refused('evidence-collateral', 'the revocation list is of another authority')
  }
  checkNotRevoked(trusted.rootCrl, genuine.authority)
  checkNotRevoked(trusted.pckCrl, genuine.pck)
  const { platform, qe } = genuine
  const state = tcbStateOf(platform, report, qe, trusted.info, trusted.identity)
  return {
    vendor: 'intel-tdx',
    reportData: Uint8Array.from(report.reportData),
    measurement: measurementOf(report),
    platformId: platformIdOf(platform),
    tcbStatus: state.status,
    advisoryIds: state.advisoryIds,
    ...sentences(state),
    validUntilS: Math.floor(Math.min(genuine.notAfterMs, trusted.notAfterMs) / 1_000),
    seen: trusted.seen,
  }
}

/** TD attributes (Intel TDX Module ABI, `TD_ATTRIBUTES`), bit by bit, in eight bytes. */
const ATTRIBUTE = {
  /** Bits 0 to 7: any of them opens the machine to its owner (debug, profiling). */
  debug: 0xffn,
  /** Without it the owner can inject exceptions by taking pages away. */
  septVeDisable: 1n << 28n,
  /** The machine may be copied out to a migration service. */
  migratable: 1n << 29n,
  protectionKeys: 1n << 30n,
  keyLocker: 1n << 31n,
  performanceCounters: 1n << 63n,
}
const { protectionKeys, keyLocker, performanceCounters } = ATTRIBUTE
const HARMLESS = protectionKeys | keyLocker | performanceCounters

function checkAttributes({ tdAttributes, mrServiceTd }: TdReport): void {
  const view = new DataView(tdAttributes.buffer, tdAttributes.byteOffset, 8)
  const bits = view.getBigUint64(0, true)
  const facts = { attributes: bits.toString(16) }
  if (bits & ATTRIBUTE.debug)
    throw refused('evidence-debug', 'a TD under debug or profiling', facts)
  const open = (because: string) => refused('evidence-isolation', because, facts)
  if (!(bits & ATTRIBUTE.septVeDisable)) throw open('its owner may inject exceptions')
  if (bits & ATTRIBUTE.migratable) throw open('its owner may move it elsewhere')
  if (bits & ~(HARMLESS | ATTRIBUTE.septVeDisable)) throw open('it has unknown attributes')
  if (mrServiceTd.some((byte) => byte !== 0)) throw open('a service TD is bound to it')
}

/** SHA-256 over everything that was measured or fixed at launch, in the README's order. */
function measurementOf(report: TdReport): Bytes {
  return sha256(
    lengthPrefixed(
      utf8('chrysalis/measurement/intel-tdx/1'),
      report.tdAttributes,
      report.xfam,
      report.mrTd,
      report.mrConfigId,
      report.mrOwner,
      report.mrOwnerConfig,
      ...report.rtmrs,
    ),
  )
}

/** The processor package names the machine: its id outlives reboots and updates. */
function platformIdOf({ ppid }: PckPlatform): Bytes {
  return sha256(lengthPrefixed(utf8('chrysalis/platform/intel-tdx/1'), ppid))
}

function sentences({ status, advisoryIds }: TcbState): Pick<TdxVerdict, 'proved' | 'notProved'> {
  const proved = [
    'an Intel processor keeps the memory of this machine from its owner (TDX), not in debug mode',
    'neither its processor nor its keys were on the revocation lists of Intel',
  ]
  if (status === 'UpToDate') proved.push('its security updates are complete')
  const open = advisoryIds.length > 0 ? ` (${advisoryIds.join(', ')})` : ''
  const lacking = `that its security updates are complete: Intel calls it ${status}${open}`
  const notProved = [
    'what software of this measurement does: only that it is this software',
    'that nobody attacks the processor itself, with instruments or through its caches',
  ]
  return { proved, notProved: status === 'UpToDate' ? notProved : [lacking, ...notProved] }
}
