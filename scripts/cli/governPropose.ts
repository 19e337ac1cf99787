/**
 * `chrysalis govern propose`: the orders that change a market, each made, told in words and signed
 * with the own key: parameters, code, guardian, owner, delay, signers.
 * @module
 */
import { Argument, type Command, Option } from 'commander'
import type { CodeOf, Proposal } from '../deploy/proposals.ts'
import {
  addressOf,
  type GovernOptions,
  type Opened,
  openGovernance,
  signAndKeep,
} from './governOpen.ts'
import { addCommon, durationOption } from './options.ts'
import { runVerb } from './output.ts'

interface ProposeOptions extends GovernOptions {
  readonly out: string
  readonly delay?: number
}

interface CodeOptions extends ProposeOptions {
  readonly of: CodeOf
}

type CodeStep = 'prepare' | 'apply' | 'cancel'

const OF = ['registry', 'provider', 'scheduler', 'gpu']

/** Adds `propose` with its kinds; a file alone is one of parameters. */
export function addProposals(govern: Command): void {
  const propose = govern
    .command('propose')
    .description('Make an order: parameters, code, guardian, ...')
  const kind = (name: string, description: string, isDefault = false) =>
    propose.command(name, { isDefault }).description(description)
  const parameters = kind('parameters', 'New parameters, all of them.', true)
    .argument('<file>', 'what `chrysalis market --chain --json` prints, or its `parameters`')
    .addHelpText('after', examples('parameters.json', 'parameters parameters.json --delay 3d'))
    .action((file: string, options: ProposeOptions) =>
      run(options, async () => {
        const { readParametersFile } = await import('../deploy/parametersFile.ts')
        return { kind: 'parameters', parameters: await readParametersFile(file) }
      }),
    )
  const code = kind('code', 'Prepare, apply or cancel newer code.')
    .addArgument(new Argument('<step>', 'what to do').choices(['prepare', 'apply', 'cancel']))
    .argument('[file]', 'the code: a bag of cells, or a compiler’s JSON; not for cancel')
    .addOption(new Option('--of <what>', 'whose code').choices(OF).makeOptionMandatory())
    .addHelpText('after', CODE_HELP)
    .action((step: CodeStep, file: string | undefined, options: CodeOptions) =>
      run(options, () => codeProposal(step, file, options)),
    )
  const guardian = kind('guardian', 'Another guardian, who may pause.')
    .argument('<address>', 'who may pause registration')
    .addHelpText('after', examples('guardian ADDRESS'))
    .action((address: string, options: ProposeOptions) =>
      run(options, async () => ({ kind: 'guardian', guardian: await addressOf(address) })),
    )
  const owner = kind('owner', 'Offer the registry to a timelock, or accept.')
    .argument('<address>', 'the timelock that it is offered to, or `accept`')
    .addHelpText('after', examples('owner ADDRESS', 'owner accept --timelock ADDRESS'))
    .action((address: string, options: ProposeOptions) =>
      run(options, async () => {
        if (address === 'accept') return { kind: 'accept' }
        return { kind: 'owner', owner: await addressOf(address) }
      }),
    )
  const delay = kind('delay', 'Another delay, of 1 to 30 days.')
    .argument('<duration>', 'like 36h or 7d', durationOption())
    .addHelpText('after', examples('delay 7d'))
    .action((delayS: number, options: ProposeOptions) =>
      run(options, async () => ({ kind: 'delay', delayS })),
    )
  const signers = kind('signers', 'Other signers; no delay comes before it.')
    .argument('<file>', '{"threshold": 2, "keys": ["64HEXDIGITS", ...]}')
    .addHelpText('after', examples('signers signers.json'))
    .action((file: string, options: ProposeOptions) =>
      runVerb(options, () => proposeSigners(file, options)),
    )
  for (const each of [parameters, code, guardian, owner, delay]) {
    each.option('--delay <duration>', 'until it may be executed, like 36h', durationOption('s'))
  }
  for (const each of [parameters, code, guardian, owner, delay, signers]) {
    each.option('--out <file>', 'where the order goes', 'order.json')
    each.option('--timelock <address>', 'another than the registry’s owner')
    addCommon(each.option('-y, --yes', 'do not ask'))
  }
}

const CODE_HELP =
  examples(
    'code prepare provider.json --of provider',
    'code apply provider.json --of provider',
    'code cancel --of provider',
  ) +
  '\nWhat is prepared is shown for 30 days before it can be applied, and lapses 30 days later.\n' +
  'Items take code that was applied when their owners ask: chrysalis provider upgrade.\n'

function examples(...lines: readonly string[]): string {
  const shown = lines.map((line) => `  chrysalis govern propose ${line}\n`)
  return `\nExamples:\n${shown.join('')}`
}

async function codeProposal(
  step: CodeStep,
  file: string | undefined,
  { of }: CodeOptions,
): Promise<Proposal> {
  const { MarketError } = await import('../../contracts/base/errors.ts')
  if (step === 'cancel') return { kind: 'take-back', of }
  if (file === undefined) throw new MarketError('bad-input', { missing: 'the file of the code' })
  const { readCodeFile } = await import('../deploy/governFiles.ts')
  return { kind: step, of, code: await readCodeFile(file) }
}

function run(options: ProposeOptions, read: () => Promise<Proposal>): Promise<void> {
  return runVerb(options, async () => {
    const proposal = await read()
    const opened = await openFor(proposal, options)
    const { propose } = await import('../deploy/proposals.ts')
    const { order, warnings } = propose(opened.governance, proposal, options.delay)
    const { out } = options
    const file = { order, signatures: [] }
    await signAndKeep(opened, options, file, { out, ask: !opened.development, warnings })
  })
}

/** Whoever the registry was offered to accepts it, where nothing else is named. */
async function openFor({ kind }: Proposal, options: ProposeOptions): Promise<Opened> {
  const opened = await openGovernance(options)
  const { offered } = opened.governance.registry.view
  if (kind !== 'accept' || options.timelock !== undefined || !offered) return opened
  return openGovernance({ ...options, timelock: offered.toString() })
}

async function proposeSigners(file: string, options: ProposeOptions): Promise<void> {
  const { readSignersFile } = await import('../deploy/governFiles.ts')
  const signers = await readSignersFile(file)
  const opened = await openGovernance(options)
  const { orderSigners } = await import('../deploy/proposals.ts')
  const { order, warnings } = orderSigners(opened.governance, signers)
  const keep = { out: options.out, ask: !opened.development, warnings }
  await signAndKeep(opened, options, { order, signatures: [] }, keep)
}
