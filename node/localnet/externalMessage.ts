/**
 * External messages as parameters: the parts from which `sendQuery` and `estimateFee` make one.
 * @module
 */
import { beginCell, type Cell, external, loadMessage, storeMessage } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import * as read from './params.ts'

/** A message from `address`, `body` and an optional StateInit in two halves. */
export function externalMessage(params: read.Params): Cell {
  const code = read.optionalCell(params, 'init_code')
  const data = read.optionalCell(params, 'init_data')
  const message = external({
    to: read.address(params),
    body: read.cell(params, 'body'),
    init: code || data ? { code, data } : undefined,
  })
  return beginCell().store(storeMessage(message)).endCell()
}

/** The hash by which a message is found whatever its sender put beside the body (TEP-467). */
export function normalizedHash(cell: Cell): Buffer {
  const { info, body } = loadMessage(cell.beginParse())
  if (info.type !== 'external-in') throw new MarketError('internal')
  const normal = external({ to: info.dest, body })
  const stored = beginCell().store(storeMessage(normal, { forceRef: true }))
  return stored.endCell().hash()
}
