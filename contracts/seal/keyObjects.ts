/**
 * Raw ML-KEM-768 and X25519 keys as node's KeyObjects, and back: for `kem.ts`.
 *
 * A Node that takes raw keys is given them as they are, which costs less than DER on the way in and
 * a tenth of it on the way out; others get fixed DER around them (RFC 8410; RFC 9935, seed form of
 * the private key). Both read and write the same keys, by test. Buffers that held a private key
 * are zeroed.
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Bytes } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'

/** ML-KEM-768 or X25519. */
export type KeyKind = 'mlKem' | 'x25519'

/** How keys go into node and come out of it. */
interface KeyForm {
  private(kind: KeyKind, raw: Bytes): KeyObject
  public(kind: KeyKind, raw: Bytes): KeyObject
  /** The raw bytes of a public key. */
  export(kind: KeyKind, key: KeyObject): Bytes
}

const PUBLIC_BYTES = { mlKem: 1184, x25519: 32 }
const PRIVATE_BYTES = { mlKem: 64, x25519: 32 }

const PUBLIC_PREFIX = {
  mlKem: Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex'),
  x25519: Buffer.from('302a300506032b656e032100', 'hex'),
}
const PRIVATE_PREFIX = {
  mlKem: Buffer.from('3054020100300b060960864801650304040204428040', 'hex'),
  x25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
}

/** Keys in DER, which every Node that has ML-KEM reads. */
export const DER_FORM: KeyForm = {
  private(kind, raw) {
    const key = Buffer.concat([PRIVATE_PREFIX[kind], raw])
    const object = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    key.fill(0)
    return object
  },
  public(kind, raw) {
    const key = Buffer.concat([PUBLIC_PREFIX[kind], raw])
    return createPublicKey({ key, format: 'der', type: 'spki' })
  },
  export(kind, key) {
    const der = key.export({ format: 'der', type: 'spki' })
    return new Uint8Array(der.subarray(PUBLIC_PREFIX[kind].length))
  },
}

const NAMES = { mlKem: 'ml-kem-768', x25519: 'x25519' } as const

/**
 * Keys as they are, in later releases of Node 24. But for the seed of ML-KEM: node takes twice as
 * long over a raw one as over the same in DER.
 */
export const RAW_FORM: KeyForm = {
  private(kind, raw) {
    if (kind === 'mlKem') return DER_FORM.private(kind, raw)
    const key = bufferOf(raw)
    return createPrivateKey({ key, format: 'raw-private', asymmetricKeyType: NAMES[kind] })
  },
  public(kind, raw) {
    const key = bufferOf(raw)
    return createPublicKey({ key, format: 'raw-public', asymmetricKeyType: NAMES[kind] })
  },
  export: (_, key) => new Uint8Array(key.export({ format: 'raw-public' })),
}

const form = takesRawKeys() ? RAW_FORM : DER_FORM

/**
 * A private key from its raw bytes: the 64-byte seed of ML-KEM, the scalar of X25519. Throws
 * `bad-input` on another length, of which node would read the first bytes.
 */
export function privateObject(kind: KeyKind, raw: Bytes): KeyObject {
  checkLength(raw, PRIVATE_BYTES[kind])
  return withoutStackTraces(() => form.private(kind, raw))
}

/** A public key from its raw bytes. Throws `bad-input` on another length, else node's error. */
export function publicObject(kind: KeyKind, raw: Bytes): KeyObject {
  checkLength(raw, PUBLIC_BYTES[kind])
  return withoutStackTraces(() => form.public(kind, raw))
}

/** The raw bytes of a public key, or of a private key's public half. */
export function rawPublic(kind: KeyKind, key: KeyObject): Bytes {
  return form.export(kind, key.type === 'private' ? createPublicKey(key) : key)
}

function checkLength(raw: Bytes, bytes: number): void {
  if (raw.length !== bytes) throw new MarketError('bad-input', { field: 'key', bytes })
}

/** The same memory, as the types of node want it. */
function bufferOf(bytes: Bytes): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function takesRawKeys(): boolean {
  try {
    const base = new Uint8Array(PUBLIC_BYTES.x25519)
    base[0] = 9
    return RAW_FORM.export('x25519', RAW_FORM.public('x25519', base))[0] === 9
  } catch {
    return false // an older Node: it refuses the format by name
  }
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
