/**
 * The cheapest assignment of rows to columns: the Hungarian method by shortest augmenting paths
 * (Kuhn, Munkres; rows one by one, with potentials), in rows squared times columns.
 * @module
 */

/**
 * The column of each row at the least total cost. `costs` has as many columns as rows at least.
 *
 * @example
 * assign([[4, 1], [2, 3]]) // [1, 0]
 */
export function assign(costs: readonly (readonly number[])[]): number[] {
  const rows = costs.length
  const columns = costs[0]?.length ?? 0
  const rowPotential = new Float64Array(rows + 1)
  const columnPotential = new Float64Array(columns + 1)
  /** The row of each column; rows and columns count from 1, and 0 is none. */
  const rowOf = new Int32Array(columns + 1)
  const before = new Int32Array(columns + 1)
  for (let row = 1; row <= rows; row++) {
    const least = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY)
    const done = new Uint8Array(columns + 1)
    rowOf[0] = row
    let column = 0
    while (rowOf[column] !== 0) {
      done[column] = 1
      const from = rowOf[column]!
      let step = Number.POSITIVE_INFINITY
      let nearest = 0
      for (let to = 1; to <= columns; to++) {
        if (done[to]) continue
        const slack = costs[from - 1]![to - 1]! - rowPotential[from]! - columnPotential[to]!
        if (slack < least[to]!) {
          least[to] = slack
          before[to] = column
        }
        if (least[to]! < step) {
          step = least[to]!
          nearest = to
        }
      }
      for (let each = 0; each <= columns; each++) {
        if (done[each]) {
          rowPotential[rowOf[each]!]! += step
          columnPotential[each]! -= step
        } else least[each]! -= step
      }
      column = nearest
    }
    while (column !== 0) {
      const previous = before[column]!
      rowOf[column] = rowOf[previous]!
      column = previous
    }
  }
  const result = new Array<number>(rows).fill(-1)
  for (let column = 1; column <= columns; column++) {
    if (rowOf[column] !== 0) result[rowOf[column]! - 1] = column - 1
  }
  return result
}
