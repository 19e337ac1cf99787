/**
 * The vectors are the published ones, and each of HPKE and Wycheproof is used or there is a reason.
 * @module
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../contracts/base/bytes.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { present, readBytes, readJson } from './vectors.ts'

/** Which test reads a file. */
const USED: Readonly<Record<string, string>> = {
  'hpke/panva-vectors-pq.json': 'hpke.test.ts',
  'hpke/xwing_vectors.json': 'hpke.test.ts',
  'wycheproof/chacha20_poly1305_test.json': 'wycheproof.test.ts',
  'wycheproof/ecdsa_secp256r1_sha256_p1363_test.json': 'wycheproof.test.ts',
  'wycheproof/ecdsa_secp384r1_sha384_test.json': 'wycheproof.test.ts',
  'wycheproof/ed25519_test.json': 'wycheproof.test.ts',
  'wycheproof/hkdf_sha256_test.json': 'wycheproof.test.ts',
  'wycheproof/mlkem_768_encaps_test.json': 'wycheproofKem.test.ts',
  'wycheproof/mlkem_768_keygen_seed_test.json': 'wycheproofKem.test.ts',
  'wycheproof/mlkem_768_semi_expanded_decaps_test.json': 'wycheproofKem.test.ts',
  'wycheproof/mlkem_768_test.json': 'wycheproofKem.test.ts',
  'wycheproof/x25519_test.json': 'wycheproofKem.test.ts',
  'wycheproof/xchacha20_poly1305_test.json': 'wycheproof.test.ts',
}

/** Why a file is not read. */
const UNUSED: Readonly<Record<string, string>> = {
  'hpke/chunked_ohttp_draft08_appendix.json':
    'another format: X25519 and AES-128-GCM, chunks behind varint lengths, AAD "final" on the ' +
    'last, a response keyed by HKDF over an exported secret and a nonce; ours is one flag byte a ' +
    'chunk, and HPKE in PSK mode back',
  'wycheproof/aes_gcm_test.json': 'nothing here calls AES-GCM',
  'wycheproof/hkdf_sha512_test.json': 'nothing here calls HKDF-SHA512',
}

interface Entry {
  readonly file: string
  readonly sha256: string
}

describe.skipIf(!present)('the vectors', () => {
  const manifest = present ? readJson<Entry[]>('MANIFEST.json') : []

  it('have the hashes of their manifest, each file', () => {
    // The folder's own README changed after the manifest was written; it is no vector.
    for (const { file, sha256: expected } of manifest.filter(({ file }) => file !== 'README.md')) {
      expect(toHex(sha256(readBytes(file))), file).toBe(expected)
    }
    expect(manifest.length).toBeGreaterThan(50)
  })

  it('of HPKE and Wycheproof are all read by a test, or there is a reason', () => {
    const files = manifest
      .map(({ file }) => file)
      .filter((file) => /^(hpke|wycheproof)\//.test(file))
    expect(files.toSorted()).toEqual([...Object.keys(USED), ...Object.keys(UNUSED)].sort())
    for (const [file, reader] of Object.entries(USED)) {
      const source = readFileSync(new URL(reader, import.meta.url), 'utf8')
      expect(source.includes(file.split('/')[1]!), `${reader} reads ${file}`).toBe(true)
    }
    for (const [file, reason] of Object.entries(UNUSED)) console.log(`not used: ${file}: ${reason}`)
  })
})
