/**
 * Property: whatever the network loses, repeats or breaks, and whichever side crashes or comes back
 * with old books, nobody loses more than the exposure limit, no work is uncovered, and the books
 * are equal after a clean reconnect. Planted mutants show that the property notices.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createWorld, MUTATIONS, type Mutation, type Op } from './accountWorld.ts'

const SEED = 20_261_122
const often = ['grant', 'grant', 'grant', 'work', 'work', 'up', 'up', 'up', 'up', 'down'] as const
const rarely = ['down', 'finish', 'duplicate', 'disconnect', 'reconnect', 'reconnect'] as const
const faults = ['crashPayer', 'crashPayee', 'rollback'] as const

const op = fc.record({
  kind: fc.constantFrom<Op['kind'][]>(...often, ...often, ...rarely, ...rarely, ...faults),
  job: fc.nat(3),
  amount: fc.nat(1_000),
  crash: fc.nat(19).map((n) => n === 0),
})
const program = fc.array(op, { minLength: 10, maxLength: 120 })

function play(ops: readonly Op[], mutation?: Mutation): Set<string> {
  const world = createWorld(mutation)
  world.run({ kind: 'reconnect', job: 0, amount: 0, crash: false })
  for (const one of ops) world.run(one)
  world.finish()
  return world.seen
}

describe('the two ends of an account', () => {
  it('keep the invariants through loss, repetition, crashes and old copies', () => {
    const seen = new Set<string>()
    const property = fc.property(program, (ops) => {
      for (const event of play(ops)) seen.add(event)
    })
    fc.assert(property, { seed: SEED, numRuns: Number(process.env.ACCOUNT_RUNS ?? 1_500) })
    // The programs reach what they are meant to reach.
    for (const event of ['adopted', 'rollback', 'refused exposure', 'refused unpaid']) {
      expect(seen, `seed ${SEED}`).toContain(event)
    }
  })

  it.each(MUTATIONS)('notice a planted fault: %s', (mutation) => {
    const property = fc.property(program, (ops) => {
      play(ops, mutation)
    })
    const { failed } = fc.check(property, { seed: SEED, numRuns: 1_500 })
    expect(failed, `seed ${SEED}`).toBe(true)
  })
})
