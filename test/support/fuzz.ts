/**
 * A seeded fuzzer that knows a little of structure: it takes valid inputs, flips bits, cuts,
 * splices and edits lengths, and watches what a decoder does with the result.
 *
 * A decoder may answer or throw a `MarketError`; any other error, an input that takes too long, and
 * a heap that grows are failures, reported with the seed and the input. `FUZZ_INPUTS` sets how many
 * inputs each target gets (a campaign: 500000), `FUZZ_SEED` repeats a run.
 * @module
 */
import { type Bytes, concat, toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { heldBytes } from './heap.ts'

export interface FuzzTarget {
  readonly name: string
  /** Valid inputs to begin with. */
  readonly corpus: readonly Bytes[]
  /** Feeds one input to the decoder. */
  readonly decode: (input: Bytes) => unknown
  /** Inputs by default, where `FUZZ_INPUTS` is not set. */
  readonly inputs?: number
  /** An input that takes longer is a failure; a second look excuses a machine that was busy. */
  readonly mostMs?: number
  /** Growth of the heap over the whole run that is still no leak. */
  readonly mostHeapBytes?: number
}

export interface FuzzReport {
  readonly name: string
  readonly seed: number
  readonly inputs: number
  readonly accepted: number
  readonly refused: number
  readonly slowestMs: number
  readonly heapGrowthBytes: number
}

const MOST_MS = 100
const MOST_HEAP = 16 * 1024 * 1024

/** Runs a target; throws an Error with seed and input on the first failure. */
export function fuzz(target: FuzzTarget): FuzzReport {
  const inputs = Number(process.env.FUZZ_INPUTS ?? target.inputs ?? 2_000)
  const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32))
  const draw = mulberry32(seed)
  const warm = Math.min(inputs, 1_000)
  let accepted = 0
  let slowestMs = 0
  let before = 0
  for (let i = 0; i < inputs; i++) {
    if (i === warm) before = heldBytes()
    const input = mutated(target.corpus, draw)
    const outcome = feed(target, input, `seed ${seed}, input ${i}`)
    if (outcome.accepted) accepted++
    slowestMs = Math.max(slowestMs, outcome.ms)
  }
  const heapGrowthBytes = inputs > warm ? heldBytes() - before : 0
  const most = target.mostHeapBytes ?? MOST_HEAP
  const { name } = target
  if (heapGrowthBytes > most) throw new Error(`${name}: the heap grew by ${heapGrowthBytes} bytes`)
  return { name, seed, inputs, accepted, refused: inputs - accepted, slowestMs, heapGrowthBytes }
}

/** One mutated input: one to four edits of one of the corpus. */
export function mutated(corpus: readonly Bytes[], draw: () => number): Bytes {
  const pick = () => corpus[below(corpus.length, draw)]!
  let bytes: Bytes = pick().slice()
  const edits = 1 + below(4, draw)
  for (let i = 0; i < edits; i++) bytes = EDITS[below(EDITS.length, draw)]!(bytes, draw, pick)
  return bytes
}

/** A small seeded generator of numbers in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Edit = (bytes: Bytes, draw: () => number, pick: () => Bytes) => Bytes

/** Bytes that parsers like least: ends of ranges, lengths, quotes and brackets. */
const AWKWARD = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x84, 0xff, 0x30, 0x22, 0x5b, 0x7b, 0x2c, 0x0a]

const EDITS: readonly Edit[] = [
  function flipBit(bytes, draw) {
    if (bytes.length > 0) bytes[below(bytes.length, draw)]! ^= 1 << below(8, draw)
    return bytes
  },
  function setAwkward(bytes, draw) {
    if (bytes.length > 0) bytes[below(bytes.length, draw)] = AWKWARD[below(AWKWARD.length, draw)]!
    return bytes
  },
  function cutEnd(bytes, draw) {
    return bytes.slice(0, below(bytes.length + 1, draw))
  },
  function remove(bytes, draw) {
    const [from, to] = range(bytes, draw)
    return concat(bytes.subarray(0, from), bytes.subarray(to))
  },
  function repeat(bytes, draw) {
    const [from, to] = range(bytes, draw)
    return concat(bytes.subarray(0, to), bytes.subarray(from))
  },
  function splice(bytes, draw, pick) {
    const other = pick()
    const [from, to] = range(other, draw)
    const at = below(bytes.length + 1, draw)
    const tail = bytes.subarray(draw() < 0.5 ? at : Math.min(bytes.length, at + to - from))
    return concat(bytes.subarray(0, at), other.subarray(from, to), tail)
  },
  function editLength(bytes, draw) {
    // Adds a little to an integer of 1, 2 or 4 bytes in either order, as most lengths are.
    const width = [1, 2, 4][below(3, draw)]!
    if (bytes.length < width) return bytes
    const at = below(bytes.length - width + 1, draw)
    const low = draw() < 0.5 ? at : at + width - 1
    bytes[low] = (bytes[low]! + below(9, draw) - 4) & 0xff
    if (draw() < 0.2) bytes.fill(0xff, at, at + width)
    return bytes
  },
  function append(bytes, draw) {
    const more = Uint8Array.from({ length: 1 + below(16, draw) }, () => below(256, draw))
    return concat(bytes, more)
  },
]

function feed(target: FuzzTarget, input: Bytes, where: string): { accepted: boolean; ms: number } {
  const most = target.mostMs ?? MOST_MS
  let ms = 0
  for (let look = 0; look < 3; look++) {
    const start = performance.now()
    const accepted = decodes(target, input, where)
    ms = performance.now() - start
    if (ms <= most) return { accepted, ms }
  }
  throw new Error(`${target.name}: ${ms} ms (${where}) on ${shown(input)}`)
}

function decodes(target: FuzzTarget, input: Bytes, where: string): boolean {
  try {
    target.decode(input)
    return true
  } catch (thrown) {
    if (thrown instanceof MarketError && thrown.code !== 'internal') return false
    const text = `${target.name}: ${String(thrown)} (${where}) on ${shown(input)}`
    throw new Error(text, { cause: thrown })
  }
}

function range(bytes: Bytes, draw: () => number): [number, number] {
  const from = below(bytes.length + 1, draw)
  const most = draw() < 0.8 ? 16 : bytes.length
  return [from, Math.min(bytes.length, from + below(most + 1, draw))]
}

function below(bound: number, draw: () => number): number {
  return Math.floor(draw() * bound)
}

const shown = (input: Bytes): string => toHex(input.subarray(0, 4_096))
