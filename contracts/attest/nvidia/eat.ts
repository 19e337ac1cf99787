/**
 * The answer of NVIDIA's attestation service: a detached bundle of Entity Attestation Tokens
 * (RFC 9711), `[["JWT", overall], { "GPU-0": token, .. }]`, each an ES384 JWT.
 *
 * The overall token names each device's token by digest. The service has compared measurements
 * with NVIDIA's reference values and asked for revocation, which nothing here can do offline; in
 * return its word is all there is. ES384 only: `alg: none`, what the local verifier writes, proves
 * nothing to anybody else. Keys, time and nonce are arguments.
 * @module
 */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { jwtVerify } from 'jose/jwt/verify'
import { type Bytes, fromHex, toHex, utf8 } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { type HardwareVerdict, refused } from '../hardware.ts'
import { checkDeviceClaims, type DeviceClaims } from './eatClaims.ts'
import { expired, isRecord, malformed, type TokenClaims } from './eatShape.ts'
import { tagged } from './verify.ts'

const ALGORITHM = 'ES384'
/** Who signs, where the caller names no other. */
const NVIDIA_ISSUER = 'https://nras.attestation.nvidia.com'
/** The labels that digests may have, and what each means; there are no others. */
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['SHA256', 'sha256'],
  ['SHA-256', 'sha256'],
  ['SHA384', 'sha384'],
  ['SHA-384', 'sha384'],
  ['SHA512', 'sha512'],
  ['SHA-512', 'sha512'],
])

export interface EatContext {
  readonly atMs: number
  /** What the caller put in: 32 bytes. */
  readonly nonce: Bytes
  /** Keys of the service by key id: P-384. See `eatKeys`. */
  readonly keys: ReadonlyMap<string, KeyObject>
  readonly issuer?: string
}

/** The keys of a JSON Web Key Set (RFC 7517), P-384 ones only. Throws `evidence-collateral`. */
export function eatKeys(jwks: string): ReadonlyMap<string, KeyObject> {
  const set = parsed(jwks, 'evidence-collateral')
  const keys = isRecord(set) && Array.isArray(set.keys) ? set.keys : []
  const found = new Map<string, KeyObject>()
  for (const jwk of keys) {
    if (!isRecord(jwk) || typeof jwk.kid !== 'string' || jwk.crv !== 'P-384') continue
    const { kty, crv, x, y } = jwk
    try {
      found.set(jwk.kid, createPublicKey({ key: { kty, crv, x, y } as JsonWebKey, format: 'jwk' }))
    } catch (cause) {
      throw refused('evidence-collateral', `key ${jwk.kid} is no P-384 key`, {}, cause)
    }
  }
  if (found.size === 0) throw refused('evidence-collateral', 'there is no P-384 key in the set')
  return found
}

/**
 * Verifies a bundle. Throws `evidence-malformed`, `-signature`, `-root` (no key of the service),
 * `-expired`, `-binding` (another nonce), `-debug`, `-revoked` or `-measurement`.
 */
export async function verifyEat(text: string, context: EatContext): Promise<HardwareVerdict> {
  const { overall, devices } = bundle(text)
  const claims = await verifyToken(overall, 'the overall token', context)
  if (claims['x-nvidia-overall-att-result'] !== true) {
    throw refused('evidence-measurement', "NVIDIA's service did not accept the whole machine")
  }
  checkDigests(claims, devices)
  const checked: DeviceClaims[] = []
  let validUntilS = claims.exp
  for (const [name, token] of devices) {
    const device = await verifyToken(token, name, context)
    checked.push(checkDeviceClaims(name, device))
    validUntilS = Math.min(validUntilS, device.exp)
  }
  if (new Set(checked.map((device) => device.ueid)).size !== checked.length) {
    throw refused('evidence-binding', 'it shows the same device twice')
  }
  return verdict(checked, context.nonce, validUntilS)
}

function verdict(
  devices: readonly DeviceClaims[],
  nonce: Bytes,
  validUntilS: number,
): HardwareVerdict {
  const lines = devices.map(({ model, driver, vbios }) => `${model} ${driver} ${vbios}`)
  return {
    vendor: 'nvidia',
    reportData: nonce,
    measurement: tagged('token-measurements', ...lines.sort().map(utf8)),
    platformId: tagged(
      'token-platforms',
      ...devices
        .map(({ ueid }) => ueid)
        .sort()
        .map(utf8),
    ),
    tcbStatus: 'success',
    proved: [
      `NVIDIA's service accepted ${devices.map(({ name }) => name).join(', ')} for this nonce`,
      ...devices.map(
        ({ name, model, driver, vbios }) =>
          `${name} is a ${model} with driver ${driver} and VBIOS ${vbios}, not in debug mode`,
      ),
    ],
    notProved: [
      "anything that NVIDIA's service did not check: its signed word is all the evidence there is",
      'that the device is in the same machine as the protected processor',
    ],
    validUntilS,
  }
}

