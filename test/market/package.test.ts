/**
 * The packed package, installed elsewhere: built, packed by npm, unpacked in another folder beside
 * its dependencies (linked, since tests use no outside network), and used as a stranger would.
 * @module
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assets, build } from '../../scripts/build.ts'
import { filesBelow, ROOT } from '../support/tree.ts'

const home = mkdtempSync(join(tmpdir(), 'chrysalis-package-'))
const app = join(home, 'app')
const installed = join(app, 'node_modules/chrysalis')
afterAll(() => rmSync(home, { recursive: true }))

interface Ran {
  readonly out: string
  readonly error: string
  readonly exit: number | null
}

function run(command: string, args: readonly string[], cwd: string): Ran {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  return { out: stdout, error: stderr, exit: status }
}

/** Builds and packs a copy, so that the working tree stays as it is; gives the tarball. */
function pack(): string {
  const copy = join(home, 'copy')
  mkdirSync(copy)
  expect(build(join(copy, 'dist'))).toBe(0)
  const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  for (const name of ['package.json', ...files.filter((name: string) => name !== 'dist')]) {
    if (existsSync(join(ROOT, name)))
      cpSync(join(ROOT, name), join(copy, name), { recursive: true })
  }
  const packed = run('npm', ['pack', '--json', '--ignore-scripts', '--offline'], copy)
  expect(packed.exit, packed.error).toBe(0)
  return join(copy, readdirSync(copy).find((name) => name.endsWith('.tgz'))!)
}

/** Unpacks as npm would, with every dependency linked beside it. */
function install(tarball: string): void {
  mkdirSync(installed, { recursive: true })
  expect(run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed], home).exit).toBe(0)
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (name.startsWith('.')) continue
    symlinkSync(join(ROOT, 'node_modules', name), join(app, 'node_modules', name))
  }
  writeFileSync(join(app, 'package.json'), '{"type":"module"}')
}

describe.skipIf(!existsSync(join(ROOT, 'client/index.ts')))('the packed package', () => {
  beforeAll(() => install(pack()))

  it('holds every source compiled, every asset, and no TypeScript but declarations', () => {
    const dist = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
    const compiled = filesBelow('client', (path) => path.endsWith('.ts'))
    for (const path of compiled) expect(dist).toContain(path.replace(/\.ts$/, '.js'))
    for (const path of assets()) expect(dist).toContain(path)
    expect(dist.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([])
    expect(readdirSync(installed)).not.toContain('test')
  })

  it('is imported as chrysalis/client, from JavaScript', () => {
    const code = `import { connect } from 'chrysalis/client'; console.log(typeof connect)`
    const ran = run(process.execPath, ['--input-type=module', '-e', code], app)
    expect(ran).toMatchObject({ exit: 0, out: 'function\n' })
  })

  it('is imported with its types, from TypeScript', () => {
    const code = [
      `import { connect } from 'chrysalis/client'`,
      'const good: (options: { network: string }) => PromiseLike<unknown> = connect',
      'const bad: (options: { network: string }) => number = connect',
      'export { bad, good }',
    ]
    writeFileSync(join(app, 'use.ts'), code.join('\n'))
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2024']
    const modules = ['--module', 'nodenext', '--types', 'node']
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const ran = run(process.execPath, [tsc, ...options, ...modules, 'use.ts'], app)
    expect(ran.out.match(/error TS/g)).toHaveLength(1)
    expect(ran.out).toContain('use.ts(3,7)')
  })

  it('brings the command', () => {
    const { bin } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    const ran = run(process.execPath, [join(installed, bin.chrysalis), '--help'], app)
    expect(ran).toMatchObject({ exit: 0, error: '' })
    for (const verb of ['dev', 'run', 'match']) expect(ran.out).toContain(verb)
  })
})
