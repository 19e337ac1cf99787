/**
 * `chrysalis provider start`: serve a model and earn TON for every token.
 * @module
 */
import { type Command, Option } from 'commander'
import type { Compute } from '../../contracts/attest/document.ts'
import type { Tier } from '../../contracts/base/tier.ts'
import { namesIn } from './money.ts'
import { addCommon, integerOption, portOption, tierOption } from './options.ts'
import { type CommonOptions, printResult, runVerb, say, untilInterrupted } from './output.ts'
import { addRoleExit } from './roleExit.ts'
import { addRoleStatus } from './roleStatus.ts'
import { addRoleUpgrade } from './roleUpgrade.ts'

interface ProviderOptions extends CommonOptions {
  readonly role: string
  readonly tick: number
  readonly asset: string
  readonly places: number
  readonly tier: Tier
  readonly compute?: Compute
  readonly tee?: 'tdx' | 'sev-snp'
  readonly collateral?: string
  readonly weightsFile?: string
  readonly region: string
  readonly statusPort: number
  readonly backendUrl?: string
  readonly model?: string
  readonly weightsHash?: string
  readonly contextTokens?: number
}

export function register(provider: Command): void {
  const start = provider
    .command('start')
    .description('Serve a model to the market; runs until Ctrl-C, then claims what was earned.')
    .option('--role <name>', 'folder of keys and earnings; one running provider each', 'provider')
    .option('--tick <n>', 'least price, as a tick from 0 to 95', integerOption, 40)
    .option('--asset <names>', 'what to sell for, like ton,usdt-test', 'ton')
    .option('--places <n>', 'jobs to serve at once', integerOption, 4)
    .option(
      '--tier <tier>',
      'open, cpu-tee, gpu-tee, or simulated (development only)',
      tierOption,
      'open',
    )
    .addOption(
      new Option('--compute <where>', 'where the model runs: it stands in the evidence').choices([
        'cpu',
        'gpu',
        'outside',
      ]),
    )
    .addOption(
      new Option('--tee <kind>', 'kind of the confidential machine (default: what it has)').choices(
        ['tdx', 'sev-snp'],
      ),
    )
    .option('--collateral <folder>', 'where your job puts what the hardware vendors publish')
    .option('--region <name>', 'where this machine is', 'local')
    .option('--status-port <n>', 'HTTP port of status and metrics; 0 for any', portOption, 12_000)
    .option('--backend-url <url>', 'an OpenAI-compatible server; default: the embedded demo model')
    .option('--model <id>', 'with --backend-url: the model to serve')
    .option('--weights-hash <hex>', 'with --backend-url: SHA-256 of the weights')
    .option(
      '--weights-file <file>',
      'with --backend-url: the weights, hashed before anything starts',
    )
    .option('--context-tokens <n>', 'with --backend-url: context of the model', integerOption)
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis provider start\n' +
        '  chrysalis provider start --role second --tick 42\n' +
        '  chrysalis provider start --asset ton,usdt-test\n' +
        '  chrysalis provider start --backend-url http://127.0.0.1:8000/v1 --model llama \\\n' +
        '    --weights-hash 64HEXDIGITS --context-tokens 8192\n' +
        '  chrysalis provider start --tier cpu-tee --collateral /var/lib/collateral\n' +
        '  chrysalis provider start --tier gpu-tee --backend-url http://127.0.0.1:8000/v1 \\\n' +
        '    --model llama --weights-file /models/llama.safetensors --context-tokens 8192\n\n' +
        'An owner of an `open` provider can read the prompts it serves. Clients are told so.\n' +
        'Above it the model must run inside the confidential machine. The folder of collateral\n' +
        'has tdx.json, or ark.der and amd.crl; for GPUs nvidia-root and nvidia-line, each as\n' +
        '.der and .crl.\n',
    )
    .action((options: ProviderOptions) => runVerb(options, () => startProvider(options)))
  addCommon(start)
  addRoleStatus(provider, 'provider', 12_000)
  addRoleExit(provider, 'provider')
  addRoleUpgrade(provider, 'provider')
}

async function startProvider(options: ProviderOptions): Promise<void> {
  const { homeFolder, networkFile, readNetwork, roleFolder } = await import(
    '../../node/system/home.ts'
  )
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { runProvider } = await import('../market/roles.ts')
  const { chooseBackend, deviceOf } = await import('../market/backend.ts')
  const { serveProviderStatus } = await import('../market/statusServer.ts')
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(options.role)) {
    throw new MarketError('bad-input', { field: 'role', expected: 'lower-case letters and digits' })
  }
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  const file = networkFile(home, network.name)
  const { chooseProving } = await import('../market/proving.ts')
  const proving = await chooseProving(options, roleFolder(home, network.name, options.role))
  const { role, tick, tier, region } = options
  const { gpu, memoryGiB } = await deviceOf()
  const running = await runProvider({
    ...{ home, network, file, role, log: 'stderr' as const },
    ...{ tick, tier, region, gpu, memoryGiB },
    assets: namesIn(options.asset),
    ...{ compute: proving.compute, collect: proving.collect },
    backend: chooseBackend({ ...options, weightsHash: proving.weightsHash }),
  })
  const { clock, logger } = running.ports
  const statusPlace = { clock, logger, port: options.statusPort }
  const status = await serveProviderStatus(statusPlace, running.role.status)
  const { identity, slots, engine } = running.role.status()
  printResult(options, { identity, slots, tier, engine, status: status.url }, [
    `provider  ${identity}`,
    ...slots.map((slot) => `serves    ${slot.model} at tick ${slot.tick}, ${slot.places} places`),
    `tier      ${tier}`,
    ...(engine === undefined ? [] : [`engine    ${engine}`]),
    `status    ${status.url}/status, ${status.url}/metrics`,
  ])
  await untilInterrupted()
  say('Claiming what was earned, then stopping.')
  await running.role.settle()
  await status.stop()
  await running.role.stop()
}
