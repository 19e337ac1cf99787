/**
 * `npm run bench:localnet`: simple wallet transfers a second over HTTP, on a young network and on
 * an old one; what grows; what the control verbs take. `--json` prints one object.
 *
 * A transfer is two transactions: the wallet's and the receipt. The server is a process of its own,
 * on disk; counted are its own processor seconds (one core gives so many transfers a second) and
 * the wall's, client included. Baseline: bare @ton/sandbox without HTTP, in its own process, in
 * turns with the server. Budget: 120 transfers a processor second, and no fewer on the old network.
 * `--transactions N` (50,000) is how old it gets, `--block-ms N` (0) its pace.
 * @module
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inParallel, post, type Sender, type Side, sendBoc, senders, startSide } from './load.ts'

const BUDGET = 120
const YOUNG = 500
const WINDOW = 1_000
const ROUNDS = 4
const WIDTH = 8

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '50000' },
    'block-ms': { type: 'string', default: '0' },
    senders: { type: 'string', default: '250' },
    json: { type: 'boolean', default: false },
  },
})
const blockMs = Number(values['block-ms'])
const old = Number(values.transactions)

interface Rate {
  readonly perCpuS: number
  readonly perWallS: number
}

const folder = await mkdtemp(join(tmpdir(), 'chrysalis-bench-localnet-'))
const server = await startSide('localnet', folder, String(blockMs))
const sandbox = await startSide('sandbox')
try {
  const report = await measure()
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`)
  else print(report)
  process.exitCode = report.passed ? 0 : 1
} finally {
  server.stop()
  sandbox.stop()
  await rm(folder, { recursive: true, force: true })
}

async function measure() {
  const wallets = senders(Number(values.senders))
  const bare = senders(50)
  const addresses = bare.map(({ address }) => address)
  await sandbox.ask({ kind: 'fund', addresses })
  await inParallel(wallets, WIDTH, ({ address }) =>
    post(`${server.url}/control/faucet`, { address, amount: '10000000000' }),
  )
  await transfers(wallets, YOUNG / 2)
  const young = await inTurns(wallets, bare)
  const before = await server.ask({ kind: 'usage' })
  const done = wallets.length + YOUNG + 2 * WINDOW
  await transfers(wallets, Math.max(0, Math.round((old - done) / 2)))
  const after = await server.ask({ kind: 'usage' })
  const aged = await inTurns(wallets, bare)
  const controls = await controlTimes()
  const ratio = aged.localnet.perCpuS / young.localnet.perCpuS
  const enough = Math.min(young.localnet.perCpuS, aged.localnet.perCpuS) >= BUDGET
  return {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, node ${process.version}`,
    blockMs,
    transactions: old,
    budget: BUDGET,
    young: young.localnet,
    old: aged.localnet,
    ratio,
    baseline: { young: young.sandbox, old: aged.sandbox },
    againstBaseline: young.localnet.perCpuS / young.sandbox.perCpuS,
    heapGrowthMiB: after.heapMiB - before.heapMiB,
    rssGrowthMiB: after.rssMiB - before.rssMiB,
    rssMiB: after.rssMiB,
    diskMiB: (await stat(join(folder, 'localnet.sqlite'))).size / 1024 / 1024,
    controlMs: controls,
    passed: enough && ratio > 0.9,
  }
}

/** A window of transfers on each side, in turns, so that a busy machine is unkind to both. */
async function inTurns(wallets: readonly Sender[], bare: readonly Sender[]) {
  const part = WINDOW / ROUNDS
  const rates: { localnet: Rate[]; sandbox: Rate[] } = { localnet: [], sandbox: [] }
  for (let round = 0; round < ROUNDS; round++) {
    rates.localnet.push(await rate(server, part, () => transfers(wallets, part)))
    const bocs = Array.from({ length: part }, (_, at) => bare[at % bare.length]!.next())
    const run = async () => void (await sandbox.ask({ kind: 'run', bocs }))
    rates.sandbox.push(await rate(sandbox, part, run))
  }
  return { localnet: mean(rates.localnet), sandbox: mean(rates.sandbox) }
}

async function rate(side: Side, count: number, work: () => Promise<void>): Promise<Rate> {
  const before = await side.ask({ kind: 'usage' })
  const startMs = performance.now()
  await work()
  const wallS = (performance.now() - startMs) / 1_000
  const { cpuS } = await side.ask({ kind: 'usage' })
  return { perCpuS: count / (cpuS - before.cpuS), perWallS: count / wallS }
}

/** Harmonic: the mean of the times, since each round does the same work. */
function mean(rates: readonly Rate[]): Rate {
  const of = (field: keyof Rate) =>
    rates.length / rates.reduce((sum, each) => sum + 1 / each[field], 0)
  return { perCpuS: of('perCpuS'), perWallS: of('perWallS') }
}

/** Each wallet in its turn; at a pace it sends again only once its last transfer is in a block. */
async function transfers(wallets: readonly Sender[], count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += wallets.length) {
    const turn = wallets.slice(0, Math.min(wallets.length, count - sent))
    await inParallel(turn, WIDTH, (wallet) => sendBoc(server.url, wallet.next()))
    if (blockMs > 0) await untilIdle()
  }
}

async function untilIdle(): Promise<void> {
  for (;;) {
    const answer = await fetch(`${server.url}/control/status`)
    const { result } = (await answer.json()) as { result: { waiting: number } }
    if (result.waiting === 0) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function controlTimes(): Promise<Record<string, number>> {
  const times: Record<string, number> = {}
  const verbs: [string, object][] = [
    ['snapshot', { name: 'bench' }],
    ['faucet', { address: `0:${'9'.repeat(64)}`, amount: '1' }],
    ['time', { advanceSeconds: 60 }],
    ['pause', {}],
    ['resume', {}],
    ['restore', { name: 'bench' }],
    ['reset', {}],
  ]
  for (const [verb, body] of verbs) {
    const startMs = performance.now()
    await post(`${server.url}/control/${verb}`, body)
    times[verb] = Math.round(performance.now() - startMs)
  }
  return times
}

function print(report: Awaited<ReturnType<typeof measure>>): void {
  const row = (name: string, { perCpuS, perWallS }: Rate) =>
    `${name.padEnd(34)} ${perCpuS.toFixed(0).padStart(6)} ${perWallS.toFixed(0).padStart(8)}`
  const lines = [
    `${report.machine}; blocks ${blockMs ? `every ${blockMs} ms` : 'at once'}`,
    'transfers a second                    CPU     wall',
    row(`localnet after ${YOUNG} transactions`, report.young),
    row(`localnet after ${report.transactions}`, report.old),
    row('bare @ton/sandbox beside the first', report.baseline.young),
    row('bare @ton/sandbox beside the second', report.baseline.old),
    `old to young ${report.ratio.toFixed(2)}; to bare sandbox ${report.againstBaseline.toFixed(2)}`,
    `memory grew by ${report.heapGrowthMiB.toFixed(1)} MiB of heap, ` +
      `${report.rssGrowthMiB.toFixed(1)} MiB resident, to ${report.rssMiB.toFixed(0)} MiB; ` +
      `${report.diskMiB.toFixed(0)} MiB on disk`,
    `control, ms: ${Object.entries(report.controlMs)
      .map(([verb, ms]) => `${verb} ${ms}`)
      .join(', ')}`,
    `${report.passed ? 'within' : 'BELOW'} the budget of ${BUDGET} a processor second`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
