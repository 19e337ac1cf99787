/**
 * toncenter's methods about the configuration and the libraries of the network.
 *
 * The configuration never changes, so that of any known block is the one there is. There is no
 * masterchain account that could hold a library: none is ever found.
 * @module
 */
import { type Cell, Dictionary } from '@ton/core'
import { LIMITS } from '../../contracts/base/limits.ts'
import { blockAskedFor } from './accountMethods.ts'
import { noParameter } from './failures.ts'
import type { Ledger } from './ledger.ts'
import type { MethodTable } from './methods.ts'
import * as read from './params.ts'

const MOST_INT32 = 2 ** 31 - 1

export function configMethods(ledger: Ledger): MethodTable {
  const entries = ledger.config
    .beginParse()
    .loadDictDirect(Dictionary.Keys.Int(32), Dictionary.Values.Cell())
  return {
    getConfigParam: (params) => {
      const id = parameterId(params)
      blockAskedFor(ledger, params)
      const cell = entries.get(id)
      if (!cell) throw noParameter(id)
      return configInfo(cell)
    },
    getConfigAll: (params) => {
      blockAskedFor(ledger, params)
      return configInfo(ledger.config)
    },
    getLibraries: (params) => {
      const { libraries } = params
      const asked = typeof libraries === 'string' ? { libraries: libraries.split(',') } : params
      for (const hash of read.list(asked, 'libraries', LIMITS.toncenterLibraries)) {
        read.parseHash(read.text({ libraries: hash }, 'libraries'), 'libraries')
      }
      return { '@type': 'smc.libraryResult', result: [] }
    },
  }
}

/** `config_id`, or `param` as newer clients call it. */
function parameterId(params: read.Params): number {
  const [id, param] = ['config_id', 'param'].map((field) => read.optionalText(params, field))
  if ((id === undefined) === (param === undefined)) {
    throw read.wrong('config_id, param', 'exactly one of them')
  }
  const field = id === undefined ? 'param' : 'config_id'
  return read.integer(params, field, { least: 0, most: MOST_INT32 })
}

function configInfo(cell: Cell): object {
  const bytes = cell.toBoc().toString('base64')
  return { '@type': 'configInfo', config: { '@type': 'tvm.cell', bytes } }
}
