/**
 * `chrysalis govern`: see who rules a market and what waits, propose, sign, submit, execute,
 * cancel, pause.
 * @module
 */
import type { Command } from 'commander'
import {
  consentOutside,
  type GovernOptions,
  type Opened,
  openGovernance,
  signAndKeep,
} from './governOpen.ts'
import { addProposals } from './governPropose.ts'
import { addCommon, operationOption } from './options.ts'
import { printResult, runVerb } from './output.ts'

interface CancelOptions extends GovernOptions {
  readonly out: string
}

export function register(govern: Command): void {
  const show = verb(govern, 'show', 'Show who rules, what waits and what was refused.')
    .addHelpText('after', '\nExamples:\n  chrysalis govern show\n  chrysalis govern show --json\n')
    .action((options: GovernOptions) => runVerb(options, () => showAll(options)))
  addProposals(govern)
  const sign = verb(govern, 'sign', 'Say in words what an order does, and sign it too.')
    .argument('<order>', 'an order file')
    .addHelpText('after', '\nExamples:\n  chrysalis govern sign order.json\n')
    .action((file: string, options: GovernOptions) => runVerb(options, () => signIt(file, options)))
  const submit = verb(govern, 'submit', 'Hand a signed order in; anyone may.')
    .argument('<order>', 'an order file')
    .addHelpText('after', '\nExamples:\n  chrysalis govern submit order.json\n')
    .action((file: string, options: GovernOptions) => runVerb(options, () => hand(file, options)))
  const execute = verb(govern, 'execute', 'Execute an operation that is due; anyone may.')
    .argument('[id]', 'its number; default: the first that is due', operationOption)
    .addHelpText('after', '\nExamples:\n  chrysalis govern execute\n  chrysalis govern execute 3\n')
    .action((id: bigint | undefined, options: GovernOptions) =>
      runVerb(options, () => executeOne(id, options)),
    )
  const cancel = verb(govern, 'cancel', 'Make the order that drops an operation of the queue.')
    .argument('<id>', 'its number', operationOption)
    .option('--out <file>', 'where the order goes', 'order.json')
    .addHelpText('after', '\nExamples:\n  chrysalis govern cancel 3\n')
    .action((id: bigint, options: CancelOptions) => runVerb(options, () => cancelOne(id, options)))
  const pause = verb(govern, 'pause', 'As the guardian: take no new members for 14 days.')
    .addHelpText('after', '\nExamples:\n  chrysalis govern pause\n')
    .action((options: GovernOptions) => runVerb(options, () => guard(true, options)))
  const unpause = verb(govern, 'unpause', 'As the guardian: take members again.')
    .addHelpText('after', '\nExamples:\n  chrysalis govern unpause\n')
    .action((options: GovernOptions) => runVerb(options, () => guard(false, options)))
  for (const each of [sign, submit, execute, cancel, pause, unpause]) {
    each.option('-y, --yes', 'do not ask')
  }
  for (const each of [show, sign, submit, execute, cancel, pause, unpause]) addCommon(each)
}

function verb(govern: Command, name: string, description: string): Command {
  return govern
    .command(name)
    .description(description)
    .option('--timelock <address>', 'another than the registry’s owner: who it was offered to')
}

async function showAll(options: GovernOptions): Promise<void> {
  const { governance, development } = await openGovernance(options)
  const { governanceJson, governanceLines } = await import('../deploy/governanceView.ts')
  const lines = governanceLines(governance, development)
  printResult(options, governanceJson(governance, development), lines)
}

async function signIt(path: string, options: GovernOptions): Promise<void> {
  const opened = await openGovernance(options)
  const { readOrder } = await import('../deploy/orderFile.ts')
  await signAndKeep(opened, options, await readOrder(path), { out: path, ask: true })
}

async function cancelOne(id: bigint, options: CancelOptions): Promise<void> {
  const opened = await openGovernance(options)
  const { orderCancel } = await import('../deploy/proposals.ts')
  const order = orderCancel(opened.governance, id)
  const ask = !opened.development
  await signAndKeep(opened, options, { order, signatures: [] }, { out: options.out, ask })
}

async function hand(path: string, options: GovernOptions): Promise<void> {
  const opened = await openGovernance(options)
  const { readOrder } = await import('../deploy/orderFile.ts')
  const { submitOrder } = await import('../deploy/govern.ts')
  const file = await readOrder(path)
  await consentOutside(opened, options, 'Hand it in?')
  await submitOrder(opened.governance, file, opened.sender)
  const after = await opened.again()
  const queued = after.queue.filter(({ id }) => id > opened.governance.timelock.view.lastId)
  const { describeQueued } = await import('../../contracts/wrappers/governance.ts')
  const words = queued.flatMap((each) => describeQueued(each, after.nowS, after.known))
  const ids = queued.map(({ id }) => id)
  const { seqno } = file.order
  printResult(options, { submitted: seqno, queued: ids, words }, [
    `submitted  order ${seqno}, which the contracts took`,
    ...words,
  ])
}

async function executeOne(id: bigint | undefined, options: GovernOptions): Promise<void> {
  const opened = await openGovernance(options)
  const { dueOperation, executeOperation } = await import('../deploy/govern.ts')
  const { describeOperation } = await import('../../contracts/wrappers/governance.ts')
  const { operation } = dueOperation(opened.governance, id)
  const words = describeOperation(operation, opened.governance.known)
  await consentOutside(opened, options, `Execute it? ${words.join(' ')}`)
  const done = await executeOperation(opened.governance, id, opened.sender)
  const { version } = (await opened.again()).parameters
  printResult(options, { executed: done.id, version, words }, [
    `executed   operation ${done.id}, which its target took; parameters version ${version}`,
    ...words,
  ])
}

async function guard(isPause: boolean, options: GovernOptions): Promise<void> {
  const opened: Opened = await openGovernance(options)
  const { setPause } = await import('../deploy/govern.ts')
  const { time } = await import('../../contracts/wrappers/parameterDiff.ts')
  await consentOutside(opened, options, isPause ? 'Pause registration?' : 'Open registration?')
  const { pausedUntilS } = await setPause(opened.governance, isPause, opened.sender)
  const isPaused = pausedUntilS > opened.governance.nowS && isPause
  const registration = isPaused ? 'paused' : 'open'
  printResult(options, { registration, pausedUntilS }, [
    `registration  ${isPaused ? `paused until ${time(pausedUntilS)}` : 'open'}`,
  ])
}
