/**
 * What the heap holds after a full collection, which node has to be asked for by a flag.
 * @module
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Collects all garbage now. */
export function collect(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

/** Bytes that are still held once all garbage is gone. */
export function heldBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}
