/**
 * What all bounce handlers here stand on: no contract can send a message that looks as if it came
 * back. The chain itself clears the flag of what a contract sends.
 * @module
 */
import { beginCell, external, internal, storeMessageRelaxed } from '@ton/core'
import { expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import { CHANNEL_EXIT } from '../../../contracts/wrappers/Channel.ts'
import { CHANNEL_OUT } from '../../../contracts/wrappers/channelMessages.ts'
import { WALLET_ID, walletAddress, walletStateInit } from '../../../contracts/wrappers/wallet.ts'
import { channelSandbox } from '../../support/channelSandbox.ts'
import { internalMessage, outcomeAmong, outcomeOf, START_S } from '../../support/sandboxChain.ts'

it('a payee cannot forge a payout that came back, to be paid it again', async () => {
  const key = signingKey(sha256(utf8('a payee that lies')))
  const payee = walletAddress(key.publicKey)
  const s = await channelSandbox({ config: { payee } })
  await s.topUp(10n * TON)
  const init = walletStateInit(key.publicKey)
  const nothing = beginCell().endCell()
  await s.blockchain.sendMessage(
    internalMessage(s.stranger.address, payee, 5n * TON, nothing, { bounce: false, init }),
  )
  await s.claim(s.voucher(4n * TON))

  const body = beginCell().storeUint(0xffffffff, 32).storeUint(CHANNEL_OUT.payout, 32)
  const message = internal({ to: s.address, value: TON, body: body.storeCoins(3n * TON).endCell() })
  if (message.info.type !== 'internal') throw new Error('not an internal message')
  message.info.bounced = true
  const order = beginCell()
    .storeUint(WALLET_ID, 32)
    .storeUint(START_S + 60, 32)
    .storeUint(0, 32)
  order.storeUint(0, 8).storeUint(3, 8)
  order.storeRef(beginCell().store(storeMessageRelaxed(message)).endCell())
  const signature = key.sign(new Uint8Array(order.endCell().hash()))
  const signed = beginCell().storeBuffer(Buffer.from(signature)).storeBuilder(order).endCell()
  const sent = await outcomeOf(s.blockchain, payee, external({ to: payee, body: signed }))

  // The wallet sent it; the channel saw a message of its own kind, and one that it does not know.
  expect(sent.exit).toBe(0)
  const came = outcomeAmong(sent.transactions, s.address)
  expect(came.tx?.inMessage?.info).toMatchObject({ type: 'internal', bounced: false })
  expect(came.exit).toBe(CHANNEL_EXIT.unknownMessage)
  expect(await s.view()).toMatchObject({ claimed: 4n * TON, bounced: false })
})
