/**
 * The key file of one node: one root secret, encrypted, from which every key is derived.
 *
 * The file is JSON with mode 0600 in a folder with mode 0700:
 * `{"version":1,"kdf":{"name":"scrypt","N","r","p","salt"},"cipher":"xchacha20-poly1305","nonce",
 * "box","sum"}`, binary values in base64, no other parameters: a hostile file cannot ask for more
 * memory, nor a changed one for a cheaper guess. The box holds the root (32 bytes) and, where a
 * wallet was imported, its seed (32 more); everything before it is authenticated with it. A key is
 * HKDF-SHA256(root, salt "chrysalis/keystore/1", info purpose || 0 || label): one key per purpose,
 * so that no two uses share one and losing the file loses all of them at once, not one by one.
 * scrypt with N = 2^17, r = 8 takes 128 MiB and some 0.4 s: the price of one guess (RFC 7914).
 * @module
 */
import { hkdfSync, scrypt } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import {
  type Bytes,
  concat,
  fromBase64,
  toBase64,
  toHex,
  utf8,
} from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Random } from '../../contracts/base/ports.ts'
import { type Secret, secret } from '../../contracts/base/secret.ts'
import { type SigningKey, sha256, signingKey } from '../../contracts/base/signing.ts'
import { readPrivateFile, writePrivateFile } from './privateFile.ts'

/** What a key is for. A key of one purpose never signs for another. */
export type KeyPurpose =
  | 'wallet'
  | 'identity'
  | 'peer'
  | 'voucher'
  | 'job'
  | 'cache'
  | 'signer'
  | 'arbiter'

/** The open key file of one node. Holds the root in memory only; printing it shows nothing. */
export interface Keystore {
  /** The signing key of a purpose; `label` tells several of one purpose apart (channels, jobs). */
  key(purpose: KeyPurpose, label?: string): SigningKey
  /** 32 secret bytes of a purpose, where a library wants a seed. */
  secret(purpose: KeyPurpose, label?: string): Secret<Bytes>
}

const KDF = { name: 'scrypt', N: 2 ** 17, r: 8, p: 1 } as const
const CIPHER = 'xchacha20-poly1305'
const FIELDS = ['version', 'kdf', 'cipher', 'nonce', 'box', 'sum']
const KDF_FIELDS = ['name', 'N', 'r', 'p', 'salt']
const ROOT_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 24

interface KeyFile {
  readonly salt: Bytes
  readonly nonce: Bytes
  readonly box: Bytes
}

/**
 * Opens the key file at `path`, or makes it where `create` says so and it is not there.
 *
 * `walletSeed` imports an existing wallet into a new file. Throws `key-file` where the file is
 * missing, readable by others, malformed, or the passphrase is wrong.
 */
export async function openKeystore(options: {
  path: string
  passphrase: Secret<string>
  random: Random
  create?: boolean
  walletSeed?: Secret<Bytes>
}): Promise<Keystore> {
  const { path, passphrase } = options
  if (passphrase.reveal() === '') throw new MarketError('key-file', { expected: 'a passphrase' })
  const existing = await readPrivateFile(path)
  if (existing !== undefined) return keystoreOf(await decrypt(existing, passphrase, path))
  if (!options.create) throw new MarketError('key-file', { path, missing: true })
  const { random } = options
  const walletSeed = options.walletSeed?.reveal() ?? new Uint8Array(0)
  if (walletSeed.length !== 0 && walletSeed.length !== 32) {
    throw new MarketError('bad-input', { expected: 'a wallet seed of 32 bytes' })
  }
  const secrets = secret('root key', concat(random.bytes(ROOT_BYTES), walletSeed))
  const file = await encrypt(secrets, passphrase, random)
  await writePrivateFile(path, utf8(`${file}\n`))
  return keystoreOf(secrets)
}

/**
 * The keys of a root secret of 32 bytes (and an imported wallet's seed after it) that is in memory
 * already: for a simulated world, and for what `openKeystore` has decrypted.
 */
