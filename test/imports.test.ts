/**
 * Imports go one way: the rules of the house over every import of the tree, type-only and dynamic
 * ones included, and no cycles, neither of files nor of rooms.
 * @module
 */
import { isBuiltin } from 'node:module'
import { describe, expect, it } from 'vitest'
import { type Import, parse, type Source, sources } from './support/tree.ts'

const ADAPTERS = ['net', 'chain', 'store', 'http', 'system']
const CLIENT_MAY = ['net', 'chain', 'store', 'http', 'settlement', 'system']
/** Libraries without sockets, files, clocks: what `contracts` may use. */
const PURE = [
  '@ton/core',
  '@ton/crypto',
  '@noble/',
  '@panva/hpke-noble',
  'hpke',
  '@bufbuild/protobuf',
  'jose',
]
/** Where `contracts` may use node:crypto. */
const CRYPTO = /^contracts\/(?:seal\/|attest\/|base\/signing\.ts$)/

const isIn = (path: string, folders: readonly string[], parent: string): boolean =>
  folders.some((folder) => path.startsWith(`${parent}/${folder}/`))
const starts = (path: string, ...folders: readonly string[]): boolean =>
  folders.some((folder) => path.startsWith(`${folder}/`))
const isOneOf = (name: string, libraries: readonly string[]): boolean =>
  libraries.some((lib) => name === lib || name.startsWith(lib.endsWith('/') ? lib : `${lib}/`))

/** The rule that an import breaks, or nothing. */
function broken(from: string, { specifier, target }: Import): string | undefined {
  if (target === undefined) return brokenOutside(from, specifier)
  if (starts(from, 'test')) {
    return starts(target, 'scripts/cli') ? 'the command is tested as a process' : undefined
  }
  if (starts(target, 'test')) return 'only test imports test'
  if (starts(from, 'scripts')) return undefined
  if (starts(target, 'scripts')) return 'only scripts and test import scripts'
  if (starts(target, 'node/localnet') && !starts(from, 'node/localnet')) {
    return 'only scripts and test import localnet'
  }
  if (starts(from, 'contracts')) {
    return starts(target, 'contracts') ? undefined : 'contracts imports only itself'
  }
  if (starts(from, 'client')) {
    const may = starts(target, 'client', 'contracts') || isIn(target, CLIENT_MAY, 'node')
    return may ? undefined : `client imports contracts and node/{${CLIENT_MAY}} only`
  }
  return starts(from, 'node') ? brokenInNode(from, target) : undefined
}

function brokenInNode(from: string, target: string): string | undefined {
  if (starts(target, 'client')) return 'nothing in node imports client'
  const room = from.split('/')[1]!
  const own = starts(target, `node/${room}`)
  if (own) return undefined
  if (room === 'matching') {
    return starts(target, 'contracts/base') ? undefined : 'matching imports only contracts/base'
  }
  if (ADAPTERS.includes(room) && !starts(target, 'contracts'))
    return 'adapters import only contracts'
  if (room === 'audit' && isIn(target, ['scheduler', 'provider'], 'node')) {
    return 'audit takes no part in the market'
  }
  if (room === 'scheduler' && starts(target, 'node/provider')) return 'scheduler and provider'
  if (room === 'provider' && starts(target, 'node/scheduler')) return 'scheduler and provider'
  return undefined
}

function brokenOutside(from: string, name: string): string | undefined {
  if (name === '') return starts(from, 'test') ? undefined : 'an import is named, not computed'
  if (isBuiltin(name) && !name.startsWith('node:')) return 'built-in modules are named node:'
  if (starts(from, 'node/matching')) return 'matching uses no library'
  if (!starts(from, 'contracts')) return undefined
  if (name === 'node:crypto') return CRYPTO.test(from) ? undefined : 'node:crypto outside its rooms'
  return isOneOf(name, PURE) ? undefined : 'contracts uses pure libraries only'
}

/** One cycle of a graph, as a path that ends where it began; nothing where there is none. */
function cycle(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const finished = new Set<string>()
  const visit = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (finished.has(node)) return undefined
    for (const next of graph.get(node) ?? []) {
      const found = visit(next, [...path, node])
      if (found) return found
    }
    finished.add(node)
    return undefined
  }
  for (const node of graph.keys()) {
    const found = visit(node, [])
    if (found) return found
  }
  return undefined
}

/** Who imports whom, among what `name` makes of the paths. */
function graphOf(all: readonly Source[], name: (path: string) => string) {
  const graph = new Map<string, Set<string>>()
  for (const { path, imports } of all) {
    const from = name(path)
    const targets = graph.get(from) ?? new Set()
    graph.set(from, targets)
    for (const { target } of imports) {
      if (target !== undefined && name(target) !== from) targets.add(name(target))
    }
  }
  return graph
}

