/**
 * The tokens of NVIDIA's service: every refusal by one chosen defect, signed with keys of the
 * test's own, and what a verdict says.
 * @module
 */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { type EatContext, eatKeys, verifyEat } from '../../../../contracts/attest/nvidia/eat.ts'
import { toHex, utf8 } from '../../../../contracts/base/bytes.ts'
import type { ErrorCode } from '../../../../contracts/base/errors.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { brokenJson, fuzzAsync, tell } from '../../../fuzz/awkward.ts'
import { NONCE, NVIDIA_AT_MS } from '../../../support/nvidiaTree.ts'
import { refusal } from '../../../support/refusal.ts'

const AT_S = NVIDIA_AT_MS / 1_000
const pair = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const service = pair('P-384')
const stranger = pair('P-384')
const keys = new Map([['kid-1', service.publicKey]])
const context: EatContext = { atMs: NVIDIA_AT_MS, nonce: NONCE, keys }

type Claims = Record<string, unknown>
const RECIPES = Array.from({ length: 10 }, (_, i) =>
  Uint8Array.from({ length: 13 }, (_, at) => (i * 53 + at * 37) & 0xff),
)

interface Signing {
  readonly key?: KeyObject
  readonly header?: { alg: string; kid?: string }
}
const COMMON = {
  iss: 'https://nras.attestation.nvidia.com',
  eat_nonce: toHex(NONCE),
  nbf: AT_S - 60,
  exp: AT_S + 3_600,
}
const DEVICE = {
  ...COMMON,
  dbgstat: 'disabled',
  secboot: true,
  measres: 'success',
  hwmodel: 'GH100 A01 GSP BROM',
  ueid: '457723480349051719',
  'x-nvidia-gpu-driver-version': '590.12',
  'x-nvidia-gpu-vbios-version': '96.00.A5.00.01',
  'x-nvidia-gpu-attestation-report-nonce-match': true,
  'x-nvidia-gpu-attestation-report-cert-chain': {
    'x-nvidia-cert-status': 'valid',
    'x-nvidia-cert-ocsp-status': 'good',
  },
}

const token = (claims: Claims, { key = service.privateKey, header }: Signing = {}) =>
  new SignJWT(claims).setProtectedHeader(header ?? { alg: 'ES384', kid: 'kid-1' }).sign(key)
const digest = (text: string, algorithm = 'sha256') =>
  createHash(algorithm).update(text).digest('hex')

interface Bundle {
  readonly overall?: Claims
  readonly device?: Claims
  readonly more?: Claims
  readonly signing?: Signing
  readonly deviceSigning?: Signing
  readonly label?: string
  readonly submods?: unknown
}
async function bundle(args: Bundle = {}): Promise<string> {
  const devices: Record<string, string> = {
    'GPU-0': await token({ ...DEVICE, ...args.device }, args.deviceSigning),
  }
  if (args.more) devices['GPU-1'] = await token({ ...DEVICE, ...args.more })
  const submods = Object.fromEntries(
    Object.entries(devices).map(([name, text]) => [
      name,
      ['DIGEST', [args.label ?? 'SHA-256', digest(text)]],
    ]),
  )
  const claims = { ...COMMON, 'x-nvidia-overall-att-result': true, submods, ...args.overall }
  const final = args.submods === undefined ? claims : { ...claims, submods: args.submods }
  return JSON.stringify([['JWT', await token(final, args.signing)], devices])
}
const verify = async (args: Bundle = {}, more: Partial<EatContext> = {}) =>
  verifyEat(await bundle(args), { ...context, ...more })

describe('a bundle of tokens', () => {
  it('is accepted, and says whose word it is', async () => {
    const verdict = await verify({ more: { ueid: '2', exp: AT_S + 60 } })
    expect(verdict).toMatchObject({
      vendor: 'nvidia',
      reportData: NONCE,
      tcbStatus: 'success',
      validUntilS: AT_S + 60,
    })
    expect(verdict.notProved.join()).toContain('its signed word is all the evidence')
    expect(verdict.measurement).not.toEqual((await verify()).measurement)
    const other = await verify({ device: { 'x-nvidia-gpu-driver-version': '1' } })
    expect(other.measurement).not.toEqual((await verify()).measurement)
  })

  it('may stand in the object that the tool writes', async () => {
    const text = `{"detached_eat":${await bundle()},"claims":[]}`
    expect((await verifyEat(text, context)).vendor).toBe('nvidia')
  })

  it('may speak of a switch', async () => {
    const device = {
      'x-nvidia-device-type': 'nvswitch',
      'x-nvidia-switch-bios-version': '96.10.6D.00.01',
    }
    expect((await verify({ device })).proved.join()).toContain('96.10.6D.00.01')
  })

  it('is accepted from another issuer where the caller names it', async () => {
    const iss = 'https://verifier.example'
    const args = { overall: { iss }, device: { iss } }
    expect((await verify(args, { issuer: iss })).vendor).toBe('nvidia')
  })

  it('names digests by labels of a fixed set', async () => {
    expect((await verify({ label: 'SHA256' })).vendor).toBe('nvidia')
    for (const label of ['MD5', 'SHA1', 'sha256', '__proto__']) {
      await expect(verify({ label })).rejects.toThrow(refusal('evidence-malformed', 'not known'))
    }
  })
})

