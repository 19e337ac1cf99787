/**
 * Four projects: `unit` (pure logic and the TVM in process), `chain` (a localnet, and what stands on
 * it, in the test's own process), `market` (processes, and a browser where there is one),
 * `conformance` (published vectors, read from folders that may be absent).
 * @module
 */
import { defineConfig } from 'vitest/config'

/** Tests of `market` that start no role in a process of its own: two of them go side by side. */
const CHAIN =
  'test/market/{toncenter/*,chain,client,jetton,journey,localnet,localnetKill,registry}.test.ts'

const slow = { testTimeout: 120_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    // Two files at a time, but those of `market`, which start processes of their own: one by one.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{market,browser,conformance,bench}/**'],
          testTimeout: 30_000,
          // Modules hold no state that a test changes: loading them once a worker halves the time.
          isolate: false,
        },
      },
      { test: { name: 'chain', include: [CHAIN], ...slow } },
      {
        test: {
          name: 'market',
          include: ['test/{market,browser}/**/*.test.ts'],
          exclude: [CHAIN],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          ...slow,
        },
      },
      { test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], ...slow } },
    ],
  },
})
