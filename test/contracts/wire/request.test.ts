/**
 * The sealed request in the clear: what comes back, and that each bound is held on both sides.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { encodeRequest, type JobRequest, parseRequest } from '../../../contracts/wire/request.ts'

const user = { role: 'user', content: 'Hello!' } as const
const request: JobRequest = { messages: [user], maxTokens: 10 }
const full: JobRequest = {
  messages: Array(LIMITS.messages).fill(user),
  maxTokens: LIMITS.maxTokens,
  temperature: 2,
  topP: 1,
  seed: 2 ** 32 - 1,
  stop: Array(LIMITS.stopTexts).fill('x'.repeat(LIMITS.stopLength)),
}

const parse = (value: unknown) => parseRequest(utf8(JSON.stringify(value)))

describe('a request', () => {
  it.each([
    ['the least', request],
    ['at every bound', full],
  ])('comes back as it was: %s', (_, one) => {
    expect(parseRequest(encodeRequest(one))).toEqual(one)
  })

  it.each<[string, object]>([
    ['messages', { messages: [] }],
    ['messages', { messages: [...full.messages, user] }],
    ['messages', { messages: [{ role: 'tool', content: 'x' }] }],
    ['messages', { messages: [{ role: 'user', content: ['x'] }] }],
    ['messages', { messages: [{ ...user, name: 'x' }] }],
    ['maxTokens', { maxTokens: 0 }],
    ['maxTokens', { maxTokens: 1.5 }],
    ['maxTokens', { maxTokens: LIMITS.maxTokens + 1 }],
    ['temperature', { temperature: -0.1 }],
    ['temperature', { temperature: 2.1 }],
    ['topP', { topP: 1.1 }],
    ['seed', { seed: 2 ** 32 }],
    ['stop', { stop: [''] }],
    ['stop', { stop: ['x'.repeat(LIMITS.stopLength + 1)] }],
    ['stop', { stop: [...full.stop!, 'x'] }],
    ['request', { tools: [] }],
  ])('with a wrong %s is refused by both sides: %#', (field, change) => {
    const wrong = { ...request, ...change }
    const error = expect.objectContaining({
      code: 'bad-input',
      facts: expect.objectContaining({ field }),
    })
    expect(() => encodeRequest(wrong)).toThrow(error)
    expect(() => parse(wrong)).toThrow(error)
  })

  it('is refused where it is larger than the bound, by both sides', () => {
    const content = 'x'.repeat(LIMITS.requestBytes)
    const large = expect.objectContaining({ code: 'too-large' })
    expect(() => encodeRequest({ ...request, messages: [{ ...user, content }] })).toThrow(large)
    expect(() => parseRequest(new Uint8Array(LIMITS.requestBytes + 1))).toThrow(large)
  })

  it('is refused where it is no JSON, without quoting it', () => {
    const secret = 'the prompt'
    const thrown = (() => {
      try {
        return parseRequest(utf8(`{"messages":"${secret}`))
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toMatchObject({ code: 'bad-input' })
    expect(JSON.stringify([String(thrown), thrown])).not.toContain(secret)
    expect(thrown).not.toHaveProperty('cause.message')
  })

  it.each(['null', '[]', '"x"'])('is refused where it is %s', (text) => {
    expect(() => parseRequest(utf8(text))).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })
})
