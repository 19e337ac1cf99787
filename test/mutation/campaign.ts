/**
 * A campaign against one contract: its mutants, compiled, and what its tests say of each.
 * Used by `run.ts` and by the quick test beside it.
 * @module
 */
import { readFileSync } from 'node:fs'
import { type Artefact, compileContract } from '../../scripts/compile.ts'
import { keyOf, type Mutant, mutantsOf } from './mutants.ts'
import type { Suite } from './suite.ts'

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

/** Why no test kills a mutant, by the mutant's key. */
export type Explained = Readonly<Record<string, string>>

/** The committed reasons for a contract's survivors. */
export function explainedOf(contract: string): Explained {
  try {
    return JSON.parse(readFileSync(new URL(`explained/${contract}.json`, import.meta.url), 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
}

/** Mutants of every source that goes into a contract, the standard library's apart. */
export async function mutantsOfContract(contract: string): Promise<Mutant[]> {
  const sources = new Map<string, string>()
  await compileContract(contract, (path, text) => {
    sources.set(path, text)
    return text
  })
  return [...sources].flatMap(([path, text]) => mutantsOf(path, text))
}

/** `count` of `mutants`, spread evenly, from one that `seed` names. All where there are fewer. */
export function sampleOf<T>(mutants: readonly T[], count: number, seed: number): T[] {
  const step = mutants.length / count
  if (step <= 1) return [...mutants]
  return Array.from({ length: count }, (_, i) => {
    return mutants[(Math.floor(i * step) + seed) % mutants.length]!
  })
}

/** Throws where the tests fail against the unchanged contract. */
export async function mustPass(contract: string, suite: Suite): Promise<void> {
  const { killedBy } = await suite.run(await compileContract(contract))
  if (killedBy) throw new Error(`the unchanged ${contract} fails: ${killedBy}`)
}

/** Runs every mutant. */
export async function campaign(
  contract: string,
  mutants: readonly Mutant[],
  suite: Suite,
  tell: (result: Result) => void = () => {},
): Promise<Result[]> {
  const honest = await compileContract(contract)
  const explained = explainedOf(contract)
  const fates = new Map<string, Result>()
  const results: Result[] = []
  for (const mutant of mutants) {
    const result = await fateOf(contract, mutant, honest, fates, suite, explained)
    results.push(result)
    tell(result)
  }
  return results
}

async function fateOf(
  contract: string,
  mutant: Mutant,
  honest: Artefact,
  fates: Map<string, Result>,
  suite: Suite,
  explained: Explained,
): Promise<Result> {
  const { operator, line } = mutant
  const key = keyOf(mutant)
  const artefact = await compileMutant(contract, mutant)
  if (!artefact) return { key, operator, line, fate: 'invalid' }
  if (artefact.codeHash === honest.codeHash) return { key, operator, line, fate: 'equivalent' }
  const earlier = fates.get(artefact.codeHash)
  if (earlier) return { ...earlier, key, operator, line, fate: 'repeated' }
  const { killedBy, ms } = await suite.run(artefact, mutant.in)
  const fate = killedBy ? 'killed' : key in explained ? 'explained' : 'survived'
  const result: Result = { key, operator, line, fate, ms, ...(killedBy ? { killedBy } : {}) }
  fates.set(artefact.codeHash, result)
  return result
}

async function compileMutant(
  contract: string,
  { file, source }: Mutant,
): Promise<Artefact | undefined> {
  try {
    return await compileContract(contract, (path, text) => (path === file ? source : text))
  } catch {
    return undefined
  }
}
