/**
 * A market as separate processes, for tests: each role is started through the command, as a person
 * would, with `--json`, ports 0 and a home of its own.
 *
 * A role counts as up when its first line stands on stdout. What it logs (stderr) is kept. Every
 * process is stopped by its own pid, also where a test fails; nothing is ever stopped by name.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './tree.ts'

const COMMAND = join(ROOT, 'scripts/cli/main.ts')
/** A role that is not up after this has failed; the machine may be busy. */
const UP_MS = 60_000
/** A role that was asked to stop claims first, then ends. */
const STOP_MS = 20_000

/** A command that has ended. */
export interface Ran {
  readonly exit: number | null
  readonly out: string
  readonly error: string
  readonly tookMs: number
}

/** A running role. */
export interface Role {
  readonly pid: number
  /** The object of its first line on stdout. */
  readonly first: Readonly<Record<string, unknown>>
  /** Everything on stderr so far: its log. */
  log(): string
  /** True until the process has ended. */
  alive(): boolean
  /** SIGTERM, or `signal`; resolves with the exit code when the process has gone. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export type Env = Readonly<Record<string, string | undefined>>

/** Processes of one test file, and their home. Call `end` in `afterAll`. */
export interface Processes {
  readonly home: string
  /** Starts a verb that stays up. Rejects with its output where it ends before its first line. */
  start(args: readonly string[], env?: Env): Promise<Role>
  /** Runs a verb to its end; `end` stops it where it does not end by itself. */
  run(args: readonly string[], options?: { env?: Env; input?: string }): Promise<Ran>
  /** Everything that any process of this file has logged. */
  logs(): string
  /** Kills what still runs and removes the home. */
  end(): Promise<void>
}

/** An empty home, and the command in it. `env` is added for every process. */
export async function openProcesses(env: Env = {}): Promise<Processes> {
  const home = await mkdtemp(join(tmpdir(), 'chrysalis-market-'))
  const children = new Set<ChildProcess>()
  const logs: (() => string)[] = []

  const launch = (args: readonly string[], more: Env) => {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      cwd: home,
      env: { ...process.env, CHRYSALIS_HOME: home, ...env, ...more },
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    const [out, error] = [collect(child.stdout), collect(child.stderr)]
    logs.push(error)
    return { child, out, error }
  }

  return {
    home,
    async start(args, more = {}) {
      const { child, out, error } = launch([...args, '--json'], more)
      await firstLine(child, () => `${args.join(' ')}\n${out()}${error()}`)
      const first = JSON.parse(out().split('\n', 1)[0] ?? '')
      if (first.ok !== true) throw new Error(`${args.join(' ')}\n${out()}${error()}`)
      return role(child, first, error)
    },
    async run(args, options = {}) {
      const startMs = performance.now()
      const { child, out, error } = launch(args, options.env ?? {})
      child.stdin.end(options.input ?? '')
      const [exit] = await once(child, 'close')
      return { exit, out: out(), error: error(), tookMs: performance.now() - startMs }
    },
    logs: () => logs.map((log) => log()).join(''),
    async end() {
      const ending = [...children].map((child) => once(child, 'exit'))
      for (const child of children) child.kill('SIGKILL')
      await Promise.all(ending)
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** Localnet, scheduler and providers, up and connected. */
export interface RunningMarket {
  readonly localnet: Role
  readonly scheduler: Role
  readonly providers: readonly Role[]
}

/** What a network.json names to have a running scheduler dialled at another port. */
export function schedulerAt({ first }: Role, port: number) {
  const addresses = (first.addresses as string[]).map((address) =>
    address.replace(/\/tcp\/\d+/, `/tcp/${port}`),
  )
  return { identity: String(first.identity), addresses }
}

/** Arguments of a provider's start, beside the ports. */
export const PROVIDERS: readonly (readonly string[])[] = [
  ['--role', 'provider-1', '--tick', '40'],
  ['--role', 'provider-2', '--tick', '42'],
]

/** A network in memory whose blocks come at once: its pace has tests of its own. */
export const LOCALNET = ['localnet', 'start', '--port', '0', '--memory', '--block-ms', '0']

export const SCHEDULER = ['scheduler', 'start', '--status-port', '0']

/** The whole market, one process a role; resolves when every provider is offered. */
export async function startMarket(
  processes: Processes,
  providers: readonly (readonly string[])[] = PROVIDERS,
): Promise<RunningMarket> {
  const localnet = await processes.start(LOCALNET)
  const scheduler = await processes.start(SCHEDULER)
  const started = await Promise.all(providers.map((args) => startProvider(processes, args)))
  await untilOffered(scheduler, started.length)
  return { localnet, scheduler, providers: started }
}

/** One provider on a port of its own. */
export function startProvider(processes: Processes, args: readonly string[]): Promise<Role> {
  return processes.start(['provider', 'start', '--status-port', '0', ...args])
}

/** Waits until the scheduler lists `count` providers that it can pay. */
export async function untilOffered(
  scheduler: Role,
  count: number,
  withinMs?: number,
): Promise<void> {
  const offered = async () => {
    const { slots, providers } = await statusOf(scheduler)
    const payable = records(providers).filter((provider) => provider.payable === true)
    return records(slots).length >= count && payable.length >= count
  }
  await until(`${count} providers offered and payable`, offered, withinMs)
}

/** `/status` of a role. */
export async function statusOf(role: Role): Promise<Record<string, unknown>> {
  const response = await fetch(`${role.first.status}/status`)
  return (await response.json()) as Record<string, unknown>
}

/** A list of objects in some JSON; empty where it is none. */
export function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value : []
}

/** Polls `holds` until it does. Throws with `what` after `withinMs`. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  withinMs = 20_000,
): Promise<number> {
  const startMs = performance.now()
  while (!(await holds())) {
    if (performance.now() - startMs > withinMs)
      throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return performance.now() - startMs
}

/** The last line of an output as JSON. */
export function lastJson(text: string): Record<string, unknown> {
  return JSON.parse(text.trim().split('\n').at(-1) ?? '')
}

function role(child: ChildProcess, first: Role['first'], log: () => string): Role {
  const gone = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid!,
    first,
    log,
    alive: () => !gone(),
    async stop(signal = 'SIGTERM') {
      if (gone()) return child.exitCode
      const ended = once(child, 'exit', { signal: AbortSignal.timeout(STOP_MS) })
      child.kill(signal)
      await ended
      return child.exitCode
    },
  }
}

async function firstLine(child: ChildProcess, output: () => string): Promise<void> {
  const up = Promise.withResolvers<void>()
  const late = setTimeout(() => up.reject(new Error(`not up: ${output()}`)), UP_MS)
  child.stdout?.on('data', (data) => {
    if (String(data).includes('\n')) up.resolve()
  })
  child.once('close', (code) => up.reject(new Error(`ended with ${code}: ${output()}`)))
  await up.promise.finally(() => clearTimeout(late))
}

function collect(stream: ChildProcess['stdout']): () => string {
  const parts: Buffer[] = []
  stream?.on('data', (data: Buffer) => parts.push(data))
  return () => Buffer.concat(parts).toString('utf8')
}