/** One token: algorithm, key, signature, times, issuer, nonce. */
async function verifyToken(token: string, name: string, context: EatContext): Promise<TokenClaims> {
  const key = keyOf(token, name, context)
  let payload: unknown
  try {
    const verified = await jwtVerify(token, key, {
      algorithms: [ALGORITHM],
      issuer: context.issuer ?? NVIDIA_ISSUER,
      currentDate: new Date(context.atMs),
      requiredClaims: ['exp', 'eat_nonce'],
    })
    payload = verified.payload
  } catch (cause) {
    throw refusalOf(cause, name)
  }
  const claims = payload as TokenClaims
  if (!isNonce(claims.eat_nonce, context.nonce)) {
    throw refused('evidence-binding', `${name} answers another nonce`)
  }
  return claims
}

function keyOf(token: string, name: string, { keys }: EatContext): KeyObject {
  let header: ReturnType<typeof decodeProtectedHeader>
  try {
    header = decodeProtectedHeader(token)
  } catch (cause) {
    throw malformed(`${name} is no token`, cause)
  }
  if (header.alg !== ALGORITHM) {
    const because = `${name} is signed with "${header.alg}": only ${ALGORITHM} is accepted`
    throw refused('evidence-signature', because)
  }
  const key = keys.get(header.kid ?? '')
  if (!key) throw refused('evidence-root', `${name} is signed with a key that is not NVIDIA's`)
  return key
}

/** What jose throws, in our codes: by its own stable codes, never by text. */
function refusalOf(cause: unknown, name: string) {
  const { code, claim } = cause as { code?: string; claim?: string }
  if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') {
    return refused('evidence-signature', `the signature of ${name} is wrong`, {}, cause)
  }
  if (code === 'ERR_JWT_EXPIRED' || (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && claim === 'nbf'))
    return expired(name, cause)
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && claim === 'iss') {
    return refused('evidence-root', `${name} was issued by somebody else`, {}, cause)
  }
  return malformed(`${name} is no token of NVIDIA's service`, cause)
}

/** Every device token is named by its digest, and every digest has its token. */
function checkDigests(claims: TokenClaims, devices: ReadonlyMap<string, string>): void {
  const named = isRecord(claims.submods) ? Object.entries(claims.submods) : []
  if (named.length !== devices.size || named.length === 0) {
    throw refused('evidence-binding', 'the overall token names other devices')
  }
  for (const [name, entry] of named) {
    const token = devices.get(name)
    const [kind, pair] = Array.isArray(entry) ? entry : []
    const [label, digest] = Array.isArray(pair) ? pair : []
    const algorithm = DIGESTS.get(String(label))
    if (kind !== 'DIGEST' || algorithm === undefined || typeof digest !== 'string') {
      throw malformed(`the digest of ${name} has a form that is not known here`)
    }
    if (token === undefined || createHash(algorithm).update(token).digest('hex') !== digest) {
      throw refused('evidence-binding', `the overall token names another token for ${name}`)
    }
  }
}

function bundle(text: string): { overall: string; devices: ReadonlyMap<string, string> } {
  if (text.length > LIMITS.gpuEvidenceBytes) throw malformed('it is too long')
  const value = parsed(text, 'evidence-malformed')
  const array: unknown = isRecord(value) ? value.detached_eat : value
  if (!Array.isArray(array) || array.length !== 2) throw malformed('it is no bundle of tokens')
  const [head, rest] = array as readonly unknown[]
  const [kind, overall] = Array.isArray(head) ? head : []
  if (kind !== 'JWT' || typeof overall !== 'string' || !isRecord(rest)) {
    throw malformed('it is no bundle of tokens')
  }
  const devices = new Map(Object.entries(rest) as [string, string][])
  const fits = [...devices].every(
    ([name, token]) => /^[\w-]{1,32}$/.test(name) && typeof token === 'string',
  )
  if (!fits || devices.size > LIMITS.gpusPerEvidence) throw malformed('it is no bundle of tokens')
  return { overall, devices }
}

function parsed(text: string, code: 'evidence-malformed' | 'evidence-collateral'): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw refused(code, 'it is no JSON', {}, cause)
  }
}

function isNonce(claim: unknown, nonce: Bytes): boolean {
  if (typeof claim !== 'string' || !/^[0-9a-fA-F]{64}$/.test(claim)) return false
  return toHex(fromHex(claim)) === toHex(nonce)
}
