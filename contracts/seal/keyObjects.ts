/**
 * Raw ML-KEM-768 and X25519 keys as node's KeyObjects, and back: for `kem.ts`.
 *
 * Fixed DER around raw keys (RFC 8410; RFC 9935, seed form of the private key), which every Node
 * that has ML-KEM reads. Buffers that held a private key are zeroed.
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'

const PUBLIC_PREFIX = {
  mlKem: Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex'),
  x25519: Buffer.from('302a300506032b656e032100', 'hex'),
}
const PRIVATE_PREFIX = {
  mlKem: Buffer.from('3054020100300b060960864801650304040204428040', 'hex'),
  x25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
}

const PUBLIC_BYTES = { mlKem: 1184, x25519: 32 }
const PRIVATE_BYTES = { mlKem: 64, x25519: 32 }

/** ML-KEM-768 or X25519. */
export type KeyKind = keyof typeof PUBLIC_PREFIX

/**
 * A private key from its raw bytes: the 64-byte seed of ML-KEM, the scalar of X25519. Throws
 * `bad-input` on another length, of which node would read the first bytes.
 */
export function privateObject(kind: KeyKind, raw: Bytes): KeyObject {
  checkLength(raw, PRIVATE_BYTES[kind])
  const key = Buffer.concat([PRIVATE_PREFIX[kind], raw])
  const object = withoutStackTraces(() => createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
  key.fill(0)
  return object
}

/** A public key from its raw bytes. Throws `bad-input` on another length, else node's error. */
export function publicObject(kind: KeyKind, raw: Bytes): KeyObject {
  checkLength(raw, PUBLIC_BYTES[kind])
  const key = Buffer.concat([PUBLIC_PREFIX[kind], raw])
  return withoutStackTraces(() => createPublicKey({ key, format: 'der', type: 'spki' }))
}

/** The raw bytes of a public key, or of a private key's public half. */
export function rawPublic(kind: KeyKind, key: KeyObject): Bytes {
  const object = key.type === 'private' ? createPublicKey(key) : key
  if (kind === 'x25519') return fromBase64url(object.export({ format: 'jwk' }).x)
  const der = object.export({ format: 'der', type: 'spki' })
  return new Uint8Array(der.subarray(PUBLIC_PREFIX[kind].length))
}

function checkLength(raw: Bytes, bytes: number): void {
  if (raw.length !== bytes) throw new MarketError('bad-input', { field: 'key', bytes })
}

function fromBase64url(text = ''): Bytes {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}

/**
 * Node 24 finds out that import options are no KeyObject by catching two exceptions of its own;
 * their stack traces cost more than the import (a fifth of a whole agreement).
 */
function withoutStackTraces<T>(work: () => T): T {
  const limit = Error.stackTraceLimit
  Reflect.set(Error, 'stackTraceLimit', 0) // where it is frozen, all is as before
  try {
    return work()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit)
  }
}
