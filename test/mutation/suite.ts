/**
 * The tests of a group of contracts, run again and again in this process against other code.
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
import type { Group } from './groups.ts'
import { type Case, collect, finish, runCase } from './harness.ts'

/** Artefacts by the name of their contract: what stands in the places of the committed ones. */
export type Artefacts = Readonly<Record<string, Artefact>>

/** What the tests said of artefacts. */
export interface Verdict {
  /** File and name of the first test that failed; none where all passed. */
  readonly killedBy?: string
  readonly ms: number
}

export interface Suite {
  readonly files: readonly string[]
  /** Runs the tests; `place` is where the change is, by which likely killers are found. */
  run(artefacts: Artefacts, place?: string): Promise<Verdict>
  close(): void
}

const ROOT = new URL('../../', import.meta.url).href
const TESTS = new URL('test/contracts/tolk/', ROOT)
const COMPILED = /\/contracts\/wrappers\/compiled\/(\w+)\.json$/
const HARNESS = new URL('harness.ts', import.meta.url).href

/**
 * Test files of a group: those whose name begins with one of its words. The gas table is not among
 * them, which any change of code breaks: what must notice a mutant is a test of what a contract
 * does.
 */
export function testFilesOf({ tests }: Group): string[] {
  const own = new RegExp(`^(?:${tests.join('|')})(?:[A-Z].*)?\\.test\\.ts$`)
  return readdirSync(TESTS).filter((file) => own.test(file))
}

/** Opens the tests of a group. One suite may be open at a time. */
export function openSuite(group: Group): Suite {
  const files = testFilesOf(group)
  const loader = createLoader(group.contracts)
  const kills = createKills()
  return {
    files,
    async run(artefacts, place = '') {
      const began = performance.now()
      const killedBy = await firstFailure(await loader.load(files, artefacts), kills.order(place))
      if (killedBy !== undefined) kills.add(place, killedBy)
      return { ms: performance.now() - began, ...(killedBy === undefined ? {} : { killedBy }) }
    },
    close: () => loader.close(),
  }
}

/** Loads test files with other artefacts in the places of the committed ones. */
function createLoader(contracts: readonly string[]) {
  const importers = new Map<string, Set<string>>()
  let stale: ReadonlySet<string> = new Set()
  let artefacts: Artefacts = {}
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
      const artefact = artefacts[COMPILED.exec(bare(url))?.[1] ?? '']
      if (!artefact) return next(url, context)
      return { format: 'json', source: JSON.stringify(artefact), shortCircuit: true }
    },
  })
  return {
    async load(files: readonly string[], next: Artefacts): Promise<Case[]> {
      artefacts = next
      const cases: Case[] = []
      for (const file of files) {
        const url = `${new URL(file, TESTS).href}?mutant=${generation}`
        cases.push(...(await collect(file, () => import(url))))
      }
      // The first load shows who depends on the artefacts.
      if (generation === 0) stale = dependents(importers, contracts)
      generation++
      return cases
    },
    close: () => hooks.deregister(),
  }
}

function bare(url: string): string {
  return url.split('?')[0]!
}

/** Everything that imports an artefact of `contracts`, by however many steps. */
function dependents(
  importers: ReadonlyMap<string, ReadonlySet<string>>,
  contracts: readonly string[],
): Set<string> {
  const urls = [...importers.keys()]
  const found = new Set(urls.filter((url) => contracts.includes(COMPILED.exec(url)?.[1] ?? '')))
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
