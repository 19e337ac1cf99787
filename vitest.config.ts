/**
 * Five projects: `unit` (pure logic and the TVM in process), `chain` (a localnet, and what stands
 * on it, in the test's own process), `market` (roles in processes of their own, and a browser where
 * there is one), `timed` (the same where time is bounded), `conformance` (published vectors, read
 * from folders that may be absent).
 * @module
 */
import { defineConfig } from 'vitest/config'

/** Tests that start no role in a process of its own. */
const ON_CHAIN = 'chain,client,govern,jetton,journey,localnet,localnetKill,registry'
const CHAIN = `test/market/{toncenter/*,${ON_CHAIN}}.test.ts`

/** Tests that hold the machine to a time: they run alone, after all others. */
const TIMED = 'test/market/{failures,help,load}.test.ts'

const slow = { testTimeout: 120_000, hookTimeout: 120_000 }

export default defineConfig({
  test: {
    // Two files at a time: one a core.
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
      { test: { name: 'chain', include: [CHAIN], isolate: false, ...slow } },
      {
        test: {
          name: 'market',
          include: ['test/{market,browser}/**/*.test.ts'],
          exclude: [CHAIN, TIMED],
          sequence: { groupOrder: 1 },
          ...slow,
        },
      },
      {
        test: {
          name: 'timed',
          include: [TIMED],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          ...slow,
        },
      },
      { test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], ...slow } },
    ],
  },
})
