/**
 * toncenter's methods that send an external message.
 * @module
 */
import type { Cell } from '@ton/core'
import { externalMessage, normalizedHash } from './externalMessage.ts'
import type { Ledger } from './ledger.ts'
import type { Method, MethodTable } from './methods.ts'
import * as read from './params.ts'

export function sendMethods(ledger: Ledger): MethodTable {
  const send = async (message: Cell) => {
    await ledger.send(message)
    return { '@type': 'ok' }
  }
  const sendAndHash: Method = async (params) => {
    const message = read.cell(params, 'boc')
    await ledger.send(message)
    return {
      '@type': 'raw.extMessageInfo',
      hash: message.hash().toString('base64'),
      hash_norm: normalizedHash(message).toString('base64'),
    }
  }
  return {
    sendBoc: (params) => send(read.cell(params, 'boc')),
    sendBocReturnHash: sendAndHash,
    // Despite its name toncenter's tells failures too.
    sendBocReturnHashNoError: sendAndHash,
    sendQuery: (params) => send(externalMessage(params)),
  }
}
