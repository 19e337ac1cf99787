/**
 * The mutation of Tolk: what is changed and what is left alone; that no reason for a survivor is
 * stale; and a handful of mutants of the channel, killed. `npm run mutate:tolk` runs them all.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { explainedOf, mutantsOfGroup } from './campaign.ts'
import { groupOf } from './groups.ts'
import { lex } from './lex.ts'
import { keyOf, mutantsOf } from './mutants.ts'

const changes = (source: string): string[] =>
  mutantsOf('a.tolk', source).map(({ was, now }) => `${was} => ${now}`)

describe('tokens', () => {
  it('are told from comments and strings', () => {
    const source = 'a /* b < c */ "d < e" 0x1F // f\n"""g\n<""" x.y >>= 1_000'
    expect(lex(source).map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      ...['word a', 'string "d < e"', 'number 0x1F', 'string """g\n<"""', 'word x', 'sign .'],
      ...['word y', 'sign >>=', 'number 1_000'],
    ])
  })

  it('keep their places', () => {
    const source = 'fun f() { return 1 + 2; }'
    for (const { text, start, end } of lex(source)) expect(source.slice(start, end)).toBe(text)
  })

  it('must end', () => {
    expect(() => lex('x = "abc')).toThrow('no end')
    expect(() => lex('/* abc')).toThrow('no end')
  })
})

describe('mutants', () => {
  const body = (statements: string): string[] => changes(`fun f(x: int) {\n${statements}\n}`)

  it.each([
    ['assert (a == b) throw E;', 'assert (a == b) throw E; => '],
    ['assert (a == b) throw E;', 'assert (a == b) throw E; => assert (a != b) throw E;'],
    ['assert (a < b) throw E;', 'assert (a < b) throw E; => assert (!(a < b)) throw E;'],
    ['if (f(a) < b) {\nx = y;\n}', 'if (f(a) < b) { => if (f(a) <= b) {'],
    ['val x = min(a, b);', 'val x = min(a, b); => val x = max(a, b);'],
    ['return a + b;', 'return a + b; => return a - b;'],
    ['return a & b;', 'return a & b; => return a | b;'],
    ['return a >> 1;', 'return a >> 1; => return a << 1;'],
    ['return a >> 1;', 'return a >> 1; => return a >> 2;'],
    ['st.save();', 'st.save(); => '],
    ['send({ a: 1, b: P {} });', 'send({ a: 1, b: P {} }); => '],
    ['st.open = true;', 'st.open = true; => st.open = false;'],
    ['x.send(SEND_MODE_REGULAR);', 'send mode'],
  ])('of %j', (source, mutant) => {
    const found = body(source)
    const of = mutantsOf('a.tolk', `fun f(x: int) {\n${source}\n}`).map(({ operator }) => operator)
    expect([...found, ...of]).toContain(mutant)
  })

  it('of constants go either way, of error codes one', () => {
    expect(changes('const A = 5\nconst B = ton("0.01")\nconst ERROR_C = 7')).toEqual([
      ...['const A = 5 => const A = 6', 'const A = 5 => const A = 4'],
      ...['const B = ton("0.01") => const B = (ton("0.01") + 1)'],
      ...['const B = ton("0.01") => const B = (ton("0.01") - 1)'],
      'const ERROR_C = 7 => const ERROR_C = 8',
    ])
  })

  it('leave types, imports, declarations and comments alone', () => {
    expect(
      changes('import "a"\n// a < b; 1\nstruct S { a: Cell<int8>?  b: map<int32, int8> }'),
    ).toEqual([])
    expect(body('val x: Cell<int8> = y; // 5 < 6')).toEqual([])
  })

  it('of an equation negate it once', () => {
    expect(body('assert (a == b) throw E;')).toHaveLength(2)
  })

  it('with the same words in one function are told apart', () => {
    const keys = mutantsOf('a.tolk', 'fun f() {\nst.save();\nst.save();\n}').map(keyOf)
    expect(keys).toEqual(['a.tolk f: st.save(); => nothing', 'a.tolk f: st.save(); => nothing (2)'])
  })
})

describe('explained survivors', () => {
  const folder = new URL('explained/', import.meta.url)
  const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''))

  it.each(names)(
    'of %s are mutants of its sources as they are, each with a reason',
    async (name) => {
      const keys = new Set(mutantsOfGroup(groupOf(name)).map(keyOf))
      const explained = Object.entries(explainedOf(name))
      expect(explained.filter(([key]) => !keys.has(key))).toEqual([])
      expect(explained.filter(([, because]) => because.length < 20)).toEqual([])
    },
  )
})

it('a handful of the channel is killed', () => {
  const run = fileURLToPath(new URL('run.ts', import.meta.url))
  const options = [
    '--contract',
    'channel',
    '--only',
    'onExternalMessage: assert',
    '--sample',
    '2',
    '--unchecked',
  ]
  const table = execFileSync(process.execPath, [run, ...options], { encoding: 'utf8' })
  expect(table).toMatch(/channel +2 +2 +0 +0/)
}, 60_000)
