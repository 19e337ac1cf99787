#!/usr/bin/env node
/**
 * The `chrysalis` command: one verb a file, each loading what it needs when it runs, so that
 * `--help` stays fast.
 * @module
 */
import './crash.ts'
import { Command, CommanderError } from 'commander'
import { MarketError } from '../../contracts/base/errors.ts'
import { register as audit } from './audit.ts'
import { register as balance } from './balance.ts'
import { register as channel } from './channel.ts'
import { register as dev } from './dev.ts'
import { register as evidence } from './evidence.ts'
import { register as gateway } from './gateway.ts'
import { register as localnet } from './localnet.ts'
import { register as match } from './match.ts'
import { register as models } from './models.ts'
import { printFailure } from './output.ts'
import { register as provider } from './provider.ts'
import { register as quote } from './quote.ts'
import { register as receipt } from './receipt.ts'
import { register as run } from './run.ts'
import { register as scheduler } from './scheduler.ts'
import { register as sim } from './sim.ts'
import { register as status } from './status.ts'

const VERBS = [
  dev,
  run,
  quote,
  models,
  balance,
  channel,
  status,
  provider,
  scheduler,
  gateway,
  localnet,
  receipt,
  evidence,
  match,
  audit,
  sim,
]

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

for (const register of VERBS) register(program)
for (const command of program.commands) inherit(command)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  if (error.exitCode !== 0) {
    const json = process.argv.includes('--json')
    const detail = error.message.replace(/^error: /, '')
    process.exitCode = json
      ? printFailure({ json }, new MarketError('bad-input', { detail }))
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
