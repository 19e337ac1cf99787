/**
 * `chrysalis deploy`: put the market's contracts on a network: multisig, timelock and registry.
 * @module
 */
import type { Command } from 'commander'
import type { PinnedCode } from '../deploy/plan.ts'
import { consent } from './consent.ts'
import { addCommon, durationOption, integerOption } from './options.ts'
import { type CommonOptions, printResult, runVerb, say, table } from './output.ts'

interface DeployOptions extends CommonOptions {
  readonly parameters?: string
  readonly signer: readonly string[]
  readonly threshold?: number
  /** Seconds. */
  readonly delay?: number
  readonly guardian?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

const DELAY_HELP =
  'between a decision and its effect: days, or like 36h; 1 to 30 days, less on a network whose ' +
  'file says "development": true (default: 1)'

export function register(command: Command): void {
  command
    .option('--parameters <file>', 'version 1 of the parameters (default: for development only)')
    .option(
      '--signer <hex>',
      'public key that may sign; repeat for more (default: own)',
      collect,
      [],
    )
    .option('--threshold <n>', 'signatures needed (default: more than half)', integerOption)
    .option('--delay <days>', DELAY_HELP, durationOption('d'))
    .option('--guardian <address>', 'may pause registration, nothing else (default: own wallet)')
    .option('--dry-run', 'print addresses, every code hash, values and fees, and send nothing')
    .option('-y, --yes', 'do not ask before spending on a public network')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis deploy\n  chrysalis deploy --dry-run --json\n' +
        '  chrysalis deploy --network testnet.json --parameters market.json \\\n' +
        '    --signer 64HEXDIGITS --signer 64HEXDIGITS --threshold 2 --delay 7\n\n' +
        'Running it again with the same options goes on where it stopped, and changes nothing\n' +
        'where all is deployed. The registry’s address is written into the network’s file.\n' +
        '`chrysalis market --chain --json` prints parameters in the form of the file.\n',
    )
    .action((options: DeployOptions) => runVerb(options, () => deployAll(options)))
  addCommon(command)
}

async function deployAll(options: DeployOptions): Promise<void> {
  const { homeFolder, locateNetwork } = await import('../../node/system/home.ts')
  const { createClock } = await import('../../node/system/clock.ts')
  const { openNetworkChain } = await import('../../node/chain/networkChain.ts')
  const { prepareDeployment } = await import('../market/institution.ts')
  const { formatTon } = await import('../../contracts/base/units.ts')
  const { WALLET_FEES, walletFees } = await import('../deploy/deploy.ts')
  const { PINNED_CODES } = await import('../deploy/plan.ts')
  const home = options.home ?? homeFolder(process.env)
  const { network, file } = await locateNetwork(options.network ?? 'localnet', home)
  const clock = createClock()
  const chain = await openNetworkChain({ network, clock, env: process.env })
  const given = await givenOptions(options)
  const prepared = await prepareDeployment({ home, network, file, chain, clock, ...given })
  const { wallet, steps, missing, cost } = prepared
  say(`wallet     ${wallet.address.toString()}`)
  say(`cost       at most ${formatTon(cost)} TON, of which the reserves stay on the contracts`)
  if (options.dryRun) {
    const planned = steps.map((step) => {
      const { name, address, codeHash, value, fees: feesAtMost } = step
      const status = missing.includes(step) ? 'missing' : 'already'
      return { name, address: address.toString(), status, codeHash, value, feesAtMost }
    })
    const wallets = cost > 0n ? WALLET_FEES : 0n
    const rows = planned.map(({ name, address, status, value, feesAtMost, codeHash }) => {
      return [name, address, status, formatTon(value), formatTon(feesAtMost), codeHash]
    })
    const value = { planned, codes: PINNED_CODES, cost, walletFeesAtMost: wallets }
    return printResult(options, value, [
      ...table(['contract', 'address', 'status', 'value', 'fees at most', 'code'], rows),
      ...codeLines(PINNED_CODES),
      `wallet     pays at most ${formatTon(wallets)} TON of fees beside the values`,
    ])
  }
  if (cost > 0n && !network.development) await consent(options, 'Deploy with real coins?')
  const contracts = await prepared.run()
  const rows = contracts.map(({ name, address, status, value, fees, codeHash }) => {
    return [name, address, status, formatTon(value), formatTon(fees), codeHash]
  })
  const fees = await walletFees(chain, wallet, contracts)
  const value = { network: network.name, file, contracts, codes: PINNED_CODES, walletFees: fees }
  printResult(options, value, [
    ...table(['contract', 'address', 'status', 'value', 'fees', 'code'], rows),
    ...codeLines(PINNED_CODES),
    `wallet     paid ${formatTon(fees)} TON of fees beside the values`,
    `file       ${file}`,
  ])
}

function codeLines(codes: readonly PinnedCode[]): string[] {
  const rows = codes.map(({ name, pinnedBy, codeHash }) => [name, pinnedBy, codeHash])
  return table(['code of', 'pinned by', 'hash'], rows)
}

async function givenOptions(options: DeployOptions) {
  const { Address } = await import('@ton/core')
  const { fromHex } = await import('../../contracts/base/bytes.ts')
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { readParametersFile } = await import('../deploy/parametersFile.ts')
  const { signer, threshold, parameters, guardian, delay } = options
  if (guardian !== undefined && !Address.isFriendly(guardian)) {
    throw new MarketError('bad-input', { field: 'guardian', expected: 'an address' })
  }
  return {
    ...(signer.length > 0 ? { signers: signer.map((hex) => fromHex(hex, 32)) } : {}),
    ...(threshold === undefined ? {} : { threshold }),
    ...(guardian === undefined ? {} : { guardian: Address.parse(guardian) }),
    ...(parameters === undefined ? {} : { parameters: await readParametersFile(parameters) }),
    ...(delay === undefined ? {} : { delayS: delay }),
  }
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
