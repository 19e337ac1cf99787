/**
 * The sources of this repository for the tests that watch the house rules: every TypeScript file,
 * parsed, with what it imports. Generated code is not in it.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import ts from 'typescript'

export const ROOT = join(import.meta.dirname, '../..')

export interface Import {
  /** As written: `node:fs`, `@ton/core`, `./bytes.ts`; empty where it is computed. */
  readonly specifier: string
  /** The file it names inside the repository, from the root, where it is relative. */
  readonly target?: string
  readonly line: number
}

export interface Source {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly lines: readonly string[]
  readonly tree: ts.SourceFile
  readonly imports: readonly Import[]
}

const SKIPPED = new Set(['node_modules', 'dist', '.git', 'data'])

/** Paths of all files below `folder` that `wanted` accepts, sorted. */
export function filesBelow(folder: string, wanted: (path: string) => boolean): string[] {
  const found: string[] = []
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) found.push(...filesBelow(path, wanted))
    else if (entry.isFile() && wanted(path)) found.push(path)
  }
  return found.sort()
}

/** Every TypeScript source, parsed. */
export function sources(): Source[] {
  const wanted = (path: string): boolean => path.endsWith('.ts') && !path.endsWith('_pb.ts')
  return filesBelow('.', wanted).map((path) => parse(path, readFileSync(join(ROOT, path), 'utf8')))
}

/** One source, from its text. */
export function parse(path: string, text: string): Source {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  return { path, text, lines: text.split('\n'), tree, imports: importsOf(path, tree) }
}

/** Calls `visit` for a node and everything below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** The line of a node, from 1. */
export function lineOf(tree: ts.SourceFile, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
}

/** Static, type-only, re-exporting, `import('..')` types, dynamic imports, and `require`. */
function importsOf(path: string, tree: ts.SourceFile): Import[] {
  const found: Import[] = []
  const add = (node: ts.Node, name: ts.Node | undefined): void => {
    const specifier = name && ts.isStringLiteralLike(name) ? name.text : ''
    const line = lineOf(tree, node)
    if (!specifier.startsWith('.')) found.push({ specifier, line })
    else found.push({ specifier, line, target: resolve(path, specifier) })
  }
  walk(tree, (node) => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier)
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier) add(node, node.moduleSpecifier)
    else if (ts.isImportTypeNode(node)) {
      add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined)
    } else if (ts.isCallExpression(node)) {
      const called = node.expression
      const dynamic = called.kind === ts.SyntaxKind.ImportKeyword
      const required = ts.isIdentifier(called) && called.text === 'require'
      const [name] = node.arguments // a function of one's own may be called require
      if (dynamic || (required && name && ts.isStringLiteralLike(name))) add(node, name)
    }
  })
  return found
}

function resolve(path: string, specifier: string): string {
  return relative(ROOT, join(ROOT, dirname(path), specifier)).replaceAll('\\', '/')
}