/** `node/net`, `contracts/base`, `client`, `scripts/cli`; test is no room. */
const roomOf = (path: string): string => {
  const [first, second, third] = path.split('/')
  const whole = first === 'test' || first === 'client' || third === undefined
  return whole ? first! : `${first}/${second}`
}

const tree = sources()

describe('the tree', () => {
  it('breaks no import rule', () => {
    const violations = tree.flatMap(({ path, imports }) =>
      imports.flatMap((each) => {
        const rule = broken(path, each)
        return rule ? [`${path}:${each.line} imports ${each.specifier}: ${rule}`] : []
      }),
    )
    expect(violations).toEqual([])
    expect(tree.length).toBeGreaterThan(20)
  })

  it('has no cycle of files', () => {
    expect(cycle(graphOf(tree, (path) => path))).toBeUndefined()
  })

  it('has no cycle of rooms', () => {
    expect(cycle(graphOf(tree, roomOf))).toBeUndefined()
  })
})

describe('the rules themselves', () => {
  const ruleOf = (path: string, code: string): string | undefined => {
    const { imports } = parse(path, code)
    expect(imports).toHaveLength(1)
    return broken(path, imports[0]!)
  }

  it.each([
    ['contracts/money/a.ts', `import { x } from '../base/x.ts'`],
    ['contracts/money/a.ts', `import { Cell } from '@ton/core'`],
    ['contracts/seal/a.ts', `import { hkdfSync } from 'node:crypto'`],
    ['contracts/base/signing.ts', `import { sign } from 'node:crypto'`],
    ['node/matching/a.ts', `import { x } from '../../contracts/base/x.ts'`],
    ['node/net/a.ts', `import type { x } from '../../contracts/wire/x.ts'`],
    ['node/scheduler/a.ts', `import { x } from '../matching/x.ts'`],
    ['client/a.ts', `const x = await import('../node/settlement/x.ts')`],
    ['node/audit/a.ts', `import { x } from '../backends/x.ts'`],
    ['scripts/market/a.ts', `import { x } from '../../node/localnet/x.ts'`],
    ['test/node/net/a.ts', `import { x } from '../../../node/localnet/x.ts'`],
  ])('%s may: %s', (path, code) => {
    expect(ruleOf(path, code)).toBeUndefined()
  })

  it.each([
    ['contracts/money/a.ts', `import { x } from '../../node/net/x.ts'`],
    ['contracts/money/a.ts', `import type { x } from '../../client/x.ts'`],
    ['contracts/money/a.ts', `import { createHash } from 'node:crypto'`],
    ['contracts/money/a.ts', `import { readFileSync } from 'node:fs'`],
    ['contracts/money/a.ts', `import { readFileSync } from 'fs'`],
    ['contracts/money/a.ts', `import { TonClient } from '@ton/ton'`],
    ['contracts/money/a.ts', `let a: import('node:net').Socket`],
    ['node/matching/a.ts', `export { x } from '../../contracts/money/x.ts'`],
    ['node/matching/a.ts', `const x = await import('node:fs')`],
    ['node/matching/a.ts', `import { x } from '@ton/core'`],
    ['node/store/a.ts', `import { x } from '../net/x.ts'`],
    ['node/audit/a.ts', `import { x } from '../provider/x.ts'`],
    ['node/scheduler/a.ts', `const x = await import('../provider/x.ts')`],
    ['node/provider/a.ts', `let a: import('../scheduler/x.ts').X`],
    ['node/provider/a.ts', `import type { X } from '../../client/x.ts'`],
    ['node/provider/a.ts', `import { x } from '../localnet/x.ts'`],
    ['node/provider/a.ts', `import { x } from '../../scripts/x.ts'`],
    ['node/provider/a.ts', `import { x } from '../../test/x.ts'`],
    ['node/provider/a.ts', 'const x = await import(name)'],
    ['client/a.ts', `import { x } from '../node/matching/x.ts'`],
    ['client/a.ts', `import { x } from '../node/localnet/x.ts'`],
    ['test/scripts/a.ts', `import { x } from '../../scripts/cli/x.ts'`],
  ])('%s may not: %s', (path, code) => {
    expect(ruleOf(path, code)).toBeDefined()
  })

  it('cycles are found, whatever the kind of import', () => {
    const files = [
      parse('node/a/x.ts', `import type { Y } from '../b/y.ts'`),
      parse('node/b/y.ts', `const z = await import('../c/z.ts')`),
      parse('node/c/z.ts', `export { v } from './v.ts'`),
    ]
    expect(cycle(graphOf(files, roomOf))).toBeUndefined()
    files.push(parse('node/c/v.ts', `let a: import('../a/x.ts').A`))
    expect(cycle(graphOf(files, roomOf))).toEqual(['node/a', 'node/b', 'node/c', 'node/a'])
    expect(cycle(graphOf(files, (path) => path))).toHaveLength(5)
  })
})
