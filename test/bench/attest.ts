/**
 * What verifying hardware evidence costs: CPU of one verification, and of a remembered verdict.
 *
 *   node test/bench/attest.ts [--json]
 *
 * Real evidence from the folder `VECTORS_DIR` where it is there; otherwise trees of the test's own,
 * of the same shape and work (said in the output). Budgets on one idle core: 60 ms of CPU for a TDX
 * quote, 10 ms for an SEV-SNP report and for a GPU, 20 microseconds for a remembered verdict with
 * the hash over evidence and collateral that finds it. Medians over rounds; on a shared machine
 * read them beside `load`.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseNvidiaEvidence } from '../../contracts/attest/nvidia/evidence.ts'
import { verifyGpu } from '../../contracts/attest/nvidia/verify.ts'
import { verifySnpReport } from '../../contracts/attest/snp/verify.ts'
import { encodeCollateral, importCollateral } from '../../contracts/attest/tdx/collateral.ts'
import {
  type TdxContext,
  type TdxVerdict,
  verifyTdxQuote,
} from '../../contracts/attest/tdx/verify.ts'
import { verdictCache, verdictKey } from '../../contracts/attest/verdictCache.ts'
import { parsePemChain } from '../../contracts/attest/x509/certificate.ts'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { amdTree } from '../support/amdTree.ts'
import { AT_MS, intelTree, TEST_ROOTS } from '../support/intelTree.ts'
import { nvidiaTree } from '../support/nvidiaTree.ts'

const ROUNDS = 15
const FOLDER = process.env.VECTORS_DIR ?? '../shared/vectors'

/** One line of the report: `verify` is what one verification does. */
interface Subject {
  readonly name: string
  readonly of: string
  readonly verify: () => unknown
  /** Verifications a round. */
  readonly count: number
  readonly budgetMs: number
}

/** Every vendor's line; another one is one more entry. */
function subjects(): readonly Subject[] {
  const { quote, collateral, context, of } = tdx()
  const verify = () => verifyTdxQuote(quote, collateral, context)
  return [{ name: 'tdx', of, verify, count: 20, budgetMs: 60 }, snp(), nvidia()]
}

function main(): void {
  const { values } = parseArgs({ options: { json: { type: 'boolean' } } })
  const measured = subjects().map(({ name, of, verify, count, budgetMs }) => ({
    name,
    of,
    cpuMs: rounded(medianMicros(count, verify) / 1_000),
    budgetMs,
  }))
  const result = {
    machine: `${cpus()[0]?.model}, ${availableParallelism()} threads, node ${process.version}`,
    load: loadavg()[0]!.toFixed(2),
    verifications: measured,
    remembered: remembered(),
  }
  if (values.json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log(`${result.machine}, load ${result.load}`)
  for (const { name, of, cpuMs, budgetMs } of measured) {
    console.log(`${name.padEnd(14)} ${cpuMs} ms of CPU a verification (budget ${budgetMs}), ${of}`)
  }
  const { cpuMicros, lookUpMicros, bytes, budgetMicros } = result.remembered
  const hashed = `hash over ${bytes} bytes and look-up`
  console.log(`remembered     ${cpuMicros} µs (budget ${budgetMicros}), ${hashed}`)
  console.log(`               ${lookUpMicros} µs of it the look-up`)
}

/** A remembered verdict: the hash that finds it, and the look-up alone. */
function remembered() {
  const { quote, collateral, context } = tdx()
  const cache = verdictCache<TdxVerdict>()
  const { atMs } = context
  const key = verdictKey(quote, collateral)
  cache.put(key, atMs, verifyTdxQuote(quote, collateral, context))
  const hit = () => {
    if (!cache.get(verdictKey(quote, collateral), atMs)) throw new Error('it was not remembered')
  }
  return {
    bytes: quote.length + collateral.length,
    cpuMicros: rounded(medianMicros(5_000, hit)),
    lookUpMicros: rounded(medianMicros(50_000, () => cache.get(key, atMs))),
    budgetMicros: 20,
  }
}

function tdx(): { quote: Bytes; collateral: Bytes; context: TdxContext; of: string } {
  if (!existsSync(join(FOLDER, 'tdx'))) {
    const context = { atMs: AT_MS, roots: TEST_ROOTS }
    return { ...intelTree(), context, of: "a tree of the test's own" }
  }
  const quote = new Uint8Array(readFileSync(join(FOLDER, 'tdx', 'tdx_quote')))
  const json = readFileSync(join(FOLDER, 'tdx', 'tdx_quote_collateral.json'), 'utf8')
  const context = { atMs: Date.parse('2025-07-04T00:00:00Z') }
  const collateral = encodeCollateral(importCollateral(json))
  return { quote, collateral, context, of: 'a real quote of version 4' }
}

/** Three RSA signatures of the chain, and one of P-384 over the report. */
function snp(): Subject {
  const common = { name: 'sev-snp', count: 20, budgetMs: 10 }
  const folder = join(FOLDER, 'sev-snp')
  if (!existsSync(folder)) {
    const tree = amdTree('Milan', 'RSA')
    const report = tree.report()
    const collateral = tree.collateral({ crl: tree.crl() })
    const verify = () => verifySnpReport(report, collateral, tree.context)
    return { ...common, of: "a tree of the test's own, with a revocation list", verify }
  }
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)))
  const [ask, ark] = parsePemChain(readFileSync(join(folder, 'ask_ark_milan.pem'), 'latin1'))
  const collateral = { vek: read('dstack_snp_vcek.der'), ask: ask!.der, ark: ark!.der }
  const report = read('dstack_snp_report.bin')
  const context = { atMs: Date.UTC(2026, 10, 1) }
  const verify = () => verifySnpReport(report, collateral, context)
  return { ...common, of: 'a real report of version 3, without a revocation list', verify }
}

/** One GPU: a chain of five certificates and the measurements, all on P-384. */
function nvidia(): Subject {
  const common = { name: 'nvidia gpu', count: 10, budgetMs: 10 }
  const file = join(FOLDER, 'nvidia', 'ppcie_gpu_evidence.json')
  if (!existsSync(file)) {
    const tree = nvidiaTree()
    const evidence = tree.evidence()
    const verify = () => verifyGpu(evidence, tree.context)
    return { ...common, of: "a tree of the test's own", verify }
  }
  const [evidence] = parseNvidiaEvidence(readFileSync(file, 'latin1'))
  const verify = () => verifyGpu(evidence!, { atMs: Date.UTC(2026, 10, 1) })
  return { ...common, of: 'a real H100', verify }
}

/** Median over rounds of the CPU microseconds of one call, user and system together. */
function medianMicros(count: number, call: () => unknown): number {
  for (let i = 0; i < count; i++) call() // warms up
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = process.cpuUsage()
    for (let i = 0; i < count; i++) call()
    const { user, system } = process.cpuUsage(start)
    return (user + system) / count
  })
  return rounds.sort((one, other) => one - other)[Math.floor(ROUNDS / 2)]!
}

const rounded = (value: number): number => Number(value.toFixed(2))

main()
