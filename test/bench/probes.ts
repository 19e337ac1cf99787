/**
 * What probes find: the demo model against itself in other arithmetic (the baseline), and against
 * what a cheat would serve, on real weights.
 *
 *   node test/bench/probes.ts [--probes 200] [--audits 1000] [--json]
 *
 * Each variant answers the same probes once. Then audits are drawn from those answers, in random
 * order by seed, with the plans in use: how often each verdict comes, and after how many probes.
 * The ROC is that of a single answer's distance against the baseline: how often a distance beyond
 * the one that 1 in 100 (or 1 in 20) honest answers exceeds is seen, and the area under the curve
 * (0.5 is chance). Greedy texts have no threshold: their rate stands alone. No machine matters
 * here but the arithmetic of its CPU, which the baseline shows.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  createAsker,
  NOTHING_SEEN,
  observeAnswers,
  reportOf,
  type Side,
  TOLERANCE,
} from '../../node/audit/auditModel.ts'
import { logprobDistance, type ProbeAnswer, textDiffers } from '../../node/audit/compare.ts'
import { type Probe, probesFor } from '../../node/audit/probes.ts'
import { startEmbedded } from '../../node/backends/embedded/embedded.ts'
import { hashFile } from '../../node/backends/embedded/supervisor.ts'
import { TINY_CHAT } from '../../node/backends/tinyChat.ts'
import { createClock } from '../../node/system/clock.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { createSeededRandom } from '../../node/system/seededRandom.ts'
import { halfFloatModel, roundedModel } from '../support/alteredModel.ts'

const SEED = 20_261_126
const never = new AbortController().signal

interface Variant {
  readonly name: string
  /** Bits that its weights are rounded to; 16 are the same weights as floats, 8 the original. */
  readonly bits: number
  /** What it samples with, whatever is asked. */
  readonly temperature?: number
  /** It names no chances. */
  readonly mute?: true
  /** Another tolerance than the default. */
  readonly tolerance?: number
}

const VARIANTS: readonly Variant[] = [
  { name: 'itself', bits: 8 },
  { name: 'as 16-bit floats (baseline)', bits: 16 },
  ...[7, 6, 5, 4, 3].map((bits) => ({ name: `rounded to ${bits} bits`, bits })),
  { name: 'rounded to 4 bits, texts only', bits: 4, mute: true },
  { name: 'rounded to 3 bits, texts only', bits: 3, mute: true },
  { name: 'temperature 0.7, texts only', bits: 8, temperature: 0.7, mute: true },
  { name: 'temperature 1.2, texts only', bits: 8, temperature: 1.2, mute: true },
  { name: 'itself, tolerance 0.005', bits: 8, tolerance: 0.005 },
  { name: 'rounded to 7 bits, tolerance 0.005', bits: 7, tolerance: 0.005 },
  { name: 'rounded to 6 bits, tolerance 0.005', bits: 6, tolerance: 0.005 },
]
/** Answers by what made them: variants that differ in the judging only share them. */
const kept = new Map<string, Promise<ProbeAnswer[]>>()

interface Row {
  readonly name: string
  readonly textRate: number
  readonly medianDistance: number | null
  readonly seenAt1: number | null
  readonly seenAt5: number | null
  readonly auc: number | null
  readonly same: number
  readonly different: number
  readonly undecided: number
  readonly probes: { readonly median: number; readonly p95: number }
}

const { values } = parseArgs({
  options: {
    probes: { type: 'string', default: '200' },
    audits: { type: 'string', default: '1000' },
    json: { type: 'boolean', default: false },
  },
})
const count = Number(values.probes)
const folder = mkdtempSync(join(tmpdir(), 'chrysalis-probes-'))
try {
  await main()
} finally {
  rmSync(folder, { recursive: true })
}

async function main(): Promise<void> {
  const probes: Probe[] = []
  for (const probe of probesFor(TINY_CHAT.modelId, SEED)) if (probes.push(probe) === count) break
  const original = readFileSync(TINY_CHAT.modelPath)
  const reference = await run(8, undefined, original, probes)
  const rows: Row[] = []
  let baseline: number[] = []
  for (const variant of VARIANTS) {
    const { bits, temperature, mute } = variant
    const key = `${bits} ${temperature}`
    if (!kept.has(key)) kept.set(key, run(bits, temperature, original, probes))
    const made = (await kept.get(key)) ?? []
    const answers = mute ? made.map(({ text }) => ({ text, tokens: [] })) : made
    const distances = distancesOf(answers, reference)
    if (variant.name.endsWith('(baseline)')) baseline = distances
    rows.push(measure(variant, answers, reference, baseline))
  }
  if (values.json) console.log(JSON.stringify({ seed: SEED, probes: count, rows }))
  else print(rows)
}

