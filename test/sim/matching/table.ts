/**
 * Rows of several seeds as one table: each cell a median, with the least and the most.
 * @module
 */
import { type Spread, spread } from './figures.ts'

/** Figures by column. */
export type Figures = Readonly<Record<string, number>>

export interface Line {
  readonly label: string
  readonly cells: Readonly<Record<string, Spread>>
}

/** Gathers rows of the same label, in the order they first came. */
export function gathered(
  rows: readonly { readonly label: string; readonly figures: Figures }[],
): Line[] {
  const lines = new Map<string, Map<string, number[]>>()
  for (const { label, figures } of rows) {
    const line = lines.get(label) ?? new Map<string, number[]>()
    lines.set(label, line)
    for (const [column, value] of Object.entries(figures)) {
      line.set(column, [...(line.get(column) ?? []), value])
    }
  }
  return [...lines].map(([label, line]) => ({
    label,
    cells: Object.fromEntries([...line].map(([column, values]) => [column, spread(values)])),
  }))
}

/** A table in Markdown. */
export function markdown(lines: readonly Line[]): string {
  const columns = [...new Set(lines.flatMap(({ cells }) => Object.keys(cells)))]
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`
  const rule = ['---', ...columns.map(() => '--:')]
  const body = lines.map(({ label, cells }) =>
    row([label, ...columns.map((column) => cell(cells[column]))]),
  )
  return row(['', ...columns]) + row(rule) + body.join('')
}

function cell(value: Spread | undefined): string {
  if (!value || Number.isNaN(value.median)) return '-'
  const { median, least, most } = value
  const [text, from, to] = [median, least, most].map(figure)
  return from === to ? text! : `${text} (${from} to ${to})`
}

/** Three digits that count, never an exponent. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'never' : '-'
  const size = Math.abs(value)
  if (size < 0.0005) return '0'
  if (size >= 100) return String(Math.round(value))
  return size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toFixed(3)
}