export function keystoreOf(secrets: Secret<Bytes>): Keystore {
  const derive = (purpose: KeyPurpose, label = ''): Secret<Bytes> => {
    const root = secrets.reveal().subarray(0, ROOT_BYTES)
    const imported = secrets.reveal().subarray(ROOT_BYTES)
    if (purpose === 'wallet' && label === '' && imported.length > 0) {
      return secret('wallet key', imported.slice())
    }
    const info = concat(utf8(purpose), new Uint8Array(1), utf8(label))
    const key = hkdfSync('sha256', root, utf8('chrysalis/keystore/1'), info, 32)
    return secret(`${purpose} key`, new Uint8Array(key))
  }
  return {
    secret: derive,
    key(purpose, label) {
      const seed = derive(purpose, label)
      try {
        return signingKey(seed.reveal())
      } finally {
        seed.wipe() // the key object has it, outside JavaScript's reach
      }
    },
  }
}

async function encrypt(
  secrets: Secret<Bytes>,
  passphrase: Secret<string>,
  random: Random,
): Promise<string> {
  const salt = random.bytes(SALT_BYTES)
  const nonce = random.bytes(NONCE_BYTES)
  const key = await stretch(passphrase, salt)
  const box = xchacha20poly1305(key, nonce, header(salt, nonce)).encrypt(secrets.reveal())
  key.fill(0)
  return JSON.stringify({
    version: 1,
    kdf: { ...KDF, salt: toBase64(salt) },
    cipher: CIPHER,
    nonce: toBase64(nonce),
    box: toBase64(box),
    sum: sumOf({ salt, nonce, box }),
  })
}

async function decrypt(
  text: string,
  passphrase: Secret<string>,
  path: string,
): Promise<Secret<Bytes>> {
  const { salt, nonce, box } = parseKeyFile(text, path)
  const key = await stretch(passphrase, salt)
  try {
    const opened = xchacha20poly1305(key, nonce, header(salt, nonce)).decrypt(box)
    return secret('root key', opened)
  } catch (cause) {
    throw new MarketError('key-file', { path, passphrase: 'wrong' }, { cause })
  } finally {
    key.fill(0)
  }
}

/**
 * A checksum, so that a damaged file is told from a wrong passphrase. It protects nothing: what is
 * authentic is what the box's tag says. Files of the first version have none.
 */
function sumOf({ salt, nonce, box }: KeyFile): string {
  return toHex(sha256(header(salt, nonce), box)).slice(0, 16)
}

/** Everything before the box: its parameters cannot be swapped for cheaper ones unnoticed. */
function header(salt: Bytes, nonce: Bytes): Bytes {
  const { name, N, r, p } = KDF
  return utf8(
    `chrysalis/keystore/1 ${name} ${N} ${r} ${p} ${toHex(salt)} ${CIPHER} ${toHex(nonce)}`,
  )
}

function parseKeyFile(text: string, path: string): KeyFile {
  let damaged = false
  try {
    const json = JSON.parse(text)
    const { name, N, r, p } = json.kdf
    const known = name === KDF.name && N === KDF.N && r === KDF.r && p === KDF.p
    if (json.version !== 1 || !known || json.cipher !== CIPHER) throw new Error('other parameters')
    if (!hasOnly(json, FIELDS) || !hasOnly(json.kdf, KDF_FIELDS)) throw new Error('other fields')
    const file = {
      salt: fromBase64(String(json.kdf.salt)),
      nonce: fromBase64(String(json.nonce)),
      box: fromBase64(String(json.box)),
    }
    const bodyBytes = file.box.length - 16
    if (bodyBytes !== ROOT_BYTES && bodyBytes !== 2 * ROOT_BYTES) throw new Error('other length')
    if (file.salt.length !== SALT_BYTES || file.nonce.length !== NONCE_BYTES) {
      throw new Error('other length')
    }
    damaged = json.sum !== undefined && json.sum !== sumOf(file)
    if (!damaged) return file
  } catch (cause) {
    throw new MarketError('key-file', { path, malformed: true }, { cause })
  }
  throw new MarketError('key-file', { path, damaged: true })
}

function hasOnly(json: object, names: readonly string[]): boolean {
  return Object.keys(json).every((name) => names.includes(name))
}

function stretch(passphrase: Secret<string>, salt: Bytes): Promise<Bytes> {
  const { N, r, p } = KDF
  // The least that OpenSSL accepts for these is 128 * N * r bytes and a little.
  const maxmem = 128 * N * r + 2 ** 20
  return new Promise((resolve, reject) => {
    scrypt(passphrase.reveal().normalize('NFKC'), salt, 32, { N, r, p, maxmem }, (error, key) =>
      error ? reject(error) : resolve(new Uint8Array(key)),
    )
  })
}
