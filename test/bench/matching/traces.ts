/**
 * Tokens of real requests in order of arrival, from the folder `TRACES_DIR` where there is one.
 *
 * A prompt token costs a quarter of a completion token (`contracts/money/price.ts`), so a request
 * counts as what it generated plus a quarter of its context. The traces say nothing of prices,
 * speed or constraints: those are drawn as for the other shapes.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Shape } from './workload.ts'

const FOLDER = process.env.TRACES_DIR ?? '../shared/traces'
const PROMPT_SHARE = 0.25

const READERS: Partial<Record<Shape, { file: string; read(line: string): number | undefined }>> = {
  azure: {
    file: 'azure_llm_2023_conv.csv',
    read(line) {
      const [, context, generated] = line.split(',')
      return counted(Number(context), Number(generated))
    },
  },
  mooncake: {
    file: 'mooncake_conversation.jsonl',
    read(line) {
      if (line === '') return undefined
      const { input_length: context, output_length: generated } = JSON.parse(line)
      return counted(context, generated)
    },
  },
}

export function isTraced(shape: Shape): boolean {
  return shape in READERS
}

/** Nothing where the shape follows no trace; `absent`, with the file, where it is not there. */
export function traceOf(shape: Shape): Int32Array | { absent: string } | undefined {
  const reader = READERS[shape]
  if (!reader) return undefined
  const path = join(FOLDER, reader.file)
  if (!existsSync(path)) return { absent: path }
  const tokens = readFileSync(path, 'utf8').split('\n').map(reader.read)
  return Int32Array.from(tokens.filter((each) => each !== undefined))
}

function counted(context: number, generated: number): number | undefined {
  const tokens = Math.round(generated + PROMPT_SHARE * context)
  return Number.isFinite(tokens) ? Math.max(1, tokens) : undefined
}
