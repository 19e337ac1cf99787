/**
 * A cell written out as toncenter writes it beside its bag of cells: bits, references, and so on.
 * @module
 */
import { type Cell, CellType } from '@ton/core'
import { LIMITS } from '../../contracts/base/limits.ts'

/**
 * `{object}`, or nothing where the tree has more cells than an answer may spell out: a cell that is
 * referred to twice is written twice, so a small bag can hold a tree without end.
 */
export function cellObject(cell: Cell): { object?: object } {
  const budget = { left: LIMITS.toncenterCells }
  const object = spellOut(cell, budget)
  return object ? { object } : {}
}

function spellOut(cell: Cell, budget: { left: number }): object | undefined {
  if (budget.left-- <= 0) return undefined
  const refs: object[] = []
  for (const ref of cell.refs) {
    const child = spellOut(ref, budget)
    if (!child) return undefined
    refs.push(child)
  }
  const { length } = cell.bits
  const b64 = paddedBits(cell).toString('base64')
  return { data: { b64, len: length }, refs, special: cell.type !== CellType.Ordinary }
}

/** Whole bytes; the last one is filled with a one and zeros, as cells are on disk. */
function paddedBits({ bits }: Cell): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8))
  for (let i = 0; i < bits.length; i++) {
    if (bits.at(i)) bytes[i >> 3]! |= 0x80 >> (i & 7)
  }
  if (bits.length % 8 !== 0) bytes[bits.length >> 3]! |= 0x80 >> (bits.length & 7)
  return bytes
}
