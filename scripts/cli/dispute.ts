/**
 * `chrysalis dispute`: from a contradiction that was caught to the end of its case on chain, for
 * challenger, arbiter and accused. What each does is in `disputeRuns.ts`.
 * @module
 */
import type { Command } from 'commander'
import type { DisputeOptions } from './disputeRuns.ts'
import { addCommon, tonOption } from './options.ts'
import { runVerb } from './output.ts'

const ROLE = 'whose keys: client, scheduler, provider-1, arbiter, ..'

export function register(dispute: Command): void {
  evidenceVerbs(dispute)
  partyVerbs(dispute)
  arbiterVerbs(dispute)
}

function evidenceVerbs(dispute: Command): void {
  verb(dispute, 'export', 'Write the contradictions that a role has caught to files.', [
    'export',
    'export --as scheduler --out evidence',
  ])
    .option('--as <role>', 'whose store; it must not be running', 'client')
    .option('--out <folder>', 'where the files go', '.')
  verb(dispute, 'compare', 'Write what two receipt files of one job prove against their signers.', [
    'compare mine.json theirs.json',
  ])
    .argument('<one>', 'a receipt file')
    .argument('<other>', 'another one of the same job')
    .option('--out <folder>', 'where the files go', '.')
  verb(dispute, 'check', 'Say what a contradiction file proves, and who answers for it.', [
    'check contradiction.json',
  ]).argument('<file>', 'a contradiction file')
}

function partyVerbs(dispute: Command): void {
  verb(dispute, 'open', 'Open a case with a bond; what is claimed of the stake is frozen.', [
    'open contradiction.json',
    'open contradiction.json --amount 20 --bond 5 --yes --json',
  ])
    .argument('<file>', 'a contradiction file')
    .option('--amount <ton>', 'to freeze (default: the loss that is proven)', tonOption)
    .option('--bond <ton>', 'lost if the case is dismissed (default: the least)', tonOption)
    .option('--owner <address>', 'the accused’s owner, where no item names the identity any more')
    .option('--as <role>', ROLE, 'client')
    .option('-y, --yes', 'do not ask')
  verb(dispute, 'show', 'Show a case: parties, amounts, verdicts, what is next and until when.', [
    'show EQ..',
    'show EQ.. --json',
  ]).argument('<case>', 'address of a case')
  verb(dispute, 'appeal', 'As the loser of the first verdict: ask one more arbiter, with a bond.', [
    'appeal EQ.. --as provider-1',
  ])
    .argument('<case>', 'address of a case')
    .option('--bond <ton>', 'at least the challenger’s (default: as much)', tonOption)
    .option('--as <role>', ROLE, 'client')
    .option('-y, --yes', 'do not ask')
  verb(dispute, 'conclude', 'End a case whose deadline has passed: pay, and tell the registry.', [
    'conclude EQ..',
  ])
    .argument('<case>', 'address of a case; anyone may')
    .option('--as <role>', ROLE, 'client')
}

function arbiterVerbs(dispute: Command): void {
  verb(dispute, 'sign', 'As an arbiter: check the evidence, and sign a decision into a file.', [
    'sign EQ.. contradiction.json --uphold --loss 0.4',
    'sign EQ.. --dismiss --out vote-2.json',
  ])
    .argument('<case>', 'address of a case')
    .argument('[file]', 'the contradiction file; to uphold it must be there')
    .option('--uphold', 'the contradiction is proven')
    .option('--dismiss', 'it is not')
    .option('--loss <ton>', 'proven loss of the challenger (default: 0)', tonOption)
    .option('--former', 'the item named the signer’s identity earlier: you have looked')
    .option('--as <role>', ROLE, 'arbiter')
    .option('--key <label>', 'which arbiter key of that role', '0')
    .option('--out <file>', 'where the vote goes', 'vote.json')
  verb(dispute, 'verdict', 'Bear votes to a case: a threshold of arbiters, all of one mind.', [
    'verdict EQ.. vote-1.json vote-2.json',
  ])
    .argument('<case>', 'address of a case')
    .argument('<votes...>', 'vote files')
    .option('--as <role>', ROLE, 'client')
  verb(dispute, 'key', 'Print the key and account that make an arbiter, for the parameters.', [
    'key',
    'key --as deployer --key 1',
  ])
    .option('--as <role>', ROLE, 'arbiter')
    .option('--key <label>', 'which arbiter key of that role', '0')
}

/** A verb whose function has its name in `RUNS`. */
function verb(
  dispute: Command,
  name: string,
  description: string,
  examples: readonly string[],
): Command {
  const lines = examples.map((each) => `  chrysalis dispute ${each}\n`).join('')
  const command = dispute.command(name).description(description)
  command.addHelpText('after', `\nExamples:\n${lines}`).action(() => {
    const options = command.opts<DisputeOptions>()
    return runVerb(options, async () => {
      const { RUNS } = await import('./disputeRuns.ts')
      await RUNS[name]!(command.args, options)
    })
  })
  return addCommon(command)
}
