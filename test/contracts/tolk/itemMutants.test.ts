/**
 * What mutants of the items showed to be unwatched (`npm run mutate:tolk -- --contract items`).
 * @module
 */
import { expect, it } from 'vitest'
import { itemSandbox, STAKE, UNBONDING_S } from '../../support/itemSandbox.ts'
import { DAY_S, START_S } from '../../support/sandboxChain.ts'

it('of an item with nothing bonded, nothing is frozen', async () => {
  const s = await itemSandbox()
  await s.register()
  await s.unbond(STAKE)
  s.elapse(UNBONDING_S)
  expect((await s.withdraw()).exit).toBe(0)
  const { tx } = await s.freeze(STAKE, DAY_S)
  const body = tx!.outMessages.get(0)!.body.beginParse()
  expect(body.loadUint(32)).toBe(0x2c5a2211)
  expect({ amount: body.loadCoins(), ticket: body.loadUint(32) }).toEqual({ amount: 0n, ticket: 0 })
  expect((await s.facts()).frozenUntilS).toBe(0)
})

it('a short case neither shortens a long one, nor lasts like one that is over', async () => {
  const s = await itemSandbox()
  await s.register()
  await s.freeze(STAKE, 20 * DAY_S)
  await s.freeze(STAKE, DAY_S)
  expect((await s.facts()).frozenUntilS).toBe(START_S + 20 * DAY_S)
  await s.settle({ ticket: 1, release: STAKE })
  await s.settle({ ticket: 2, release: STAKE })
  await s.freeze(STAKE, DAY_S)
  expect((await s.facts()).frozenUntilS).toBe(START_S + DAY_S)
})
