/**
 * What Intel publishes about a platform, as data: TCB info and the quoting enclave's identity with
 * their signatures, two revocation lists, and the certificate chains of whoever signed them.
 *
 * On the wire it is JSON in exactly one encoding (README.md), so that one hash is one collateral.
 * `importCollateral` reads the form that other tools write. Nothing is verified here.
 * @module
 */
import { type Bytes, equal, fromBase64, fromHex, toBase64, toHex, utf8 } from '../../base/bytes.ts'
import { LIMITS } from '../../base/limits.ts'
import { refused } from '../hardware.ts'

/** Chains are PEM, leaf first; TCB info and identity are the very text that was signed. */
export interface TdxCollateral {
  readonly tcbInfo: string
  /** r and s, 64 bytes. */
  readonly tcbInfoSignature: Bytes
  readonly tcbInfoChain: string
  readonly qeIdentity: string
  readonly qeIdentitySignature: Bytes
  readonly qeIdentityChain: string
  readonly rootCrl: Bytes
  readonly pckCrl: Bytes
  readonly pckCrlChain: string
}

const VERSION = 1
const KIND = 'intel-tdx-collateral'

/** Collateral as bytes: JSON, keys in this order, no white space. */
export function encodeCollateral(collateral: TdxCollateral): Bytes {
  const json = {
    version: VERSION,
    kind: KIND,
    tcbInfo: collateral.tcbInfo,
    tcbInfoSignature: toHex(collateral.tcbInfoSignature),
    tcbInfoChain: collateral.tcbInfoChain,
    qeIdentity: collateral.qeIdentity,
    qeIdentitySignature: toHex(collateral.qeIdentitySignature),
    qeIdentityChain: collateral.qeIdentityChain,
    rootCrl: toBase64(collateral.rootCrl),
    pckCrl: toBase64(collateral.pckCrl),
    pckCrlChain: collateral.pckCrlChain,
  }
  return utf8(JSON.stringify(json))
}

/**
 * Collateral from bytes. Throws `evidence-collateral` on more than `LIMITS.collateralBytes` and on
 * any bytes that `encodeCollateral` would not make.
 */
export function parseCollateral(bytes: Bytes): TdxCollateral {
  if (bytes.length === 0) throw bad('there is none')
  if (bytes.length > LIMITS.collateralBytes) throw bad('it is too long')
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    const text = textsOf(json)
    const collateral = {
      tcbInfo: text('tcbInfo'),
      tcbInfoSignature: fromHex(text('tcbInfoSignature'), 64),
      tcbInfoChain: text('tcbInfoChain'),
      qeIdentity: text('qeIdentity'),
      qeIdentitySignature: fromHex(text('qeIdentitySignature'), 64),
      qeIdentityChain: text('qeIdentityChain'),
      rootCrl: fromBase64(text('rootCrl')),
      pckCrl: fromBase64(text('pckCrl')),
      pckCrlChain: text('pckCrlChain'),
    }
    if (equal(encodeCollateral(collateral), bytes)) return collateral
  } catch (cause) {
    throw bad('it is malformed', cause)
  }
  throw bad('it is not in its one encoding')
}

/**
 * Collateral from the JSON that collectors in the field write (Intel's `sgx_ql_qve_collateral_t`
 * with its fields in snake case, lists and signatures in hex). Throws `evidence-collateral`.
 */
export function importCollateral(json: string): TdxCollateral {
  if (json.length > LIMITS.collateralBytes) throw bad('it is too long')
  try {
    const text = textsOf(JSON.parse(json))
    return {
      tcbInfo: text('tcb_info'),
      tcbInfoSignature: fromHex(text('tcb_info_signature'), 64),
      tcbInfoChain: text('tcb_info_issuer_chain'),
      qeIdentity: text('qe_identity'),
      qeIdentitySignature: fromHex(text('qe_identity_signature'), 64),
      qeIdentityChain: text('qe_identity_issuer_chain'),
      rootCrl: fromHex(text('root_ca_crl')),
      pckCrl: fromHex(text('pck_crl')),
      pckCrlChain: text('pck_crl_issuer_chain'),
    }
  } catch (cause) {
    throw bad('it is malformed', cause)
  }
}

/** Reads members that are text. */
function textsOf(json: unknown): (name: string) => string {
  const members = new Map(typeof json === 'object' && json !== null ? Object.entries(json) : [])
  return (name) => {
    const value: unknown = members.get(name)
    if (typeof value !== 'string') throw bad(`${name} is missing`)
    return value
  }
}

function bad(because: string, cause?: unknown) {
  return refused('evidence-collateral', `bad collateral: ${because}`, {}, cause)
}
