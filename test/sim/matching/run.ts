/**
 * `npm run sim:matching`: each scenario over all seeds, as tables, or as one JSON object with
 * `--json`. `--seeds N` (5), `--quick` (a tenth of the size), `--only NAME` (part of a name).
 * @module
 */
import { parseArgs } from 'node:util'
import { trace } from './arrivals.ts'
import { SCENARIOS } from './scenarios.ts'
import type { Scenario, Size } from './setting.ts'
import { gathered, markdown } from './table.ts'

const FULL = { requests: 20_000, slots: 300 }
const QUICK = { requests: 2_000, slots: 60 }

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
  },
})
const seeds = Array.from({ length: Math.max(1, Number(values.seeds)) }, (_, i) => i + 1)
const chosen = SCENARIOS.filter(({ name }) => name.includes(values.only))
const results = []
for (const scenario of chosen) {
  const { name, about } = scenario
  const size = sizeOf(scenario)
  const startedMs = performance.now()
  const lines = gathered(seeds.flatMap((seed) => scenario.run(seed, size)))
  const tookS = (performance.now() - startedMs) / 1000
  results.push({ name, about, source: size.source, seeds, lines })
  process.stderr.write(`${name}: ${tookS.toFixed(1)} s\n`)
  if (values.json) continue
  const drawn = size.source === scenario.source ? '' : ' (no trace there: drawn arrivals)'
  process.stdout.write(
    `\n### ${name}\n${about}\nArrivals: ${size.source}${drawn}. Seeds ${seeds.join(', ')}.\n\n` +
      markdown(lines),
  )
}
if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`)

/** Drawn arrivals take the place of a trace that is absent. */
function sizeOf({ source: wanted }: Scenario): Size {
  const there = wanted === 'synthetic' || trace(wanted) !== undefined
  return { ...(values.quick ? QUICK : FULL), source: there ? wanted : 'synthetic' }
}
