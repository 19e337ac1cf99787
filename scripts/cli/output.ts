/**
 * What every verb of the command does the same way: results on stdout, everything else on stderr,
 * `--json`, and errors with their action and a documented exit code.
 * @module
 */
import { asMarketError, type MarketError } from '../../contracts/base/errors.ts'
import { traceOf } from './crash.ts'

/** Options that every verb has. */
export interface CommonOptions {
  readonly json?: boolean
  readonly network?: string
  readonly home?: string
}

/** A result: with `--json` the value as one line, otherwise the lines for a person. */
export function printResult(options: CommonOptions, value: object, lines: readonly string[]): void {
  const text = options.json ? toJson({ ok: true, ...value }) : lines.join('\n')
  process.stdout.write(`${text}\n`)
}

/** Progress for a person, on stderr. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** One line of JSON; amounts become decimal strings. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? each.toString() : each))
}

/** Runs a verb; a failure is printed and becomes the exit code. */
export async function runVerb(options: CommonOptions, verb: () => Promise<void>): Promise<void> {
  try {
    await verb()
  } catch (thrown) {
    process.exitCode = printFailure(options, asMarketError(thrown))
  }
}

/** Prints an error the way `options` asks, and gives its exit code. */
export function printFailure(options: CommonOptions, error: MarketError): number {
  const { code, message, action } = error.report()
  if (options.json)
    process.stdout.write(`${toJson({ ok: false, error: { code, message, action } })}\n`)
  else process.stderr.write(`error: ${message}\n  code:   ${code}\n  action: ${action}\n`)
  if (process.env.CHRYSALIS_DEBUG) process.stderr.write(`${traceOf(error)}\n`)
  return error.exit
}

/** A table for a person: columns as wide as their longest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, i) =>
    Math.max(name.length, ...rows.map((row) => (row[i] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)]
}

/** Resolves at the first SIGINT or SIGTERM. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
}
