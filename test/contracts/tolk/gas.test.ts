/**
 * Gas of every message of the contracts: exactly the committed table, within the budget, and the
 * same figures in the contract's constants and on the simulated chain.
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { CHANNEL_GAS, CONTRACT_GAS, WALLET_GAS } from '../../../node/chain/simulatedFees.ts'
import { CONTRACTS } from '../../../scripts/compile.ts'
import { allContractGas, type ContractGas, committedGas, type Gas } from '../../bench/gasTable.ts'

/** As many as a test has time for; the benchmark measures among 1,000. */
const SEVERAL = 3

describe('gas', () => {
  const measured: Record<string, Gas> = {}
  let all: ReadonlyMap<string, ContractGas>
  beforeAll(async () => {
    all = await allContractGas()
    for (const [name, contract] of all) measured[name] = await contract.measure()
  }, 120_000)

  it('is exactly the committed table', () => {
    expect(measured).toEqual(committedGas())
  })

  it('is measured for every contract', () => {
    expect([...all.keys()]).toEqual(expect.arrayContaining(Object.keys(CONTRACTS)))
  })

  it('stays within what the design allows', () => {
    const over = [...all].flatMap(([contract, { atMost = {} }]) =>
      Object.entries(atMost).filter(([name, most]) => !(measured[contract]![name]! <= most)),
    )
    expect(over).toEqual([])
  })

  it('does not grow with what there may be many of', async () => {
    for (const [contract, { among = [] }] of all) {
      for (const { of, measure } of among) {
        const one = await measure(1)
        expect({ contract, of, gas: await measure(SEVERAL) }).toEqual({ contract, of, gas: one })
      }
    }
  }, 120_000)

  it('stays below the constants from which the contract computes fees', () => {
    const { channel } = measured
    expect(channel!.claim).toBeLessThanOrEqual(Number(CONTRACT_GAS.claim))
    expect(channel!.claimByPayee).toBeLessThanOrEqual(Number(CONTRACT_GAS.claim))
    expect(channel!.topUp).toBeLessThanOrEqual(Number(CONTRACT_GAS.topUp))
    expect(channel!.cooperativeCloseLast).toBeLessThanOrEqual(Number(CONTRACT_GAS.close))
    expect(channel!.bounced).toBeLessThanOrEqual(Number(CONTRACT_GAS.bounce))
  })

  it('is what the simulated chain charges', () => {
    const { refused: _, ...modelled } = CHANNEL_GAS
    const { open: __, ...channel } = measured.channel!
    const asNumbers = Object.entries(modelled).map(([name, gas]) => [name, Number(gas)])
    expect(Object.fromEntries(asNumbers)).toEqual(channel)
    const { transfer, message, received } = WALLET_GAS
    expect(measured.wallet).toEqual({
      deploy: Number(transfer + message),
      oneMessage: Number(transfer + message),
      fourMessages: Number(transfer + 4n * message),
      received: Number(received),
    })
  })
})
