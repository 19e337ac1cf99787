/**
 * Who may start a job: the best slot by the rule, and why there is none.
 *
 * The index knows models, columns, prices and places. What it does not know (excluded providers,
 * classes without a column) is seen in its answers: a slot that will not do is hidden, and the
 * index asked again.
 * @module
 */
import { TICKS } from '../../contracts/base/terms.ts'
import { FILTERS, type Refusal } from './events.ts'
import { MOST_COLUMNS, NO_ROW } from './index/slotIndex.ts'
import { firstRefusing, type Needs, type Slot, scoreOf, suits } from './slots.ts'
import { type ModelSlots, type SlotTable, waitOn } from './slotTable.ts'

/** The slot with the least score, then wait, then tie, that could start the job now. */
export function bestSlot(table: SlotTable, needs: Needs): Slot | undefined {
  const model = table.models.get(needs.model)
  if (!model) return undefined
  const best = plainBest(table, model, needs)
  const affine = best && affineSlot(table, needs)
  return affine && affine !== best && wins(table, needs, affine, best) ? affine : best
}

/** The same among the slots that remember a tag of the job. */
export function affineSlot(table: SlotTable, needs: Needs): Slot | undefined {
  if (needs.tags.length === 0) return undefined
  let best: Slot | undefined
  for (const slot of table.affinity.holders(needs.tags)) {
    if (!canStart(table, needs, slot)) continue
    if (!best || wins(table, needs, slot, best)) best = slot
  }
  return best
}

/** The score of a slot for a job, millionths of a nanoTON, less what prefix affinity takes off. */
export function scoreOn(table: SlotTable, needs: Needs, slot: Slot, waitMs: number): number {
  const score = scoreOf(needs, table.prices[slot.tick]!, waitMs)
  if (needs.tags.length === 0) return score
  return Math.max(0, score - table.affinity.bonus(slot, needs.tags))
}

/** True where a slot comes before another: score, then wait, then tie. */
export function wins(table: SlotTable, needs: Needs, one: Slot, other: Slot): boolean {
  const wait = waitOn(table, one)
  const otherWait = waitOn(table, other)
  const gap = scoreOn(table, needs, one, wait) - scoreOn(table, needs, other, otherWait)
  return (gap || wait - otherWait || one.tie - other.tie) < 0
}

/** True where the slot serves the model, passes filters and price, and has a free place. */
export function canStart(table: SlotTable, needs: Needs, slot: Slot): boolean {
  return slot.model === needs.model && table.index.isFree(slot.row) && suits(needs, slot)
}

/** Why no slot can ever start the job, as things stand; nothing where it may wait. */
export function refusalOf(table: SlotTable, needs: Needs): Refusal | undefined {
  const model = table.models.get(needs.model)
  if (!model) return { refused: 'no-model' }
  if (model.draining === model.slots.length) return { refused: 'requirements', first: 'draining' }
  if (model.live === 0) return { refused: 'requirements', first: 'capacity' }
  const lowestTick =
    needs.exclude.length === 0 && model.classes.mixed.size === 0
      ? table.index.lowestTick(model.number, model.classes.accepted(needs))
      : lowestOneByOne(table, model, needs)
  if (lowestTick !== -1) {
    return lowestTick > needs.maxTick ? { refused: 'price', lowestTick } : undefined
  }
  return { refused: 'requirements', first: FILTERS[furthest(model, needs)]! }
}

function plainBest(table: SlotTable, model: ModelSlots, needs: Needs): Slot | undefined {
  const { index, byRow, hidden } = table
  const { tokens, speedWeight, maxTick, exclude } = needs
  const columns = model.classes.accepted(needs)
  let row = index.best(model.number, tokens, speedWeight, maxTick, columns)
  if (row === NO_ROW) return undefined
  if (exclude.length === 0 && model.classes.mixed.size === 0) return byRow[row]
  while (row !== NO_ROW && !suits(needs, byRow[row]!)) {
    index.hide(row)
    hidden.push(row)
    row = index.best(model.number, tokens, speedWeight, maxTick, columns)
  }
  for (const each of hidden) index.show(each)
  hidden.length = 0
  return byRow[row]
}

/** The filter that stops the slot which comes furthest is the first that leaves nothing. */
function furthest(model: ModelSlots, needs: Needs): number {
  let filter = 2
  model.classes.refusing(needs, (_, refusing) => {
    filter = Math.max(filter, Math.min(refusing, EXCLUDE))
  })
  for (const slot of model.classes.mixed) {
    filter = Math.max(filter, Math.min(firstRefusing(needs, slot), EXCLUDE))
  }
  return filter
}

const EXCLUDE = FILTERS.indexOf('exclude')

/** The lowest tick where some providers are excluded, or some slots have no column; -1 for none. */
function lowestOneByOne(table: SlotTable, model: ModelSlots, needs: Needs): number {
  const excluded = new Map<number, number>()
  for (const provider of new Set(needs.exclude)) {
    for (let slot = table.providers.get(provider); slot; slot = slot.next) {
      if (slot.model !== model.name || slot.draining || slot.capacity === 0) continue
      const cell = slot.tick * MOST_COLUMNS + slot.column
      excluded.set(cell, (excluded.get(cell) ?? 0) + 1)
    }
  }
  const columns: number[] = []
  model.classes.refusing(needs, (column, refusing) => {
    if (refusing === FILTERS.length) columns.push(column)
  })
  let lowest = TICKS
  for (const slot of model.classes.mixed) {
    if (firstRefusing(needs, slot) === FILTERS.length) lowest = Math.min(lowest, slot.tick)
  }
  for (let tick = 0; tick < lowest; tick++) {
    for (const column of columns) {
      const away = excluded.get(tick * MOST_COLUMNS + column) ?? 0
      if (table.index.withPlaces(model.number, tick, column) > away) lowest = tick
    }
  }
  return lowest === TICKS ? -1 : lowest
}
