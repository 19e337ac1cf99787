/**
 * `npm run bench:gas`: gas of every message of the contracts, measured in the TVM.
 *
 * Gas does not depend on the machine, so this is a table and not a race: `test/bench/gas.json` is
 * the committed one, and a test holds it to exact equality. Each contract's measurement is a file
 * of `test/bench/gas/`. Beside it stand what the design allows, what Cocoon's contracts pay for the
 * same operation in the same sandbox, and the gas among 1 and among 1,000 of whatever there may be
 * many of. `--json` prints JSON, `--contract <name>` measures one, `--write` renews the committed
 * table, `--quick` leaves the thousands out.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  allContractGas,
  type ContractGas,
  committedGas,
  GAS_JSON,
  type Gas,
  type GasTable,
} from './gasTable.ts'

/** Jobs that one claim settles: what the design's figure per job is reckoned at. */
const JOBS_A_SETTLEMENT = 100
/** Cocoon's whole way from client to worker: FunC, and a port of the same contracts to Tolk. */
const COCOON_SETTLEMENT = { func: 38_487, tolk: 29_531 }
const MANY = 1_000

/** Gas among 1 and among many, of one message of one contract. */
interface GrowthRow {
  readonly contract: string
  readonly of: string
  readonly message: string
  readonly one: number
  readonly many: number
}

const { values: options } = parseArgs({
  options: {
    contract: { type: 'string' },
    json: { type: 'boolean' },
    write: { type: 'boolean' },
    quick: { type: 'boolean' },
  },
})
const all = await allContractGas()
const chosen = [...all].filter(([name]) => !options.contract || name === options.contract)
const table: Record<string, Gas> = {}
for (const [name, contract] of chosen) table[name] = await contract.measure()
const growth = options.quick ? [] : await measureGrowth(chosen)

if (options.write) {
  const whole = { ...(options.contract ? committedGas() : {}), ...table }
  const sorted = Object.fromEntries(Object.entries(whole).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(GAS_JSON, `${JSON.stringify(sorted, null, 2)}\n`)
}
const settlement = settlementOf(table)
const report = { gas: table, ...(settlement ? { settlement } : {}), growth }
if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
else process.stdout.write(`${lines().join('\n')}\n`)

async function measureGrowth(contracts: readonly [string, ContractGas][]): Promise<GrowthRow[]> {
  const rows: GrowthRow[] = []
  for (const [contract, { among }] of contracts) {
    for (const { of, measure } of among ?? []) {
      const one = await measure(1)
      const many = await measure(MANY)
      for (const message of Object.keys(one)) {
        rows.push({ contract, of, message, one: one[message]!, many: many[message]! })
      }
    }
  }
  return rows
}

/** From a client to a provider money goes through two channels: client's and scheduler's. */
function settlementOf({ channel }: GasTable): Record<string, number> | undefined {
  if (channel?.claim === undefined) return undefined
  const perChannel = channel.claim / JOBS_A_SETTLEMENT
  return {
    twoClaims: 2 * channel.claim,
    perJobAndChannel: perChannel,
    perJob: 2 * perChannel,
    cocoonFunc: COCOON_SETTLEMENT.func,
    cocoonTolk: COCOON_SETTLEMENT.tolk,
  }
}

function lines(): string[] {
  const head = ['contract', 'message', 'gas', 'at most', 'the same elsewhere']
  const rows = chosen.flatMap(([name, { atMost, baseline }]) =>
    Object.entries(table[name]!).map(([message, gas]) => {
      const other = baseline?.[message]
      const words = other ? `${other.gas} (${other.of})` : ''
      return [name, message, String(gas), String(atMost?.[message] ?? ''), words]
    }),
  )
  return [
    ...columns([head, ...rows]),
    ...(settlement ? ['', ...settlementLines(settlement)] : []),
    ...(growth.length > 0 ? ['', ...growthLines()] : []),
  ]
}

function settlementLines(s: Record<string, number>): string[] {
  const times = (gas: number): string => `${gas} (${(gas / s.twoClaims!).toFixed(1)} times)`
  return [
    `client to provider, two claims: ${s.twoClaims}; Cocoon: ` +
      `${times(s.cocoonFunc!)} in FunC, ${times(s.cocoonTolk!)} in Tolk`,
    `per job at ${JOBS_A_SETTLEMENT} jobs a settlement: ${s.perJobAndChannel} in each channel, ` +
      `${s.perJob} in both`,
  ]
}

function growthLines(): string[] {
  const head = ['contract', 'message', 'among 1', `among ${MANY}`, 'of']
  const rows = growth.map(({ contract, message, one, many, of }) => {
    return [contract, message, String(one), String(many), one === many ? of : `${of}: GROWS`]
  })
  return columns([head, ...rows])
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)))
  return rows.map((row) =>
    row
      .map((word, at) =>
        /^\d/.test(word) && at < 4 ? word.padStart(widths[at]!) : word.padEnd(widths[at]!),
      )
      .join('  ')
      .trimEnd(),
  )
}
