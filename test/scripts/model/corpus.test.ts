/**
 * The corpus generator still writes the corpus that the model card names: its first 5,000 turns
 * here, all 420,000 by `python corpus.py --hash`. Skipped where there is no Python.
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../../scripts/model/', import.meta.url))
const hasPython = spawnSync('python3', ['--version']).status === 0
const hash = (...more: string[]) =>
  execFileSync('python3', ['-B', 'corpus.py', '--hash', '--turns', '5000', ...more], {
    cwd: folder,
    encoding: 'utf8',
  }).trim()

describe.skipIf(!hasPython)('training corpus', () => {
  it('begins as it did when the model was trained', () => {
    expect(hash()).toBe('cfe0f602a8863c35bfb8199a67b7afd658288cba1f530310651171967aadee10')
  })

  it('depends on the seed', () => {
    expect(hash('--seed', '8')).not.toBe(hash())
  })
})
