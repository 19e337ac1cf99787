/**
 * Contracts that are spoiled together, because they share their sources, and the tests that must
 * notice.
 * @module
 */
import { CONTRACTS } from '../../scripts/compile.ts'

export interface Group {
  readonly name: string
  /** Contracts of `scripts/compile.ts`. */
  readonly contracts: readonly string[]
  /** Words with which the names of its test files begin. */
  readonly tests: readonly string[]
}

const SHARED: readonly Group[] = [
  { name: 'items', contracts: ['provider', 'scheduler', 'gpu'], tests: ['item', 'items'] },
  {
    name: 'governance',
    contracts: ['timelock', 'multisig'],
    tests: ['governance', 'timelock', 'multisig'],
  },
]
/** A token to try the jetton-channel with: nobody's money stands on it. */
const UNTRIED = /^testJetton/

/** Every group, the contracts that stand alone as groups of their own. */
export const GROUPS: readonly Group[] = [
  ...SHARED,
  ...Object.keys(CONTRACTS)
    .filter((name) => !UNTRIED.test(name) && !SHARED.some((each) => each.contracts.includes(name)))
    .map((name) => ({ name, contracts: [name], tests: [name] })),
]

/** The group of this name. Throws where there is none. */
export function groupOf(name: string): Group {
  const group = GROUPS.find((each) => each.name === name)
  if (!group) throw new Error(`no contract, nor group of them, is called ${name}`)
  return group
}
