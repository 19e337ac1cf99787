/**
 * Writes the pages that are made from code: `docs/errors.md` from the catalogue of errors and the
 * exit codes of the contracts, `docs/limits.md` from the limits and the comments that give their
 * reasons. Tests compare the pages with what this makes: run `node scripts/docs.ts` after a change.
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CATALOGUE } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'

const ROOT = join(import.meta.dirname, '..')

/** The pages by path from the root, as they should be. */
export function pages(): Record<string, string> {
  const limits = readFileSync(join(ROOT, 'contracts/base/limits.ts'), 'utf8')
  return { 'docs/errors.md': errorsPage(contractErrors()), 'docs/limits.md': limitsPage(limits) }
}

/** One row for each code of the catalogue, then the exit codes of the contracts. */
export function errorsPage(contracts: Readonly<Record<string, string>>): string {
  const rows = Object.entries(CATALOGUE).map(
    ([code, { message, action, status, exit }]) =>
      `| \`${code}\` | ${message} | ${action} | ${status} | ${exit} |`,
  )
  const sections = Object.entries(contracts).flatMap(([contract, source]) => [
    '',
    `### ${contract}`,
    '',
    '| exit code | name | where |',
    '|---|---|---|',
    ...exitCodes(source).map(({ code, name, where }) => `| ${code} | \`${name}\` | ${where} |`),
  ])
  return [
    '# Errors',
    '',
    'Every failure has one of these codes, wherever it surfaces: in the SDK as `error.code`, over',
    'HTTP in the body with this status, from the command with this exit code and, with `--json`,',
    'as `{"ok":false,"error":{"code","message","action"}}`. Exit codes: 2 input, 3 refused by the',
    'market, 4 money, 5 not proved, 6 unreachable, 7 fault.',
    '',
    'This page is made by `node scripts/docs.ts`.',
    '',
    '| code | message | what to do | HTTP | exit |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## Exit codes of the contracts',
    '',
    'What `contract-failed` carries: how a contract on TON refused a message.',
    ...sections,
    '',
  ].join('\n')
}

/** One table for each section of the limits, values as the program has them. */
export function limitsPage(source: string): string {
  const out = [
    '# Limits',
    '',
    'Every bound of the system with its reason, from `contracts/base/limits.ts`. A name ends in',
    'its unit where it has one: `Ms`, `S`, `Bytes`.',
    '',
    'This page is made by `node scripts/docs.ts`.',
  ]
  for (const { section, name, reason } of limitEntries(source)) {
    if (section !== undefined) out.push('', `## ${section}`, '', '| limit | value | reason |')
    if (section !== undefined) out.push('|---|---|---|')
    const value = Object.entries(LIMITS).find(([key]) => key === name)?.[1]
    out.push(`| \`${name}\` | ${value?.toLocaleString('en-GB')} | ${reason} |`)
  }
  return [...out, ''].join('\n')
}

interface LimitEntry {
  /** Where the entry opens a section. */
  readonly section?: string
  readonly name: string
  /** The comment above it, or above the first of a run of entries. */
  readonly reason: string
}

/** The entries of the limits file in order; `// Section.` lines and doc comments are its prose. */
export function limitEntries(source: string): LimitEntry[] {
  const body = source.slice(source.indexOf('export const LIMITS'))
  const token = /^ {2}\/\/ (.+)\.$|^ {2}\/\*\*([\s\S]*?)\*\/$|^ {2}(\w+):/gm
  const entries: LimitEntry[] = []
  let section: string | undefined
  let reason = ''
  for (const [, heading, comment, name] of body.matchAll(token)) {
    if (heading !== undefined) section = heading
    else if (comment !== undefined) reason = comment.replaceAll(/[\s*]+/g, ' ').trim()
    else if (name !== undefined) {
      entries.push({ section, name, reason })
      section = undefined
    }
  }
  return entries
}

function contractErrors(): Record<string, string> {
  const folder = join(ROOT, 'contracts/tolk')
  const sources: Record<string, string> = {}
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const { name } = entry
    const files = entry.isDirectory() ? readdirSync(join(folder, name)) : []
    if (!files.includes('errors.tolk')) continue
    sources[name] = readFileSync(join(folder, name, 'errors.tolk'), 'utf8')
  }
  return sources
}

function exitCodes(source: string): { code: number; name: string; where: string }[] {
  const line = /^const ERROR_(\w+) = (\w+)(?:\s*\/\/ (.*))?$/gm
  return [...source.matchAll(line)].map(([, name = '', code, where = '']) => ({
    code: Number(code),
    name: name.toLowerCase().replaceAll('_', '-'),
    where,
  }))
}

if (import.meta.main) {
  for (const [path, page] of Object.entries(pages())) writeFileSync(join(ROOT, path), page)
}
