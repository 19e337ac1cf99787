/**
 * Gas of the test jetton's minter.
 * @module
 */
import { beginCell } from '@ton/core'
import { TON } from '../../../contracts/base/units.ts'
import { JETTON_OP } from '../../../contracts/wrappers/jetton.ts'
import {
  testJettonMintBody,
  testJettonMinter,
  testJettonStateInit,
} from '../../../contracts/wrappers/testJetton.ts'
import { internalMessage, outcomeOf, testBlockchain } from '../../support/sandboxChain.ts'
import { type ContractGas, figures, type Gas } from '../gasTable.ts'

export const gas: ContractGas = { measure }

async function measure(): Promise<Gas> {
  const blockchain = await testBlockchain()
  const { address } = await blockchain.treasury('anyone')
  const minter = testJettonMinter()
  const send = (body = testJettonMintBody(address, 1n)) => {
    const init = testJettonStateInit()
    return outcomeOf(blockchain, minter, internalMessage(address, minter, TON, body, { init }))
  }
  const question = beginCell()
    .storeUint(JETTON_OP.provideWalletAddress, 32)
    .storeUint(0, 64)
    .storeAddress(address)
    .storeBit(true)
    .endCell()
  return figures({ deploy: await send(), mint: await send(), walletAddress: await send(question) })
}
