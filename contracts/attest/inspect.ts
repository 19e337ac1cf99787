/**
 * Evidence in a person's hand: a file of any known form and a pool of collateral in, an answer out.
 *
 * For raw evidence that answer is what the hardware proves, and what it leaves open because nobody
 * named a nonce or a list; for the market's document it is a verdict under a policy. Offline.
 * @module
 */
import { type Bytes, equal, fromHex, toHex } from '../base/bytes.ts'
import { asMarketError, MarketError } from '../base/errors.ts'
import { TIER_MEANING } from '../base/tier.ts'
import { detectEvidence, type EvidenceForm, FORM_NAMES, isTokenBundle, jsonOf } from './detect.ts'
import { parseEvidence } from './document.ts'
import { type HardwareVerdict, malformed, refused } from './hardware.ts'
import { applyHardwarePolicy, type HardwarePolicy } from './hardwarePolicy.ts'
import { verifyNvidiaEvidence } from './nvidia/evidence.ts'
import { parseSpdmReport } from './nvidia/spdm.ts'
import { verifyGpu } from './nvidia/verify.ts'
import { gpuChainOf, lacking, type Pool, serviceKeysOf, snpCollateralOf } from './pool.ts'
import { parseSnpReport } from './snp/report.ts'
import { verifySnpReport } from './snp/verify.ts'
import { parseTdxQuote } from './tdx/quote.ts'
import { verifyTdxQuote } from './tdx/verify.ts'
import type { EvidenceContext } from './verifier.ts'
import { allVerifiers } from './verify.ts'

export interface InspectOptions {
  readonly atMs: number
  /** What the asker wanted signed: report data (64 bytes) or a nonce (32). */
  readonly expected?: Bytes
  /** Accepted measurements in hex; absent: said, not judged. */
  readonly measurements?: readonly string[]
  /** TDX states that are good enough. */
  readonly tcb: readonly string[]
  /** For the market's documents: whose network, registry and policy. */
  readonly market?: {
    readonly context: Omit<EvidenceContext, 'atMs'>
    readonly hardware: HardwarePolicy
  }
}

export interface Inspection {
  readonly form: EvidenceForm
  readonly name: string
  readonly hardware: readonly HardwareVerdict[]
  /** Of a document: its kind, tier and claims. */
  readonly document?: {
    readonly kind: string
    readonly tier: string
    readonly tierMeaning: string
    readonly identity: string
    readonly network: number
    readonly modelHash: string
    readonly compute: string
  }
  readonly proved: readonly string[]
  readonly notProved: readonly string[]
  readonly validUntilS: number
}

/** Throws `evidence-..` unless everything that was asked for holds. */
export async function inspectEvidence(
  given: Bytes,
  pool: Pool,
  options: InspectOptions,
): Promise<Inspection> {
  const detected = detectEvidence(given)
  if (!detected) {
    throw refused('evidence-kind', `it is none of: ${Object.values(FORM_NAMES).join('; ')}`)
  }
  const { form, bytes } = detected
  if (form === 'document') return inspectDocument(bytes, pool, options)
  const verdict = await verifyRaw(form, bytes, pool, options)
  const checked = checkAsked(verdict, options)
  return {
    form,
    name: FORM_NAMES[form],
    hardware: [verdict],
    proved: [...verdict.proved, ...checked.proved],
    notProved: [...verdict.notProved, ...checked.notProved],
    validUntilS: verdict.validUntilS,
  }
}

async function verifyRaw(
  form: Exclude<EvidenceForm, 'document'>,
  bytes: Bytes,
  pool: Pool,
  { atMs, expected }: InspectOptions,
): Promise<HardwareVerdict> {
  const nonce = expected && { nonce: expected }
  switch (form) {
    case 'tdx':
      parseTdxQuote(bytes) // what is no TDX quote needs no collateral to be refused
      return firstOf(pool.tdx, (collateral) => verifyTdxQuote(bytes, collateral, { atMs }))
    case 'sev-snp':
      return verifySnpReport(bytes, snpCollateralOf(pool, parseSnpReport(bytes)), { atMs })
    case 'nvidia-gpu': {
      const { signed, signature } = parseSpdmReport(bytes)
      const chain = gpuChainOf(pool, signed, signature)
      return verifyGpu({ report: bytes, chain }, { atMs, crls: pool.crls, ...nonce })
    }
    case 'nvidia-list':
      return verifyNvidiaEvidence(textOf(bytes), { atMs, crls: pool.crls, ...nonce })
    case 'nvidia-token': {
      const { verifyEat } = await import('./nvidia/eat.ts')
      const keys = await serviceKeysOf(pool)
      return verifyEat(textOf(bytes), { atMs, keys, nonce: expected ?? nonceOf(bytes) })
    }
  }
}

