/**
 * Contradictions of every kind, signed, for the tests; each statement can be changed before that.
 * @module
 */
import { Address } from '@ton/core'
import { toBase64, toHex } from '../../../contracts/base/bytes.ts'
import type { SigningKey } from '../../../contracts/base/signing.ts'
import type { Statement } from '../../../contracts/money/account.ts'
import { acknowledgementHash } from '../../../contracts/money/acknowledgement.ts'
import type {
  ContradictionFile,
  SignedAcknowledgement,
  SignedStatement,
} from '../../../contracts/money/contradictionFile.ts'
import {
  type Accept,
  accept,
  type Lease,
  lease,
  type Receipt,
  receipt,
  recordBytes,
  recordHash,
  signRecord,
} from '../../../contracts/wire/records.ts'
import { ACCEPT, fill, LEASE, RECEIPT } from '../wire/recordSamples.ts'
import { KEYS } from './receiptWorld.ts'

export const NETWORK = -3
export const CHANNEL = new Address(0, Buffer.from(fill(31)))
const OWN_LEASE: Lease = {
  ...LEASE,
  scheduler: KEYS.scheduler.publicKey,
  provider: KEYS.provider.publicKey,
  clientJobKey: KEYS.client.publicKey,
}

/** What is signed differently from the honest statement, by whom, and on which channel. */
interface Change<T> {
  readonly fields?: Partial<T>
  readonly by?: SigningKey
}

export function acknowledged(
  statement: Statement,
  by: SigningKey = KEYS.provider,
  channel = CHANNEL,
  network = NETWORK,
): SignedAcknowledgement {
  const signature = toBase64(by.sign(acknowledgementHash(network, channel, statement)))
  const { sequence, cumulative, credit } = statement
  return { sequence, cumulative: `${cumulative}`, credit: `${credit}`, signature }
}

export function acknowledgements(
  one: SignedAcknowledgement,
  other: SignedAcknowledgement,
): ContradictionFile {
  return {
    ...{ version: 1, network: NETWORK, signer: toHex(KEYS.provider.publicKey) },
    ...{ kind: 'acknowledgements', channel: CHANNEL.toRawString(), statements: [one, other] },
  }
}

export function signedLease({ fields, by = KEYS.scheduler }: Change<Lease> = {}): SignedStatement {
  return signed(lease.encode({ ...OWN_LEASE, ...fields }), by)
}

export function leases(one: SignedStatement, other: SignedStatement): ContradictionFile {
  return {
    ...{ version: 1, network: NETWORK, signer: toHex(KEYS.scheduler.publicKey) },
    ...{ kind: 'leases', statements: [one, other] },
  }
}

export function signedAccept({ fields, by = KEYS.provider }: Change<Accept> = {}): SignedStatement {
  const leaseHash = recordHash(lease.encode(OWN_LEASE))
  return signed(accept.encode({ ...ACCEPT, leaseHash, ...fields }), by)
}

export function signedReceipt({
  fields,
  by = KEYS.provider,
}: Change<Receipt> = {}): SignedStatement {
  const leaseHash = recordHash(lease.encode(OWN_LEASE))
  return signed(receipt.encode({ ...RECEIPT, leaseHash, ...fields }), by)
}

/** Two accepts or two receipts of the honest lease, or of `under`. */
export function ofOneLease(
  kind: 'accepts' | 'receipts',
  one: SignedStatement,
  other: SignedStatement,
  under: Partial<Lease> = {},
): ContradictionFile {
  const cell = lease.encode({ ...OWN_LEASE, ...under })
  return {
    ...{ version: 1, network: NETWORK, signer: toHex(KEYS.provider.publicKey) },
    ...{ kind, lease: toBase64(recordBytes(cell)), statements: [one, other] },
  }
}

/** One of each kind that is proved. */
export const PROVED: Readonly<Record<string, ContradictionFile>> = {
  acknowledgements: acknowledgements(
    acknowledged({ sequence: 7, cumulative: 500n, credit: 20n }),
    acknowledged({ sequence: 7, cumulative: 470n, credit: 20n }),
  ),
  sunk: acknowledgements(
    acknowledged({ sequence: 9, cumulative: 440n, credit: 0n }),
    acknowledged({ sequence: 7, cumulative: 500n, credit: 0n }),
  ),
  leases: leases(signedLease(), signedLease({ fields: { tick: 41 } })),
  accepts: ofOneLease(
    'accepts',
    signedAccept(),
    signedAccept({ fields: { epochKeyHash: fill(90) } }),
  ),
  receipts: ofOneLease(
    'receipts',
    signedReceipt(),
    signedReceipt({ fields: { cost: RECEIPT.cost + 1_000n, fee: RECEIPT.fee + 25n } }),
  ),
}

function signed(cell: Parameters<typeof signRecord>[0], by: SigningKey): SignedStatement {
  return { record: toBase64(recordBytes(cell)), signature: toBase64(signRecord(cell, by)) }
}
