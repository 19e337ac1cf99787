/**
 * Everyone who takes part, the reference of each rule first.
 * @module
 */
import { inProcess, type RacerFactory } from '../racer.ts'
import { COCOON } from './cocoon.ts'
import { FLATQUEUE } from './flatqueue.ts'
import { HEAP_JS } from './heapJs.ts'
import { OURS } from './ours.ts'
import { SCAN } from './scan.ts'
import { SORTED_BTREE } from './sortedBtree.ts'

export const IN_PROCESS = [SCAN, ...OURS, SORTED_BTREE, HEAP_JS, FLATQUEUE, COCOON]

export const RACERS: readonly RacerFactory[] = IN_PROCESS.map(inProcess)
