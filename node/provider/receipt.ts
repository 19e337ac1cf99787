/**
 * What a provider signs about a job: the accept that promises a place, and the receipt that says
 * what was delivered. Pure; the keys stay with the caller.
 * @module
 */
import type { Address } from '@ton/core'
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { feeOn, type TokenUsage } from '../../contracts/money/price.ts'
import { type ReceiptFile, receiptFile } from '../../contracts/money/receiptFile.ts'
import type { SignedLease } from '../../contracts/wire/generated/chrysalis_pb.ts'
import {
  accept,
  type Receipt,
  receipt,
  recordBytes,
  recordHash,
  signRecord,
} from '../../contracts/wire/records.ts'
import type { AcceptedLease, CheckedLease } from './accepting.ts'
import type { Attested } from './evidence.ts'

/** A finished receipt, kept and handed to the account before it is told. */
export interface IssuedReceipt {
  readonly jobId: string
  readonly record: Bytes
  readonly signature: Bytes
  readonly hash: Bytes
  readonly charge: NanoTon
}

/** The accept as it is sent, with everything that proves it. */
export interface AcceptProof {
  readonly record: Bytes
  readonly signature: Bytes
  readonly epochKey: Bytes
  readonly epochSignature: Bytes
  readonly evidence: Bytes
  /** Account id of the provider's wallet, under which the registry knows it. */
  readonly owner: Bytes
}

/** Signs the accept of a checked lease, naming the epoch key and the evidence of now. */
export function signAccept(
  { lease, leaseHash, jobId, slot }: CheckedLease,
  attested: Attested,
  identity: SigningKey,
  owner: Address,
): { readonly accepted: AcceptedLease; readonly proof: AcceptProof } {
  const { network, expiryS, minTier } = lease
  const { digest: evidenceDigest, epochHash: epochKeyHash } = attested
  const cell = accept.encode({ network, leaseHash, epochKeyHash, evidenceDigest, expiryS })
  return {
    accepted: {
      lease,
      jobId,
      model: slot.model,
      tier: slot.tier,
      epoch: attested.epoch,
      binding: { network, leaseHash, acceptHash: recordHash(cell), minTier, evidenceDigest },
    },
    proof: {
      record: recordBytes(cell),
      signature: signRecord(cell, identity),
      epochKey: attested.epochRecord,
      epochSignature: attested.epochSignature,
      evidence: attested.evidence,
      owner: new Uint8Array(owner.hash),
    },
  }
}

/** Signs the receipt of an accepted job. */
export function signReceipt(
  { lease, jobId, tier, binding }: AcceptedLease,
  done: {
    readonly outcome: Receipt['outcome']
    readonly billed: TokenUsage
    readonly cost: NanoTon
    readonly startS: number
    readonly endS: number
    readonly transcriptHash: Bytes
  },
  identity: SigningKey,
): IssuedReceipt {
  const cell = receipt.encode({
    network: lease.network,
    leaseHash: binding.leaseHash,
    modelHash: lease.modelHash,
    fee: feeOn(done.cost, lease),
    tier,
    ...done,
  })
  const [record, signature] = [recordBytes(cell), signRecord(cell, identity)]
  return { jobId, record, signature, hash: recordHash(cell), charge: done.cost }
}

/** The provider's own copy: the countersignature is added when it comes. */
export function fileOf(issued: IssuedReceipt, lease: SignedLease, proof: AcceptProof): ReceiptFile {
  return receiptFile({
    receipt: issued.record,
    lease: lease.record,
    accept: proof.record,
    epochKey: proof.epochKey,
    evidence: proof.evidence,
    signatures: {
      lease: lease.signature,
      accept: proof.signature,
      epochKey: proof.epochSignature,
      receipt: issued.signature,
    },
  })
}
