/**
 * `contracts/tolk/README.md` says what the sources say: the fields of every message that it shows,
 * and no getter that is not there.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const FOLDER = join(import.meta.dirname, '../../../contracts/tolk')
const README = readFileSync(join(FOLDER, 'README.md'), 'utf8')
const SOURCES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.tolk'))
  .map((name) => readFileSync(join(FOLDER, name), 'utf8'))

/** Fields of every message with an op, by name; of those with one name, each version. */
function messages(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const source of SOURCES) {
    for (const [, name, body] of source.matchAll(/struct \(0x\w+\) (\w+)(?:<\w+>)? \{([^}]*)\}/g)) {
      const fields = [...body!.matchAll(/^\s*(\w+):/gm)].map(([, field]) => field)
      found.set(name!, [...(found.get(name!) ?? []), fields.join(', ')])
    }
  }
  return found
}

describe('the README of the contracts', () => {
  it('shows messages as they are', () => {
    const known = messages()
    const shown = [...README.matchAll(/`([A-Z]\w+) \{([^}]*)\}`/g)]
    expect(shown.length).toBeGreaterThan(20)
    for (const [text, name, fields] of shown) {
      expect(known.get(name!), text).toContain(fields)
    }
  })

  it('names getters that are there, and every one of an audit', () => {
    const getters = new Set(
      SOURCES.flatMap((source) => [...source.matchAll(/get fun (\w+)/g)].map(([, name]) => name)),
    )
    const named = [...README.matchAll(/`(get_\w+)/g)].map(([, name]) => name)
    expect(named.filter((name) => !getters.has(name))).toEqual([])
    // What to sign, and a test jetton's own, are no figures.
    const others = ['get_voucher_hash', 'get_jetton_data', 'get_wallet_address', 'get_profile']
    expect([...getters].filter((name) => !named.includes(name)).toSorted()).toEqual(
      others.toSorted(),
    )
  })

  it('names functions that are there', () => {
    const rooms = ['wrappers', 'base'].map((room) => join(FOLDER, '..', room))
    const files = [...rooms, join(FOLDER, '../../node/audit')].flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFileSync(join(folder, name), 'utf8')),
    )
    const section = README.slice(README.indexOf('## What an audit reads'))
    const named = [...section.matchAll(/`([a-z]+[A-Z]\w+|[A-Z]+_[A-Z]+)`/g)].map(([, name]) => name)
    expect(new Set(named).size).toBeGreaterThan(7)
    for (const name of named) {
      const isThere = files.some((text) => RegExp(`export (?:async )?\\w+ ${name}\\b`).test(text))
      expect(isThere, name).toBe(true)
    }
  })
})
