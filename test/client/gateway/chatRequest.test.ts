/**
 * What the gateway takes of a chat completion by name: what changes nothing, and nothing else.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseChatRequest } from '../../../client/gateway/chatRequest.ts'

const ask = (more: string) =>
  parseChatRequest(JSON.parse(`{"model":"m","messages":[{"role":"user","content":"hi"}]${more}}`))

describe('options of a chat request', () => {
  it('that only label it are taken', () => {
    expect(ask(',"user":"u","n":1,"tools":[],"logprobs":false').model).toBe('m')
  })

  it.each([
    ['unknown', ',"frobnicate":1'],
    ['of another value', ',"n":2'],
    ['named as what every object has', ',"constructor":1'],
    ['that would be a prototype', ',"__proto__":{"n":1}'],
    ['called like a method', ',"hasOwnProperty":true'],
  ])('%s are refused by name', (_, more) => {
    expect(() => ask(more)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })
})
