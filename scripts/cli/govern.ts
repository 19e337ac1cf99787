/**
 * `chrysalis govern`: see who rules a market and what waits, propose other parameters, sign,
 * submit, execute, cancel, pause.
 * @module
 */
import type { Command } from 'commander'
import type { Governance } from '../deploy/govern.ts'
import { consent } from './consent.ts'
import { addCommon, integerOption } from './options.ts'
import { type CommonOptions, printResult, runVerb, say } from './output.ts'

interface GovernOptions extends CommonOptions {
  readonly yes?: boolean
  readonly out?: string
  readonly delay?: number
}

export function register(govern: Command): void {
  const show = govern
    .command('show')
    .description('Show signers, delays, the version in force, and every operation that waits.')
    .addHelpText('after', '\nExamples:\n  chrysalis govern show\n  chrysalis govern show --json\n')
    .action((options: GovernOptions) => runVerb(options, () => showAll(options)))
  const propose = govern
    .command('propose')
    .description('Make the order that queues new parameters, signed with your key.')
    .argument('<file>', 'parameters as `chrysalis market --chain --json` prints them')
    .option('--out <file>', 'where the order goes', 'order.json')
    .option('--delay <s>', 'seconds until they may come into force', integerOption)
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis govern propose parameters.json\n' +
        '  chrysalis govern submit order.json\n',
    )
    .action((file: string, options: GovernOptions) => runVerb(options, () => make(file, options)))
  const sign = govern
    .command('sign')
    .description('Say in words what an order does, and add your signature.')
    .argument('<order>', 'an order file')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExamples:\n  chrysalis govern sign order.json\n')
    .action((file: string, options: GovernOptions) => runVerb(options, () => signIt(file, options)))
  const submit = govern
    .command('submit')
    .description('Hand a signed order in; anyone may.')
    .argument('<order>', 'an order file')
    .addHelpText('after', '\nExamples:\n  chrysalis govern submit order.json\n')
    .action((file: string, options: GovernOptions) => runVerb(options, () => hand(file, options)))
  const execute = govern
    .command('execute')
    .description('Execute an operation that is due; anyone may.')
    .argument('[id]', 'its number; default: the first that is due')
    .addHelpText('after', '\nExamples:\n  chrysalis govern execute\n  chrysalis govern execute 3\n')
    .action((id: string | undefined, options: GovernOptions) =>
      runVerb(options, () => executeOne(id, options)),
    )
  const cancel = govern
    .command('cancel')
    .description('Make the order that drops an operation of the queue, signed with your key.')
    .argument('<id>', 'its number')
    .option('--out <file>', 'where the order goes', 'order.json')
    .addHelpText('after', '\nExamples:\n  chrysalis govern cancel 3\n')
    .action((id: string, options: GovernOptions) => runVerb(options, () => cancelOne(id, options)))
  const pause = govern
    .command('pause')
    .description('As the guardian: take no new members for 14 days; nothing else stops.')
    .addHelpText('after', '\nExamples:\n  chrysalis govern pause\n')
    .action((options: GovernOptions) => runVerb(options, () => guard(true, options)))
  const unpause = govern
    .command('unpause')
    .description('As the guardian: take members again.')
    .addHelpText('after', '\nExamples:\n  chrysalis govern unpause\n')
    .action((options: GovernOptions) => runVerb(options, () => guard(false, options)))
  for (const verb of [show, propose, sign, submit, execute, cancel, pause, unpause]) addCommon(verb)
}

async function showAll(options: GovernOptions): Promise<void> {
  const { governance } = await open(options)
  const { describeQueued } = await import('../../contracts/wrappers/governance.ts')
  const { toHex } = await import('../../contracts/base/bytes.ts')
  const { registry, timelock, multisig, queue, nowS, known } = governance
  const { signers } = multisig.view
  const waiting = queue.map((each) => describeQueued(each, nowS, known))
  const value = {
    registry: registry.address.toString(),
    version: registry.view.parametersVersion,
    pausedUntilS: registry.view.pausedUntilS,
    guardian: registry.view.guardian.toString(),
    timelock: { address: timelock.address.toString(), delayS: timelock.view.delayS },
    multisig: {
      address: multisig.address.toString(),
      threshold: signers.threshold,
      signers: signers.keys.map(toHex),
    },
    queue: queue.map(({ id, etaS }, at) => ({ id, etaS, words: waiting[at] })),
  }
  const paused = registry.view.pausedUntilS > nowS
  printResult(options, value, [
    `registry   ${value.registry}, parameters version ${value.version}`,
    `members    ${paused ? 'REGISTRATION IS PAUSED' : 'anyone may register'}`,
    `guardian   ${value.guardian} (may pause registration, nothing else)`,
    `timelock   ${value.timelock.address}, ${timelock.view.delayS} s between decision and effect`,
    `multisig   ${value.multisig.address}, ${signers.threshold} of ${signers.keys.length} sign`,
    ...value.multisig.signers.map((key) => `signer     ${key}`),
    ...(queue.length === 0 ? ['queue      empty'] : waiting.flat()),
  ])
}

