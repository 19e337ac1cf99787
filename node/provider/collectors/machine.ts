/**
 * What collectors may do to the machine: files and programs, as two narrow ports, and how they are
 * done for real. Recorded answers stand in their place in tests.
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Bytes } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'

/** Files. What fails throws an Error with the `code` of the system (`ENOENT`, `EACCES`, ..). */
export interface Files {
  read(path: string): Promise<Bytes>
  write(path: string, bytes: Bytes): Promise<void>
  /** As `write`, but the old content stays until the new is whole; makes the folder. */
  replace(path: string, bytes: Bytes): Promise<void>
  makeFolder(path: string): Promise<void>
  /** An empty folder, or one of configfs, whose files go with it. */
  removeFolder(path: string): Promise<void>
}

/** Runs a program without a shell. Throws an Error with `code` `ENOENT` where there is none. */
export type Run = (program: string, args: readonly string[]) => Promise<RunResult>

export interface RunResult {
  /** Exit code; not 0 also where the program was ended for its time. */
  readonly code: number
  readonly stdout: string
}

export interface Machine {
  readonly files: Files
  readonly run: Run
}

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  files: {
    read: async (path) => new Uint8Array(await readFile(path)),
    write: (path, bytes) => writeFile(path, bytes),
    async replace(path, bytes) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeFile(`${path}.new`, bytes, { mode: 0o600, flush: true })
      await rename(`${path}.new`, path)
    },
    makeFolder: async (path) => void (await mkdir(path)),
    removeFolder: (path) => rmdir(path),
  },
  run: (program, args) =>
    new Promise((resolve, reject) => {
      const options = {
        timeout: LIMITS.collectorMs,
        maxBuffer: 2 * LIMITS.gpuEvidenceBytes,
        windowsHide: true,
      }
      execFile(program, [...args], options, (error, stdout) => {
        const code: unknown = error?.code
        if (code === 'ENOENT' || code === 'EACCES') reject(error)
        else resolve({ code: typeof code === 'number' ? code : error ? 1 : 0, stdout })
      })
    }),
}

/** The code of a system error, where a thrown thing is one. */
export function systemCode(thrown: unknown): string | undefined {
  const { code } = (thrown ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** `no-device`: what was found, and exactly what is needed. */
export function noDevice(because: string, needs: string, cause?: unknown): MarketError {
  return new MarketError('no-device', { because, needs }, { cause })
}
