/**
 * A campaign against a group of contracts: their mutants, compiled, and what its tests say of each.
 * Used by `run.ts` and by the quick test beside it.
 * @module
 */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { type Artefact, CONTRACTS, compileContract } from '../../scripts/compile.ts'
import type { Group } from './groups.ts'
import { lex } from './lex.ts'
import { keyOf, type Mutant, mutantsOf } from './mutants.ts'
import type { Artefacts, Suite } from './suite.ts'

/**
 * `killed`: a test failed. `equivalent`: the same code as the contract's. `repeated`: the same code
 * as an earlier mutant's, whose fate it shares. `invalid`: it does not compile.
 */
export type Fate = 'killed' | 'survived' | 'explained' | 'equivalent' | 'repeated' | 'invalid'

export interface Result {
  readonly key: string
  readonly operator: string
  readonly line: number
  readonly fate: Fate
  readonly killedBy?: string
  readonly ms?: number
}

const SOURCES = new URL('../../contracts/tolk/', import.meta.url)

/** Why no test kills a mutant, by the mutant's key. */
export type Explained = Readonly<Record<string, string>>

/** The committed reasons for the survivors of a group. */
export function explainedOf(group: string): Explained {
  try {
    return JSON.parse(readFileSync(new URL(`explained/${group}.json`, import.meta.url), 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
}

/** Mutants of every source that goes into the contracts, the standard library's apart. */
export function mutantsOfGroup({ contracts }: Group): Mutant[] {
  const sources = new Map<string, string>()
  const read = (path: string): void => {
    if (sources.has(path)) return
    const text = readFileSync(new URL(path, SOURCES), 'utf8')
    sources.set(path, text)
    for (const name of importsOf(text)) {
      if (!name.startsWith('@')) read(posix.join(posix.dirname(path), `${name}.tolk`))
    }
  }
  for (const contract of contracts) read(CONTRACTS[contract]!)
  return [...sources].flatMap(([path, text]) => mutantsOf(path, text))
}

function importsOf(source: string): string[] {
  const tokens = lex(source)
  return tokens.flatMap(({ text }, i) => {
    const next = tokens[i + 1]
    return text === 'import' && next?.kind === 'string' ? [next.text.slice(1, -1)] : []
  })
}

/** `count` of `mutants`, spread evenly, from one that `seed` names. All where there are fewer. */
export function sampleOf<T>(mutants: readonly T[], count: number, seed: number): T[] {
  const step = mutants.length / count
  if (step <= 1) return [...mutants]
  return Array.from({ length: count }, (_, i) => {
    return mutants[(Math.floor(i * step) + seed) % mutants.length]!
  })
}

/** Throws where the tests fail against the unchanged contracts. */
export async function mustPass(group: Group, suite: Suite): Promise<void> {
  const { killedBy } = await suite.run(await compileAll(group))
  if (killedBy) throw new Error(`the unchanged ${group.name} fails: ${killedBy}`)
}

/** Runs every mutant. */
export async function campaign(
  group: Group,
  mutants: readonly Mutant[],
  suite: Suite,
  tell: (result: Result) => void = () => {},
): Promise<Result[]> {
  const honest = codesOf(await compileAll(group))
  const explained = explainedOf(group.name)
  const fates = new Map<string, Result>()
  const results: Result[] = []
  for (const mutant of mutants) {
    const { operator, line } = mutant
    const named = { key: keyOf(mutant), operator, line }
    const result = await fateOf(group, mutant, named, honest, fates, suite, explained)
    results.push(result)
    tell(result)
  }
  return results
}

async function fateOf(
  group: Group,
  mutant: Mutant,
  named: Pick<Result, 'key' | 'operator' | 'line'>,
  honest: string,
  fates: Map<string, Result>,
  suite: Suite,
  explained: Explained,
): Promise<Result> {
  const artefacts = await compileAll(group, mutant).catch(() => undefined)
  if (!artefacts) return { ...named, fate: 'invalid' }
  const codes = codesOf(artefacts)
  if (codes === honest) return { ...named, fate: 'equivalent' }
  const earlier = fates.get(codes)
  if (earlier) return { ...earlier, ...named, fate: 'repeated' }
  const { killedBy, ms } = await suite.run(artefacts, mutant.in)
  const fate = killedBy ? 'killed' : named.key in explained ? 'explained' : 'survived'
  const result: Result = { ...named, fate, ms, ...(killedBy ? { killedBy } : {}) }
  fates.set(codes, result)
  return result
}

/** Compiles the contracts of a group, with a mutant's source in the place of its file's. */
async function compileAll({ contracts }: Group, mutant?: Mutant): Promise<Artefacts> {
  const all: Record<string, Artefact> = {}
  for (const contract of contracts) {
    all[contract] = await compileContract(contract, (path, text) =>
      path === mutant?.file ? mutant.source : text,
    )
  }
  return all
}

function codesOf(artefacts: Artefacts): string {
  return Object.values(artefacts)
    .map(({ codeHash }) => codeHash)
    .join()
}
