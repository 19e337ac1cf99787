/**
 * Played hardware for tests of binding and policy: what a vendor's verifier would answer. It signs
 * nothing; the verifiers themselves have tests of their own.
 * @module
 */
import {
  type ConfidentialKind,
  CPU_PARTS,
  confidentialVerifier,
} from '../../../contracts/attest/confidential.ts'
import {
  type Claims,
  encodeEvidence,
  gpuNonce,
  reportData,
} from '../../../contracts/attest/document.ts'
import { type HardwareVerdict, refused } from '../../../contracts/attest/hardware.ts'
import type { SnpVerdict } from '../../../contracts/attest/snp/verify.ts'
import type { EvidenceVerifier } from '../../../contracts/attest/verifier.ts'
import { type Bytes, concat, toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { sha256 } from '../../../contracts/base/signing.ts'

const NOT_AFTER_S = 1_900_000_000
const IMAGE = sha256(utf8('an image'))
const FIRMWARE = sha256(utf8('GPU firmware'))

/** Good hardware, as a policy sees it. */
export const CPU: HardwareVerdict = {
  vendor: 'intel-tdx',
  reportData: new Uint8Array(64),
  measurement: IMAGE,
  platformId: sha256(utf8('a board')),
  tcbStatus: 'UpToDate',
  proved: ['a played Intel processor signed'],
  notProved: ['that it is a processor: it is played'],
  validUntilS: NOT_AFTER_S,
}
export const GPU: HardwareVerdict = {
  ...CPU,
  vendor: 'nvidia',
  measurement: FIRMWARE,
  platformId: sha256(utf8('a GPU')),
  tcbStatus: 'driver=1 vbios=2',
  proved: ['a played GPU signed'],
}
export const SNP: Pick<SnpVerdict, 'vendor' | 'product' | 'tcb' | 'tcbStatus'> = {
  vendor: 'amd-snp',
  product: 'Milan',
  tcb: { bootloader: 4, tee: 0, snp: 23, microcode: 213 },
  tcbStatus: 'bootloader=4 tee=0 snp=23 microcode=213',
}
export const MEASUREMENTS = {
  version: 3,
  list: [IMAGE, FIRMWARE].map(toHex),
  leastTcb: { Milan: { snp: 20 } },
}

const QUOTE = utf8('PLAYED QUOTE')
const GPU_QUOTE = utf8('PLAYED GPU')
const COLLATERAL = utf8('{}')

/** What a played machine says of itself beside the report data. */
export interface Machine {
  readonly board?: string
  readonly image?: string
  readonly tcbStatus?: string
}

/** A machine that signs what it is told to. */
export function playedQuote(data: Bytes, machine: Machine = {}): Bytes {
  return concat(QUOTE, data, utf8(JSON.stringify(machine)))
}

export function playedGpu(nonce: Bytes): Bytes {
  return concat(GPU_QUOTE, nonce)
}

export interface PlayedArgs {
  readonly kind?: 'tdx' | 'sev-snp'
  readonly gpu?: boolean
  /** Instead of what honest software would hand in. */
  readonly quote?: Bytes
  readonly gpuEvidence?: Bytes
}

/** Evidence of a played machine about `claims`, whose GPU hash is filled in. */
export function playedEvidence(given: Claims, args: PlayedArgs = {}): Bytes {
  const { kind = 'tdx', gpu = false } = args
  const nvidia = args.gpuEvidence ?? (gpu ? playedGpu(gpuNonce(given)) : undefined)
  const claims = nvidia ? { ...given, gpuEvidenceHash: sha256(nvidia) } : given
  const quote = args.quote ?? playedQuote(reportData(claims))
  const [part, ...others] = CPU_PARTS[kind]
  const collateral = Object.fromEntries(others.map((name) => [name, COLLATERAL]))
  const proof = { [part]: quote, ...collateral, ...(nvidia && { nvidia }) }
  return encodeEvidence({ kind, claims, proof })
}

/** What a vendor's verifier would answer to a played quote. */
export function readQuote(quote: Bytes, vendor: 'intel-tdx' | 'amd-snp'): HardwareVerdict {
  if (toHex(quote.subarray(0, QUOTE.length)) !== toHex(QUOTE)) {
    throw refused('evidence-signature', 'no played machine has signed it')
  }
  const data = quote.subarray(QUOTE.length, QUOTE.length + 64)
  const said = new TextDecoder().decode(quote.subarray(QUOTE.length + 64))
  const { board = 'a board', image = 'an image', tcbStatus } = JSON.parse(said) as Machine
  return {
    ...CPU,
    ...(vendor === 'amd-snp' ? SNP : {}),
    ...(tcbStatus && { tcbStatus }),
    vendor,
    platformId: sha256(utf8(board)),
    measurement: sha256(utf8(image)),
    reportData: data,
  }
}

export function readGpu(evidence: Bytes): HardwareVerdict {
  if (toHex(evidence.subarray(0, GPU_QUOTE.length)) !== toHex(GPU_QUOTE)) {
    throw refused('evidence-signature', 'no played GPU has signed it')
  }
  return { ...GPU, reportData: evidence.subarray(GPU_QUOTE.length) }
}

/** Verifiers of played hardware, with the real binding around them. */
export const PLAYED_VERIFIERS: readonly EvidenceVerifier[] = [
  confidentialVerifier({
    kind: 'tdx',
    cpu: ({ quote }) => readQuote(quote!, 'intel-tdx'),
    gpu: ({ nvidia }) => readGpu(nvidia!),
  } satisfies ConfidentialKind),
  confidentialVerifier({
    kind: 'sev-snp',
    cpu: async ({ report }) => readQuote(report!, 'amd-snp'),
    gpu: async ({ nvidia }) => readGpu(nvidia!),
  } satisfies ConfidentialKind),
]
