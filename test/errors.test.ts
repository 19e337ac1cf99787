/**
 * The pages about errors and limits say what the code says; the error class keeps its promises.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { asMarketError, CATALOGUE, isErrorCode, MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import { limitEntries, pages } from '../scripts/docs.ts'
import { ROOT } from './support/tree.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

describe('docs/errors.md', () => {
  const rows = [
    ...read('docs/errors.md').matchAll(/^\| `(.+?)` \| (.+) \| (.+) \| (\d+) \| (\d) \|$/gm),
  ]

  it('lists exactly the codes of the catalogue, each with its facts', () => {
    const listed = rows.map(([, code, message, action, status, exit]) => [
      code,
      { message, action, status: Number(status), exit: Number(exit) },
    ])
    expect(Object.fromEntries(listed)).toEqual(CATALOGUE)
    expect(rows).toHaveLength(Object.keys(CATALOGUE).length)
  })

  it('lists every exit code of the contracts', () => {
    const codes = [...read('contracts/tolk/channel/errors.tolk').matchAll(/^const \w+ = (\w+)/gm)]
    expect(codes.length).toBeGreaterThan(5)
    for (const [, code] of codes) expect(read('docs/errors.md')).toContain(`| ${Number(code)} | `)
  })
})

describe('docs/limits.md', () => {
  it('lists exactly the limits, each with a value and a reason', () => {
    const rows = [...read('docs/limits.md').matchAll(/^\| `(\w+)` \| ([\d,]+) \| (.+) \|$/gm)]
    const listed = rows.map(([, name, value]) => [name, BigInt(value!.replaceAll(',', ''))])
    const limits = Object.entries(LIMITS).map(([name, value]) => [name, BigInt(value)])
    expect(listed).toEqual(limits)
  })

  it('every limit stands under a comment that gives its reason', () => {
    const entries = limitEntries(read('contracts/base/limits.ts'))
    expect(entries.map(({ name }) => name)).toEqual(Object.keys(LIMITS))
    expect(entries.filter(({ reason }) => reason.length < 15)).toEqual([])
    const bare = limitEntries('export const LIMITS = {\n  // Things.\n  things: 3,\n}')
    expect(bare).toEqual([{ section: 'Things', name: 'things', reason: '' }])
  })
})

it.each(Object.entries(pages()))('%s is what `node scripts/docs.ts` writes', (path, page) => {
  expect(read(path)).toBe(page)
})

describe('the catalogue', () => {
  it.each(Object.entries(CATALOGUE))(
    '%s speaks to a person',
    (code, { message, action, ...of }) => {
      expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/)
      for (const sentence of [message, action]) expect(sentence).toMatch(/^[A-Z`].{8,}\.$/)
      expect(of.status).toBeGreaterThanOrEqual(400)
      expect([2, 3, 4, 5, 6, 7]).toContain(of.exit)
    },
  )

  it('knows its codes and no others', () => {
    expect(isErrorCode('price')).toBe(true)
    for (const code of ['', 'prices', 'constructor', 'toString'])
      expect(isErrorCode(code)).toBe(false)
  })
})

describe('MarketError', () => {
  it('carries status, exit and action of its code, and prints facts without cause or stack', () => {
    const cause = new Error('inner')
    const error = new MarketError('no-funds', { needed: 12n, of: undefined }, { cause })
    expect([error.status, error.exit, error.cause]).toEqual([402, 4, cause])
    expect(error.report()).toEqual({
      code: 'no-funds',
      message: `${CATALOGUE['no-funds'].message} (needed 12)`,
      action: CATALOGUE['no-funds'].action,
      facts: { needed: '12' },
    })
    expect(new MarketError('price').report()).not.toHaveProperty('facts')
    expect(new MarketError('price', {}, { action: 'Wait.' }).action).toBe('Wait.')
  })

  it('wraps what is none, bounded, and leaves its own alone', () => {
    const own = new MarketError('busy')
    expect(asMarketError(own)).toBe(own)
    const wrapped = asMarketError(new Error('x'.repeat(1_000)))
    expect([wrapped.code, String(wrapped.facts.detail).length]).toEqual(['internal', 300])
    expect(asMarketError('thrown text', 'unreachable')).toMatchObject({
      code: 'unreachable',
      facts: { detail: 'a string was thrown' },
    })
  })

  it('repeats no message of a kind that quotes the value it is about', () => {
    const thrown = (broken: () => unknown): unknown => {
      try {
        return broken()
      } catch (error) {
        return error
      }
    }
    const detail = (error: unknown) => asMarketError(error).facts.detail
    expect(detail(thrown(() => JSON.parse('a prompt')))).toBe('SyntaxError')
    expect(detail(thrown(() => Buffer.alloc('a prompt' as never)))).toBe(
      'TypeError ERR_INVALID_ARG_TYPE',
    )
    expect(detail(thrown(() => readFileSync('/nowhere')))).toContain('ENOENT')
  })
})
