/**
 * The command that starts the engine process with as little as an ordinary user can leave it.
 *
 * On Linux, where user namespaces are open to the user (util-linux `unshare`, no privilege, nothing
 * installed): a network namespace without any interface, and a root folder of its own in which only
 * system libraries, this package, its libraries and the model file exist, all read-only. So native
 * code that a hostile prompt took over finds no network, nothing to write to, no key file, and no
 * socket of another program. A second user namespace inside takes away the power to undo it.
 * Where the folder cannot be built the network alone is taken away; where namespaces are refused
 * (other systems, containers, some distributions) neither is. On every system with a shell: no core
 * file, no byte written to any file (`RLIMIT_FSIZE` 0). On Linux: bounded data (`RLIMIT_DATA`).
 *
 * Nothing here is believed afterwards: `confinement.ts` reads from the kernel what is in force.
 * @module
 */
import { execFile } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LIMITS } from '../../../contracts/base/limits.ts'

/** How to start the engine: `fork` runs `execPath` with `execArgv`, then the script's path. */
export interface EngineCommand {
  readonly execPath: string
  readonly execArgv: readonly string[]
}

/** What of the confinement is asked for; tests leave parts of it out. */
export type Confine = 'all' | 'network' | 'limits' | 'none'

const MIB = 2 ** 20
const UNSHARE = '/usr/bin/unshare'
const SHELL = '/bin/sh'
/** A refusal comes at once; a machine that takes longer is treated as one that refuses. */
const PROBE_MS = 2_000
/** The new root is mounted over the first of these that exists and holds nothing needed. */
const MOUNT_POINTS = ['/mnt', '/media', '/srv', '/opt']
/** What a program needs of the system: its loader and libraries. Of devices, only these. */
const SYSTEM = ['/usr', '/lib', '/lib32', '/lib64', '/bin', '/sbin', '/etc/ld.so.cache']
const DEVICES = ['/dev/null', '/dev/urandom']
/**
 * `/proc` is the host's own. A namespace does not keep an owner who is root from `/proc/sys`, whose
 * files ask for nothing but that uid; `core_pattern` alone would run a program outside.
 */
const SEALED = 'remount,bind,ro,nosuid,nodev,noexec'

/** Runs the rest under limits that nothing below it can lift. */
const LIMITED = (dataKib: number) => `
ulimit -c 0; ulimit -f 0${dataKib > 0 ? `; ulimit -d ${dataKib}` : ''}
unset PWD OLDPWD
exec "$@"
`

/**
 * Builds a root below `root` out of `seen`, enters it and runs the rest, without the power to undo
 * it. Where a step fails it goes on without: before `pivot_root` the program notices nothing. Few
 * programs are run, for each costs some milliseconds of the start.
 */
