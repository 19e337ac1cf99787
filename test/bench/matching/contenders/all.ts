/**
 * Everyone who takes part, the reference of each rule first.
 * @module
 */
import { native } from '../native.ts'
import { inProcess, type RacerFactory } from '../racer.ts'
import { COCOON } from './cocoon.ts'
import { FLATQUEUE } from './flatqueue.ts'
import { HEAP_JS } from './heapJs.ts'
import { ORDER_BOOK } from './orderBook.ts'
import { OURS } from './ours.ts'
import { PRICE_TIME_SCAN } from './priceTime.ts'
import { SCAN } from './scan.ts'
import { SORTED_BTREE } from './sortedBtree.ts'

const COCOON_NATIVE = {
  rule: 'cocoon',
  mostSlots: 100_000,
  source: 'contenders/cocoon.cpp',
} as const

export const IN_PROCESS = [
  SCAN,
  ...OURS,
  SORTED_BTREE,
  HEAP_JS,
  FLATQUEUE,
  PRICE_TIME_SCAN,
  ORDER_BOOK,
  COCOON,
]

export const RACERS: readonly RacerFactory[] = [
  ...IN_PROCESS.map(inProcess),
  native({ ...COCOON_NATIVE, name: 'Cocoon (C++)', args: [] }),
  native({ ...COCOON_NATIVE, name: 'Cocoon with cached means (C++)', args: ['--cached'] }),
]
