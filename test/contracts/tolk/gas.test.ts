/**
 * Gas of every message of the contracts: exactly the committed table, within the budget, and the
 * same figures in the contract's constants and on the simulated chain.
 * @module
 */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { CHANNEL_GAS, CONTRACT_GAS, WALLET_GAS } from '../../../node/chain/simulatedFees.ts'
import { GAS_BUDGET, type GasTable, measureGas } from '../../bench/gas.ts'

describe('gas', () => {
  let measured: GasTable
  beforeAll(async () => {
    measured = await measureGas()
  })

  it('is exactly the committed table', () => {
    const committed = readFileSync(new URL('../../bench/gas.json', import.meta.url), 'utf8')
    expect(measured).toEqual(JSON.parse(committed))
  })

  it('stays within what the design allows', () => {
    const over = Object.entries(GAS_BUDGET).flatMap(([contract, messages]) =>
      Object.entries(messages).filter(([name, most]) => !(measured[contract]![name]! <= most)),
    )
    expect(over).toEqual([])
  })

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
