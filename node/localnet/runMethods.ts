/**
 * toncenter's methods that run a contract without changing it: get methods and estimates of fees.
 * @module
 */
import { getMethodId, type TupleItem } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import { accountAt, accountParts, blockAskedFor } from './accountMethods.ts'
import { blockId, MASTERCHAIN } from './blockJson.ts'
import { estimateFees } from './estimate.ts'
import { externalMessage } from './externalMessage.ts'
import { notServed } from './failures.ts'
import type { Ledger } from './ledger.ts'
import type { MethodTable } from './methods.ts'
import * as read from './params.ts'
import { formatEntry, formatPair, parseStack, parseTypedStack } from './stack.ts'
import type { GetMethodResult } from './tvm.ts'

export function runMethods(ledger: Ledger): MethodTable {
  return {
    runGetMethod: async (params) => {
      const { exitCode, gasUsed, stack } = await runGetter(ledger, params, parseStack)
      return {
        '@type': 'smc.runResult',
        gas_used: gasUsed,
        stack: stack.map(formatPair),
        exit_code: exitCode,
        block_id: blockId(blockAskedFor(ledger, params), MASTERCHAIN),
        last_transaction_id: accountParts(accountAt(ledger, params)).last,
      }
    },
    runGetMethodStd: async (params) => {
      const { exitCode, gasUsed, stack } = await runGetter(ledger, params, parseTypedStack)
      return {
        '@type': 'smc.runResult',
        gas_used: gasUsed,
        stack: stack.map(formatEntry),
        exit_code: exitCode,
      }
    },
    estimateFee: async (params) => {
      const ignoreSignatures = read.optionalFlag(params, 'ignore_chksig') ?? true
      const fees = await estimateFees(ledger, externalMessage(params), ignoreSignatures)
      return { '@type': 'query.fees', source_fees: fees, destination_fees: [] }
    },
  }
}

async function runGetter(
  ledger: Ledger,
  params: read.Params,
  parse: (items: readonly unknown[]) => TupleItem[],
): Promise<GetMethodResult> {
  accountAt(ledger, params) // refuses a block at which its state is not known
  const method = methodId(read.text(params, 'method'))
  if (params.stack === undefined) throw read.wrong('stack', 'a list')
  const stack = parse(read.list(params, 'stack', LIMITS.stackItems))
  try {
    return await ledger.get(read.address(params), method, stack)
  } catch (thrown) {
    if (thrown instanceof MarketError && thrown.code !== 'contract-failed') throw thrown
    throw notServed('the get method broke the virtual machine, or gave what cannot be written')
  }
}

function methodId(method: string): number {
  return /^\d{1,7}$/.test(method) ? Number(method) : getMethodId(method)
}
