/**
 * A whole signed job for the receipt tests; each part can be changed before it is signed.
 * @module
 */
import { type SigningKey, sha256, signingKey } from '../../../contracts/base/signing.ts'
import { cost, feeOn } from '../../../contracts/money/price.ts'
import { type ReceiptFile, receiptFile } from '../../../contracts/money/receipt.ts'
import {
  type Accept,
  accept,
  type EpochKey,
  epochKey,
  type Lease,
  lease,
  priceAsset,
  type Receipt,
  receipt,
  recordBytes,
  recordHash,
  signRecord,
} from '../../../contracts/wire/records.ts'
import { ACCEPT, EPOCH_KEY, fill, LEASE, RECEIPT } from '../wire/recordSamples.ts'

export const KEYS = {
  scheduler: signingKey(fill(21)),
  provider: signingKey(fill(22)),
  client: signingKey(fill(23)),
  stranger: signingKey(fill(24)),
}

export interface Changes {
  readonly lease?: Partial<Lease>
  readonly accept?: Partial<Accept>
  readonly epochKey?: Partial<EpochKey>
  readonly receipt?: Partial<Receipt>
  readonly signers?: Partial<Record<'lease' | 'accept' | 'epochKey' | 'receipt', SigningKey>>
  readonly client?: SigningKey | null
  readonly evidence?: Uint8Array
  /** The document shown in place of the one that was accepted with. */
  readonly shownEvidence?: Uint8Array
}

/** The file of a job that completed, with the changes made before signing. */
export function signedJob(changes: Changes = {}): ReceiptFile {
  const { signers = {}, evidence } = changes
  const leased: Lease = {
    ...LEASE,
    scheduler: KEYS.scheduler.publicKey,
    provider: KEYS.provider.publicKey,
    clientJobKey: KEYS.client.publicKey,
    ...changes.lease,
  }
  const leaseCell = lease.encode(leased)
  const leaseHash = recordHash(leaseCell)
  const keyCell = epochKey.encode({ ...EPOCH_KEY, ...changes.epochKey })
  const acceptCell = accept.encode({
    ...ACCEPT,
    leaseHash,
    epochKeyHash: recordHash(keyCell),
    evidenceDigest: evidence ? sha256(evidence) : fill(0),
    ...changes.accept,
  })
  const amount = cost(RECEIPT.billed, leased, priceAsset(leased.asset))
  const money = { cost: amount, fee: feeOn(amount, leased) }
  const receiptCell = receipt.encode({ ...RECEIPT, leaseHash, ...money, ...changes.receipt })
  const { client = KEYS.client } = changes
  return receiptFile({
    receipt: recordBytes(receiptCell),
    lease: recordBytes(leaseCell),
    accept: recordBytes(acceptCell),
    epochKey: recordBytes(keyCell),
    evidence: changes.shownEvidence ?? evidence,
    signatures: {
      lease: signRecord(leaseCell, signers.lease ?? KEYS.scheduler),
      accept: signRecord(acceptCell, signers.accept ?? KEYS.provider),
      epochKey: signRecord(keyCell, signers.epochKey ?? KEYS.provider),
      receipt: signRecord(receiptCell, signers.receipt ?? KEYS.provider),
      client: client ? signRecord(receiptCell, client) : undefined,
    },
  })
}
