/**
 * Receipts of whoever holds a channel as payee: kept as receipt files, completed by the client's
 * countersignature, which arrives later on the account stream.
 *
 * The scheduler passes the countersignature on to the provider, so it can wait for it.
 * @module
 */
import { type Bytes, equal, fromBase64, toBase64, utf8 } from '../../contracts/base/bytes.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Clock, Store } from '../../contracts/base/ports.ts'
import { verifySignature } from '../../contracts/base/signing.ts'
import { parseReceiptFile, type ReceiptFile } from '../../contracts/money/receiptFile.ts'
import { lease as leaseRecord, parseRecord, recordHash } from '../../contracts/wire/records.ts'
import type { Countersignature } from './payeeAccount.ts'

const TABLE = 'receipt'

export interface ReceiptBook {
  /** Keeps a receipt file, durably. */
  keep(jobId: string, file: ReceiptFile): Promise<void>
  /** Takes a countersignature as it comes; true where it is the client's of that job. */
  countersigned(given: Countersignature): boolean
  /** The countersignature of a kept receipt once it comes; nothing after `LIMITS.countersignMs`. */
  awaitCountersignature(jobId: string): Promise<Bytes | undefined>
  get(jobId: string): ReceiptFile | undefined
  /** Nobody waits any more: what has not come is settled without it. */
  stop(): void
}

/** The receipts in a store. */
export function createReceiptBook(deps: { store: Store; clock: Clock }): ReceiptBook {
  const waiting = new Map<string, (signature?: Bytes) => void>()

  const get = (jobId: string): ReceiptFile | undefined => {
    const saved = deps.store.get(TABLE, jobId)
    return saved && parseReceiptFile(JSON.parse(new TextDecoder().decode(saved)))
  }
  const write = (jobId: string, file: ReceiptFile) =>
    deps.store.write([{ table: TABLE, key: jobId, value: utf8(JSON.stringify(file)) }])

  return {
    get,
    keep: write,
    countersigned({ jobId, receiptHash, signature }) {
      const file = get(jobId)
      if (!file) return false
      const { clientJobKey } = leaseRecord.decode(parseRecord(fromBase64(file.lease)))
      const own = recordHash(parseRecord(fromBase64(file.receipt)))
      if (!equal(own, receiptHash) || !verifySignature(own, signature, clientJobKey)) return false
      const signatures = { ...file.signatures, client: toBase64(signature) }
      // Not awaited: the store reports its own fault, and the books do not rest on this signature.
      write(jobId, { ...file, signatures }).catch(() => undefined)
      waiting.get(jobId)?.(signature)
      return true
    },
    awaitCountersignature(jobId) {
      const known = get(jobId)?.signatures.client
      if (known) return Promise.resolve(fromBase64(known))
      const arrived = Promise.withResolvers<Bytes | undefined>()
      waiting.set(jobId, arrived.resolve)
      const cancel = deps.clock.after(LIMITS.countersignMs, () => arrived.resolve(undefined))
      return arrived.promise.finally(() => {
        cancel()
        waiting.delete(jobId)
      })
    },
    stop() {
      for (const resolve of waiting.values()) resolve()
    },
  }
}
