/**
 * The committed WebAssembly is what its sources compile to, byte for byte.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fastIndex, wasmIndex } from '../../../node/matching/index/wasmIndex.ts'
import { compileIndex } from '../../../scripts/compileWasm.ts'
import { ROOT } from '../../support/tree.ts'
import { PRICES } from './harness.ts'

it('is reproduced from the sources', async () => {
  const committed = readFileSync(join(ROOT, 'node/matching/compiled/index.json'), 'utf8')
  expect(await compileIndex()).toBe(committed)
})

it('is what this runtime gets', () => {
  const prices = Float64Array.from(PRICES, Number)
  // The plain index grows by the row; the compiled one counts its tables from an empty start too.
  expect(fastIndex(prices).start.name).toBe(wasmIndex(prices).start.name)
})
