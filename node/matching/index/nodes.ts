/**
 * Tournament trees of the index: a changed key travels up only as far as it changes a minimum.
 *
 * Keys of different slots differ, so a minimum is known by whose it is: a node is read again only
 * where the slot that held its minimum got a larger key. Called by `treeIndex.ts`.
 * @module
 */
import { TICKS } from '../../../contracts/base/terms.ts'
import { freeNode, newNode } from './arena.ts'
import { EMPTY, FULL } from './slotIndex.ts'
import { type Arena, LANES, LEVELS, NONE, type Nodes, ROOT, TICK_WORDS } from './tables.ts'

/**
 * Writes a lane and carries what changes up to the shelf. `was` is the row whose key stood in the
 * lane, `row` the one whose key stands there now; either may be `NONE`.
 */
export function settle(arena: Arena, lane: number, key: number, row: number, was: number): void {
  const { key: keys, who, parent } = arena.nodes
  keys[lane] = key
  who[lane] = row
  for (;;) {
    const node = lane >>> 4
    const up = parent[node]!
    if (up >= ROOT) break
    if (key < keys[up]!) {
      // The new minimum, whoever held it.
    } else if (who[up] !== was) return
    else {
      const least = leastLane(arena.nodes, node)
      key = keys[least]!
      row = who[least]!
    }
    was = who[up]!
    keys[up] = key
    who[up] = row
    lane = up
  }
  settleCell(arena, parent[lane >>> 4]! - ROOT, lane, key, row, was)
}

/** The same for the root of a cell. */
function settleCell(
  arena: Arena,
  cell: number,
  lane: number,
  key: number,
  row: number,
  was: number,
): void {
  const { cells, shelves, nodes } = arena
  const old = cells.key[cell]!
  if (key >= old) {
    if (cells.who[cell] !== was) return
    const least = leastLane(nodes, lane >>> 4)
    key = nodes.key[least]!
    row = nodes.who[least]!
  }
  was = cells.who[cell]!
  cells.key[cell] = key
  cells.who[cell] = row
  const word = cell >>> 5
  const bit = 1 << (cell & 31)
  if (key < FULL) cells.free[word]! |= bit
  else cells.free[word]! &= ~bit
  const shelf = cells.shelf[cell]!
  if (key < shelves.key[shelf]!) {
    setShelf(arena, shelf, key, row)
  } else if (shelves.who[shelf] === was) {
    settleShelf(arena, shelf)
  }
}

/** Finds the least of a band's free cells again. */
function settleShelf(arena: Arena, shelf: number): void {
  const { cells, shelves } = arena
  const band = shelves.band[shelf]!
  const length = 1 << shelves.columnBits[Math.floor(shelf / TICKS)]!
  let key = FULL
  let row = NONE
  for (let from = band; from < band + length; from += 32) {
    let bits = cells.free[from >>> 5]! >>> (from & 31)
    if (length < 32) bits &= (1 << length) - 1
    while (bits !== 0) {
      const cell = from + 31 - Math.clz32(bits & -bits)
      bits &= bits - 1
      if (cells.key[cell]! >= key) continue
      key = cells.key[cell]!
      row = cells.who[cell]!
    }
  }
  setShelf(arena, shelf, key, row)
}

function setShelf({ shelves }: Arena, shelf: number, key: number, row: number): void {
  shelves.key[shelf] = key
  shelves.who[shelf] = row
  const model = Math.floor(shelf / TICKS)
  const tick = shelf - model * TICKS
  const word = model * TICK_WORDS + (tick >>> 5)
  if (key < FULL) shelves.free[word]! |= 1 << (tick & 31)
  else shelves.free[word]! &= ~(1 << (tick & 31))
}

function leastLane({ key }: Nodes, node: number): number {
  const first = node * LANES
  let least = first
  let at = key[first]!
  for (let lane = first + 1; lane < first + LANES; lane++) {
    if (key[lane]! >= at) continue
    at = key[lane]!
    least = lane
  }
  return least
}

/** An unused lane of a cell at a level, now in use; its key is `EMPTY`. */
export function attach(arena: Arena, cell: number, level = 0): number {
  const { cells, nodes } = arena
  let node = cells.open[cell * LEVELS + level]!
  if (node === NONE) {
    node = newNode(nodes, level)
    const root = cells.root[cell]!
    if (root === NONE) setRoot(arena, cell, node)
    else {
      if (nodes.level[root] === level) raise(arena, cell, root)
      const up = attach(arena, cell, level + 1) // may replace the tables
      nodes.parent[node] = up
    }
    link(arena, cell, node)
  }
  const unused = ~nodes.used[node]!
  const lane = 31 - Math.clz32(unused & -unused)
  nodes.used[node]! |= 1 << lane
  if (nodes.used[node] === 0xffff) unlink(arena, cell, node)
  return node * LANES + lane
}

/** Gives a lane back, and the nodes that it leaves without any. */
export function detach(arena: Arena, cell: number, lane: number, row: number): void {
  settle(arena, lane, EMPTY, NONE, row)
  release(arena, cell, lane)
}

function release(arena: Arena, cell: number, lane: number): void {
  const { cells, nodes } = arena
  const node = lane >>> 4
  if (nodes.used[node] === 0xffff) link(arena, cell, node)
  nodes.used[node]! &= ~(1 << (lane & 15))
  if (nodes.used[node] !== 0) return
  unlink(arena, cell, node)
  const up = nodes.parent[node]!
  if (up >= ROOT) cells.root[cell] = NONE
  else release(arena, cell, up)
  freeNode(nodes, node)
}

/** Puts a new root over a full one. */
function raise(arena: Arena, cell: number, root: number): void {
  const { cells, nodes } = arena
  const node = newNode(nodes, nodes.level[root]! + 1)
  const lane = node * LANES
  nodes.used[node] = 1
  nodes.key[lane] = cells.key[cell]!
  nodes.who[lane] = cells.who[cell]!
  nodes.parent[root] = lane
  setRoot(arena, cell, node)
  link(arena, cell, node)
}

function setRoot({ cells, nodes }: Arena, cell: number, node: number): void {
  cells.root[cell] = node
  nodes.parent[node] = ROOT + cell
}

/** Puts a node at the head of its chain of nodes with room. */
function link({ cells, nodes }: Arena, cell: number, node: number): void {
  const head = cell * LEVELS + nodes.level[node]!
  const next = cells.open[head]!
  nodes.next[node] = next
  nodes.prev[node] = NONE
  if (next !== NONE) nodes.prev[next] = node
  cells.open[head] = node
}

function unlink({ cells, nodes }: Arena, cell: number, node: number): void {
  const next = nodes.next[node]!
  const prev = nodes.prev[node]!
  if (prev === NONE) cells.open[cell * LEVELS + nodes.level[node]!] = next
  else nodes.next[prev] = next
  if (next !== NONE) nodes.prev[next] = prev
}
