/**
 * Builds `dist/`, what the packed package consists of: Node refuses TypeScript under
 * `node_modules`, so the sources become JavaScript and declarations by plain `tsc`, and what they
 * read beside them (compiled contracts, the committed model, vocabularies, pages) is copied along.
 *
 * `node scripts/build.ts [--out FOLDER]`; the exit code is that of `tsc`.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const ROOT = join(import.meta.dirname, '..')
/** The folders that ship. */
const SHIPPED = ['contracts', 'node', 'client', 'scripts/cli', 'scripts/market']
/** Sources and notes: not needed to run. */
const LEFT = /\.(?:ts|md|tolk|proto|tlb|fift|py|tsv)$|(?:^|\/)buf[^/]*\.yaml$/

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } })
  process.exitCode = build(resolve(ROOT, values.out))
}

/** Compiles and copies into `out`, which is emptied first. Gives the exit code of `tsc`. */
export function build(out: string): number {
  rmSync(out, { recursive: true, force: true })
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const flags = ['--project', join(ROOT, 'tsconfig.build.json'), '--outDir', out]
  const { status } = spawnSync(process.execPath, [tsc, ...flags], { cwd: ROOT, stdio: 'inherit' })
  for (const asset of assets()) cpSync(join(ROOT, asset), join(out, asset))
  const command = join(out, 'scripts/cli/main.js')
  if (existsSync(command)) chmodSync(command, 0o755)
  return status ?? 1
}

/** Files beside the sources that they read when they run, from the root. */
export function assets(): string[] {
  return SHIPPED.filter((folder) => existsSync(join(ROOT, folder))).flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
      .filter((path) => !LEFT.test(path)),
  )
}
