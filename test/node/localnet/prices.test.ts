/**
 * Price tables as cells: mainnet's own, where the folder with its configuration is at hand, and the
 * emulator's; and what the cells make the emulator charge.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cell, Dictionary } from '@ton/core'
import { Blockchain } from '@ton/sandbox'
import { describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { gasFee, storageFee } from '../../../node/chain/simulatedFees.ts'
import { priceParameters } from '../../../node/localnet/prices.ts'

const FILE = join(process.env.TON_DATA ?? '../shared/ton', 'mainnet-2026-08.config.boc64')
const DAY_S = 86_400

/** Hashes of the parameters that hold prices. */
function hashesIn(config: Cell): Record<number, string | undefined> {
  const all = config.beginParse().loadDictDirect(Dictionary.Keys.Int(32), Dictionary.Values.Cell())
  return Object.fromEntries([18, 20, 21, 24, 25].map((id) => [id, hex(all.get(id))]))
}

function hashesOf(parameters: Readonly<Record<number, Cell>>): Record<number, string | undefined> {
  return Object.fromEntries(Object.entries(parameters).map(([id, cell]) => [id, hex(cell)]))
}

const hex = (cell: Cell | undefined) => cell?.hash().toString('hex')

describe('price tables', () => {
  const skip = existsSync(FILE) ? '' : ` (skipped: no ${FILE}; set TON_DATA)`
  it.skipIf(skip)(`mainnet-2026-08 is mainnet's own, cell for cell${skip}`, () => {
    const real = hashesIn(Cell.fromBase64(readFileSync(FILE, 'utf8').trim()))
    const { 'mainnet-2026-08': mainnet, 'sandbox-0.41': sandbox } = CHAIN_PRICES
    expect(hashesOf(priceParameters(mainnet))).toEqual(real)
    expect(hashesOf(priceParameters(sandbox))).not.toEqual(real)
  })

  it("sandbox-0.41 is the emulator's own, cell for cell", async () => {
    const { config } = await Blockchain.create({ config: 'slim' })
    expect(hashesOf(priceParameters(CHAIN_PRICES['sandbox-0.41']))).toEqual(hashesIn(config))
  })
})

describe('the fee formulas', () => {
  const { 'mainnet-2026-08': mainnet, 'sandbox-0.41': sandbox } = CHAIN_PRICES

  it('charge a flat price for little gas, and nothing where no code ran', () => {
    expect(gasFee(mainnet, 0n)).toBe(0n)
    expect(gasFee(mainnet, 1n)).toBe(6_667n)
    expect(gasFee(mainnet, 100n)).toBe(6_667n)
    expect(gasFee(mainnet, 101n)).toBe(6_667n + 67n)
    expect(gasFee(sandbox, 1_000n)).toBe(400_000n)
  })

  it('charge rent by the row that is valid at the time', () => {
    const size = { bits: 65_536n, cells: 65_536n }
    const turn = mainnet.storage[1]!.sinceS
    expect(storageFee(mainnet, size, turn - DAY_S, turn)).toBe(BigInt(DAY_S) * 501n)
    expect(storageFee(mainnet, size, turn, turn + DAY_S)).toBe(BigInt(DAY_S) * 135n)
    expect(storageFee(mainnet, size, turn - 1, turn + 1)).toBe(501n + 135n)
    expect(storageFee(mainnet, size, turn + 5, turn)).toBe(0n)
    expect(storageFee(mainnet, { bits: 1n, cells: 1n }, turn, turn + 1)).toBe(1n)
  })
})
