/**
 * Reports of a protected machine through Linux's one interface for all of them, configfs-tsm
 * (`Documentation/ABI/testing/configfs-tsm-report`): a folder for a request, the caller's 64 bytes
 * in, report out, the name of the provider beside it.
 *
 * The kernel counts writes (`generation`), so a second user of the same folder is noticed: what was
 * read then belongs to nobody, and it is asked again.
 * @module
 */
import type { Bytes } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { type Files, noDevice, systemCode } from './machine.ts'

const ROOT = '/sys/kernel/config/tsm/report'
/** How often a disturbed request is made again. */
const TRIES = 3
const REPORT_DATA_BYTES = 64
const OTHER_NAME = 'let every process that collects reports use another name of its folder'

/** What reports of the kernel are called, and what to do where there are none. */
export interface TsmKind {
  readonly provider: 'tdx_guest' | 'sev_guest'
  /** What is needed to have this kind, in a sentence. */
  readonly needs: string
  /** What is needed where the kernel has the kind, but the report fails. */
  readonly needsForReport: string
}

export interface TsmReport {
  readonly report: Bytes
  /** What the host hands over beside it; empty where it has nothing. */
  readonly extra: Bytes
}

export interface TsmOptions {
  /** Folder of configfs-tsm; for machines that mount it elsewhere. */
  readonly root?: string
  /** Name of the request's folder: another for each process that collects. */
  readonly name?: string
}

/** A report over 64 bytes. Throws `no-device` saying what is needed. */
export async function tsmReport(
  files: Files,
  kind: TsmKind,
  reportData: Bytes,
  { root = ROOT, name = 'chrysalis' }: TsmOptions = {},
): Promise<TsmReport> {
  if (reportData.length !== REPORT_DATA_BYTES) {
    throw new MarketError('bad-input', { expected: `${REPORT_DATA_BYTES} bytes of report data` })
  }
  const folder = `${root}/${name}`
  await makeRequest(files, folder, kind)
  let found: TsmReport
  try {
    found = await requested(files, folder, kind, reportData)
  } catch (thrown) {
    await files.removeFolder(folder).catch(() => undefined) // the first fault is the one to tell
    throw thrown
  }
  await files.removeFolder(folder)
  return found
}

async function requested(
  files: Files,
  folder: string,
  kind: TsmKind,
  reportData: Bytes,
): Promise<TsmReport> {
  try {
    await checkProvider(files, folder, kind)
    for (let tries = 0; tries < TRIES; tries++) {
      const found = await once(files, folder, kind, reportData)
      if (found) return found
    }
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    const because = `the kernel made no report (${systemCode(cause) ?? 'no code'})`
    throw noDevice(because, kind.needsForReport, cause)
  }
  throw noDevice('another process uses the same report folder', OTHER_NAME)
}

/** The folder of the request. One left behind by a process that died is removed first. */
async function makeRequest(files: Files, folder: string, kind: TsmKind): Promise<void> {
  try {
    await files.makeFolder(folder)
  } catch (cause) {
    const code = systemCode(cause)
    if (code === 'EEXIST') return takeOver(files, folder)
    if (code === 'EACCES' || code === 'EPERM') {
      throw noDevice('the kernel refuses the request', 'run the provider as root', cause)
    }
    throw noDevice('the kernel has no configfs-tsm with a provider of reports', kind.needs, cause)
  }
}

async function takeOver(files: Files, folder: string): Promise<void> {
  try {
    await files.removeFolder(folder)
    await files.makeFolder(folder)
  } catch (cause) {
    throw noDevice(`the folder ${folder} is there and cannot be removed`, OTHER_NAME, cause)
  }
}

async function checkProvider(files: Files, folder: string, kind: TsmKind): Promise<void> {
  const text = Buffer.from(await files.read(`${folder}/provider`))
    .toString('latin1')
    .trim()
  if (text === kind.provider) return
  throw noDevice(`this machine makes reports of ${text}, not of ${kind.provider}`, kind.needs)
}

/** One request; nothing where somebody else wrote in between. */
async function once(
  files: Files,
  folder: string,
  kind: TsmKind,
  reportData: Bytes,
): Promise<TsmReport | undefined> {
  const before = await generation(files, folder)
  await files.write(`${folder}/inblob`, reportData)
  let report: Bytes
  try {
    report = await files.read(`${folder}/outblob`)
  } catch (thrown) {
    // The kernel's word for a report that a write has overtaken.
    if (['EWOULDBLOCK', 'EAGAIN'].includes(systemCode(thrown) ?? '')) return undefined
    throw thrown
  }
  const extra = await optional(files, `${folder}/auxblob`)
  if ((await generation(files, folder)) !== before + 1) return undefined
  if (report.length === 0 || report.length > LIMITS.tsmBlobBytes) {
    throw noDevice(`the report has ${report.length} bytes`, kind.needsForReport)
  }
  return { report, extra }
}

async function generation(files: Files, folder: string): Promise<number> {
  return Number(Buffer.from(await files.read(`${folder}/generation`)).toString('latin1'))
}

/** Kernels show the file only where the provider may have something. */
async function optional(files: Files, path: string): Promise<Bytes> {
  try {
    return await files.read(path)
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return new Uint8Array()
    throw cause
  }
}
