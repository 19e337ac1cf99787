/**
 * Gas of the standard wallet, version 4: what everyone pays to send anything from inside.
 * @module
 */
import { Cell, external } from '@ton/core'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import {
  walletAddress,
  walletStateInit,
  walletTransfer,
} from '../../../contracts/wrappers/wallet.ts'
import {
  internalMessage,
  type Outcome,
  outcomeOf,
  START_S,
  testBlockchain,
} from '../../support/sandboxChain.ts'
import { type ContractGas, figures, type Gas } from '../gasTable.ts'

export const gas: ContractGas = { measure }

async function measure(): Promise<Gas> {
  const blockchain = await testBlockchain()
  const key = signingKey(sha256(utf8('wallet')))
  const address = walletAddress(key.publicKey)
  const giver = await blockchain.treasury('giver')
  await giver.send({ to: address, value: 100n * TON, bounce: false })
  const message = { to: giver.address, value: TON, bounce: false }
  const send = (seqno: number, count: number, first = false): Promise<Outcome> => {
    const messages = Array.from({ length: count }, () => message)
    const body = walletTransfer(seqno, START_S + 60, messages, key)
    const init = first ? { init: walletStateInit(key.publicKey) } : {}
    return outcomeOf(blockchain, address, external({ to: address, body, ...init }))
  }
  const deploy = await send(0, 1, true)
  const oneMessage = await send(1, 1)
  const fourMessages = await send(2, 4)
  const gift = internalMessage(giver.address, address, TON, Cell.EMPTY)
  const received = await outcomeOf(blockchain, address, gift)
  return figures({ deploy, oneMessage, fourMessages, received })
}
