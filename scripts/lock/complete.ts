/**
 * Completes `package-lock.json`: entries for the packages of other platforms, which npm leaves out
 * where the registry at hand lacks them, so that `npm ci` works on every platform; and no download
 * addresses, which would name the registry of whoever made the file.
 *
 * An entry added here has version, `optional`, `os`, `cpu` (and `libc`) but no integrity: npm takes
 * that from the registry of the platform that needs it. Running it again changes nothing.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One entry of the `packages` of a lock file, as far as this program looks. */
export interface Locked {
  version?: string
  resolved?: string
  link?: boolean
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  hasInstallScript?: boolean
  integrity?: string
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

export interface Lock {
  packages: Record<string, Locked>
}

/** An optional dependency that a locked package names and that has no entry. */
export interface Missing {
  readonly parent: string
  readonly name: string
  readonly version: string
}

const OS: Readonly<Record<string, string>> = {
  darwin: 'darwin',
  mac: 'darwin',
  linux: 'linux',
  win32: 'win32',
  win: 'win32',
  android: 'android',
  freebsd: 'freebsd',
}
const CPU: Readonly<Record<string, string>> = {
  x64: 'x64',
  arm64: 'arm64',
  armv7: 'arm',
  armv7l: 'arm',
  arm: 'arm',
  ia32: 'ia32',
  riscv64: 'riscv64',
}

/** Completes a lock in place; gives what was added and how many addresses were dropped. */
export function complete(lock: Lock): { added: Missing[]; dropped: number } {
  let dropped = 0
  for (const entry of Object.values(lock.packages)) {
    if (entry.link || !entry.resolved?.startsWith('http')) continue
    delete entry.resolved
    dropped++
  }
  const added = missing(lock)
  for (const { parent, name, version } of added) {
    const dev = lock.packages[parent]?.dev ? { dev: true } : {}
    const platform = platformOf(name)
    lock.packages[`node_modules/${name}`] = { version, ...platform, ...dev, optional: true }
  }
  const { '': root, ...rest } = lock.packages
  const sorted = Object.entries(rest).sort(([a], [b]) => a.localeCompare(b, 'en'))
  lock.packages = { ...(root ? { '': root } : {}), ...Object.fromEntries(sorted) }
  return { added, dropped }
}

/** Every optional dependency without an entry where its parent would find it. */
export function missing(lock: Lock): Missing[] {
  return Object.entries(lock.packages).flatMap(([parent, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !finds(lock, parent, name))
      .map(([name, version]) => ({ parent, name, version })),
  )
}

/** `os`, `cpu`, `libc` from a name like `@scope/tool-linux-arm64-musl`. Throws if it has none. */
export function platformOf(name: string): Pick<Locked, 'os' | 'cpu' | 'libc'> {
  const words = name.split('/').at(-1)!.split('-')
  const os = words.map((word) => OS[word]).find((found) => found !== undefined)
  const cpu = words.map((word) => CPU[word]).find((found) => found !== undefined)
  if (!os || !cpu) throw new Error(`no platform in the name ${name}: add its entry by hand`)
  const libc = words.includes('musl') ? { libc: ['musl'] } : {}
  return { os: [os], cpu: [cpu], ...libc }
}

/** Node's own search: the parent's folder, then every folder above it. */
function finds(lock: Lock, parent: string, name: string): boolean {
  let folder = parent
  for (;;) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (lock.packages[path]) return true
    if (folder === '') return false
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  }
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '../../package-lock.json')
  const lock: Lock = JSON.parse(readFileSync(path, 'utf8'))
  const { added, dropped } = complete(lock)
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  process.stderr.write(`${added.length} entries added, ${dropped} addresses dropped\n`)
}
