/**
 * Gas of the test jetton's wallets: what a published one of its standard pays stands beside it.
 * @module
 */
import { beginCell } from '@ton/core'
import { TON } from '../../../contracts/base/units.ts'
import { JETTON_OP, jettonTransferBody } from '../../../contracts/wrappers/jetton.ts'
import { DOLLAR, jettonSandbox } from '../../support/jettonSandbox.ts'
import { internalMessage, outcomeAmong, outcomeOf } from '../../support/sandboxChain.ts'
import { type ContractGas, figures, type Gas } from '../gasTable.ts'

export const gas: ContractGas = { measure }

async function measure(): Promise<Gas> {
  const s = await jettonSandbox()
  const owner = s.payer.address
  const wallet = await s.walletOf(owner)
  const body = jettonTransferBody({ amount: DOLLAR, to: s.stranger.address, excesses: owner })
  const message = internalMessage(owner, wallet, TON, body)
  const transfer = await outcomeOf(s.blockchain, wallet, message)
  const theirs = await s.walletOf(s.stranger.address)
  const receive = outcomeAmong(transfer.transactions, theirs)
  const burning = beginCell()
    .storeUint(JETTON_OP.burn, 32)
    .storeUint(0, 64)
    .storeCoins(DOLLAR)
    .storeAddress(owner)
    .storeBit(false)
    .endCell()
  const burn = await outcomeOf(s.blockchain, wallet, internalMessage(owner, wallet, TON, burning))
  return figures({ transfer, receive, burn })
}