/** Report data, measurement and state of updates, as far as the asker named any. */
function checkAsked(
  { vendor, reportData, measurement, tcbStatus }: HardwareVerdict,
  { expected, measurements, tcb }: InspectOptions,
): { proved: string[]; notProved: string[] } {
  if (expected && !equal(expected, reportData)) {
    throw refused('evidence-binding', 'it answers other report data than you named')
  }
  if (vendor === 'intel-tdx' && !tcb.includes(tcbStatus)) {
    throw refused('evidence-tcb', `its state is ${tcbStatus}`, { vendor, tcbStatus })
  }
  const hash = toHex(measurement)
  if (measurements && !measurements.includes(hash)) {
    throw refused('evidence-measurement', 'not one that you named', { measurement: hash })
  }
  const proved = [
    ...(expected ? ['it answers the report data or nonce that you named'] : []),
    ...(measurements ? ['its measurement is one that you named'] : []),
  ]
  const notProved = [
    ...(expected ? [] : ['to whom it answers: no report data or nonce was named to compare']),
    ...(measurements ? [] : ['that its software is any you trust: no measurement was named']),
  ]
  return { proved, notProved }
}

async function inspectDocument(
  bytes: Bytes,
  pool: Pool,
  { atMs, market }: InspectOptions,
): Promise<Inspection> {
  const { claims, kind } = parseEvidence(bytes)
  if (!market) {
    const action = 'Name the network with --network: its file lists providers and measurements.'
    throw new MarketError('evidence-measurement', { because: 'no network was named' }, { action })
  }
  const nvidiaKeys = pool.jwks.length > 0 ? await serviceKeysOf(pool) : undefined
  const verifier = allVerifiers(nvidiaKeys && { nvidiaKeys }).find((each) => each.kind === kind)
  if (!verifier) throw refused('evidence-kind', 'no verifier knows its kind', { kind })
  const verdict = await verifier.verify(bytes, { ...market.context, atMs })
  const { tier, hardware } = verdict
  const isTee = tier === 'cpu-tee' || tier === 'gpu-tee'
  if (isTee) applyHardwarePolicy(hardware, market.hardware, { atMs, freshAtS: claims.freshAtS })
  const { version } = market.hardware.measurements
  const listed = `what it runs is on the accepted list, version ${version}`
  return {
    form: 'document',
    name: FORM_NAMES.document,
    hardware,
    document: {
      kind,
      tier,
      tierMeaning: TIER_MEANING[tier],
      identity: toHex(claims.identity),
      network: claims.network,
      modelHash: toHex(claims.modelHash),
      compute: claims.compute,
    },
    proved: [...verdict.proved, ...(isTee ? [listed] : [])],
    notProved: verdict.notProved,
    validUntilS: verdict.validUntilS,
  }
}

/** The first collateral that serves; what the first one lacks, where none does. */
function firstOf<T>(all: readonly Bytes[], verify: (one: Bytes) => T): T {
  const errors: MarketError[] = []
  for (const one of all) {
    try {
      return verify(one)
    } catch (error) {
      errors.push(asMarketError(error))
    }
  }
  throw errors[0] ?? lacking('what Intel publishes about the platform: it is not in the quote')
}

/** The nonce that the tokens name themselves, where the asker named none: no proof of freshness. */
function nonceOf(bytes: Bytes): Bytes {
  const json = jsonOf(bytes)
  const bundle: unknown = isTokenBundle(json) && Array.isArray(json) ? json : undefined
  const list = bundle ?? (json as { detached_eat?: unknown }).detached_eat
  const token = (list as [[unknown, unknown]] | undefined)?.[0]?.[1]
  const [, payload = ''] = String(token).split('.')
  const claims = jsonOf(Buffer.from(payload, 'base64url')) as { eat_nonce?: unknown } | undefined
  const nonce = claims?.eat_nonce
  if (typeof nonce !== 'string' || !/^[0-9a-fA-F]{64}$/.test(nonce)) {
    throw malformed('the tokens name no nonce')
  }
  return fromHex(nonce.toLowerCase(), 32)
}

function textOf(bytes: Bytes): string {
  return new TextDecoder().decode(bytes)
}
