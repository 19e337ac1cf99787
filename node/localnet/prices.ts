/**
 * Price tables as the cells of a chain's configuration, by the schemas of TON's block.tlb.
 *
 * Parameter 18 is `Hashmap 32 StoragePrices`, 20 and 21 `GasLimitsPrices`, 24 and 25
 * `MsgForwardPrices`; 20 and 24 are the masterchain's. Used by `emulator.ts`, and by tests, which
 * compare the cells with mainnet's own.
 * @module
 */
import { beginCell, type Cell, Dictionary, type DictionaryValue } from '@ton/core'
import type {
  ChainPrices,
  ForwardPrices,
  GasPrices,
  StoragePrices,
} from '../../contracts/base/chainPrices.ts'

/** Constructor tags of block.tlb. */
const TAG = { storage: 0xcc, gasFlat: 0xd1, gas: 0xde, forward: 0xea } as const

/** The five configuration parameters that hold the prices, by number. */
export function priceParameters(prices: ChainPrices): Readonly<Record<number, Cell>> {
  return {
    18: storageCell(prices.storage),
    20: gasCell(prices.masterGas),
    21: gasCell(prices.gas),
    24: forwardCell(prices.masterForward),
    25: forwardCell(prices.forward),
  }
}

/**
 * `gas_flat_pfx#d1 flat_gas_limit flat_gas_price other`, and inside it `gas_prices_ext#de gas_price
 * gas_limit special_gas_limit gas_credit block_gas_limit freeze_due_limit delete_due_limit`: 64
 * bits each.
 */
function gasCell(gas: GasPrices): Cell {
  return beginCell()
    .storeUint(TAG.gasFlat, 8)
    .storeUint(gas.flatLimit, 64)
    .storeUint(gas.flatPrice, 64)
    .storeUint(TAG.gas, 8)
    .storeUint(gas.price, 64)
    .storeUint(gas.limit, 64)
    .storeUint(gas.specialLimit, 64)
    .storeUint(gas.credit, 64)
    .storeUint(gas.blockLimit, 64)
    .storeUint(gas.freezeDue, 64)
    .storeUint(gas.deleteDue, 64)
    .endCell()
}

/**
 * `msg_forward_prices#ea lump_price:64 bit_price:64 cell_price:64 ihr_price_factor:32 first_frac:16
 * next_frac:16`.
 */
function forwardCell(forward: ForwardPrices): Cell {
  return beginCell()
    .storeUint(TAG.forward, 8)
    .storeUint(forward.lump, 64)
    .storeUint(forward.bit, 64)
    .storeUint(forward.cell, 64)
    .storeUint(forward.ihrFactor, 32)
    .storeUint(forward.firstFraction, 16)
    .storeUint(forward.nextFraction, 16)
    .endCell()
}

/** Rows under the time they begin to hold: `_#cc utime_since:32` and four prices of 64 bits. */
function storageCell(rows: readonly StoragePrices[]): Cell {
  const table = Dictionary.empty(Dictionary.Keys.Uint(32), STORAGE_ROW)
  for (const row of rows) table.set(row.sinceS, row)
  return beginCell().storeDictDirect(table).endCell()
}

const STORAGE_ROW: DictionaryValue<StoragePrices> = {
  serialize: (row, builder) => {
    builder
      .storeUint(TAG.storage, 8)
      .storeUint(row.sinceS, 32)
      .storeUint(row.bit, 64)
      .storeUint(row.cell, 64)
      .storeUint(row.masterBit, 64)
      .storeUint(row.masterCell, 64)
  },
  parse: (slice) => {
    slice.skip(8)
    const sinceS = slice.loadUint(32)
    const [bit, cell, masterBit, masterCell] = Array.from({ length: 4 }, () =>
      slice.loadUintBig(64),
    ) as [bigint, bigint, bigint, bigint]
    return { sinceS, bit, cell, masterBit, masterCell }
  },
}
