/**
 * The tests of one contract, run again and again in this process against other code.
 *
 * A hook of the module loader puts `harness.ts` in vitest's place and another artefact in that of
 * the committed one. Modules that depend on the artefact are evaluated anew for each; all others,
 * the TVM among them, stay warm. A run of all tests costs a fraction of a new process, and a mutant
 * mostly the one test that kills it. Used by `run.ts`.
 * @module
 */
import { readdirSync } from 'node:fs'
import { registerHooks } from 'node:module'
import type { Artefact } from '../../scripts/compile.ts'
import { type Case, collect, finish, runCase } from './harness.ts'

/** What the tests said of an artefact. */
export interface Verdict {
  /** File and name of the first test that failed; none where all passed. */
  readonly killedBy?: string
  readonly ms: number
}

export interface Suite {
  readonly files: readonly string[]
  /** Runs the tests; `place` is where the change is, by which likely killers are found. */
  run(artefact: Artefact, place?: string): Promise<Verdict>
  close(): void
}

const ROOT = new URL('../../', import.meta.url).href
const TESTS = new URL('test/contracts/tolk/', ROOT)
const HARNESS = new URL('harness.ts', import.meta.url).href

/**
 * Test files of a contract: those whose name begins with its name. The gas table is not among them,
 * which any change of code breaks: what must notice a mutant is a test of what a contract does.
 */
export function testFilesOf(contract: string): string[] {
  const own = new RegExp(`^${contract}(?:[A-Z].*)?\\.test\\.ts$`)
  return readdirSync(TESTS).filter((file) => own.test(file))
}

/** Opens the tests of a contract. One suite may be open at a time. */
export function openSuite(contract: string): Suite {
  const files = testFilesOf(contract)
  const loader = createLoader(contract)
  const kills = createKills()
  return {
    files,
    async run(artefact, place = '') {
      const began = performance.now()
      const killedBy = await firstFailure(await loader.load(files, artefact), kills.order(place))
      if (killedBy !== undefined) kills.add(place, killedBy)
      return { ms: performance.now() - began, ...(killedBy === undefined ? {} : { killedBy }) }
    },
    close: () => loader.close(),
  }
}

/** Loads test files with an artefact in the place of the committed one. */
function createLoader(contract: string) {
  const importers = new Map<string, Set<string>>()
  let stale: ReadonlySet<string> = new Set()
  let artefact: Artefact
  let generation = 0
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const parent = bare(context.parentURL ?? '')
      const named = specifier === 'vitest' && parent.endsWith('.test.ts')
      const resolved = next(named ? HARNESS : specifier, context)
      if (!resolved.url.startsWith(ROOT) || resolved.url === HARNESS) return resolved
      const url = bare(resolved.url)
      importers.set(url, (importers.get(url) ?? new Set()).add(parent))
      return stale.has(url) ? { ...resolved, url: `${url}?mutant=${generation}` } : resolved
    },
    load(url, context, next) {
      if (!bare(url).endsWith(`/compiled/${contract}.json`)) return next(url, context)
      return { format: 'json', source: JSON.stringify(artefact), shortCircuit: true }
    },
  })
  return {
    async load(files: readonly string[], next: Artefact): Promise<Case[]> {
      artefact = next
      const cases: Case[] = []
      for (const file of files) {
        const url = `${new URL(file, TESTS).href}?mutant=${generation}`
        cases.push(...(await collect(file, () => import(url))))
      }
      // The first load shows who depends on the artefact.
      if (generation === 0) stale = dependents(importers, `/compiled/${contract}.json`)
      generation++
      return cases
    },
    close: () => hooks.deregister(),
  }
}

function bare(url: string): string {
  return url.split('?')[0]!
}

/** Everything that imports what ends with `name`, by however many steps. */
function dependents(
  importers: ReadonlyMap<string, ReadonlySet<string>>,
  name: string,
): Set<string> {
  const found = new Set([...importers.keys()].filter((url) => url.endsWith(name)))
  for (const url of found) for (const parent of importers.get(url) ?? []) found.add(parent)
  return found
}

async function firstFailure(
  cases: readonly Case[],
  order: (a: Case, b: Case) => number,
): Promise<string | undefined> {
  try {
    for (const test of cases.toSorted(order)) {
      try {
        await runCase(test)
      } catch {
        return test.name
      }
    }
    return undefined
  } finally {
    await finish(cases).catch(() => {})
  }
}

/** Who killed what so far: first those that killed in the same place, then those that kill much. */
function createKills() {
  const inPlace = new Map<string, number>()
  const inAll = new Map<string, number>()
  const increase = (map: Map<string, number>, key: string): unknown =>
    map.set(key, (map.get(key) ?? 0) + 1)
  return {
    add(place: string, name: string): void {
      increase(inPlace, `${place} ${name}`)
      increase(inAll, name)
    },
    order(place: string): (a: Case, b: Case) => number {
      const here = ({ name }: Case): number => inPlace.get(`${place} ${name}`) ?? 0
      const all = ({ name }: Case): number => inAll.get(name) ?? 0
      return (a, b) => here(b) - here(a) || all(b) - all(a)
    },
  }
}
