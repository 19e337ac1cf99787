/**
 * A certificate authority for tests: keys, certificates and revocation lists of any make, also of
 * wrong ones. Its roots are new with every run; no production verifier knows them.
 * @module
 */
import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  sign as signWith,
} from 'node:crypto'
import { type Bytes, fromHex, toBase64 } from '../../contracts/base/bytes.ts'
import {
  bits,
  boolean,
  context,
  enumerated,
  integer,
  octets,
  oid,
  sequence,
  set,
  text,
  time,
} from './derWriter.ts'

export type KeyKind = 'P-256' | 'P-384' | 'RSA'

export interface TestKey {
  readonly kind: KeyKind
  readonly privateKey: KeyObject
  /** SubjectPublicKeyInfo, as DER. */
  readonly spki: Bytes
  /** SHA-256 of it, as roots are pinned. */
  readonly keyHash: Bytes
}

/** A new key; RSA is of 4096 bits and slow to make. */
export function testKey(kind: KeyKind = 'P-256'): TestKey {
  const { privateKey, publicKey } =
    kind === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 4096 })
      : generateKeyPairSync('ec', { namedCurve: kind })
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
  return { kind, privateKey, spki, keyHash: hash(spki) }
}

/** A signature as X.509 writes it: DER for ECDSA, PSS for RSA. */
export function sign(key: TestKey, data: Bytes): Bytes {
  const { kind, privateKey } = key
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }
  const signer = kind === 'RSA' ? { key: privateKey, ...pss } : privateKey
  return new Uint8Array(signWith(kind === 'P-256' ? 'sha256' : 'sha384', data, signer))
}

/** A signature of an elliptic curve as r and s, joined, as quotes and SPDM write it. */
export function signRaw(key: TestKey, data: Bytes): Bytes {
  const { kind, privateKey } = key
  const signer = { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  return new Uint8Array(signWith(kind === 'P-256' ? 'sha256' : 'sha384', data, signer))
}

/** The public point of an elliptic curve key: x and y, joined. */
export function rawPoint(key: TestKey): Bytes {
  return key.spki.slice(key.spki.length - (key.kind === 'P-256' ? 64 : 96))
}

export interface TestExtension {
  readonly id: string
  /** False is written out, which is not allowed: it is the default. */
  readonly critical?: boolean
  readonly value: Bytes
}

/** A distinguished name with one common name. */
export const nameOf = (commonName: string): Bytes =>
  sequence(set(sequence(oid('2.5.4.3'), text(commonName))))

export interface CertificateArgs {
  readonly subject: string
  readonly key: TestKey
  /** Signs it; itself where none is named. */
  readonly issuer?: { readonly subject: string; readonly key: TestKey }
  /** Hex; by default from the subject. */
  readonly serial?: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** An authority, with this many authorities below it where it is a number. */
  readonly ca?: boolean | number
  /** The whole of basicConstraints, in the place of what `ca` says. */
  readonly constraints?: Bytes
  /** Bits of keyUsage in hex; by default certSign and crlSign for an authority. */
  readonly keyUsage?: string | null
  readonly extensions?: readonly TestExtension[]
  readonly version?: number
  /** Changes what is signed after the signature is made, as a forger would. */
  readonly forged?: boolean
}

/** A certificate as DER. */
export function testCertificate(args: CertificateArgs): Bytes {
  const { subject, key, ca = false, issuer = { subject, key } } = args
  const serial = fromHex(args.serial ?? serialOf(subject))
  const algorithm = algorithmOf(issuer.key)
  const depth = typeof ca === 'number' ? [integer(ca)] : []
  const constraints =
    args.constraints ?? sequence(...(ca === false ? [] : [boolean(true), ...depth]))
  const usage = args.keyUsage === undefined ? (ca === false ? '80' : '06') : args.keyUsage
  const extensions: TestExtension[] = [
    { id: '2.5.29.19', critical: true, value: constraints },
    ...(usage ? [{ id: '2.5.29.15', critical: true, value: bits(fromHex(usage)) }] : []),
    ...(args.extensions ?? []),
  ]
  const tbs = (name: string) =>
    sequence(
      context(0, integer(args.version ?? 2)),
      integer(serial),
      algorithm,
      nameOf(issuer.subject),
      sequence(time(args.notBeforeMs), time(args.notAfterMs)),
      nameOf(name),
      key.spki,
      context(3, sequence(...extensions.map(extensionOf))),
    )
  const signature = bits(sign(issuer.key, tbs(args.forged ? 'another' : subject)))
  return sequence(tbs(subject), algorithm, signature)
}

export interface CrlArgs {
  readonly issuer: { readonly subject: string; readonly key: TestKey }
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly number?: bigint | number | null
  /** Serial numbers in hex. */
  readonly revoked?: readonly string[]
  /** Writes the list of entries out although it is empty, which is not allowed. */
  readonly emptyList?: boolean
  readonly extensions?: readonly TestExtension[]
  readonly entryExtensions?: readonly TestExtension[]
  /** Signs it in the issuer's stead. */
  readonly signer?: TestKey
}

/** A revocation list as DER. */
export function testCrl(args: CrlArgs): Bytes {
  const { issuer, number = 1, revoked = [], signer = issuer.key } = args
  const reason = { id: '2.5.29.21', value: enumerated(1) }
  const more = [reason, ...(args.entryExtensions ?? [])].map(extensionOf)
  const entries = revoked.map((serial) =>
    sequence(integer(fromHex(serial)), time(args.thisUpdateMs), sequence(...more)),
  )
  const extensions = [
    ...(number === null ? [] : [{ id: '2.5.29.20', value: integer(number) }]),
    ...(args.extensions ?? []),
  ]
  const algorithm = algorithmOf(signer)
  const tbs = sequence(
    integer(1),
    algorithm,
    nameOf(issuer.subject),
    time(args.thisUpdateMs),
    time(args.nextUpdateMs),
    ...(entries.length > 0 || args.emptyList ? [sequence(...entries)] : []),
    context(0, sequence(...extensions.map(extensionOf))),
  )
  return sequence(tbs, algorithm, bits(sign(signer, tbs)))
}

/** DER as a block of PEM. */
export function pemOf(bytes: Bytes, label = 'CERTIFICATE'): string {
  const lines = toBase64(bytes).match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** The default serial number of a subject, in hex. */
export const serialOf = (subject: string): string =>
  `5${createHash('sha256').update(subject).digest('hex').slice(0, 31)}`

const PSS_384 =
  '304106092a864886f70d01010a3034a00f300d06096086480165030402020500' +
  'a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130'

function algorithmOf({ kind }: TestKey): Bytes {
  if (kind === 'RSA') return fromHex(PSS_384)
  return sequence(oid(kind === 'P-256' ? '1.2.840.10045.4.3.2' : '1.2.840.10045.4.3.3'))
}

function extensionOf({ id, critical, value }: TestExtension): Bytes {
  return sequence(oid(id), ...(critical === undefined ? [] : [boolean(critical)]), octets(value))
}

const hash = (bytes: Bytes): Bytes => new Uint8Array(createHash('sha256').update(bytes).digest())
