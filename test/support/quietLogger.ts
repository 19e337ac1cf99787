/**
 * A logger that keeps what it was told, for tests that read it.
 * @module
 */
import type { Logger } from '../../contracts/base/ports.ts'

export interface KeptLogger extends Logger {
  readonly lines: { level: string; facts: object; message: string }[]
}

export function keptLogger(lines: KeptLogger['lines'] = []): KeptLogger {
  const keep = (level: string) => (facts: object, message: string) => {
    lines.push({ level, facts, message })
  }
  return {
    lines,
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    child: () => keptLogger(lines),
  }
}
