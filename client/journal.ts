/**
 * What the client remembers of its jobs: that each was begun, how it ended, and its receipt.
 *
 * A job id is written before it is submitted, so that a repeated one is recognised after a crash;
 * neither prompts nor answers are kept. Tables: `job` (by job id) and `receipt` (by receipt hash).
 * @module
 */
import { utf8 } from '../contracts/base/bytes.ts'
import { MarketError } from '../contracts/base/errors.ts'
import type { Store } from '../contracts/base/ports.ts'
import { parseReceiptFile, type ReceiptFile } from '../contracts/money/receipt.ts'
import type { KeptReceipt } from './types.ts'

const JOBS = 'job'
const RECEIPTS = 'receipt'
const PAGE = 100

/** How a job stands. `open` after a crash: its money is settled when the account reopens. */
export interface JobEntry {
  readonly state: 'open' | 'done' | 'failed'
  readonly atMs: number
  readonly model: string
  /** Code of the error that ended it. */
  readonly code?: string
  readonly receiptHash?: string
}

export interface Journal {
  /** Records a job as begun. Throws `duplicate-job` where its id has been used before. */
  begin(jobId: string, entry: { atMs: number; model: string }): Promise<void>
  /** Records how it ended, with its receipt where there is one. */
  end(
    jobId: string,
    outcome: { state: 'done' | 'failed'; code?: string },
    receipt?: KeptReceipt,
  ): Promise<void>
  job(jobId: string): JobEntry | undefined
  receipts(options?: { after?: string; limit?: number }): readonly KeptReceipt[]
}

/** The journal in `store`. */
export function openJournal(store: Store): Journal {
  const job = (jobId: string): JobEntry | undefined => {
    const bytes = store.get(JOBS, jobId)
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as JobEntry)
  }
  return {
    job,
    async begin(jobId, { atMs, model }) {
      const before = job(jobId)
      if (before) {
        const { state, receiptHash } = before
        throw new MarketError('duplicate-job', { jobId, state, receiptHash })
      }
      const entry: JobEntry = { state: 'open', atMs, model }
      await store.write([{ table: JOBS, key: jobId, value: encode(entry) }])
    },
    async end(jobId, { state, code }, receipt) {
      const before = job(jobId)
      if (!before) throw new MarketError('internal', { unknownJob: jobId })
      const entry: JobEntry = { ...before, state, code, receiptHash: receipt?.hash }
      const changes = [{ table: JOBS, key: jobId, value: encode(entry) }]
      if (receipt) changes.push({ table: RECEIPTS, key: receipt.hash, value: encode(receipt.file) })
      await store.write(changes)
    },
    receipts({ after, limit = PAGE } = {}) {
      return store.list(RECEIPTS, { after, limit }).map(([hash, bytes]) => ({
        hash,
        file: decodeReceipt(bytes),
      }))
    },
  }
}

function encode(value: JobEntry | ReceiptFile): Uint8Array {
  return utf8(JSON.stringify(value))
}

function decodeReceipt(bytes: Uint8Array): ReceiptFile {
  return parseReceiptFile(JSON.parse(new TextDecoder().decode(bytes)))
}
