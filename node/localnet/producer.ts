/**
 * The timer of a localnet: has the next block made when it is due. An idle network sets none.
 * @module
 */
import { asMarketError } from '../../contracts/base/errors.ts'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import type { Ledger } from './ledger.ts'
import type { Writer } from './writer.ts'

/** After a block that could not be made (a full disk), the next try comes no sooner. */
const RETRY_MS = 1_000

export interface Producer {
  /** To be called whenever a block will be due. */
  arm(): void
  stop(): void
}

export interface ProducerOptions {
  /** Undefined before it is open. */
  readonly ledger: () => Pick<Ledger, 'dueInMs' | 'produce'> | undefined
  readonly writer: Writer
  readonly clock: Clock
  readonly logger: Logger
}

export function createProducer({ ledger, writer, clock, logger }: ProducerOptions): Producer {
  let cancel: (() => void) | undefined
  let isStopped = false
  const set = (delayMs: number) => {
    cancel?.()
    if (!isStopped) cancel = clock.after(delayMs, () => void make())
  }
  const make = async () => {
    cancel = undefined
    try {
      await writer.run(() => (isStopped ? undefined : ledger()?.produce()))
    } catch (thrown) {
      logger.error({ error: asMarketError(thrown).report() }, 'block failed')
      set(RETRY_MS)
    }
  }
  return {
    arm() {
      const dueInMs = ledger()?.dueInMs
      if (dueInMs !== undefined) set(dueInMs)
    },
    stop() {
      isStopped = true
      cancel?.()
    },
  }
}
