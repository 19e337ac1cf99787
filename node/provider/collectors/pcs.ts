/**
 * Intel's collateral for one platform from its provisioning service (PCS, version 4 of the API), or
 * from a cache of it (PCCS) that answers at the same paths.
 *
 * Four answers make one collateral: the list of the PCK authority and the root's, TCB info and the
 * identity of the quoting enclave. Signatures are over the very text in the body, chains stand URL
 * encoded in headers. Nothing is verified here: that is the cache's part.
 * @module
 */
import { encodeCollateral } from '../../../contracts/attest/tdx/collateral.ts'
import { type Bytes, fromHex } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { checkUrl, type Fetched, get, type HttpDeps } from './http.ts'

export interface PcsPlace {
  /** Like `https://api.trustedservices.intel.com`, or the root of a PCCS. */
  readonly url: string
  /** The root's list: `https://certificates.trustedservices.intel.com/IntelSGXRootCA.der`. */
  readonly rootCrl: string
  /** Of the platform, 12 hex digits: its PCK certificate names it. */
  readonly fmspc: string
  /** The authority above its PCK certificate. */
  readonly ca: 'platform' | 'processor'
  /** Which of Intel's tracks; the service's own default is `standard`. */
  readonly update?: 'early' | 'standard'
}

/** A source for `collateralCache`. Throws `bad-config`; what it gives throws `unreachable`. */
export function pcsSource(deps: HttpDeps, place: PcsPlace): () => Promise<Bytes> {
  const { url, rootCrl, fmspc, ca, update } = place
  checkUrl(url)
  checkUrl(rootCrl)
  if (!/^[0-9a-f]{12}$/i.test(fmspc)) {
    throw new MarketError('bad-config', { field: 'fmspc', expected: '12 hex digits' })
  }
  const root = url.replace(/\/+$/, '')
  const track: Record<string, string> = update ? { update } : {}
  const of = (path: string, query: Record<string, string>) =>
    get(deps, `${root}${path}?${new URLSearchParams(query)}`)
  return async () => {
    const list = await of('/sgx/certification/v4/pckcrl', { ca, encoding: 'der' })
    const info = await of('/tdx/certification/v4/tcb', { fmspc, ...track })
    const identity = await of('/tdx/certification/v4/qe/identity', track)
    const tcb = signedText(info, 'tcbInfo')
    const qe = signedText(identity, 'enclaveIdentity')
    return encodeCollateral({
      tcbInfo: tcb.text,
      tcbInfoSignature: tcb.signature,
      tcbInfoChain: chainOf(info, 'TCB-Info-Issuer-Chain'),
      qeIdentity: qe.text,
      qeIdentitySignature: qe.signature,
      qeIdentityChain: chainOf(identity, 'SGX-Enclave-Identity-Issuer-Chain'),
      rootCrl: derOf((await get(deps, rootCrl)).body),
      pckCrl: derOf(list.body),
      pckCrlChain: chainOf(list, 'SGX-PCK-CRL-Issuer-Chain'),
    })
  }
}

/** `{"NAME":{..},"signature":"hex"}`: the text between, byte for byte, since it was signed. */
function signedText({ body }: Fetched, name: string): { text: string; signature: Bytes } {
  const json = new TextDecoder().decode(body).trim()
  const [, text, signature] =
    /^\{"\w+":(\{.*\}),"signature":"([0-9a-f]{128})"\}$/is.exec(json) ?? []
  if (!json.startsWith(`{"${name}":`) || !text || !signature) throw unread(name)
  return { text, signature: fromHex(signature.toLowerCase(), 64) }
}

function chainOf({ headers }: Fetched, name: string): string {
  const chain = headers.get(name)
  if (chain === null) throw unread(name)
  try {
    return decodeURIComponent(chain)
  } catch (cause) {
    throw unread(name, cause)
  }
}

/** A PCCS may write lists in hex. */
function derOf(body: Bytes): Bytes {
  if (body[0] === 0x30) return body
  const text = new TextDecoder('latin1').decode(body).trim()
  return /^([0-9a-f]{2})+$/i.test(text) ? fromHex(text.toLowerCase()) : body
}

function unread(part: string, cause?: unknown): MarketError {
  return new MarketError('unreachable', { because: `no ${part} as PCS writes it` }, { cause })
}
