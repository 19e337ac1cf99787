/**
 * The laboratory itself: that it notices what it is there to notice, and puts back what it changed.
 * @module
 */
import { beginCell, external } from '@ton/core'
import fc from 'fast-check'
import { beforeEach, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { claimBody } from '../../../contracts/wrappers/channelMessages.ts'
import { type ChannelSandbox, channelSandbox } from '../../support/channelSandbox.ts'
import { type ContractLab, contractLab, interleave, modelRun } from '../../support/contractLab.ts'
import { internalMessage } from '../../support/sandboxChain.ts'

let s: ChannelSandbox
let lab: ContractLab
beforeEach(async () => {
  s = await channelSandbox()
  lab = contractLab(s.blockchain, s.address)
  await s.topUp(10n * TON)
})

it('tells a failure that changed the state', async () => {
  const partial = async () => ({ ...(await s.startClose()), exit: 37 })
  const sweep = lab.atEveryValue(partial, { upTo: 10n, steps: 1 })
  await expect(sweep).rejects.toThrowError('exit 37, and yet the state changed')
})

it('shows every success, and puts the chain back after each', async () => {
  const values: bigint[] = []
  const whole = (_: unknown, value: bigint): void => void values.push(value)
  const run = (value: bigint) => s.startClose(s.payer.address, value)
  const seen = await lab.atEveryValue(run, { upTo: TON, steps: 2, whole })
  expect(values).toEqual([TON / 2n, TON])
  expect(seen.get(0)).toEqual({ from: TON / 2n, to: TON })
  expect((await s.view()).status).toBe('open')
})

it('counts spam that was accepted, and what it cost', async () => {
  const voucher = s.voucher(4n * TON)
  const good = claimBody(voucher, s.sign(voucher))
  const { accepted, cost } = await lab.spam([good, good])
  expect(accepted).toBe(1)
  expect(cost).toBeGreaterThan(3n * TON)
})

it('limits gas while it runs, and no longer', async () => {
  const { exit } = await lab.atGas({ limit: 2_000n }, () => s.startClose())
  expect(exit).toBe(-14)
  expect((await s.startClose()).exit).toBe(0)
})

it('steps messages in the order that is picked', async () => {
  const refill = beginCell().endCell()
  const messages = [0, 1].map((i) =>
    internalMessage(s.payer.address, s.address, BigInt(i + 1), refill, { bounce: false }),
  )
  messages.push(external({ to: s.address, body: refill }))
  const order: bigint[] = []
  const done = await interleave(s.blockchain, messages, (alive) => alive - 1)
  for (const each of done) order.push(each[0]?.lt ?? 0n)
  // The last goes first and is not accepted; then the second, then the first.
  expect(order[2]).toBe(0n)
  expect(order[1]!).toBeLessThan(order[0]!)
})

it('shrinks what differs from the model to the acts that make it', async () => {
  const add = fc.nat(9).map((n) => ({
    text: `add ${n}`,
    play: async (world: { sum: number; model: number }) => {
      world.sum += n
      world.model += n === 7 ? 0 : n
    },
  }))
  const run = modelRun({
    world: async () => ({ sum: 0, model: 0 }),
    acts: [add],
    equal: async ({ sum, model }) => expect(sum).toBe(model),
    ...{ seed: 1, runs: 50, length: 20 },
  })
  await expect(run).rejects.toThrowError(/Counterexample: \[add 7 /)
})
