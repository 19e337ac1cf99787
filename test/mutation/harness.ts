/**
 * `describe`, `it` and the hooks, as the contracts' tests use them, collected into a list: so that
 * one warm process can run them against hundreds of mutants, and in any order. It stands in for
 * vitest, whose `expect` it hands on. Loaded in its place by `suite.ts`.
 * @module
 */
import { format } from 'node:util'

export { expect, vi } from 'vitest'

type Body = (...args: never[]) => unknown

/** A test and the groups it is in, outermost first. */
export interface Case {
  readonly name: string
  readonly groups: readonly Group[]
  readonly body: () => unknown
}

interface Group {
  readonly name: string
  readonly beforeAll: Body[]
  readonly afterAll: Body[]
  readonly beforeEach: Body[]
  readonly afterEach: Body[]
  /** Settled once `beforeAll` has run. */
  begun?: Promise<void>
}

const newGroup = (name: string): Group => {
  return { name, beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] }
}
let groups: Group[] = [newGroup('')]
let cases: Case[] = []

/** What the file that `load` imports declares. */
export async function collect(file: string, load: () => Promise<unknown>): Promise<Case[]> {
  groups = [newGroup(file)]
  cases = []
  await load()
  return cases
}

/** Runs one test with its hooks. Rejects where any of them fails. */
export async function runCase(test: Case): Promise<void> {
  for (const group of test.groups) {
    group.begun ??= inOrder(group.beforeAll)
    await group.begun
  }
  try {
    for (const group of test.groups) await inOrder(group.beforeEach)
    await test.body()
  } finally {
    for (const group of test.groups.toReversed()) await inOrder(group.afterEach)
  }
}

/** Runs what the groups of `all` do after their tests. */
export async function finish(all: readonly Case[]): Promise<void> {
  const begun = new Set(all.flatMap((test) => test.groups).filter((group) => group.begun))
  for (const group of [...begun].toReversed()) await inOrder(group.afterAll)
}

async function inOrder(bodies: readonly Body[]): Promise<void> {
  for (const body of bodies) await body()
}

export const beforeAll = (body: Body): unknown => groups.at(-1)!.beforeAll.push(body)
export const afterAll = (body: Body): unknown => groups.at(-1)!.afterAll.push(body)
export const beforeEach = (body: Body): unknown => groups.at(-1)!.beforeEach.push(body)
export const afterEach = (body: Body): unknown => groups.at(-1)!.afterEach.push(body)

function addGroup(name: string, body: () => void): void {
  groups.push(newGroup(name))
  body()
  groups.pop()
}

/** The body may come second or third: vitest takes options between, of which none counts here. */
function addCase(name: string, second: unknown, third?: unknown): void {
  const body = [second, third].find((each) => typeof each === 'function') as () => unknown
  if (!body) throw new Error(`no test is in ${name}`)
  const words = [...groups.map((group) => group.name), name]
  cases.push({ name: words.join(' > '), groups: [...groups], body })
}

/** `each` of vitest: a row that is an array is the arguments. */
function each(add: (name: string, body: () => never) => void) {
  return (rows: readonly unknown[]) =>
    (name: string, second: unknown, third?: unknown): void => {
      const body = [second, third].find((one) => typeof one === 'function') as Body
      for (const row of rows) {
        const args = Array.isArray(row) ? row : [row]
        add(format(name, ...args), () => body(...(args as never[])) as never)
      }
    }
}

const skipped = (): void => {}
export const describe = Object.assign(addGroup, { each: each(addGroup), skip: skipped })
export const it = Object.assign(addCase, {
  ...{ each: each(addCase), skip: skipped },
  skipIf: (skip: unknown) => (skip ? skipped : addCase),
})
export const test = it
