/**
 * The tests of one contract, run again and again against other code: vitest in this process, whose
 * plugin serves the wrapper another artefact than the committed one. Used by `run.ts`.
 * @module
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { TestModule, Vitest } from 'vitest/node'
import { createVitest } from 'vitest/node'
import type { Artefact } from '../../scripts/compile.ts'

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
  close(): Promise<void>
}

/** A test that failed: its file and its name, as vitest's name patterns see it. */
interface Killer {
  readonly file: string
  readonly name: string
}

/** Tests to try alone before all: as many as killed a mutant of the same function. */
const LIKELY = 3
const TESTS = new URL('../contracts/tolk/', import.meta.url)

/**
 * Test files of a contract: those whose name begins with its name. The gas table is not among them,
 * which any change of code breaks: what must notice a mutant is a test of what a contract does.
 */
export function testFilesOf(contract: string): string[] {
  const own = new RegExp(`^${contract}(?:[A-Z].*)?\\.test\\.ts$`)
  return readdirSync(TESTS).filter((file) => own.test(file))
}

/** Opens the tests of a contract; `folder` is for the artefact of the moment. */
export async function openSuite(contract: string, folder: string): Promise<Suite> {
  const files = testFilesOf(contract)
  const served = `${folder}/${contract}.json`
  const vitest = await start(contract, served)
  const found = await vitest.globTestSpecifications(['test/contracts/tolk/'])
  const specifications = new Map(found.map((each) => [basename(each.moduleId), each]))
  const kills = createKills(files)

  const runFile = async (file: string, names?: readonly string[]): Promise<Killer | undefined> => {
    const specification = specifications.get(file)!
    if (names) vitest.setGlobalTestNamePattern(new RegExp(names.map(exactly).join('|')))
    else vitest.resetGlobalTestNamePattern()
    const { testModules } = await vitest.runTestSpecifications([specification])
    // Vitest remembers what the other files said of earlier mutants.
    const module = testModules.find(({ moduleId }) => moduleId === specification.moduleId)
    const name = module && firstFailure(module)
    return name === undefined ? undefined : { file, name }
  }
  const killerOf = async (place: string): Promise<Killer | undefined> => {
    for (const [file, names] of kills.likely(place)) {
      const killer = await runFile(file, names)
      if (killer) return killer
    }
    for (const file of kills.files()) {
      const killer = await runFile(file)
      if (killer) return killer
    }
    return undefined
  }
  return {
    files,
    async run(artefact, place = '') {
      writeFileSync(served, JSON.stringify(artefact))
      const began = performance.now()
      const killer = await killerOf(place)
      const ms = performance.now() - began
      if (!killer) return { ms }
      kills.add(place, killer)
      return { killedBy: `${killer.file}: ${killer.name}`, ms }
    },
    close: () => vitest.close(),
  }
}

/** Who killed what so far: tests that killed in one place are tried first there. */
function createKills(files: readonly string[]) {
  const byFile = new Map(files.map((file) => [file, 0]))
  const byPlace = new Map<string, { readonly killer: Killer; count: number }[]>()
  return {
    add(place: string, killer: Killer): void {
      byFile.set(killer.file, byFile.get(killer.file)! + 1)
      const known = byPlace.get(place) ?? []
      const same = known.find((each) => each.killer.name === killer.name)
      if (same) same.count++
      else known.push({ killer, count: 1 })
      byPlace.set(place, known)
    },
    likely(place: string): ReadonlyMap<string, readonly string[]> {
      const best = (byPlace.get(place) ?? []).toSorted((a, b) => b.count - a.count)
      const files = Map.groupBy(best.slice(0, LIKELY), ({ killer }) => killer.file)
      return new Map([...files].map(([file, all]) => [file, all.map((each) => each.killer.name)]))
    },
    files: (): string[] => files.toSorted((a, b) => byFile.get(b)! - byFile.get(a)!),
  }
}

function start(contract: string, served: string): Promise<Vitest> {
  return createVitest(
    'test',
    {
      ...{ watch: false, run: true, bail: 1, isolate: false, maxWorkers: 1, pool: 'threads' },
      ...{ reporters: [{}], project: ['unit'], cache: false, silent: true },
    },
    {
      plugins: [
        {
          name: 'mutant',
          enforce: 'pre',
          resolveId: (id) => (id.endsWith(`/compiled/${contract}.json`) ? '\0mutant' : undefined),
          load: (id) => (id === '\0mutant' ? readsAtRun(served) : undefined),
        },
      ],
    },
  )
}

/** A module that reads its value when it is evaluated: the transformed text never gets stale. */
function readsAtRun(path: string): string {
  const read = `JSON.parse(readFileSync(${JSON.stringify(path)}, 'utf8'))`
  return `import { readFileSync } from 'node:fs'\nexport default ${read}\n`
}

/** The name of the first test that failed, its groups before it. */
function firstFailure(module: TestModule): string | undefined {
  for (const test of module.children.allTests('failed')) return test.fullName.replaceAll(' > ', ' ')
  if (module.state() !== 'failed') return undefined
  return module.errors()[0]?.message ?? 'the file does not load'
}

function exactly(name: string): string {
  return `^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`
}