function entering(root: string, seen: readonly string[]): string {
  const links = seen.filter((path) => lstatSync(path).isSymbolicLink())
  const mounted = seen.filter((path) => !links.includes(path))
  const folders = mounted.filter((path) => statSync(path).isDirectory())
  const files = mounted.filter((path) => !folders.includes(path))
  const below = (path: string) => quoted(`${root}${path}`)
  const parents = [...folders, ...files.map(dirname), '/proc'].map(below)
  const steps = [
    `mount -t tmpfs -o size=1m,mode=755 none ${quoted(root)}`,
    `mkdir -p ${parents.join(' ')}`,
    ...files.map((path) => `: > ${below(path)}`),
    ...(links.length > 0 ? [`cp -P ${links.map(quoted).join(' ')} ${quoted(root)}`] : []),
    ...mounted.map((path) => {
      const kind = path.startsWith('/dev/') ? 'noexec' : 'nodev' // which would close devices
      return `mount -o bind,ro,nosuid,${kind} ${quoted(path)} ${below(path)}`
    }),
    `mount --rbind /proc ${below('/proc')}`,
    `mount -o ${SEALED} ${below('/proc')}`,
    // One that refuses stays as it was, and `confinement.ts` says so.
    ...belowProc().map((path) => `{ mount -o ${SEALED} ${below(path)} || :; }`),
    `mount -o remount,bind,ro,nosuid,nodev ${quoted(root)}`,
    `cd ${quoted(root)} && pivot_root . . && umount -l . && cd /`,
  ]
  return `
PATH=/usr/sbin:/usr/bin:/sbin:/bin
{ ${steps.join(' && ')}; } 2>/dev/null
exec ${UNSHARE} --user -- "$@"
`
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`
}

/** Mounts below `/proc`, such as `binfmt_misc`: a remount does not reach them by itself. */
function belowProc(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const places = lines.map((line) => line.split(' ')[4] ?? '')
  return [...new Set(places)].filter((place) => place.startsWith('/proc/'))
}

let allowed: Promise<boolean> | undefined

/** Whether this user may make namespaces here; asked of the kernel once. */
export function namespacesAllowed(): Promise<boolean> {
  allowed ??= probe()
  return allowed
}

/**
 * The command for `node` with `flags`, confined as far as asked and as far as this machine can.
 * `modelPath` has `modelBytes` bytes.
 */
export async function engineCommand(
  flags: readonly string[],
  { modelPath, modelBytes }: { readonly modelPath: string; readonly modelBytes: number },
  confine: Confine = 'all',
): Promise<EngineCommand> {
  const node = process.execPath
  if (confine === 'none' || !existsSync(SHELL)) return { execPath: node, execArgv: flags }
  const bounded = process.platform === 'linux'
  const dataKib = bounded ? engineDataMib(modelBytes) * 1024 : 0
  const limited = ['-c', LIMITED(dataKib), 'engine', node, ...flags]
  if (confine === 'limits' || !(await namespacesAllowed())) {
    return { execPath: SHELL, execArgv: limited }
  }
  const seen = confine === 'all' ? visible(realpathSync(modelPath)) : []
  const root = MOUNT_POINTS.find(
    (each) => existsSync(each) && !seen.some((path) => `${path}/`.startsWith(`${each}/`)),
  )
  if (confine === 'network' || root === undefined) {
    return { execPath: UNSHARE, execArgv: ['--user', '--net', '--', SHELL, ...limited] }
  }
  const spaces = ['--user', '--map-root-user', '--net', '--ipc', '--mount', '--']
  const enter = [SHELL, '-c', entering(root, seen), 'engine', SHELL, ...limited]
  return { execPath: UNSHARE, execArgv: [...spaces, ...enter] }
}

/** Data that an engine may hold, in MiB: what Node sets aside, and room for the weights. */
export function engineDataMib(modelBytes: number): number {
  return LIMITS.engineDataMib + Math.ceil((2 * modelBytes) / MIB)
}

/** Paths that exist in the engine's root, none of them below another. */
function visible(modelPath: string): string[] {
  const own = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
  const library = realpathSync(findPackageJSON('node-llama-cpp', import.meta.url) ?? own)
  const libraries = /^.*?\/node_modules(?=\/)/.exec(library)?.[0] ?? dirname(library)
  const paths = [own, libraries, dirname(process.execPath), modelPath]
  const all = [...SYSTEM, ...DEVICES, ...paths].filter((path) => existsSync(path))
  const below = (path: string) => all.some((other) => path.startsWith(`${other}/`))
  return [...new Set(all)].filter((path) => !below(path))
}

function probe(): Promise<boolean> {
  if (process.platform !== 'linux' || !existsSync(UNSHARE)) return Promise.resolve(false)
  const args = ['--user', '--map-root-user', '--net', '--ipc', '--mount', '--', UNSHARE, '--user']
  return new Promise((resolve) => {
    const done = (error: Error | null) => resolve(error === null)
    execFile(UNSHARE, [...args, '--', SHELL, '-c', ':'], { env: {}, timeout: PROBE_MS }, done)
  })
}
