/**
 * The documents are true where a machine can tell: every path they name exists, every npm script
 * and every verb they show is there.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
const VERBS = readFileSync(join(ROOT, 'scripts/cli/verbs.ts'), 'utf8')
const SCRIPTS = Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts)

describe.each(DOCUMENTS)('%s', (name) => {
  const text = readFileSync(join(ROOT, name), 'utf8')

  it('names only paths that exist', () => {
    const linked = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1]!)
    const quoted = [...text.matchAll(/`((?:contracts|node|client|scripts|test|docs)\/[\w./-]+)`/g)]
    const paths = [...linked, ...quoted.map((match) => match[1]!)]
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  it('shows only npm scripts that exist', () => {
    const used = [...text.matchAll(/npm run (?:-s )?([\w:]+)/g)].map((match) => match[1]!)
    expect(used.filter((script) => !SCRIPTS.includes(script))).toEqual([])
  })

  it('shows only verbs that the command has', () => {
    const used = [...text.matchAll(/(?:npm run -s chrysalis --|`chrysalis) ([a-z]+)/g)]
    const verbs = [...new Set(used.map((match) => match[1]!))]
    expect(verbs.filter((verb) => !VERBS.includes(`import('./${verb}.ts')`))).toEqual([])
  })
})
