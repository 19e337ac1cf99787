/**
 * Results as tables for a person; `--json` prints the same figures whole.
 * @module
 */
import { median } from './measure.ts'
import { type Result, ratio } from './race.ts'
import { SHAPE_NAMES, type Workload } from './workload.ts'

export interface Cell {
  readonly work: Workload
  readonly results: readonly Result[]
  /** Contenders to set the others against. */
  readonly ours: readonly string[]
}

export function table({ work, results, ours }: Cell): string {
  const { setup, shape, seed, places, inFlight } = work
  const measured = ours.length > 0 ? ours : [fastest(results).name]
  const base = results.filter(({ name }) => measured.includes(name))
  const head = [
    ...['', 'ns/step', 'decisions/s', 'p50', 'p99', 'p99.9', 'offer', 'load', 'leave', 'join'],
    ...['B/slot', 'alloc B', 'unplaced', 'same fills', ...base.map(({ name }) => `x ${name}`)],
  ]
  const rows = results.map((each) => [...row(each), ...base.map((one) => times(ratio(each, one)))])
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((line) => line[i]!.length)))
  const lines = [head, ...rows].map((line) =>
    line
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  '),
  )
  const title =
    `${setup.slots.toLocaleString('en')} slots, ${SHAPE_NAMES[shape]} (seed ${seed}; ` +
    `${inFlight.toLocaleString('en')} of ${places.toLocaleString('en')} places in flight)`
  return [title, ...lines, ''].join('\n')
}

/** The figures of one cell without its streams. */
export function plain({ work, results }: Cell): object {
  const { setup, shape, seed, places, inFlight } = work
  return { slots: setup.slots, shape, seed, places, inFlight, results }
}

function row(each: Result): string[] {
  const ns = median(each.stepNs)
  const { updates, fills } = each
  return [
    each.rule === 'price-time' ? `${each.name} *` : each.name,
    whole(ns),
    whole(1e9 / ns),
    ...[each.p50Ns, each.p99Ns, each.p999Ns].map(whole),
    ...[updates?.repriceNs, updates?.loadNs, updates?.leaveNs, updates?.joinNs].map(whole),
    whole(each.bytesPerSlot),
    each.allocatedPerStep === undefined ? '-' : each.allocatedPerStep.toFixed(1),
    `${(100 * each.unplaced).toFixed(1)} %`,
    fills.equal === fills.of
      ? `${whole(fills.of)} (${whole(fills.referred)})`
      : each.rule === 'cocoon'
        ? `${whole(fills.equal)} of ${whole(fills.of)}`
        : `${whole(fills.of - fills.equal)} DIFFER`,
  ]
}

function fastest(results: readonly Result[]): Result {
  const exact = results.filter(({ rule }) => rule === 'exact')
  const among = exact.length > 0 ? exact : results
  return among.toSorted((a, b) => median(a.stepNs) - median(b.stepNs))[0]!
}

const whole = (value: number | undefined): string =>
  value === undefined ? '-' : Math.round(value).toLocaleString('en')
const times = (value: number): string => (value < 10 ? value.toFixed(2) : whole(value))
