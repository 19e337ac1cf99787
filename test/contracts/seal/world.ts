/**
 * A client and a provider of one sealed job, for the tests of this folder; randomness by seed.
 * @module
 */
import { createHash } from 'node:crypto'
import { type Bytes, concat, u32, utf8 } from '../../../contracts/base/bytes.ts'
import type { Kem, Random } from '../../../contracts/base/ports.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import type { JobBinding } from '../../../contracts/seal/binding.ts'
import { seededKem } from '../../../contracts/seal/kemSeeded.ts'
import { openRequest, sealRequest } from '../../../contracts/seal/request.ts'
import { CONTENT_BYTES } from '../../../contracts/seal/response.ts'

/** SHA-256 in counter mode: enough for tests, and the same bytes for the same seed. */
export function seededRandom(seed: string): Random {
  let counter = 0
  return {
    bytes(length) {
      const out: Bytes[] = []
      for (let have = 0; have < length; have += 32) {
        out.push(createHash('sha256').update(seed).update(u32(counter++)).digest())
      }
      return new Uint8Array(concat(...out).subarray(0, length))
    },
  }
}

const digest = (name: string) => sha256(utf8(name))

export const BINDING: JobBinding = {
  network: -217,
  leaseHash: digest('lease'),
  acceptHash: digest('accept'),
  minTier: 'open',
  evidenceDigest: digest('evidence'),
}

export const CLIENT_JOB_KEY = signingKey(digest('client job key'))

/** 256 bytes that differ by `value`. */
export function content(value: number): Bytes {
  return new Uint8Array(CONTENT_BYTES).fill(value)
}

/** One agreed job: both ends of its response, and all that made it. */
export async function agree(
  options: {
    kem?: Kem
    providerKem?: Kem
    request?: Bytes
    seed?: string
    binding?: JobBinding
  } = {},
) {
  const kem = options.kem ?? seededKem(seededRandom(options.seed ?? 'world'))
  const binding = options.binding ?? BINDING
  const epoch = (options.providerKem ?? kem).generateKeyPair()
  const request = options.request ?? utf8('What is a chrysalis?')
  const client = await sealRequest({
    kem,
    epochPublicKey: epoch.publicKey,
    binding,
    clientJobKey: CLIENT_JOB_KEY,
    request,
  })
  const opening = {
    kem: options.providerKem ?? kem,
    epochSecretKey: epoch.secretKey,
    binding,
    clientJobPublicKey: CLIENT_JOB_KEY.publicKey,
    sealed: client.sealed,
  }
  const provider = await openRequest(opening)
  return { ...client, epoch, opening, request: provider.request, sealer: provider.response }
}

/** `bytes` with the bits of `mask` flipped at `at`. */
export function flip(bytes: Bytes, at: number, mask = 1): Bytes {
  const out = bytes.slice()
  out[at]! ^= mask
  return out
}
