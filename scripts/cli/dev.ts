/**
 * `chrysalis dev`: the whole market on this machine; what `npm start` runs.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { JobResult } from '../../client/types.ts'
import { formatTon } from '../../contracts/base/units.ts'
import type { DevMarket } from '../market/dev.ts'
import type { Settlement } from '../market/settle.ts'
import type { StatusServer } from '../market/statusServer.ts'
import { amountIn } from './money.ts'
import { integerOption, portOption } from './options.ts'
import { type CommonOptions, runVerb, say, toJson, untilInterrupted } from './output.ts'

interface DevOptions extends CommonOptions {
  readonly once?: boolean
  readonly prompt: string
  readonly port: number
  readonly localnetPort: number
  readonly dashboardPort: number
  readonly blockMs: number
  readonly asset?: string
}

const PROMPT = 'What is the capital of Peru?'

export function register(command: Command): void {
  command
    .option('--once', 'answer one prompt, settle it on chain, show the sums and exit')
    .option('--prompt <text>', 'the prompt to send', PROMPT)
    .option('--port <n>', 'port of the OpenAI-compatible gateway; 0 for any', portOption, 10_000)
    .option('--localnet-port <n>', 'port of the localnet; 0 for any', portOption, 18_081)
    .option('--dashboard-port <n>', 'port of the dashboard; 0 for any', portOption, 18_080)
    .option('--block-ms <n>', 'pace of the localnet; 0 for blocks at once', integerOption, 100)
    .option('--asset <name>', 'take this jetton beside TON, and pay in it: usdt-test')
    .option('--home <folder>', 'where keys and stores are (default: $CHRYSALIS_HOME, else XDG)')
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis dev\n  chrysalis dev --once --json\n' +
        '  chrysalis dev --once --prompt "Tell me a story about a fox and a lantern."\n',
    )
    .action((options: DevOptions) => runVerb(options, () => dev(options)))
}

async function dev(options: DevOptions): Promise<void> {
  // A run that exits leaves nothing behind, and needs no port that may be in use.
  const scratch = options.once && !options.home && !process.env.CHRYSALIS_HOME
  const home = scratch ? await mkdtemp(join(tmpdir(), 'chrysalis-')) : await homeOf(options)
  const { startDev } = await import('../market/dev.ts')
  say('Starting a market on this machine. The engine runs a demo model: answers may be wrong.')
  try {
    const running = await startDev({
      home,
      name: 'localnet',
      localnetPort: options.once ? 0 : options.localnetPort,
      gatewayPort: options.once ? undefined : options.port,
      asset: options.asset,
      blockMs: options.blockMs,
      onStep: (step) => say(`  ${step}`),
    })
    let dashboard: StatusServer | undefined
    try {
      if (!options.once) {
        dashboard = await startDashboard(running, options.dashboardPort)
        say(`  dashboard   ${dashboard.url}`)
      }
      await answerAndSettle(running, options)
      if (dashboard) await stayUp(running, dashboard.url)
    } finally {
      await dashboard?.stop()
      await running.stop()
    }
  } finally {
    if (scratch) await rm(home, { recursive: true, force: true })
  }
}

async function homeOf(options: DevOptions): Promise<string> {
  const { homeFolder } = await import('../../node/system/home.ts')
  return options.home ?? homeFolder(process.env)
}

async function answerAndSettle(running: DevMarket, options: DevOptions): Promise<void> {
  const { DEV_MODEL, jobSummary } = await import('../market/dev.ts')
  say(`  up in ${(running.upMs / 1000).toFixed(1)} s\n\n> ${options.prompt}`)
  const { createClock } = await import('../../node/system/clock.ts')
  const clock = createClock()
  const startedMs = clock.monotonicMs()
  const job = running.market.submit({
    model: DEV_MODEL,
    messages: [{ role: 'user', content: options.prompt }],
    maxTokens: 128,
    temperature: 0,
  })
  for await (const { text } of job) process.stderr.write(text)
  say('')
  const result = await job.result()
  const jobMs = Math.round(clock.monotonicMs() - startedMs)
  const settlement = await running.settle()
  const settleMs = Math.round(clock.monotonicMs() - startedMs) - jobMs
  const money = amountIn(running.market.asset)
  for (const line of describe(result, settlement, money)) say(line)
  const { claimed, transactions, conserved } = settlement
  const summary = {
    ok: true,
    job: jobSummary(result, DEV_MODEL),
    receipt: { hash: result.receiptHash, verified: result.verified },
    settlement: { claimed, transactions, conserved },
    timings: { upMs: running.upMs, jobMs, settleMs },
  }
  if (options.json) process.stdout.write(`${toJson(summary)}\n`)
}

function describe(
  result: JobResult,
  settlement: Settlement,
  money: (amount: bigint) => string,
): string[] {
  const { claimed, totals, conserved } = settlement
  const ton = formatTon
  return [
    '',
    `cost        ${money(result.cost + result.fee)}, ` +
      `of it ${money(result.fee)} the scheduler's fee`,
    `provider    ${result.provider.slice(0, 16)}…`,
    `tier        ${result.tier}: ${result.tierMeaning}`,
    `receipt     ${result.receiptHash} ${result.verified ? '(verified)' : '(NOT verified)'}`,
    `claimed     ${money(claimed.clientChannel)} from the client, ` +
      `${money(claimed.providerChannel)} by the providers, on chain`,
    `sum         minted ${ton(totals.minted)} = balances ${ton(totals.balances)} + fees ` +
      `${ton(totals.fees)} TON: ${conserved ? 'not one nanoTON missing' : 'SOMETHING IS MISSING'}`,
  ]
}

async function startDashboard(running: DevMarket, port: number): Promise<StatusServer> {
  const { serveSchedulerStatus } = await import('../market/statusServer.ts')
  const { role, ports, network } = running.scheduler
  const { clock, logger, chain } = ports
  return serveSchedulerStatus({ clock, logger, chain, network, port }, role.status)
}

async function stayUp(running: DevMarket, dashboard: string): Promise<void> {
  const { gateway, localnet, apiKey } = running
  say(`
The market is up. Ctrl-C stops it.
  localnet    ${localnet.endpoint}
  gateway     ${gateway?.url}
  dashboard   ${dashboard}

export OPENAI_BASE_URL=${gateway?.url}
export OPENAI_API_KEY=${apiKey.reveal()}
`)
  await untilInterrupted()
  say('Stopping.')
}
