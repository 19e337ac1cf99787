/**
 * One life of the engine process: forked, confined, loaded, asked, and dead in the end.
 *
 * The process gets no secret (an empty environment), no argument that tells of a job, a bounded
 * heap, and Node's permission model without file writes and workers. That holds for JavaScript
 * only: native code is confined by the kernel, as far as this machine lets an ordinary user do so
 * (`confine.ts`). No key ever enters this process.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Clock } from '../../../contracts/base/ports.ts'
import { createMailbox, type Mailbox } from '../mailbox.ts'
import { type Confine, engineCommand } from './confine.ts'
import { type Confinement, readConfinement } from './confinement.ts'
import { type EngineJob, type JobMessage, readFromEngine, type ToEngine } from './messages.ts'

/** A job on a worker: its messages, its tokens granted, its end. */
export interface WorkerJob {
  /** The next message; undefined where the signal came first. Throws `backend-failed`. */
  take(signal: AbortSignal): Promise<JobMessage | undefined>
  /** Allows the engine to compute up to so many completion tokens. */
  grant(upTo: number): void
  /** Stops it if it still runs. `settled` follows. */
  close(): void
  /** Resolves when its sequence is free again, or the engine is dead. */
  readonly settled: Promise<void>
}

export interface Worker {
  readonly pid: number
  readonly contextTokens: number
  /** From the fork to the loaded model. */
  readonly loadMs: number
  /** What the kernel holds it to. */
  readonly confinement: Confinement
  begin(job: Omit<EngineJob, 'job' | 'upTo'>): WorkerJob
  kill(): void
  /** Resolves with how it ended. */
  readonly gone: Promise<string>
}

interface OpenJob {
  readonly inbox: Mailbox<JobMessage>
  readonly settle: () => void
}

interface Options {
  readonly modelPath: string
  readonly modelBytes: number
  readonly places: number
  readonly clock: Clock
  readonly confine?: Confine
}

/** Forks an engine and loads the model. Throws `engine-failed`. */
export async function startWorker(options: Options): Promise<Worker> {
  const { clock } = options
  const beganMs = clock.monotonicMs()
  const child = await forkEngine(options)
  const jobs = new Map<number, OpenJob>()
  const gone = ending(child)
  let nextJob = 1
  gone.then((how) => {
    for (const job of jobs.values()) {
      job.inbox.fail(new MarketError('backend-failed', { engine: how }))
      job.settle()
    }
    jobs.clear()
  })
  const contextTokens = await loaded(child, options, gone)
  const confinement = await readConfinement(child.pid ?? 0)
  const loadMs = Math.round(clock.monotonicMs() - beganMs)
  child.on('message', (raw) => {
    const message = readFromEngine(raw)
    if (!message || !('job' in message)) {
      child.kill('SIGKILL') // it does not keep to the protocol: believe nothing more of it
      return
    }
    const job = jobs.get(message.job)
    job?.inbox.push(message)
    if (message.type === 'prompt' || message.type === 'text') return
    jobs.delete(message.job)
    job?.settle()
  })
  return {
    pid: child.pid ?? 0,
    contextTokens,
    loadMs,
    confinement,
    gone,
    kill: () => child.kill('SIGKILL'),
    begin(request) {
      const id = nextJob++
      const { promise: settled, resolve: settle } = Promise.withResolvers<void>()
      const inbox = createMailbox<JobMessage>()
      jobs.set(id, { inbox, settle })
      if (!child.connected) {
        inbox.fail(new MarketError('backend-failed', { engine: 'gone' }))
        settle()
      }
      send(child, { type: 'run', job: id, upTo: LIMITS.engineAheadTokens, ...request })
      return {
        settled,
        grant: (upTo) => send(child, { type: 'grant', job: id, upTo }),
        close: () => jobs.has(id) && send(child, { type: 'abort', job: id }),
        take: (signal) => takeInTime(inbox, signal, clock, child),
      }
    },
  }
}

/** Reads from an engine that owes a message; one that says nothing is killed, which fails it. */
async function takeInTime(
  inbox: Mailbox<JobMessage>,
  signal: AbortSignal,
  clock: Clock,
  child: ChildProcess,
): Promise<JobMessage | undefined> {
  const cancel = clock.after(LIMITS.engineStallMs, () => child.kill('SIGKILL'))
  try {
    return await inbox.take(signal)
  } finally {
    cancel()
  }
}

async function forkEngine({ confine, ...model }: Options): Promise<ChildProcess> {
  const here = fileURLToPath(import.meta.url)
  const flags = [
    `--max-old-space-size=${LIMITS.engineHeapMib}`,
    '--permission',
    '--allow-addons',
    '--allow-child-process', // the library loads its binary in a probe process first
    '--allow-fs-read=*',
  ]
  const { execPath, execArgv } = await engineCommand(flags, model, confine)
  return fork(here.replace(/worker\.[jt]s$/, `child${extname(here)}`), [], {
    env: { HOME: '/' }, // the library asks for one; in a root of its own nobody has a home
    execPath,
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
}

function ending(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`))
    child.once('error', () => resolve('could not start'))
  })
}

async function loaded(
  child: ChildProcess,
  { modelPath, places, clock }: Options,
  gone: Promise<string>,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const fail = (detail: string) => reject(new MarketError('engine-failed', { detail }))
  const cancel = clock.after(LIMITS.engineStartMs, () => fail('the model did not load in time'))
  child.once('message', (raw) => {
    const message = readFromEngine(raw)
    if (message?.type === 'ready') resolve(message.contextTokens)
    else fail(message?.type === 'failed' ? message.detail : 'it spoke out of turn')
  })
  gone.then(fail)
  send(child, { type: 'load', modelPath, places })
  try {
    return await promise
  } catch (thrown) {
    child.kill('SIGKILL')
    throw thrown
  } finally {
    cancel()
  }
}

/** Sends what can be sent; a process that is gone says so through `gone`. */
function send(child: ChildProcess, message: ToEngine): void {
  if (child.connected) child.send(message, () => {})
}
