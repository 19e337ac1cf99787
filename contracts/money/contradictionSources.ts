/**
 * Contradictions between two receipt files: what client, scheduler and provider each kept of one
 * job. Whoever holds two that differ can say who signed both.
 * @module
 */
import { fromBase64, toBase64, toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { lease, parseRecord, recordBytes } from '../wire/records.ts'
import { verifyContradiction } from './contradiction.ts'
import type { ContradictionFile, SignedStatement } from './contradictionFile.ts'
import type { ReceiptFile } from './receiptFile.ts'

/**
 * Every contradiction that two receipt files prove, of the scheduler and of the provider; none
 * where they agree, or speak of different jobs. Throws `bad-frame` where a record is none.
 *
 * @example
 * const [file] = contradictionsBetween(mine, theirs, networkId)
 */
export function contradictionsBetween(
  one: ReceiptFile,
  other: ReceiptFile,
  networkId: number,
): readonly ContradictionFile[] {
  const terms = lease.decode(parseRecord(fromBase64(one.lease)))
  const head = { version: 1 as const, network: networkId }
  const provider = { ...head, signer: toHex(terms.provider), lease: plain(one.lease) }
  const both = (name: 'lease' | 'accept' | 'receipt') =>
    [signed(one, name), signed(other, name)] as const
  const files: ContradictionFile[] = [
    {
      ...head,
      ...{ signer: toHex(terms.scheduler), kind: 'leases', statements: both('lease') },
    },
    { ...provider, kind: 'accepts', statements: both('accept') },
    { ...provider, kind: 'receipts', statements: both('receipt') },
  ]
  return files.filter((file) => isProven(file, networkId))
}

function signed(file: ReceiptFile, name: 'lease' | 'accept' | 'receipt'): SignedStatement {
  return { record: plain(file[name]), signature: file.signatures[name] }
}

function plain(record: string): string {
  return toBase64(recordBytes(parseRecord(fromBase64(record))))
}

function isProven(file: ContradictionFile, networkId: number): boolean {
  try {
    verifyContradiction(file, networkId)
    return true
  } catch (error) {
    if (error instanceof MarketError) return false
    throw error
  }
}
