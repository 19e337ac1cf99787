/**
 * A machine made of recorded answers: files in memory, a configfs-tsm that behaves as the kernel's
 * (a folder has attributes, writing counts up, reading makes the report), programs that say what
 * they were told to. No such hardware is at hand; this drives the collectors in its place.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { utf8 } from '../../contracts/base/bytes.ts'
import type { Files, Machine, RunResult } from '../../node/provider/collectors/machine.ts'

const ROOT = '/sys/kernel/config/tsm/report'

export interface TsmArgs {
  readonly provider: string
  /** Makes the report over 64 bytes. */
  readonly report: (reportData: Bytes) => Bytes
  readonly aux?: Bytes
  /** Fails an operation by name of the attribute (`mkdir`, `outblob`, ..) with a system's code. */
  readonly fails?: Readonly<Record<string, string>>
  /** Writes by somebody else between ours, this often. */
  readonly disturbed?: number
}

/** An error as node:fs throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: recorded`), { code })
}

export interface RecordedMachine extends Machine {
  readonly kept: Map<string, Bytes>
  /** Programs run, with their arguments. */
  readonly ran: string[]
  readonly folders: Set<string>
}

export function recordedMachine(args: {
  tsm?: TsmArgs
  files?: Readonly<Record<string, Bytes>>
  /** Answers by command line; a text is stdout of a success. */
  programs?: Readonly<Record<string, RunResult | string>>
}): RecordedMachine {
  const kept = new Map(Object.entries(args.files ?? {}))
  const folders = new Set<string>()
  const ran: string[] = []
  const tsm = args.tsm && tsmOf(args.tsm, folders)
  const isTsm = (path: string) => path.startsWith(`${ROOT}/`)
  const files: Files = {
    async read(path) {
      if (isTsm(path)) return tsm ? tsm.read(path) : missing()
      return kept.get(path) ?? missing()
    },
    async write(path, bytes) {
      if (!isTsm(path)) kept.set(path, bytes)
      else if (tsm) tsm.write(path, bytes)
      else missing()
    },
    async replace(path, bytes) {
      kept.set(path, bytes)
    },
    async makeFolder(path) {
      if (!tsm) missing()
      tsm!.make(path)
    },
    async removeFolder(path) {
      if (!folders.delete(path)) missing()
    },
  }
  return {
    kept,
    folders,
    ran,
    files,
    async run(program, given) {
      const line = [program, ...given].join(' ')
      ran.push(line)
      const found = Object.entries(args.programs ?? {}).find(([start]) => line.startsWith(start))
      if (!found) throw systemError('ENOENT')
      const [, answer] = found
      return typeof answer === 'string' ? { code: 0, stdout: answer } : answer
    },
  }
}

function missing(): never {
  throw systemError('ENOENT')
}

function tsmOf(args: TsmArgs, folders: Set<string>) {
  let generation = 0
  let disturbed = args.disturbed ?? 0
  let data: Bytes | undefined
  const fail = (name: string) => {
    const code = args.fails?.[name]
    if (code) throw systemError(code)
  }
  return {
    make(path: string) {
      fail('mkdir')
      if (folders.has(path)) throw systemError('EEXIST')
      folders.add(path)
      generation = 0
    },
    write(path: string, bytes: Bytes) {
      const name = nameOf(path, folders)
      fail(name)
      if (name !== 'inblob') missing()
      data = bytes
      generation += disturbed-- > 0 ? 2 : 1
    },
    read(path: string): Bytes {
      const name = nameOf(path, folders)
      fail(name)
      if (name === 'provider') return utf8(`${args.provider}\n`)
      if (name === 'generation') return utf8(`${generation}\n`)
      if (name === 'outblob') return data ? args.report(data) : missing()
      if (name === 'auxblob') return args.aux ?? missing()
      return missing()
    },
  }
}

function nameOf(path: string, folders: Set<string>): string {
  const at = path.lastIndexOf('/')
  if (!folders.has(path.slice(0, at))) missing()
  return path.slice(at + 1)
}
