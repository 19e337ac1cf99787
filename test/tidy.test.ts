/**
 * How the code reads, as far as a machine can tell: openings, lengths, forbidden forms and words.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { filesBelow, lineOf, parse, ROOT, type Source, sources, walk } from './support/tree.ts'

const MOST_LINES = 250
/** The hard bound; tests, which list cases, have only this one. */
const HARD_LINES = 400
const MOST_FUNCTION_LINES = 70
const MOST_COLUMNS = 100

/** Files longer than the rule, each with its bound and its reason. */
const LONG: Readonly<Record<string, { most: number; because: string }>> = {
  'contracts/base/errors.ts': { most: 600, because: 'one table, an entry a code' },
  'client/runJob.ts': { most: 290, because: 'one driver whose parts share the state of one run' },
  'contracts/base/limits.ts': { most: 400, because: 'one table, an entry a bound with its reason' },
}

/** Reading the time, drawing and waiting are for these alone; everyone else gets a port. */
const MAY_TELL_TIME = /^(?:node\/system|test)\//
const CLOCKS =
  /^(?:globalThis\.)?(?:Date\.now|Math\.random|performance\.now|setTimeout|setInterval)$/

const ASSEMBLY = /^node\/matching\/assembly\//

/** Every way in which one source breaks the rules. */
function untidy(source: Source): string[] {
  return [...lengths(source), ...opening(source), ...forms(source)].map(
    ({ line, rule }) => `${source.path}:${line} ${rule}`,
  )
}

interface Finding {
  readonly line: number
  readonly rule: string
}

function lengths({ path, lines }: Source): Finding[] {
  const bound = LONG[path]?.most ?? (path.startsWith('test/') ? HARD_LINES : MOST_LINES)
  const found: Finding[] = lines.flatMap((line, i) =>
    line.length > MOST_COLUMNS ? [{ line: i + 1, rule: `has ${line.length} columns` }] : [],
  )
  const count = lines.length - 1 // the last line ends too
  if (count > bound) found.push({ line: count, rule: `has ${count} lines, ${bound} at most` })
  return found
}

function opening({ text }: Source): Finding[] {
  const doc = /^(?:#![^\n]*\n)?\/\*\*\n([\s\S]*?)\*\//.exec(text)?.[1] ?? ''
  const said = doc.slice(0, doc.indexOf('@module')).replaceAll(/[\s*]+/g, ' ')
  const opens = doc.includes('@module') && said.trim().length >= 30
  return opens ? [] : [{ line: 1, rule: 'does not open with a @module paragraph' }]
}

function forms({ path, tree }: Source): Finding[] {
  const found: Finding[] = []
  const tested = path.startsWith('test/')
  walk(tree, (node) => {
    const rule = form(node, path) ?? (tested ? undefined : longFunction(node, tree))
    if (rule) found.push({ line: lineOf(tree, node), rule })
  })
  return found
}

function form(node: ts.Node, path: string): string | undefined {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return 'says any'
  if (ts.isEnumDeclaration(node)) return 'has an enum'
  // AssemblyScript says by decorators what its compiler shall inline.
  if (ts.isDecorator(node) && !ASSEMBLY.test(path)) return 'has a decorator'
  const exported = ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword
  if (exported && !ts.isDefaultClause(node) && path !== 'vitest.config.ts') {
    return 'has a default export'
  }
  if (ts.isThrowStatement(node) && ts.isStringLiteralLike(node.expression)) return 'throws a string'
  if (MAY_TELL_TIME.test(path)) return undefined
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date') {
    return node.arguments?.length ? undefined : 'reads the clock by new Date()'
  }
  const named = ts.isPropertyAccessExpression(node) || ts.isIdentifier(node)
  if (!named || !isValue(node) || !CLOCKS.test(node.getText())) return undefined
  return `uses ${node.getText()}: time and chance come through ports`
}

/** True where a name is used, not where a property or a parameter happens to be called so. */
function isValue(node: ts.Node): boolean {
  const parent = node.parent
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  return ts.isCallExpression(parent) || ts.isVariableDeclaration(parent)
    ? !ts.isVariableDeclaration(parent) || parent.initializer === node
    : ts.isPropertyAssignment(parent) && parent.initializer === node
}

function longFunction(node: ts.Node, tree: ts.SourceFile): string | undefined {
  if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return undefined
  const start = lineOf(tree, node)
  const lines = tree.getLineAndCharacterOfPosition(node.end).line + 2 - start
  return lines > MOST_FUNCTION_LINES ? `is a function of ${lines} lines` : undefined
}

