/**
 * Tags of a prompt's prefixes: what lets a scheduler send a conversation where it was served
 * before, without learning a word of it.
 *
 * A tag is HMAC-SHA256 under a secret of this client, cut to 64 bits, over the model and the
 * messages so far. Another client's tags of the same prompt differ, so that nobody can find out
 * what was asked by asking it.
 * @module
 */
import { createHmac } from 'node:crypto'
import { type Bytes, lengthPrefixed, toHex, utf8 } from '../contracts/base/bytes.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import type { Secret } from '../contracts/base/secret.ts'
import type { ChatMessage } from '../contracts/wire/request.ts'
import { TAG_BYTES } from '../contracts/wire/submit.ts'

/**
 * One tag a prefix of whole messages, shortest first; of a long conversation the longest
 * `LIMITS.prefixTags`. Hex, 16 digits each.
 *
 * @example
 * prefixTags(secret('cache key', key), 'm', [{ role: 'user', content: 'Hi' }]).length // 1
 */
export function prefixTags(
  key: Secret<Bytes>,
  model: string,
  messages: readonly ChatMessage[],
): string[] {
  const mac = (...parts: Bytes[]): Bytes =>
    new Uint8Array(
      createHmac('sha256', key.reveal())
        .update(lengthPrefixed(...parts))
        .digest(),
    )
  const tags: string[] = []
  // A chain, so that each message is hashed once however long the conversation is.
  let prefix = mac(utf8('chrysalis/prefix-tag/1'), utf8(model))
  for (const { role, content } of messages) {
    prefix = mac(prefix, utf8(role), utf8(content))
    tags.push(toHex(prefix.subarray(0, TAG_BYTES)))
  }
  return tags.slice(-LIMITS.prefixTags)
}
