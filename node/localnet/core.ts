/**
 * What the parts of a ledger share: books, inbox, and when the next block is due.
 *
 * With a pace, block number n of an idle network is a matter of arithmetic: empty blocks follow the
 * newest stored one at regular steps. Where messages wait, the next step is theirs: it is due then,
 * and until it is made no number from it on is told to anybody.
 * @module
 */
import { createHash } from 'node:crypto'
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import { emptiesBy } from './blocks.ts'
import { type Books, type Identity, openBooks } from './books.ts'
import type { Database } from './database.ts'
import type { Emulator } from './emulator.ts'
import { createInbox, type Inbox } from './inbox.ts'
import type { TvmContext } from './tvm.ts'

export interface CoreOptions extends Emulator {
  readonly database: Database
  readonly identity: Identity
  /** Milliseconds from block to block; 0 makes them at once. */
  readonly blockMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** Called when a block will be due: see `Ledger.dueInMs`. */
  readonly onDue: () => void
}

export interface Core {
  readonly options: CoreOptions
  readonly books: Books
  readonly inbox: Inbox
  /** Configuration as a bag of cells, base64. */
  readonly config: string
  /** When the next block is due, in the network's time; undefined where nothing waits for it. */
  dueMs: number | undefined
}

export function createCore(options: CoreOptions): Core {
  const { database, identity, clock, blockMs } = options
  const core: Core = {
    options,
    books: openBooks({ database, identity, clock, blockMs, lastSeqno: () => lastSeqno(core) }),
    inbox: createInbox(),
    config: options.config.toBoc({ idx: false }).toString('base64'),
    dueMs: undefined,
  }
  return core
}

/** Number of the last block: the empty ones that time has brought, up to the one that is due. */
export function lastSeqno({ books, dueMs }: Core): number {
  const nowMs = books.nowMs()
  return books.history.seqnoAt(dueMs === undefined ? nowMs : Math.min(nowMs, dueMs - 1))
}

/** Decides when the next block is due, and tells so. */
export function wake(core: Core): void {
  const { books, inbox, options } = core
  const hasWork = inbox.size > 0 || books.figures.waiting.length > 0
  if (!hasWork || books.figures.isPaused) {
    core.dueMs = undefined
    return
  }
  core.dueMs ??= nextMs(core)
  options.onDue()
}

/** The moment of the next block, were something to wait for it. */
export function nextMs({ books, options }: Core): number {
  const nowMs = books.nowMs()
  const { ms } = books.history.anchor
  const stepMs = options.blockMs
  return stepMs === 0 ? nowMs : ms + (emptiesBy({ ms, stepMs }, nowMs) + 1) * stepMs
}

/** Milliseconds from one empty block to the next; 0 where none follow by themselves. */
export function stepMs({ books, options }: Core): number {
  return books.figures.isPaused ? 0 : options.blockMs
}

/** Lets the blocks follow at the pace that is wanted now, where they do not yet. */
export function changePace(core: Core): void {
  const { history } = core.books
  const wanted = stepMs(core)
  if (history.anchor.stepMs === wanted) return
  if (wanted === 0) core.books.freeze(lastSeqno(core))
  else appendEmpty(core, lastSeqno(core) + 1)
}

/** Stores an empty block of this moment. */
export function appendEmpty(core: Core, seqno: number): void {
  const { books } = core
  const block = { seqno, ms: books.nowMs(), stepMs: stepMs(core), lt: books.figures.lt }
  books.commit({ figures: {}, block: { ...block, transactions: [] } })
}

/** What contracts see of the block `seqno`: its time, and randomness that the seed decides. */
export function tvmAt({ options, config }: Core, seqno: number, ms: number): TvmContext {
  const { executor, identity } = options
  const seed = createHash('sha256').update(`chrysalis localnet ${identity.seed} ${seqno}`).digest()
  return { executor, config, now: Math.floor(ms / 1_000), seed }
}