const none = (claims: Claims) =>
  [JSON.stringify({ alg: 'none' }), JSON.stringify(claims), '']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')

const DEFECTS: readonly (readonly [string, ErrorCode, string, Bundle, Partial<EatContext>?])[] = [
  [
    'a key of a stranger',
    'evidence-signature',
    'signature of the overall token',
    {
      signing: { key: stranger.privateKey },
    },
  ],
  [
    'a device token of a stranger',
    'evidence-signature',
    'signature of GPU-0',
    {
      deviceSigning: { key: stranger.privateKey },
    },
  ],
  [
    'another algorithm',
    'evidence-signature',
    'signed with "ES256"',
    {
      signing: { key: pair('P-256').privateKey, header: { alg: 'ES256', kid: 'kid-1' } },
    },
  ],
  [
    'an unknown key id',
    'evidence-root',
    "not NVIDIA's",
    {
      signing: { header: { alg: 'ES384', kid: 'kid-2' } },
    },
  ],
  ['no key id', 'evidence-root', "not NVIDIA's", { signing: { header: { alg: 'ES384' } } }],
  ['another issuer', 'evidence-root', 'issued by somebody else', { overall: { iss: 'x' } }],
  [
    'a token that has expired',
    'evidence-expired',
    'not valid at this time',
    {
      overall: { exp: AT_S },
    },
  ],
  [
    'a device token that has expired',
    'evidence-expired',
    'GPU-0 is not valid',
    {
      device: { exp: AT_S - 1 },
    },
  ],
  [
    'a token of the future',
    'evidence-expired',
    'not valid at this time',
    {
      overall: { nbf: AT_S + 1 },
    },
  ],
  ['a token without an end', 'evidence-malformed', 'no token of', { overall: { exp: undefined } }],
  ['another nonce', 'evidence-binding', 'answers another nonce', {}, { nonce: new Uint8Array(32) }],
  [
    'another nonce in a device token',
    'evidence-binding',
    'GPU-0 answers',
    {
      device: { eat_nonce: '00'.repeat(32) },
    },
  ],
  [
    'a nonce that is no text',
    'evidence-binding',
    'answers another nonce',
    {
      overall: { eat_nonce: [1] },
    },
  ],
  [
    'an overall no',
    'evidence-measurement',
    'did not accept',
    {
      overall: { 'x-nvidia-overall-att-result': false },
    },
  ],
  [
    'a digest of another token',
    'evidence-binding',
    'names another token',
    {
      submods: { 'GPU-0': ['DIGEST', ['SHA256', '00'.repeat(32)]] },
    },
  ],
  ['no digests', 'evidence-binding', 'names other devices', { submods: {} }],
  [
    'a digest of a device that is not there',
    'evidence-binding',
    'another token for GPU-9',
    {
      submods: { 'GPU-9': ['DIGEST', ['SHA256', '00'.repeat(32)]] },
    },
  ],
  [
    'claims in the place of a digest',
    'evidence-malformed',
    'not known',
    {
      submods: { 'GPU-0': { ...DEVICE } },
    },
  ],
  ['the same device twice', 'evidence-binding', 'same device twice', { more: {} }],
  ['debug mode', 'evidence-debug', 'debug mode', { device: { dbgstat: 'enabled' } }],
  ['no word on debug mode', 'evidence-debug', 'does not say', { device: { dbgstat: undefined } }],
  ['no secure boot', 'evidence-measurement', 'booted securely', { device: { secboot: false } }],
  [
    'other measurements',
    'evidence-measurement',
    'other measurements',
    {
      device: { measres: 'fail' },
    },
  ],
  [
    'a check that failed',
    'evidence-measurement',
    'fwid-match failed',
    {
      device: { 'x-nvidia-gpu-fwid-match': false },
    },
  ],
  [
    'a certificate that is not valid',
    'evidence-revoked',
    'is expired',
    {
      device: { 'x-nvidia-gpu-x-cert-chain': { 'x-nvidia-cert-status': 'expired' } },
    },
  ],
  [
    'a revoked certificate',
    'evidence-revoked',
    'revoked',
    {
      device: { 'x-nvidia-gpu-x-cert-chain': { 'x-nvidia-cert-ocsp-status': 'revoked' } },
    },
  ],
  ['no model', 'evidence-malformed', 'no readable hwmodel', { device: { hwmodel: undefined } }],
  ['a model of two lines', 'evidence-malformed', 'readable', { device: { hwmodel: 'a\nb' } }],
]

