/**
 * Keeps an engine process alive: checks the model's hash before each load, and starts it again
 * after a death, waiting longer each time.
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type Bytes, equal, toHex } from '../../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Clock, Logger } from '../../../contracts/base/ports.ts'
import { untilAborted } from '../backend.ts'
import type { Confine } from './confine.ts'
import { type Confinement, describeConfinement, isWeak } from './confinement.ts'
import { startWorker, type Worker } from './worker.ts'

export interface SupervisorOptions {
  readonly modelPath: string
  readonly expectedHash: Bytes
  readonly places: number
  readonly clock: Clock
  readonly logger: Logger
  /** Default: all that this machine can. */
  readonly confine?: Confine
}

export interface Supervisor {
  /** The live engine, or the next one; undefined where the signal came first. `engine-failed`. */
  worker(signal: AbortSignal): Promise<Worker | undefined>
  /** What the engine is held to, or the last one was. */
  confinement(): Confinement
  stop(): Promise<void>
}

/** Starts the engine once. Throws `bad-model`, `engine-failed`. */
export async function supervise(options: SupervisorOptions): Promise<Supervisor> {
  const { clock, logger } = options
  const stopping = new AbortController()
  let backoffMs: number = LIMITS.engineRestartMinMs
  let current = start(options)
  let { confinement } = await current
  report(logger, confinement)
  const watching = watch()

  async function watch(): Promise<void> {
    for (;;) {
      const worker = await current
      const startedMs = clock.monotonicMs()
      const how = await worker.gone
      if (stopping.signal.aborted) return
      if (clock.monotonicMs() - startedMs > LIMITS.engineSettledMs) {
        backoffMs = LIMITS.engineRestartMinMs
      }
      logger.warn({ how, backoffMs }, 'the inference engine died')
      current = revive()
      current.catch(() => {}) // those who wait for it hear of it
      try {
        await current
      } catch {
        return // only stopping ends a revival
      }
    }
  }

  async function revive(): Promise<Worker> {
    for (;;) {
      await clock.sleep(backoffMs, stopping.signal)
      backoffMs = Math.min(2 * backoffMs, LIMITS.engineRestartMaxMs)
      try {
        const worker = await start(options)
        confinement = worker.confinement
        logger.info({ pid: worker.pid, loadMs: worker.loadMs }, 'the inference engine is back')
        if (stopping.signal.aborted) worker.kill()
        return worker
      } catch (thrown) {
        const { code, facts } = asMarketError(thrown, 'engine-failed')
        logger.warn({ code, facts, backoffMs }, 'the inference engine does not start')
      }
    }
  }

  return {
    async worker(signal) {
      if (stopping.signal.aborted) throw new MarketError('backend-failed', { engine: 'stopped' })
      const patience = new AbortController()
      const cancel = clock.after(LIMITS.engineStartMs, () => patience.abort())
      try {
        const both = AbortSignal.any([signal, patience.signal])
        const worker = await untilAborted(current, both)
        if (!worker && !signal.aborted) throw new MarketError('engine-failed', { detail: 'down' })
        return worker
      } finally {
        cancel()
      }
    },
    confinement: () => confinement,
    async stop() {
      stopping.abort(new MarketError('backend-failed', { engine: 'stopped' }))
      const worker = await current.catch(() => undefined)
      worker?.kill()
      await worker?.gone
      await watching
    },
  }
}

/** SHA-256 of a file, streamed: weights may be larger than memory. Throws `bad-model`. */
export async function hashFile(path: string): Promise<Bytes> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk)
  } catch (thrown) {
    throw new MarketError('bad-model', { file: path, detail: 'cannot be read' }, { cause: thrown })
  }
  return new Uint8Array(hash.digest())
}

/** Loudly where the machine confines an engine less than Linux can. */
function report(logger: Logger, confinement: Confinement): void {
  const facts = { engine: describeConfinement(confinement) }
  if (isWeak(confinement)) logger.warn(facts, 'the inference engine is confined only in part')
  else logger.info(facts, 'the inference engine is confined')
}

async function start(options: SupervisorOptions): Promise<Worker> {
  const { modelPath, expectedHash } = options
  const before = await fileState(modelPath)
  const hash = await hashFile(modelPath)
  if (!equal(hash, expectedHash)) {
    const facts = { file: modelPath, expected: toHex(expectedHash) }
    throw new MarketError('bad-model', { ...facts, found: toHex(hash) })
  }
  const worker = await startWorker({ ...options, modelBytes: before.bytes })
  // The engine opened the path itself: what it loaded is what was hashed only if nothing moved.
  if ((await fileState(modelPath)).state === before.state) return worker
  worker.kill()
  throw new MarketError('bad-model', { file: modelPath, detail: 'changed while it was loaded' })
}

/** Length of a file, and what tells it from another at its path or an earlier state of it. */
async function fileState(path: string): Promise<{ bytes: number; state: string }> {
  try {
    const { size, dev, ino, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return { bytes: Number(size), state: [dev, ino, size, mtimeNs, ctimeNs].join() }
  } catch (cause) {
    throw new MarketError('bad-model', { file: path, detail: 'cannot be read' }, { cause })
  }
}
