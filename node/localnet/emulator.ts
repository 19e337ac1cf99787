/**
 * TON's transaction emulator and the configuration it runs under, loaded when a localnet starts.
 * @module
 */
import { beginCell, type Cell, Dictionary } from '@ton/core'
import type { IExecutor } from '@ton/sandbox'
import type { ChainPrices } from '../../contracts/base/chainPrices.ts'
import { mendedExecutor } from './mendedExecutor.ts'
import { priceParameters } from './prices.ts'

/** Configuration parameter that holds the network id (`GLOBALID` reads it). */
const GLOBAL_ID_PARAMETER = 19

export interface Emulator {
  readonly executor: IExecutor
  /** All parameters, with a network id and prices of our own choice. */
  readonly config: Cell
}

/**
 * Takes about 200 ms: the emulator is a WebAssembly module. What is no price (sizes, the global
 * version, the elector's address) is the sandbox's slim configuration.
 */
export async function loadEmulator(networkId: number, prices: ChainPrices): Promise<Emulator> {
  const { Blockchain, Executor } = await import('@ton/sandbox')
  const executor = mendedExecutor(await Executor.create(), () => Executor.create())
  const { config } = await Blockchain.create({ executor, config: 'slim' })
  const networkIdCell = beginCell().storeInt(networkId, 32).endCell()
  const parameters = { ...priceParameters(prices), [GLOBAL_ID_PARAMETER]: networkIdCell }
  return { executor, config: withParameters(config, parameters) }
}

/** A configuration with some of its parameters replaced. */
export function withParameters(config: Cell, parameters: Readonly<Record<number, Cell>>): Cell {
  const entries = config
    .beginParse()
    .loadDictDirect(Dictionary.Keys.Int(32), Dictionary.Values.Cell())
  for (const [id, cell] of Object.entries(parameters)) entries.set(Number(id), cell)
  return beginCell().storeDictDirect(entries).endCell()
}
