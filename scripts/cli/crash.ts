/**
 * How the command ends when something breaks that nobody caught: what kind of error it was and
 * where, never what it said, for a message may quote a prompt.
 *
 * Imported for its effect, first of all, by `main.ts`. It also takes the arguments, among them the
 * prompt of `run`, from the list of processes that every user of the machine can read.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'

/** Exit code of the family of `internal`. */
const EXIT = 7
const MAX_CAUSES = 4

process.title = 'chrysalis'
process.on('uncaughtException', (thrown) => {
  process.stderr.write(`fatal: ${traceOf(thrown)}\n`)
  process.exit(EXIT)
})

/** Class, code and stack frames of a thrown value and of its causes; no message, no fact. */
export function traceOf(thrown: unknown): string {
  const lines: string[] = []
  let each = thrown
  for (let depth = 0; depth < MAX_CAUSES && each instanceof Error; depth++) {
    lines.push(`${depth > 0 ? 'caused by ' : ''}${kindOf(each)}`, ...framesOf(each))
    each = each.cause
  }
  return lines.length > 0 ? lines.join('\n') : `a ${typeof thrown} was thrown`
}

function kindOf(error: Error): string {
  const name = /^[A-Za-z]{1,64}$/.test(error.name) ? error.name : 'Error'
  const code = error instanceof MarketError ? error.code : 'code' in error && error.code
  const plain = typeof code === 'string' && /^[A-Za-z_-]{1,64}$/.test(code)
  return plain ? `${name} ${code}` : name
}

/** Lines of a stack that name a place; a message may have lines of any other form. */
function framesOf(error: Error): string[] {
  const frame = /^ {4}at (?:[\w.<>$#[\] ]+ \()?(?:file:\/\/|node:)[^\s()]+:\d+:\d+\)?$/
  // A message may hold a line like a frame: only what comes after it counts.
  const stack = String(error.stack)
  const after = stack.includes(error.message) ? stack.split(error.message).at(-1) : stack
  return (after ?? '').split('\n').filter((line) => frame.test(line))
}
