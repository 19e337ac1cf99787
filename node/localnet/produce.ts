/**
 * Making blocks: what goes into the next one, and when.
 *
 * Waiting messages come first, in their order; then what came from outside, for which a part of
 * each block is kept, so that no cascade shuts it out.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { EMPTY_ACCOUNT } from './account.ts'
import { type BlockResult, type Input, ltOf, makeBlock } from './block.ts'
import { type Core, lastSeqno, nextMs, stepMs, tvmAt, wake } from './core.ts'
import type { Waiting } from './figures.ts'
import type { StoredTransaction } from './history.ts'
import { grantInput } from './inputs.ts'
import { runMessage } from './tvm.ts'

/** Transactions of a block that waiting messages leave to what comes from outside. */
const OUTSIDE_SHARE = 32

/**
 * Accepts an external message for the next block, as a lite server does: by running it on the
 * account as it is. What it gives is kept: where nothing changes until the block, that is its
 * transaction. Throws `contract-failed`, `limit-exceeded`.
 */
export async function accept(core: Core, input: Input): Promise<void> {
  const { books, inbox } = core
  if (inbox.has(input)) return
  inbox.checkRoom()
  const ms = core.dueMs ?? nextMs(core)
  const seqno = core.dueMs === undefined ? books.history.seqnoAt(ms - 1) + 1 : lastSeqno(core) + 1
  const context = tvmAt(core, seqno, ms)
  const account = books.accounts.get(input.to) ?? EMPTY_ACCOUNT
  const lt = ltOf(books.figures.lt, waitingFirst(core).length + inbox.messages.length)
  const ran = await runMessage(context, { message: input.cell, account, lt })
  const { now, seed } = context
  inbox.addMessage({ ...input, rehearsal: { ran, account: account.boc, lt, now, seed } })
  wake(core)
}

/** Runs an external message in a block of its own, then what it causes. `contract-failed`. */
export async function runNow(core: Core, input: Input): Promise<void> {
  const { outcomes } = await runBlock(core, { inputs: [input], ms: core.books.nowMs() })
  if (outcomes[0] instanceof MarketError) throw outcomes[0]
  await runCascade(core)
}

/** Puts a grant of the faucet into the next block. */
export async function grant(core: Core, to: Address, amount: NanoTon) {
  const { books, inbox, options } = core
  if (books.figures.isPaused) throw new MarketError('paused')
  inbox.checkRoom()
  const { promise, resolve, reject } = Promise.withResolvers<StoredTransaction>()
  const done = (outcome: StoredTransaction | MarketError) =>
    outcome instanceof MarketError ? reject(outcome) : resolve(outcome)
  inbox.addGrant({ to, amount, done })
  wake(core)
  if (options.blockMs === 0) {
    await produce(core)
    await runCascade(core)
  }
  return { done: promise }
}

/** Makes the block that is due, where one is, and says when the next one will be. */
export async function produce(core: Core): Promise<void> {
  const { books, options, dueMs } = core
  const nowMs = books.nowMs()
  if (dueMs !== undefined && nowMs >= dueMs && !books.figures.isPaused) {
    const isOnTime = nowMs - dueMs < options.blockMs
    await runNext(core, isOnTime ? dueMs : nowMs)
    core.dueMs = undefined
  }
  wake(core)
}

/** Blocks that follow each other at once, until nothing waits or one block's worth has run. */
async function runCascade(core: Core): Promise<void> {
  const { figures } = core.books
  const most = figures.transactions + LIMITS.localnetBlockTransactions
  while (core.books.figures.waiting.length > 0 && core.books.figures.transactions < most) {
    await runNext(core, core.books.nowMs())
  }
  core.dueMs = undefined
  wake(core)
}

/** One block of what waits and what came. */
async function runNext(core: Core, ms: number): Promise<void> {
  const { books, inbox } = core
  const { lt, waiting } = books.figures
  const first = waitingFirst(core)
  let room = LIMITS.localnetBlockTransactions - first.length
  const messages = inbox.messages.slice(0, room)
  room -= messages.length
  const grants = inbox.grants.slice(0, room)
  const from = first.length + messages.length
  const given = grants.map((grant, at) =>
    grantInput(grant, Math.floor(ms / 1_000), ltOf(lt, from + at)),
  )
  const minted = grants.reduce((sum, { amount }) => sum + amount, 0n)
  const inputs = [...first, ...messages, ...given]
  const rest = waiting.slice(first.length)
  const { outcomes } = await runBlock(core, { inputs, rest, ms, minted })
  inbox.drop(messages.length, grants.length)
  for (const [at, { done }] of grants.entries()) done(outcomes[from + at]!)
}

/** Waiting messages that the next block takes. */
function waitingFirst({ books, inbox }: Core): readonly Waiting[] {
  const most = LIMITS.localnetBlockTransactions - (inbox.size > 0 ? OUTSIDE_SHARE : 0)
  return books.figures.waiting.slice(0, most)
}

interface BlockPlan {
  readonly inputs: readonly Input[]
  /** Waiting messages that stay; all of them unless told. */
  readonly rest?: readonly Waiting[]
  readonly ms: number
  readonly minted?: NanoTon
}

/** Makes and applies one block. None is stored where no message from outside was taken. */
async function runBlock(core: Core, plan: BlockPlan): Promise<BlockResult> {
  const { books, options } = core
  const { figures } = books
  const { inputs, rest = figures.waiting, ms, minted = 0n } = plan
  const seqno = lastSeqno(core) + 1
  const account = (key: string) => books.accounts.get(key)
  const start = { lt: figures.lt, inputs, account }
  const block = await makeBlock(start, tvmAt(core, seqno, ms), options.logger)
  const { transactions, accounts, lt } = block
  if (transactions.length === 0 && inputs.every(({ isExternal }) => isExternal)) return block
  books.commit({
    accounts,
    block: { seqno, ms, stepMs: stepMs(core), lt, transactions },
    figures: {
      lt,
      minted: figures.minted + minted,
      fees: figures.fees + block.fees,
      waiting: [...rest, ...block.made],
      transactions: figures.transactions + transactions.length,
      accounts: figures.accounts + block.fresh,
    },
  })
  return block
}
