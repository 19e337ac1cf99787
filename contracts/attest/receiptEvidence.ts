/**
 * The evidence in a receipt file, judged again by whoever holds the file: at the time at which the
 * job began, with the collateral that stands in the document itself, and nothing from outside.
 *
 * What a verifier proves then does not change afterwards. What it takes a chain, a registry or a
 * list of accepted measurements for is left open, in words.
 * @module
 */
import { type Bytes, equal, fromBase64, toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { type Tier, tierAtLeast } from '../base/tier.ts'
import type { ReceiptFile } from '../money/receiptFile.ts'
import { epochKey, lease, parseRecord, receipt } from '../wire/records.ts'
import { parseEvidence } from './document.ts'
import { refused } from './hardware.ts'
import { VERIFIERS, verifyEvidence } from './verify.ts'

export interface JudgedEvidence {
  readonly kind: string
  readonly tier: Tier
  /** When it was judged: the begin of the job, Unix seconds. */
  readonly atS: number
  readonly proved: readonly string[]
  readonly notProved: readonly string[]
}

/**
 * Judges the evidence of a file whose records hold (`verifyReceipt`); undefined where it has none.
 * Throws `evidence-..` where the evidence would not have supported this job at its time.
 *
 * @example
 * const judged = await judgeReceiptEvidence(file) // { kind: 'tdx', tier: 'cpu-tee', .. }
 */
export async function judgeReceiptEvidence(
  file: ReceiptFile,
  verifiers = VERIFIERS,
): Promise<JudgedEvidence | undefined> {
  if (file.evidence === undefined) return undefined
  const leased = lease.decode(parseRecord(fromBase64(file.lease)))
  const { network, provider, modelHash } = leased
  const received = receipt.decode(parseRecord(fromBase64(file.receipt)), network)
  const key = epochKey.decode(parseRecord(fromBase64(file.epochKey)), network)
  const bytes = fromBase64(file.evidence)
  const { kind } = parseEvidence(bytes)
  const context = {
    atMs: received.startS * 1_000,
    network,
    // Both are asked of a network elsewhere: here what they leave open is said below.
    development: kind === 'simulated',
    isRegistered: () => 'unasked' as const,
  }
  const verdict = await verifyEvidence(bytes, context, verifiers)
  const { claims, tier, hardware } = verdict
  checkAbout('identity', claims.identity, provider)
  checkAbout('model', claims.modelHash, modelHash)
  if (!tierAtLeast(tier, received.tier)) {
    throw refused('evidence-tier', 'less than the receipt says', { tier, receipt: received.tier })
  }
  if (key.notAfterS > verdict.validUntilS) {
    throw new MarketError('evidence-outlived', { because: 'the key ends later' })
  }
  return {
    kind,
    tier,
    atS: received.startS,
    proved: verdict.proved,
    notProved: [
      ...verdict.notProved,
      ...hardware.map(
        ({ measurement }) => `that software of measurement ${toHex(measurement)} is any you trust`,
      ),
    ],
  }
}

function checkAbout(what: string, found: Bytes, leased: Bytes): void {
  if (equal(found, leased)) return
  throw refused('evidence-binding', `it is about another ${what} than the lease`)
}
