/**
 * Gas of the multisig: orders with one and with ten signatures, other signers, a refusal.
 * @module
 */
import { beginCell } from '@ton/core'
import { TON } from '../../../contracts/base/units.ts'
import { topUpMultisigBody } from '../../../contracts/wrappers/Multisig.ts'
import {
  type GovernanceSandbox,
  governanceSandbox,
  signerKey,
} from '../../support/governanceSandbox.ts'
import {
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
  const one = await sandbox(1, 1)
  const submitOneOfOne = await send(one)
  const topUp = await one.send(one.multisig, topUpMultisigBody())
  const submitThreeOfFive = await send(await sandbox(5, 3))
  const ten = await sandbox(10, 10)
  const submitTenOfTen = await send(ten)
  const keys = Array.from({ length: 10 }, (_, i) => signerKey(20 + i).publicKey)
  const order = await ten.order({ kind: 'signers', signers: { threshold: 10, keys } })
  const setTenSigners = await ten.submit(order)
  await refuseEverything(one.blockchain, TARGET)
  const refused = await send(one)
  const bounced = outcomeAmong(refused.transactions.slice(1), one.multisig)
  return figures({
    ...{ submitOneOfOne, submitThreeOfFive, submitTenOfTen, setTenSigners, topUp, bounced },
  })
}

async function sandbox(signers: number, threshold: number): Promise<GovernanceSandbox> {
  const g = await governanceSandbox({ signers, threshold })
  await takeEverything(g.blockchain, TARGET)
  return g
}

async function send(g: GovernanceSandbox): Promise<Outcome> {
  const operation = { to: TARGET, value: TON / 10n, body: beginCell().endCell() }
  return g.submit(await g.order({ kind: 'send', operation }))
}
