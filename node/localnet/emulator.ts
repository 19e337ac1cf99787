/**
 * TON's transaction emulator and the configuration it runs under, loaded when a localnet starts.
 * @module
 */
import { beginCell, type Cell, Dictionary } from '@ton/core'
import type { IExecutor } from '@ton/sandbox'

/** Configuration parameter that holds the network id (`GLOBALID` reads it). */
const GLOBAL_ID_PARAMETER = 19

export interface Emulator {
  readonly executor: IExecutor
  /** Mainnet's prices and limits (the slim configuration), with a network id of its own. */
  readonly config: Cell
}

/** Takes about 200 ms: the emulator is a WebAssembly module. */
export async function loadEmulator(networkId: number): Promise<Emulator> {
  const { Blockchain, Executor } = await import('@ton/sandbox')
  const executor = await Executor.create()
  const { config } = await Blockchain.create({ executor, config: 'slim' })
  return { executor, config: withNetworkId(config, networkId) }
}

function withNetworkId(config: Cell, networkId: number): Cell {
  const entries = config
    .beginParse()
    .loadDictDirect(Dictionary.Keys.Int(32), Dictionary.Values.Cell())
  entries.set(GLOBAL_ID_PARAMETER, beginCell().storeInt(networkId, 32).endCell())
  return beginCell().storeDictDirect(entries).endCell()
}
