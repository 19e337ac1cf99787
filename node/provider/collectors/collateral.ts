/**
 * What vendors publish about a platform, kept current: TCB info, identities, revocation lists.
 *
 * The source is whatever brings new bytes, usually a file that the operator's own job fetches. A
 * cache renews from it once a day and before what it has ends, checks signatures and dates before
 * it adopts anything, and remembers for good the highest number and date of everything it has seen:
 * an older list could hide a revocation. What is refused is not adopted; what was there stays in
 * use until its end.
 * @module
 */
import { join } from 'node:path'
import { refused } from '../../../contracts/attest/hardware.ts'
import { type Bytes, equal, utf8 } from '../../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Clock, Logger } from '../../../contracts/base/ports.ts'
import { type Files, systemCode } from './machine.ts'

/** Numbers that only rise, by name: evaluation numbers, list numbers, dates. */
export type Marks = Readonly<Record<string, bigint>>

export interface CheckedCollateral {
  readonly validUntilMs: number
  readonly marks: Marks
}

/** Verifies collateral at a time. Throws `evidence-..`. See `collateralKinds.ts`. */
export type CheckCollateral = (bytes: Bytes, atMs: number) => CheckedCollateral

export interface CollateralDeps {
  readonly files: Files
  readonly clock: Clock
  readonly logger: Logger
  /** Brings the newest bytes that there are. */
  readonly source: () => Promise<Bytes>
  readonly check: CheckCollateral
  /** Where the cache keeps what it has, below the name. */
  readonly folder: string
  readonly name: string
}

interface Kept extends CheckedCollateral {
  readonly bytes: Bytes
  readonly renewAtMs: number
}

export interface CollateralCache {
  /**
   * Collateral that is valid now. Throws what refused the new one where the old one is past its
   * end, `no-device` with what is needed where there never was any.
   */
  current(): Promise<Bytes>
}

/** A cache over one source. It works when it is asked, and has no timer of its own. */
export function collateralCache(deps: CollateralDeps): CollateralCache {
  const { clock, logger, name } = deps
  let kept: Kept | undefined
  let marks: Marks | undefined
  let tryAgainAtMs = 0
  let running: Promise<void> | undefined

  const start = async (): Promise<void> => {
    marks = await readMarks(deps)
    const bytes = await readOptional(deps.files, pathOf(deps, 'bin'))
    if (!bytes) return
    try {
      kept = adopted(bytes, deps.check(bytes, clock.nowMs()), marks, clock.nowMs())
    } catch (thrown) {
      logger.info({ name, code: asMarketError(thrown).code }, 'kept collateral is of no use')
    }
  }

  const renew = async (): Promise<void> => {
    const nowMs = clock.nowMs()
    tryAgainAtMs = nowMs + LIMITS.collateralRetryS * 1_000
    const bytes = await deps.source()
    if (kept && equal(kept.bytes, bytes)) {
      kept = { ...kept, renewAtMs: renewalOf(kept.validUntilMs, nowMs) }
      return
    }
    const next = adopted(bytes, deps.check(bytes, nowMs), marks ?? {}, nowMs)
    // The marks first: after a power cut in between, the old copy is refused and fetched again.
    marks = { ...marks, ...next.marks }
    await deps.files.replace(pathOf(deps, 'marks.json'), encodeMarks(marks))
    await deps.files.replace(pathOf(deps, 'bin'), bytes)
    kept = next
    logger.info({ name, validUntilS: Math.floor(next.validUntilMs / 1_000) }, 'collateral renewed')
  }

  const refresh = async (): Promise<void> => {
    if (!marks) await start()
    const nowMs = clock.nowMs()
    const isValid = kept !== undefined && nowMs <= kept.validUntilMs
    if (isValid && (nowMs < kept!.renewAtMs || nowMs < tryAgainAtMs)) return
    try {
      await renew()
    } catch (thrown) {
      const error = asMarketError(thrown, 'store-failed')
      if (!isValid) throw error
      logger.warn({ name, code: error.code, detail: error.message }, 'collateral was not renewed')
    }
  }

  return {
    async current() {
      running ??= refresh().finally(() => {
        running = undefined
      })
      await running
      if (kept && clock.nowMs() <= kept.validUntilMs) return kept.bytes
      throw refused('evidence-expired', `the collateral ${name} has ended, and there is no newer`)
    },
  }
}

/** A source that reads a file. Throws `no-device` saying what is needed where it is absent. */
export function fileSource(files: Files, path: string, needs: string): () => Promise<Bytes> {
  return async () => {
    const bytes = await readOptional(files, path)
    if (bytes) return bytes
    throw new MarketError('no-device', { because: `there is no file ${path}`, needs })
  }
}

/** Throws `evidence-rollback` where any mark is lower than one seen. */
function adopted(bytes: Bytes, checked: CheckedCollateral, seen: Marks, nowMs: number): Kept {
  for (const [mark, value] of Object.entries(checked.marks)) {
    const before = Object.hasOwn(seen, mark) ? seen[mark]! : value
    if (value < before) {
      const because = `the collateral is older than one seen before, by its ${mark}`
      throw refused('evidence-rollback', because, { has: value, seen: before })
    }
  }
  return { ...checked, bytes, renewAtMs: renewalOf(checked.validUntilMs, nowMs) }
}

/** A day from now, or where the end is near, in time before it. */
function renewalOf(validUntilMs: number, nowMs: number): number {
  const aheadMs = Math.min(LIMITS.collateralAheadS * 1_000, (validUntilMs - nowMs) / 2)
  return Math.min(nowMs + LIMITS.collateralRenewS * 1_000, validUntilMs - aheadMs)
}

const pathOf = ({ folder, name }: CollateralDeps, end: string): string =>
  join(folder, `${name}.${end}`)

async function readOptional(files: Files, path: string): Promise<Bytes | undefined> {
  try {
    return await files.read(path)
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw new MarketError('store-failed', { path }, { cause })
  }
}

function encodeMarks(marks: Marks): Bytes {
  const entries = Object.entries(marks).map(([mark, value]) => [mark, value.toString()])
  return utf8(JSON.stringify(Object.fromEntries(entries)))
}

/** Marks that cannot be read are a fault: going on without them would forget what was seen. */
async function readMarks(deps: CollateralDeps): Promise<Marks> {
  const path = pathOf(deps, 'marks.json')
  const bytes = await readOptional(deps.files, path)
  if (!bytes) return {}
  try {
    const json = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, string>
    return Object.fromEntries(Object.entries(json).map(([mark, value]) => [mark, BigInt(value)]))
  } catch (cause) {
    throw new MarketError(
      'store-failed',
      { path, detail: 'what was seen cannot be read' },
      { cause },
    )
  }
}