/** Words for later, and names of the place where the code was made. Written so as not to match. */
const WORDS = [/\bTO[D]O\b/, /\bFI[X]ME\b/, /\bXX[X]\b/, /\/wor[k]\//, /\.\.\/share[d]\b/]
/** A default of an environment variable may name a folder beside the repository. */
const ENVIRONMENT = /process\.env\.[A-Z_]+ \?\?/

function words(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, i) => {
    const word = ENVIRONMENT.test(line) ? undefined : WORDS.find((each) => each.test(line))
    return word ? [`${path}:${i + 1} says ${word.exec(line)?.[0]}`] : []
  })
}

const tree = sources()

describe('the tree', () => {
  it('is tidy', () => {
    expect(tree.flatMap(untidy)).toEqual([])
    expect(tree.length).toBeGreaterThan(20)
  })

  it('has no forbidden words in anything a person wrote', () => {
    const written = /\.(?:ts|md|tolk|proto|tlb|html|css|yaml|sh|py|mjs|js)$|(?:^|\/)package\.json$/
    const paths = filesBelow('.', (path) => written.test(path))
    expect(paths.flatMap((path) => words(path, readFileSync(join(ROOT, path), 'utf8')))).toEqual([])
    expect(paths).toContain('contracts/base/errors.ts')
  })

  it('lists no long file that is short or gone', () => {
    const stale = Object.keys(LONG).filter(
      (path) => (tree.find((source) => source.path === path)?.lines.length ?? 0) <= MOST_LINES,
    )
    expect(stale).toEqual([])
  })
})

describe('the rules themselves', () => {
  const OPENING = '/**\n * What this file is for, in a sentence.\n * @module\n */\n'
  const of = (code: string, path = 'node/x/a.ts'): string[] => untidy(parse(path, OPENING + code))

  it('let good code pass', () => {
    const good = [
      `export const later = (clock: Clock) => clock.after(5, () => {})`,
      `interface Timers { setTimeout(ms: number): void }`,
      `const at = new Date(0)`,
      `switch (x) { default: break }`,
      `declare const timers: Timers; timers.setTimeout(5)`,
    ]
    for (const code of good) expect(of(code)).toEqual([])
    expect(of('setTimeout(f, 1)', 'node/system/a.ts')).toEqual([])
    expect(of('export default {}', 'vitest.config.ts')).toEqual([])
    expect(untidy(parse('scripts/a.ts', `#!/usr/bin/env node\n${OPENING}`))).toEqual([])
  })

  it.each([
    ['const x: any = 1', 'any'],
    ['enum A { B }', 'enum'],
    ['export default 1', 'default export'],
    ['export default function f() {}', 'default export'],
    ['@d class A {}', 'decorator'],
    ['const x = Date.now()', 'Date.now'],
    ['const x = { now: Date.now }', 'Date.now'],
    ['const x = globalThis.Math.random()', 'Math.random'],
    ['setTimeout(f, 1)', 'setTimeout'],
    ['const later = setInterval', 'setInterval'],
    ['const x = performance.now()', 'performance.now'],
    ['const x = new Date()', 'new Date'],
    [`throw 'x'`, 'throws a string'],
    [`const x = '${'x'.repeat(100)}'`, 'columns'],
    [`function f() {\n${'g()\n'.repeat(70)}}`, 'function of 72 lines'],
    ['g()\n'.repeat(247), '251 lines'],
  ])('refuse %j', (code, rule) => {
    const found = of(code)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(rule)
  })

  it('refuse a file that does not say what it is', () => {
    for (const text of [
      '',
      'x()',
      '/** @module */\n',
      '/**\n * What it is for, in a sentence.\n */',
    ]) {
      expect(untidy(parse('node/x/a.ts', text))).toEqual([expect.stringContaining('@module')])
    }
  })

  it('find words, but not in the default of an environment variable', () => {
    const later = `// ${'TO'}DO: more`
    expect(words('a.ts', `x\n${later}`)).toEqual([`a.ts:2 says ${'TO'}DO`])
    const folder = `'${'../'}shared/vectors'`
    expect(words('a.ts', `read(${folder})`)).toHaveLength(1)
    expect(words('a.ts', `process.env.VECTORS_DIR ?? ${folder}`)).toEqual([])
  })
})
