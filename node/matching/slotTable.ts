/**
 * The slots of a pool: who is known, what they are, and their rows in the index.
 *
 * Events change slots through here, so that table, attribute classes and index never part.
 * `choosing.ts` asks who may start a job.
 * @module
 */
import { TIERS } from '../../contracts/base/tier.ts'
import { type Affinity, affinity } from './affinity.ts'
import { type AttributeClasses, attributeClasses } from './attributes.ts'
import type { OfferEvent } from './events.ts'
import { type SlotIndex, waitOf } from './index/slotIndex.ts'
import type { Slot } from './slots.ts'

/** The slots of one model. */
export interface ModelSlots {
  readonly name: string
  /** Its number in the index. */
  readonly number: number
  /** In no order that means anything. */
  readonly slots: Slot[]
  readonly classes: AttributeClasses
  draining: number
  /** Slots with places that are not draining. */
  live: number
}

export interface SlotTable {
  readonly prices: Float64Array
  readonly index: SlotIndex
  readonly affinity: Affinity
  readonly byName: Map<string, Slot>
  readonly byRow: Slot[]
  readonly models: Map<string, ModelSlots>
  /** The first slot of each provider; the others are chained to it. */
  readonly providers: Map<string, Slot>
  readonly freedNumbers: number[]
  readonly salt: number
  /** Slots that have ever appeared. */
  appearances: number
  /** Rows hidden while one job is matched. */
  readonly hidden: number[]
}

/** A table without slots. */
export function slotTable(
  prices: Float64Array,
  salt: number,
  affinityBonus: number,
  index: SlotIndex,
): SlotTable {
  return {
    prices,
    index,
    affinity: affinity(affinityBonus),
    byName: new Map(),
    byRow: [],
    models: new Map(),
    providers: new Map(),
    freedNumbers: [],
    salt,
    appearances: 0,
    hidden: [],
  }
}

/** A slot appears, or takes over what its offer names; its draining ends and its jobs stay. */
export function offerSlot(table: SlotTable, event: OfferEvent): Slot {
  const known = table.byName.get(event.slot)
  const slot = known ?? newSlot(event.slot, table.appearances++, table.salt)
  const running = known ? runningOn(table, slot) : 0
  const serviceMs = event.serviceMs ?? (known ? table.index.serviceMs(slot.row) : 0)
  if (known) takeOut(table, slot)
  slot.provider = event.provider ?? slot.provider
  slot.model = event.model ?? slot.model
  slot.tick = event.tick ?? slot.tick
  slot.capacity = event.capacity ?? slot.capacity
  slot.tier = event.tier === undefined ? slot.tier : TIERS.indexOf(event.tier)
  slot.region = event.region ?? slot.region
  slot.gpu = event.gpu ?? slot.gpu
  slot.memoryGiB = event.memoryGiB ?? slot.memoryGiB
  slot.draining = false
  table.byName.set(slot.name, slot)
  putIn(table, slot, running, serviceMs)
  return slot
}

/** Forgets a slot. */
export function removeSlot(table: SlotTable, slot: Slot): void {
  takeOut(table, slot)
  table.affinity.forget(slot)
  table.byName.delete(slot.name)
}

/** The slot takes no new job until its next offer. */
export function drainSlot(table: SlotTable, slot: Slot): void {
  if (slot.draining) return
  const model = table.models.get(slot.model)!
  countLive(model, slot, -1)
  slot.draining = true
  model.draining++
  table.index.setCapacity(slot.row, 0)
}

export function runningOn(table: SlotTable, slot: Slot): number {
  return table.index.running(slot.row)
}

/** How long a job would wait on the slot as things stand, milliseconds. */
export function waitOn(table: SlotTable, slot: Slot): number {
  return waitOf(table.index.running(slot.row), table.index.serviceMs(slot.row))
}

function newSlot(name: string, appearance: number, salt: number): Slot {
  return {
    name,
    appearance,
    tie: (appearance ^ salt) >>> 0,
    provider: name,
    model: '',
    tick: 0,
    capacity: 0,
    tier: 0,
    region: '',
    gpu: '',
    memoryGiB: 0,
    draining: false,
    row: 0,
    column: 0,
    position: 0,
    previous: undefined,
    next: undefined,
    lastJob: undefined,
    inFlight: 0,
    placed: 0,
    completed: 0,
    tags: undefined,
  }
}

function putIn(table: SlotTable, slot: Slot, running: number, serviceMs: number): void {
  const { index, providers } = table
  const model = table.models.get(slot.model) ?? newModel(table, slot.model)
  slot.position = model.slots.push(slot) - 1
  slot.column = model.classes.enter(slot)
  countLive(model, slot, 1)
  slot.row = index.add({
    model: model.number,
    column: slot.column,
    tick: slot.tick,
    tie: slot.tie,
    running,
    capacity: slot.capacity,
    serviceMs,
  })
  table.byRow[slot.row] = slot
  const head = providers.get(slot.provider)
  slot.previous = undefined
  slot.next = head
  if (head) head.previous = slot
  providers.set(slot.provider, slot)
}

function takeOut(table: SlotTable, slot: Slot): void {
  const { index, models, providers } = table
  const model = models.get(slot.model)!
  const last = model.slots.pop()!
  if (last !== slot) {
    model.slots[slot.position] = last
    last.position = slot.position
  }
  countLive(model, slot, -1)
  if (slot.draining) model.draining--
  model.classes.leave(slot)
  index.remove(slot.row)
  if (slot.next) slot.next.previous = slot.previous
  if (slot.previous) slot.previous.next = slot.next
  else if (slot.next) providers.set(slot.provider, slot.next)
  else providers.delete(slot.provider)
  if (model.slots.length > 0) return
  models.delete(slot.model)
  table.freedNumbers.push(model.number)
}

function countLive(model: ModelSlots, slot: Slot, change: 1 | -1): void {
  if (slot.capacity === 0 || slot.draining) return
  model.live += change
  model.classes.live(slot, change)
}

function newModel(table: SlotTable, name: string): ModelSlots {
  const number = table.freedNumbers.pop() ?? table.models.size
  const classes = attributeClasses()
  const model: ModelSlots = { name, number, slots: [], classes, draining: 0, live: 0 }
  table.models.set(name, model)
  return model
}
