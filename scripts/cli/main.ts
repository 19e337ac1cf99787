#!/usr/bin/env node
/**
 * The `chrysalis` command: one verb a file (`verbs.ts`), loaded when it is asked for, and loading
 * what it needs when it runs, so that `--help` stays fast.
 * @module
 */
import './crash.ts'
import { Command, CommanderError } from 'commander'
import { MarketError } from '../../contracts/base/errors.ts'
import { VERBS } from './verbs.ts'

const program = new Command('chrysalis')
  .description('An open market for GPU inference on TON.')
  .version('0.1.0')
  .showHelpAfterError('(run with --help for the options)')
  .addHelpText('after', '\nExamples:\n  chrysalis dev\n  chrysalis run "What is 7 times 8?"\n')
  .exitOverride()
  .configureOutput({ writeErr: (text) => process.stderr.write(text) })

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

// The verb that is asked for knows its options; of the others only the help of the command speaks.
const asked = process.argv.slice(2).find((word) => !word.startsWith('-') && word !== 'help')
for (const [name, verb] of Object.entries(VERBS)) {
  const command = program.command(name).description(verb.summary)
  if (name === asked) (await verb.load()).register(command)
}
for (const command of program.commands) inherit(command)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  if (error.exitCode !== 0) {
    const json = process.argv.includes('--json')
    const detail = error.message.replace(/^error: /, '')
    process.exitCode = json
      ? (await import('./output.ts')).printFailure(
          { json },
          new MarketError('bad-input', { detail }),
        )
      : new MarketError('bad-input').exit
  }
}

// A role that failed half-way may hold sockets, engines and stores; everything is said by now.
if (process.exitCode) process.exit()

/** Subcommands throw instead of exiting, like their parent. */
function inherit(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) inherit(child)
}
