/**
 * What a machine shows of its processes: arguments, environment and memory, searched for a text.
 * Linux only; elsewhere there is nothing to read and the tests that use it are skipped.
 * @module
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'

/** Bytes of memory read at once. */
const CHUNK = 2 ** 20

/** Process ids of everything below `pid`, at any depth. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    const stat = readOr(`/proc/${name}/stat`).toString('latin1')
    parents.set(Number(name), Number(/\) \S (\d+)/.exec(stat)?.[1]))
  }
  const isBelow = (child: number): boolean => {
    const parent = parents.get(child)
    return parent === pid || (parent !== undefined && parent > 1 && isBelow(parent))
  }
  return [...parents.keys()].filter(isBelow)
}

/** What every user of the machine, or the same user, can read of a process. */
export function shownOf(pid: number): { readonly cmdline: Buffer; readonly environ: Buffer } {
  return { cmdline: readOr(`/proc/${pid}/cmdline`), environ: readOr(`/proc/${pid}/environ`) }
}

/**
 * How often `text` (ASCII) lies in the writable memory of a process, as one or two bytes a letter:
 * what a core file would hold. Undefined where this user may not look.
 */
export function inMemory(pid: number, text: string): { found: number; bytes: number } | undefined {
  const needles = [Buffer.from(text, 'latin1'), Buffer.from(text, 'utf16le')]
  let memory: number
  try {
    memory = openSync(`/proc/${pid}/mem`, 'r')
  } catch {
    return undefined
  }
  let found = 0
  let bytes = 0
  const buffer = Buffer.alloc(CHUNK)
  for (const line of readOr(`/proc/${pid}/maps`).toString('latin1').split('\n')) {
    const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
    const end = Number.parseInt(to, 16)
    // Chunks overlap by what a text could be cut at.
    for (let at = Number.parseInt(from, 16); at < end; at += CHUNK - 2 * text.length) {
      const length = readAt(memory, buffer, Math.min(CHUNK, end - at), at)
      bytes += length
      for (const needle of needles) {
        const chunk = buffer.subarray(0, length)
        for (let hit = chunk.indexOf(needle); hit >= 0; hit = chunk.indexOf(needle, hit + 1))
          found++
      }
    }
  }
  closeSync(memory)
  return { found, bytes }
}

/** 0 bytes where a page was never touched. */
function readAt(file: number, buffer: Buffer, length: number, at: number): number {
  try {
    return readSync(file, buffer, 0, length, at)
  } catch {
    return 0
  }
}

function readOr(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0) // it has ended meanwhile
  }
}
