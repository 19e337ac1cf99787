/**
 * Collateral as people have it: files in any order, told apart by what they hold and not by their
 * names. From the pool each verifier is given exactly what its evidence needs.
 *
 * Forms: certificates and revocation lists in DER or PEM (several in one file); the table of
 * certificates that a host hands to an SEV-SNP guest; TDX collateral as Intel's tools write it or
 * in this project's encoding; the key set of NVIDIA's service (JWKS).
 * @module
 */
import type { KeyObject } from 'node:crypto'
import { type Bytes, equal } from '../base/bytes.ts'
import { detectEvidence, jsonOf } from './detect.ts'
import { refused } from './hardware.ts'
import { isSignedP384 } from './p384.ts'
import { parseCertTable } from './snp/certTable.ts'
import type { SnpReport } from './snp/report.ts'
import type { SnpCollateral } from './snp/verify.ts'
import { encodeCollateral, importCollateral, parseCollateral } from './tdx/collateral.ts'
import { type Certificate, parseCertificate } from './x509/certificate.ts'
import { parseCrl } from './x509/crl.ts'
import { looksLikePem, pemBlocks } from './x509/pem.ts'
import { isSignedBy } from './x509/signature.ts'

export interface Pool {
  readonly certificates: readonly Certificate[]
  readonly crls: readonly Bytes[]
  /** Encoded, one verifier's worth each. */
  readonly tdx: readonly Bytes[]
  readonly jwks: readonly string[]
  /** Certificate chains as they stand, for GPUs. */
  readonly chains: readonly string[]
}

type Found = { -readonly [K in keyof Pool]: Pool[K][number][] }

/** Most blocks of one PEM file. */
const MOST_BLOCKS = 16

/**
 * Adds a file to what was found; false where it holds nothing that is known here. Evidence that
 * lies in the same folder is such a file.
 */
export function addToPool(pool: Found, bytes: Bytes): boolean {
  return addJson(pool, bytes) || addPem(pool, bytes) || addDer(pool, bytes)
}

export function emptyPool(): Found {
  return { certificates: [], crls: [], tdx: [], jwks: [], chains: [] }
}

/** The chain above the key that signed a report. Throws `evidence-collateral` naming what lacks. */
export function snpCollateralOf(
  { certificates, crls }: Pool,
  { signed, signature }: SnpReport,
): SnpCollateral {
  const vek = certificates.find(({ publicKey }) => isSignedP384(publicKey, signed, signature))
  if (!vek) throw lacking('the certificate of the key that signed the report (VCEK or VLEK)')
  const ask = issuerOf(vek, certificates)
  if (!ask) throw lacking("AMD's signing authority above it (ASK or ASVK)")
  const ark = issuerOf(ask, certificates)
  if (!ark) throw lacking("AMD's root (ARK)")
  const crl = crls.find((each) => equal(parseCrl(each).issuer, ark.subject))
  return { vek: vek.der, ask: ask.der, ark: ark.der, ...(crl && { crl }) }
}

/** A GPU's chain: the one whose first certificate signed. Throws `evidence-collateral`. */
export function gpuChainOf({ chains }: Pool, signed: Bytes, signature: Bytes): string {
  const found = chains.find((chain) => {
    const [first] = pemBlocks(chain, 'CERTIFICATE', MOST_BLOCKS)
    return isSignedP384(parseCertificate(first!).publicKey, signed, signature)
  })
  if (!found) throw lacking('the certificate chain of the GPU, in one PEM file, leaf first')
  return found
}

/** Keys of NVIDIA's service; none where no key set was given. */
export async function serviceKeysOf({ jwks }: Pool): Promise<ReadonlyMap<string, KeyObject>> {
  const { eatKeys } = await import('./nvidia/eat.ts')
  return new Map(jwks.flatMap((text) => [...eatKeys(text)]))
}

export function lacking(what: string) {
  return refused('evidence-collateral', `it lacks ${what}`)
}

function issuerOf(of: Certificate, among: readonly Certificate[]): Certificate | undefined {
  const { algorithm, tbs, signature } = of
  return among.find(
    ({ subject, publicKey }) =>
      equal(subject, of.issuer) && isSignedBy(publicKey, algorithm, tbs, signature),
  )
}

function addJson(pool: Found, bytes: Bytes): boolean {
  const json = jsonOf(bytes)
  if (typeof json !== 'object' || json === null) return false
  const text = new TextDecoder().decode(bytes)
  const has = (key: string) => Object.hasOwn(json, key)
  if (has('tcb_info')) pool.tdx.push(encodeCollateral(importCollateral(text)))
  else if (has('tcbInfoChain')) pool.tdx.push(encodeCollateral(parseCollateral(bytes)))
  else if (has('keys')) pool.jwks.push(text)
  else return false
  return true
}

function addPem(pool: Found, bytes: Bytes): boolean {
  if (!looksLikePem(bytes)) return false
  const text = new TextDecoder('latin1').decode(bytes)
  if (text.startsWith('-----BEGIN X509 CRL-----')) {
    pool.crls.push(bytes)
    return true
  }
  const blocks = pemBlocks(text, 'CERTIFICATE', MOST_BLOCKS)
  pool.certificates.push(...blocks.map(parseCertificate))
  pool.chains.push(text)
  return true
}

function addDer(pool: Found, bytes: Bytes): boolean {
  if (detectEvidence(bytes)) return false
  return (
    attempt(() => pool.certificates.push(parseCertificate(bytes))) ||
    attempt(() => pool.crls.push(parseCrl(bytes) && bytes)) ||
    attempt(() => pool.certificates.push(...tableOf(bytes)))
  )
}

function tableOf(bytes: Bytes): Certificate[] {
  const found = Object.values(parseCertTable(bytes)).map(parseCertificate)
  if (found.length === 0) throw lacking('any certificate')
  return found
}

/** One reading after the other: what fails all of them is nothing that is known. */
function attempt(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}