describe('a bundle is refused', () => {
  it.each(DEFECTS.map((defect) => ({ name: defect[0], defect })))('for $name', async (one) => {
    const [, code, because, args, more] = one.defect
    await expect(verify(args, more)).rejects.toThrow(refusal(code, because))
    await verify(args, more).catch((error: { facts: { because: string } }) => {
      expect(error.facts.because).toMatch(/^[A-Za-z][ -~]{15,160}[a-z0-9)A-Z"-]$/)
    })
  })

  it('without a signature', async () => {
    const claims = { ...COMMON, 'x-nvidia-overall-att-result': true, submods: {} }
    const text = JSON.stringify([['JWT', none(claims)], {}])
    const refused = refusal('evidence-signature', 'signed with "none"')
    await expect(verifyEat(text, context)).rejects.toThrow(refused)
  })

  it.each([
    ['[', 'no JSON'],
    ['{}', 'no bundle'],
    ['[["JWT","a"]]', 'no bundle'],
    ['[["JWE","a"],{}]', 'no bundle'],
    ['[["JWT",1],{}]', 'no bundle'],
    ['[["JWT","a"],{"GPU 0":"b"}]', 'no bundle'],
    ['[["JWT","a"],{"GPU-0":1}]', 'no bundle'],
    ['[["JWT","a"],{}]', 'no token'],
    [' '.repeat(LIMITS.gpuEvidenceBytes + 1), 'too long'],
  ])('that is malformed: %.20s', async (text, because) => {
    await expect(verifyEat(text, context)).rejects.toThrow(refusal('evidence-malformed', because))
  })

  it('whatever is changed in its bytes or its values', async () => {
    const good = await bundle()
    const decode = (input: Uint8Array) => verifyEat(Buffer.from(input).toString('latin1'), context)
    const bytes = await fuzzAsync({
      ...{ name: 'EAT bundle, bytes', corpus: [utf8(good)], inputs: 500 },
      decode,
    })
    const documents: unknown[] = [JSON.parse(good), { detached_eat: JSON.parse(good) }]
    const values = await fuzzAsync({
      ...{ name: 'EAT bundle, values', corpus: RECIPES, inputs: 500 },
      decode: (recipe) => decode(utf8(JSON.stringify(brokenJson(documents, recipe)) ?? '')),
    })
    // Changes of white space, and of what stands beside the tokens, may leave the tokens whole.
    expect(tell(bytes).refused).toBeGreaterThan(0.9 * bytes.inputs)
    expect(tell(values).refused).toBeGreaterThan(0)
  })
})

describe('the keys of the service', () => {
  it('are the P-384 ones of a key set', async () => {
    const jwk = { ...(await exportJWK(service.publicKey)), kid: 'a', x5c: ['..'] }
    const rsa = { kty: 'RSA', kid: 'b', n: 'AQAB', e: 'AQAB' }
    const found = eatKeys(JSON.stringify({ keys: [jwk, rsa, { ...jwk, kid: 7 }, 1] }))
    expect([...found.keys()]).toEqual(['a'])
    const header = { alg: 'ES384', kid: 'a' }
    const args = { signing: { header }, deviceSigning: { header } }
    expect((await verify(args, { keys: found })).vendor).toBe('nvidia')
  })

  it.each([
    ['{', 'no JSON'],
    ['{"keys":[]}', 'no P-384 key'],
    ['{"keys":[{"kid":"a","kty":"EC","crv":"P-384","x":"AA","y":"AA"}]}', 'key a is no P-384 key'],
  ])('are refused in %s', (text, because) => {
    expect(() => eatKeys(text)).toThrow(refusal('evidence-collateral', because))
  })
})