async function run(
  bits: number,
  temperature: number | undefined,
  original: Buffer,
  probes: readonly Probe[],
): Promise<ProbeAnswer[]> {
  const modelPath = join(folder, 'variant.gguf')
  const rounded = () => (bits === 8 ? original : roundedModel(original, bits))
  writeFileSync(modelPath, bits === 16 ? halfFloatModel(original) : rounded())
  const expectedHash = await hashFile(modelPath)
  const ports = { clock: createClock(), logger: silentLogger }
  const engine = { ...TINY_CHAT, modelPath, expectedHash, places: 1 }
  const backend = await startEmbedded({ ...engine, ...ports })
  const altered: Side['backend'] = {
    ...backend,
    run: (request, signal) =>
      backend.run(
        {
          ...request,
          temperature: temperature ?? request.temperature,
          seed: SEED,
        },
        signal,
      ),
  }
  const ask = createAsker({ backend: altered, model: TINY_CHAT.modelId }, never)
  const answers: ProbeAnswer[] = []
  for (const probe of probes) answers.push(await ask(probe))
  await backend.stop()
  return answers
}

function measure(
  { name, tolerance = TOLERANCE }: Variant,
  answers: readonly ProbeAnswer[],
  reference: readonly ProbeAnswer[],
  baseline: readonly number[],
): Row {
  const distances = distancesOf(answers, reference)
  const known = distances.length > 0 && baseline.length > 0
  const beyond = (share: number) => {
    const limit = quantile(baseline, 1 - share)
    return distances.filter((distance) => distance > limit).length / distances.length
  }
  const differing = answers.filter((answer, i) => textDiffers(answer, reference[i]!)).length
  const random = createSeededRandom(`${SEED} ${name}`)
  const audits = Array.from({ length: Number(values.audits) }, () =>
    audit(answers, reference, tolerance, (n) => random.int(n)),
  )
  const share = (verdict: string) =>
    audits.filter((each) => each.verdict === verdict).length / audits.length
  const lengths = audits.map(({ probes }) => probes)
  return {
    name,
    textRate: differing / answers.length,
    medianDistance: distances.length > 0 ? quantile(distances, 0.5) : null,
    seenAt1: known ? beyond(0.01) : null,
    seenAt5: known ? beyond(0.05) : null,
    auc: known ? area(distances, baseline) : null,
    same: share('same'),
    different: share('different'),
    undecided: share('undecided'),
    probes: { median: quantile(lengths, 0.5), p95: quantile(lengths, 0.95) },
  }
}

/** One audit over the kept answers, drawn with replacement. */
function audit(
  answers: readonly ProbeAnswer[],
  reference: readonly ProbeAnswer[],
  tolerance: number,
  below: (n: number) => number,
) {
  let seen = NOTHING_SEEN
  for (let i = 0; i < count; i++) {
    const at = below(answers.length)
    seen = observeAnswers(seen, answers[at]!, reference[at]!, tolerance)
    const report = reportOf(seen, tolerance)
    if (report.verdict !== 'undecided') return report
  }
  return reportOf(seen, tolerance)
}

function distancesOf(answers: readonly ProbeAnswer[], reference: readonly ProbeAnswer[]): number[] {
  return answers
    .map((answer, i) => logprobDistance(answer, reference[i]!))
    .filter((distance) => distance !== undefined)
}

/** Probability that an altered answer is farther away than an honest one; ties count half. */
function area(altered: readonly number[], honest: readonly number[]): number {
  let sum = 0
  for (const a of altered) for (const h of honest) sum += a > h ? 1 : a === h ? 0.5 : 0
  return sum / (altered.length * honest.length)
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

function print(rows: readonly Row[]): void {
  const percent = (value: number | null) => (value === null ? '-' : `${(100 * value).toFixed(1)} %`)
  console.log(`${cpus()[0]?.model.trim()}, load ${loadavg()[0]?.toFixed(1)}, seed ${SEED}`)
  console.log(`${count} probes a variant, ${values.audits} audits drawn from them\n`)
  const head = ['variant', 'texts differ', 'median distance', 'seen at 1 %', 'seen at 5 %', 'AUC']
  console.log([...head, 'same', 'different', 'undecided', 'probes: median, p95'].join(' | '))
  for (const row of rows) {
    const distance = row.medianDistance?.toFixed(4) ?? '-'
    const seen = [percent(row.seenAt1), percent(row.seenAt5), row.auc?.toFixed(3) ?? '-']
    const verdicts = [percent(row.same), percent(row.different), percent(row.undecided)]
    const probes = `${row.probes.median}, ${row.probes.p95}`
    console.log(
      [row.name, percent(row.textRate), distance, ...seen, ...verdicts, probes].join(' | '),
    )
  }
}
