/**
 * What a scenario starts from: requests of a source, a drawn fleet, and their scaling to a load.
 * @module
 */
import { type Request, type Source, scaled, synthetic, trace } from './arrivals.ts'
import { chanceOf } from './chance.ts'
import { drawFleet, fullRate, type SlotSpec } from './fleet.ts'
import type { Figures } from './table.ts'

/** One line of a table, of one seed. */
export interface Row {
  readonly label: string
  readonly figures: Figures
}

/** How large a scenario is run, and on which arrivals. */
export interface Size {
  readonly source: Source
  /** Requests at most. */
  readonly requests: number
  readonly slots: number
}

export interface Scenario {
  readonly name: string
  /** What is played, and what the columns are, in a sentence or two. */
  readonly about: string
  /** The arrivals it is run on, drawn ones where the trace is absent. */
  readonly source: Source
  run(seed: number, size: Size): Row[]
}

export interface Setting {
  readonly fleet: readonly SlotSpec[]
  readonly requests: readonly Request[]
  /** Requests a second. */
  readonly rate: number
  readonly spanMs: number
}

export interface Wish {
  /** Work offered, as a share of what the fleet can do. */
  readonly load: number
  /** Makes another fleet of the drawn one. */
  readonly remake?: (fleet: SlotSpec[]) => SlotSpec[]
}

export function settingOf(seed: number, size: Size, { load, remake }: Wish): Setting {
  const all = requestsOf(seed, size)
  const drawn = drawFleet(chanceOf(seed, 'fleet'), size.slots, all)
  const fleet = remake ? remake(drawn) : drawn
  const rate = fullRate(fleet, all) * load
  const requests = scaled(all, rate, chanceOf(seed, 'turn'))
  return { fleet, requests, rate, spanMs: requests.at(-1)?.atMs ?? 0 }
}

const traces = new Map<Source, readonly Request[]>()

/** Requests of a source; drawn ones where its trace is absent. */
export function requestsOf(seed: number, { source, requests }: Size): readonly Request[] {
  const known = source === 'synthetic' ? undefined : (traces.get(source) ?? trace(source))
  if (!known) return synthetic(chanceOf(seed, 'arrivals'), requests)
  traces.set(source, known)
  return known.slice(0, requests)
}