async function make(file: string, options: GovernOptions): Promise<void> {
  const { governance, signer } = await open(options)
  const { readParametersFile } = await import('../deploy/parametersFile.ts')
  const { orderParameters } = await import('../deploy/govern.ts')
  const order = orderParameters(governance, await readParametersFile(file), options.delay)
  await keep(options, governance, { order, signatures: [] }, signer)
}

async function cancelOne(id: string, options: GovernOptions): Promise<void> {
  const { governance, signer } = await open(options)
  const { orderCancel } = await import('../deploy/govern.ts')
  const order = orderCancel(governance, BigInt(id))
  await keep(options, governance, { order, signatures: [] }, signer)
}

async function signIt(path: string, options: GovernOptions): Promise<void> {
  const { governance, signer } = await open(options)
  const { readOrder } = await import('../deploy/orderFile.ts')
  const { describeOrder } = await import('../../contracts/wrappers/governance.ts')
  const file = await readOrder(path)
  for (const line of describeOrder(file.order, governance.known)) say(line)
  await consent(options, 'Sign it?')
  await keep({ ...options, out: path }, governance, file, signer)
}

type Opened = Awaited<ReturnType<typeof open>>

/** Signs where the own key may sign, and writes the file. */
async function keep(
  options: GovernOptions,
  governance: Governance,
  file: import('../deploy/orderFile.ts').OrderFile,
  signer: Opened['signer'],
): Promise<void> {
  const { addSignature } = await import('../deploy/govern.ts')
  const { writeOrder } = await import('../deploy/orderFile.ts')
  const { describeOrder } = await import('../../contracts/wrappers/governance.ts')
  const signed = addSignature(governance, file, signer)
  const out = options.out ?? 'order.json'
  await writeOrder(out, signed)
  const { threshold } = governance.multisig.view.signers
  const count = signed.signatures.length
  const words = describeOrder(signed.order, governance.known)
  printResult(options, { file: out, signatures: count, threshold, words }, [
    ...words,
    `file       ${out}, ${count} of ${threshold} signatures`,
    count < threshold
      ? 'next       chrysalis govern sign, by another signer'
      : `next       chrysalis govern submit ${out}`,
  ])
}

async function hand(path: string, options: GovernOptions): Promise<void> {
  const { governance, wallet } = await open(options)
  const { readOrder } = await import('../deploy/orderFile.ts')
  const { submitOrder } = await import('../deploy/govern.ts')
  const file = await readOrder(path)
  await submitOrder(governance, file, wallet)
  printResult(options, { submitted: file.order.seqno }, [
    `submitted  order ${file.order.seqno}; see it: chrysalis govern show`,
  ])
}

async function executeOne(id: string | undefined, options: GovernOptions): Promise<void> {
  const { governance, wallet } = await open(options)
  const { executeOperation } = await import('../deploy/govern.ts')
  const done = await executeOperation(governance, id === undefined ? undefined : BigInt(id), wallet)
  printResult(options, { executed: done.id }, [`executed   operation ${done.id}`])
}

async function guard(isPause: boolean, options: GovernOptions): Promise<void> {
  const { governance, wallet } = await open(options)
  const { pauseBody, REGISTRY_VALUE, unpauseBody } = await import(
    '../../contracts/wrappers/registryMessages.ts'
  )
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { guardian } = governance.registry.view
  if (!guardian.equals(wallet.address)) {
    throw new MarketError('bad-input', { guardian: guardian.toString() })
  }
  const body = isPause ? pauseBody() : unpauseBody()
  await wallet.send([{ to: governance.registry.address, value: REGISTRY_VALUE, body }])
  const word = isPause ? 'paused' : 'open'
  printResult(options, { registration: word }, [`registration  ${word}`])
}

/** The network's rulers, and the deployer's keys of this machine. */
async function open(options: GovernOptions) {
  const { homeFolder, readNetwork } = await import('../../node/system/home.ts')
  const { createClock } = await import('../../node/system/clock.ts')
  const { openNetworkChain } = await import('../../node/chain/networkChain.ts')
  const { createWallet } = await import('../../node/chain/wallet.ts')
  const { registryOf } = await import('../../node/chain/directory.ts')
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { openRoleKeys } = await import('../market/rolePorts.ts')
  const { DEPLOYER } = await import('../market/institution.ts')
  const { readGovernance } = await import('../deploy/govern.ts')
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  if (network.registry === undefined)
    throw new MarketError('no-registry', { network: network.name })
  const clock = createClock()
  const chain = await openNetworkChain({ network, clock, env: process.env })
  const keystore = await openRoleKeys({ home, network, role: DEPLOYER })
  const wallet = createWallet({ chain, key: keystore.key('wallet'), clock })
  const governance = await readGovernance(chain, registryOf(network.registry))
  return { governance, wallet, signer: keystore.key('signer') }
}
