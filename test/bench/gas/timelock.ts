/**
 * Gas of the timelock: every message that it takes, alone and with a full queue.
 * @module
 */
import { beginCell } from '@ton/core'
import { TON } from '../../../contracts/base/units.ts'
import { setDelayBody, topUpTimelockBody } from '../../../contracts/wrappers/Timelock.ts'
import { type GovernanceSandbox, governanceSandbox } from '../../support/governanceSandbox.ts'
import {
  DAY_S,
  type Outcome,
  outcomeAmong,
  refuseEverything,
  takeEverything,
} from '../../support/sandboxChain.ts'
import { someAddress } from '../../support/someParameters.ts'
import { type ContractGas, figures, type Gas } from '../gasTable.ts'

export const gas: ContractGas = { measure }

const TARGET = someAddress('a target')

async function measure(): Promise<Gas> {
  const g = await governanceSandbox()
  await takeEverything(g.blockchain, TARGET)
  const first = await messages(g, 1n)
  // A queue that is full but for one, so that the last messages find the largest.
  for (let id = 3n; id < 34n; id++) await put(g, id)
  const full = await messages(g, 100n)
  const named = Object.entries(full).map(([name, gas]) => [`${name}InFullQueue`, gas] as const)
  const topUp = await g.send(g.timelock, topUpTimelockBody())
  const own = figures({ topUp, ...(await toItself()), bounced: await bounced() })
  return { ...first, ...Object.fromEntries(named), ...own }
}

async function messages(g: GovernanceSandbox, id: bigint): Promise<Gas> {
  const queue = await put(g, id)
  const cancel = await g.cancel(id)
  await put(g, id + 1n)
  const before = g.blockchain.snapshot()
  g.elapse(2 * DAY_S)
  const execute = await g.execute(id + 1n)
  if (id > 1n) await g.blockchain.loadFrom(before)
  return figures({ queue, cancel, execute })
}

function put(g: GovernanceSandbox, id: bigint, to = TARGET): Promise<Outcome> {
  return g.queue(id, { to, value: TON / 10n, body: beginCell().endCell() })
}

async function toItself(): Promise<Record<string, Outcome>> {
  const g = await governanceSandbox()
  await g.queue(1n, { to: g.timelock, value: TON / 10n, body: setDelayBody(DAY_S) })
  g.elapse(2 * DAY_S)
  const { transactions } = await g.execute(1n)
  return { setDelay: outcomeAmong(transactions.slice(1), g.timelock) }
}

async function bounced(): Promise<Outcome> {
  const g = await governanceSandbox()
  await refuseEverything(g.blockchain, TARGET)
  await put(g, 1n)
  g.elapse(2 * DAY_S)
  const { transactions } = await g.execute(1n)
  return outcomeAmong(transactions.slice(1), g.timelock)
}
