/**
 * The index as WebAssembly: the algorithm of `treeIndex.ts`, compiled from `../assembly/`, deciding
 * alike in about half the time.
 *
 * Each index is an instance of its own with its own memory. Where a runtime has no WebAssembly with
 * SIMD, `fastIndex` gives the plain one.
 * @module
 */
import artefact from '../compiled/index.json' with { type: 'json' }
import { MOST_COLUMNS, type SlotIndex } from './slotIndex.ts'
import { treeIndex } from './treeIndex.ts'

/** What the module exports; rows and counts are unsigned 32-bit, but for `bestOf*` (-1: none). */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  pricesAt(): number
  columnsAt(): number
  add(
    model: number,
    column: number,
    tick: number,
    tie: number,
    running: number,
    capacity: number,
    serviceMs: number,
  ): number
  remove(row: number): void
  start(row: number): void
  finish(row: number): void
  setRunning(row: number, running: number): void
  setServiceMs(row: number, serviceMs: number): void
  setCapacity(row: number, capacity: number): void
  running(row: number): number
  serviceMs(row: number): number
  isFree(row: number): number
  hide(row: number): void
  show(row: number): void
  lowestTick(model: number, constrained: number): number
  withPlaces(model: number, tick: number, column: number): number
  bytes(): number
  bestOfAll(model: number, tokens: number, speedWeight: number, maxTick: number): number
  bestOfColumns(model: number, tokens: number, speedWeight: number, maxTick: number): number
}

/** The part of the standard interface that is used here: Node's types leave it to browsers. */
declare const WebAssembly: {
  readonly validate: (bytes: Uint8Array) => boolean
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: object }
}

let compiled: object | undefined

/** The quickest index that this runtime can have. `prices` has one price a tick, rising. */
export function fastIndex(prices: Float64Array): SlotIndex {
  const bytes = wasmBytes()
  return WebAssembly.validate(bytes) ? wasmIndex(prices) : treeIndex(prices)
}

/** An empty index in WebAssembly. Throws a `WebAssembly.CompileError` where SIMD is missing. */
export function wasmIndex(prices: Float64Array): SlotIndex {
  compiled ??= new WebAssembly.Module(wasmBytes())
  const wasm = instance(compiled)
  new Float64Array(wasm.memory.buffer, wasm.pricesAt(), prices.length).set(prices)
  let mask = maskOf(wasm)
  const ask = (columns: Uint32Array): void => {
    if (mask.length === 0) mask = maskOf(wasm) // the memory has grown
    for (let word = 0; word < columns.length; word++) mask[word] = columns[word]!
  }
  return {
    add: ({ model, column, tick, tie, running, capacity, serviceMs }) =>
      wasm.add(model, column, tick, tie, running, capacity, serviceMs),
    remove: wasm.remove,
    start: wasm.start,
    finish: wasm.finish,
    setRunning: wasm.setRunning,
    setServiceMs: wasm.setServiceMs,
    setCapacity: wasm.setCapacity,
    running: wasm.running,
    serviceMs: wasm.serviceMs,
    isFree: (row) => wasm.isFree(row) !== 0,
    best(model, tokens, speedWeight, maxTick, columns) {
      if (!columns) return wasm.bestOfAll(model, tokens, speedWeight, maxTick)
      ask(columns)
      return wasm.bestOfColumns(model, tokens, speedWeight, maxTick)
    },
    hide: wasm.hide,
    show: wasm.show,
    lowestTick(model, columns) {
      if (columns) ask(columns)
      return wasm.lowestTick(model, Number(columns !== undefined))
    },
    withPlaces: wasm.withPlaces,
    get bytes() {
      return wasm.bytes()
    },
  }
}

function instance(module: object): Exports {
  const abort = (): never => {
    throw new RangeError('the index has no more memory')
  }
  return new WebAssembly.Instance(module, { env: { abort } }).exports as Exports
}

function maskOf({ memory, columnsAt }: Exports): Uint32Array {
  return new Uint32Array(memory.buffer, columnsAt(), MOST_COLUMNS / 32)
}

function wasmBytes(): Uint8Array {
  return Uint8Array.from(atob(artefact.wasm), (character) => character.charCodeAt(0))
}
