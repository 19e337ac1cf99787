/**
 * A secret shows itself nowhere but where `reveal` is written, however it is printed.
 * @module
 */
import { format, inspect } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { Secret, secret } from '../../../contracts/base/secret.ts'
import { redact } from '../../../node/system/redact.ts'

const CANARY = 'canary-4b1d'
const hidden = secret('prompt', { messages: [{ role: 'user', content: CANARY }] })
const text = secret('passphrase', CANARY)

/** Every way in which a value ends as text or as another object, by name. */
const WAYS: Readonly<Record<string, (value: object) => unknown>> = {
  String: (value) => String(value),
  template: (value) => `${value}`,
  concatenation: (value) => `a${String(value)}`,
  primitive: (value) => ['', value].join('-'),
  JSON: (value) => JSON.stringify(value),
  'JSON of a holder': (value) => JSON.stringify({ a: [value] }),
  inspect: (value) => inspect(value),
  'inspect everything': (value) =>
    inspect({ value }, { showHidden: true, depth: null, getters: true, showProxy: true }),
  'inspect without custom': (value) => inspect(value, { customInspect: false, showHidden: true }),
  'format %s %o %O %j': (value) => format('%s %o %O %j', value, value, value, value),
  spread: (value) => inspect({ ...value }),
  entries: (value) => inspect(Object.entries(value)),
  'all own properties': (value) => inspect(Object.getOwnPropertyDescriptors(value)),
  reflection: (value) => inspect(Reflect.ownKeys(value)),
  structuredClone: (value) => inspect(structuredClone(value)),
  'v8.serialize': (value) => serialize(value).toString('latin1'),
  'v8 there and back': (value) => inspect(deserialize(serialize(value))),
  assign: (value) => inspect(Object.assign({}, value)),
  'a log line': (value) => JSON.stringify(redact({ job: { request: value }, list: [value] })),
  'an error': (value) => inspect(new Error(`failed: ${value}`, { cause: value })),
}

describe('a secret', () => {
  it.each(Object.entries(WAYS))('is not shown by %s', (_, way) => {
    for (const value of [hidden, text]) expect(way(value)).not.toContain(CANARY)
  })

  it('is shown by each of them where it is none: the control', () => {
    // Two of them look at names only, and a log line leaves out what is called content.
    const blind = ['reflection', 'String', 'template', 'concatenation', 'primitive', 'a log line']
    for (const [name, way] of Object.entries(WAYS)) {
      const plain = name === 'an error' || blind.includes(name) ? [CANARY] : { a: CANARY }
      if (name === 'reflection') continue
      expect([name, String(way(plain as object)).includes(CANARY)]).toEqual([name, true])
    }
  })

  it('is given by reveal, and says what it is', () => {
    expect(text.reveal()).toBe(CANARY)
    expect(`${text}`).toBe('[secret passphrase]')
    expect(inspect({ text })).toBe('{ text: [secret passphrase] }')
    expect(text.map('length', (value) => value.length).reveal()).toBe(CANARY.length)
    expect(text).toBeInstanceOf(Secret)
    expect(Object.isFrozen(text)).toBe(true)
  })

  it('is gone once wiped: bytes are zeroes, and reveal refuses', () => {
    const bytes = Uint8Array.of(1, 2, 3)
    const key = secret('key', bytes)
    key.wipe()
    expect([...bytes]).toEqual([0, 0, 0])
    expect(() => key.reveal()).toThrow(MarketError)
    const word = secret('word', CANARY)
    word.wipe()
    word.wipe()
    expect(() => word.map('w', String)).toThrow(MarketError)
  })
})
