/**
 * What confines an engine process, read from the kernel after it has started, and the line that
 * owners see of it. The engine's own word counts for nothing here, nor does what was asked for.
 *
 * `/proc/PID/ns/net` is another one than ours: it has no network. Every mount it sees is read-only,
 * `/proc` too: native code can write nowhere. `/proc/PID/limits`: bytes it may hold and
 * write. What cannot be read is not in force.
 * @module
 */
import { readFile, readlink } from 'node:fs/promises'

export interface Confinement {
  /** `namespace`: no interface at all. `javascript`: only the engine's script is kept from it. */
  readonly network: 'namespace' | 'javascript'
  /**
   * `readOnly`: every folder it sees is read-only, and it sees no other than system, package and
   * model. `noBytes`: it can put no byte in a file. `javascript`: only its script cannot.
   */
  readonly writes: 'readOnly' | 'noBytes' | 'javascript'
  /** Most that it may hold beside the mapped model file; absent where only its script is bound. */
  readonly memoryMib?: number
  /** No core file is written when it crashes: it would hold prompts. */
  readonly noCore: boolean
}

const MIB = 2 ** 20

/** What is in force for process `pid`. Never throws. */
export async function readConfinement(pid: number): Promise<Confinement> {
  const [own, its, mounts, limits] = await Promise.all([
    readlink('/proc/self/ns/net').catch(() => ''),
    readlink(`/proc/${pid}/ns/net`).catch(() => ''),
    readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/limits`, 'utf8').catch(() => ''),
  ])
  const bytes = hardLimit(limits, 'Max data size')
  const noBytes = hardLimit(limits, 'Max file size') === 0
  return {
    network: own && its && own !== its ? 'namespace' : 'javascript',
    writes: onlyReads(mounts) ? 'readOnly' : noBytes ? 'noBytes' : 'javascript',
    memoryMib: bytes === undefined ? undefined : Math.floor(bytes / MIB),
    noCore: hardLimit(limits, 'Max core file size') === 0,
  }
}

/** True where an owner should hear of it: less is in force than Linux can do. */
export function isWeak({ network, writes, memoryMib, noCore }: Confinement): boolean {
  return network !== 'namespace' || writes !== 'readOnly' || memoryMib === undefined || !noCore
}

/** One line, like `no network (namespace), no writes (read-only root), 1029 MiB, no core file`. */
export function describeConfinement({ network, writes, memoryMib, noCore }: Confinement): string {
  const names = {
    namespace: 'no network (namespace)',
    javascript: 'network NOT taken from native code',
  }
  const rights = {
    readOnly: 'no writes (read-only root)',
    noBytes: 'no writes (size limit 0)',
    javascript: 'writes NOT taken from native code',
  }
  const memory = memoryMib === undefined ? 'native memory NOT bounded' : `${memoryMib} MiB`
  const core = noCore ? 'no core file' : 'core files NOT forbidden'
  return [names[network], rights[writes], memory, core].join(', ')
}

/**
 * True where each mount is read-only. One that another covers at the same place is not reachable.
 * Fields of a line of mountinfo: id, parent, device, root, mount point, options.
 */
function onlyReads(mountinfo: string): boolean {
  const lines = mountinfo.split('\n').filter(Boolean)
  const mounts = lines.map((line) => {
    const [id, parent, , , place, options = ''] = line.split(' ')
    return { id, parent, place, readOnly: options.split(',').includes('ro') }
  })
  const covered = ({ id, place }: { id?: string; place?: string }) =>
    mounts.some((other) => other.parent === id && other.place === place)
  return mounts.length > 0 && mounts.every((each) => each.readOnly || covered(each))
}

/** The hard limit of a line of `/proc/PID/limits`; undefined where there is none. */
function hardLimit(limits: string, name: string): number | undefined {
  const line = limits.split('\n').find((each) => each.startsWith(name))
  const hard = line?.slice(name.length).trim().split(/\s+/)[1]
  return hard !== undefined && /^\d+$/.test(hard) ? Number(hard) : undefined
}
