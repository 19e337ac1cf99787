/**
 * Logs: pino behind the `Logger` port, one JSON object a line, on stderr or in a file.
 *
 * Every line passes `redact`. Standard output belongs to results and is never written here.
 * @module
 */
import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino'
import type { Logger } from '../../contracts/base/ports.ts'
import { redact } from './redact.ts'

export interface LoggerOptions {
  /** Least level that is written; default `info`. */
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** A file (created with mode 0600); default stderr. */
  readonly file?: string
  /** Where lines go instead, for tests. */
  readonly stream?: DestinationStream
}

/**
 * A logger.
 *
 * @example
 * createLogger({ level: 'debug' }).child({ role: 'provider' }).info({ slots: 2 }, 'ready')
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', file, stream } = options
  const target =
    stream ??
    (file === undefined
      ? destination({ dest: 2, sync: true })
      : destination({ dest: file, sync: true, mkdir: true, mode: 0o600 }))
  const root = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    target,
  )
  return wrap(root)
}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}

function wrap(inner: PinoLogger): Logger {
  return {
    debug: (facts, message) => {
      if (inner.isLevelEnabled('debug')) inner.debug(redact(facts), message)
    },
    info: (facts, message) => inner.info(redact(facts), message),
    warn: (facts, message) => inner.warn(redact(facts), message),
    error: (facts, message) => inner.error(redact(facts), message),
    child: (facts) => wrap(inner.child(redact(facts))),
  }
}
