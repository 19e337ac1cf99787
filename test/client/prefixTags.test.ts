/**
 * Prefix tags: equal for equal beginnings of one client, and telling nobody else anything.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { prefixTags } from '../../client/prefixTags.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { secret } from '../../contracts/base/secret.ts'

const mine = secret('cache key', new Uint8Array(32).fill(1))
const theirs = secret('cache key', new Uint8Array(32).fill(2))
const user = (content: string) => ({ role: 'user' as const, content })
const assistant = (content: string) => ({ role: 'assistant' as const, content })

describe('prefix tags', () => {
  it('are one a prefix, 64 bits, and the same for the same beginning', () => {
    const short = prefixTags(mine, 'm', [user('Hi'), assistant('Hello')])
    const long = prefixTags(mine, 'm', [user('Hi'), assistant('Hello'), user('And?')])
    expect(short).toHaveLength(2)
    for (const tag of long) expect(tag).toMatch(/^[0-9a-f]{16}$/)
    expect(long.slice(0, 2)).toEqual(short)
    expect(new Set(long).size).toBe(3)
  })

  it('differ for another client, model, role or way of dividing the text', () => {
    const [tag] = prefixTags(mine, 'm', [user('Hi')])
    expect(prefixTags(theirs, 'm', [user('Hi')])).not.toContain(tag)
    expect(prefixTags(mine, 'n', [user('Hi')])).not.toContain(tag)
    expect(prefixTags(mine, 'm', [assistant('Hi')])).not.toContain(tag)
    expect(prefixTags(mine, 'm', [user('H'), user('i')])).not.toContain(tag)
  })

  it('of a long conversation are those of its longest beginnings', () => {
    const messages = Array.from({ length: 40 }, (_, i) => user(`message ${i}`))
    const tags = prefixTags(mine, 'm', messages)
    expect(tags).toHaveLength(LIMITS.prefixTags)
    expect(tags.at(-1)).toBe(prefixTags(mine, 'm', messages).at(-1))
    expect(prefixTags(mine, 'm', messages.slice(0, 39))).toContain(tags.at(-2))
  })
})
