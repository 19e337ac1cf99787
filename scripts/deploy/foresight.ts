/**
 * What can be known of an order, or of what waits, before anything is sent: refusals that would
 * burn a number, operations of which one makes another void, delays that are shorter than they
 * should be.
 * @module
 */
import type { Cell } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { ITEM_KINDS } from '../../contracts/wrappers/itemConfig.ts'
import type { Order } from '../../contracts/wrappers/Multisig.ts'
import type { Operation } from '../../contracts/wrappers/operation.ts'
import { seconds, time } from '../../contracts/wrappers/parameterDiff.ts'
import { REGISTRY_OP } from '../../contracts/wrappers/registryMessages.ts'
import { TIMELOCK_OP, TIMELOCK_QUEUE, TIMELOCK_TIMES } from '../../contracts/wrappers/Timelock.ts'
import { type Governance, queuedOf } from './governance.ts'

/** Throws `bad-input` where the multisig would take the order and the timelock refuse it. */
export function foresee(governance: Governance, { validUntilS, action }: Order): void {
  const { timelock, nowS, queue } = governance
  const again = 'Make the order again.'
  if (nowS > validUntilS) {
    throw new MarketError('bad-input', { expired: time(validUntilS) }, { action: again })
  }
  if (action.kind !== 'send' || !action.operation.to.equals(timelock.address)) return
  const slice = action.operation.body.beginParse()
  const op = slice.loadUint(32)
  const id = op === TIMELOCK_OP.queue || op === TIMELOCK_OP.cancel ? slice.loadUintBig(64) : 0n
  if (op === TIMELOCK_OP.cancel) queuedOf(governance, id)
  if (op !== TIMELOCK_OP.queue) return
  const etaS = slice.loadUint(32)
  const first = nowS + timelock.view.delayS
  if (etaS < first || etaS > first + TIMELOCK_TIMES.aheadS) {
    const facts = { due: time(etaS), earliest: time(first) }
    throw new MarketError('bad-input', facts, { action: again })
  }
  if (id <= timelock.view.lastId) {
    throw new MarketError('bad-input', { operation: id, queued: 'before' }, { action: again })
  }
  if (queue.length >= TIMELOCK_QUEUE) {
    const full = 'The queue is full: execute or cancel what waits first.'
    throw new MarketError('bad-input', { waiting: queue.length }, { action: full })
  }
}

/** What an operation to the registry decides, where only one of two such can come true. */
export function subjectOf({ known }: Pick<Governance, 'known'>, operation: Operation) {
  if (!known.registry?.equals(operation.to)) return undefined
  return subject(operation.body)
}

function subject(body: Cell): string | undefined {
  const slice = body.beginParse()
  if (slice.remainingBits < 32) return undefined
  const op = slice.loadUint(32)
  if (op === REGISTRY_OP.update) return 'parameters'
  if (op === REGISTRY_OP.prepareUpgrade) return 'code prepared for the registry'
  if (op === REGISTRY_OP.applyUpgrade) return 'code applied to the registry'
  if (slice.remainingBits < 8) return undefined
  const kind = ITEM_KINDS[slice.preloadUint(8) - 1]
  if (op === REGISTRY_OP.prepareItemCode) return `code prepared for every ${kind}`
  return op === REGISTRY_OP.applyItemCode ? `code applied to every ${kind}` : undefined
}

/** Where several operations wait of which the first to be executed makes the others void. */
export function conflictsOf(governance: Pick<Governance, 'known' | 'queue'>): string[] {
  const ids = new Map<string, bigint[]>()
  for (const { id, operation } of governance.queue) {
    const about = subjectOf(governance, operation)
    if (about !== undefined) ids.set(about, [...(ids.get(about) ?? []), id])
  }
  return [...ids]
    .filter(([, each]) => each.length > 1)
    .map(
      ([about, each]) =>
        `operations ${each.join(', ')} are all about ${about}: anyone may execute what is due, ` +
        'in any order, and the first makes the others void',
    )
}

/** What to say of a delay below a day; nothing of any other. */
export function shortDelay(delayS: number, development: boolean): string | undefined {
  if (delayS >= TIMELOCK_TIMES.leastDelayS) return undefined
  return development
    ? `a test network’s delay: ${seconds(delayS)}`
    : `the delay is ${seconds(delayS)}, below a day: nobody can leave before a change`
}
