/**
 * Everything that a person signs for a contract, shown to every other contract, and to another one
 * of the same kind: nobody else takes it, from outside or from inside, as it is or in the wrapping
 * that the other contract wants.
 * @module
 */
import { type Address, type Cell, external } from '@ton/core'
import type { Blockchain } from '@ton/sandbox'
import { beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import { claimBody, cooperativeCloseBody } from '../../../contracts/wrappers/channelMessages.ts'
import { verdictOn } from '../../../contracts/wrappers/Dispute.ts'
import { verdictBody } from '../../../contracts/wrappers/disputeMessages.ts'
import {
  jettonClaimBody,
  jettonCooperativeCloseBody,
} from '../../../contracts/wrappers/jettonChannelMessages.ts'
import { signOrder, submitBody } from '../../../contracts/wrappers/Multisig.ts'
import {
  walletAddress,
  walletStateInit,
  walletTransfer,
} from '../../../contracts/wrappers/wallet.ts'
import { type ChannelSandbox, channelSandbox } from '../../support/channelSandbox.ts'
import { contractLab } from '../../support/contractLab.ts'
import { disputeSandbox } from '../../support/disputeSandbox.ts'
import { governanceSandbox } from '../../support/governanceSandbox.ts'
import { itemSandbox } from '../../support/itemSandbox.ts'
import { DOLLAR, type JettonSandbox, jettonSandbox } from '../../support/jettonSandbox.ts'
import { registrySandbox } from '../../support/registrySandbox.ts'
import {
  internalMessage,
  outcomeOf,
  START_S,
  TEST_NETWORK,
  testBlockchain,
} from '../../support/sandboxChain.ts'

const OTHER_NONCE = { nonce: sha256(utf8('another nonce')).subarray(0, 16) }
const UPHELD = { uphold: true, loss: TON }

let blockchain: Blockchain
/** Every contract by name; those of a number are of the same kind. */
const places = new Map<string, Address>()
/** Every signed message: where it belongs, its body, and the wrappings that others would want. */
const signed = new Map<string, { home: string; bodies: readonly Cell[] }>()
/** Who may have sent them: the party that most of the contracts believe. */
let senders: readonly Address[] = []

beforeAll(async () => {
  blockchain = await testBlockchain()
  const channel = await channelSandbox({ blockchain })
  await channel.topUp(10n * TON)
  const channel2 = await channelSandbox({ blockchain, config: OTHER_NONCE })
  await channel2.topUp(10n * TON)
  places.set('channel', channel.address).set('channel 2', channel2.address)
  const jetton = await openJetton()
  const jetton2 = await openJetton(OTHER_NONCE)
  places.set('jetton-channel', jetton.address).set('jetton-channel 2', jetton2.address)
  senders = [channel.payee.address]
  addVouchers(channel, jetton)
  await addOrder()
  await addVerdict()
  await addTransfer()
  places.set('registry', (await registrySandbox({ blockchain })).address)
  const item = await itemSandbox({ blockchain })
  await item.register()
  places.set('item', item.address)
}, 60_000)

async function openJetton(config = {}): Promise<JettonSandbox> {
  const s = await jettonSandbox({ blockchain, config })
  await s.mint(s.payer.address, 10n * DOLLAR)
  await s.open()
  await s.deposit(10n * DOLLAR)
  return s
}

/** The same key signs for both kinds of channel: what tells them apart is in the signed bytes. */
function addVouchers(channel: ChannelSandbox, jetton: JettonSandbox): void {
  const wrap = (cumulative: bigint, from: ChannelSandbox | JettonSandbox): readonly Cell[] => {
    const voucher = from.voucher(cumulative)
    const last = { voucher, signature: from.sign(voucher) }
    return [
      claimBody(voucher, last.signature),
      jettonClaimBody(voucher, last.signature),
      cooperativeCloseBody(last),
      jettonCooperativeCloseBody(last),
    ]
  }
  signed.set('voucher', { home: 'channel', bodies: wrap(4n * TON, channel) })
  signed.set('jetton voucher', { home: 'jetton-channel', bodies: wrap(4n * DOLLAR, jetton) })
}

async function addOrder(): Promise<void> {
  const one = await governanceSandbox({ blockchain })
  const two = await governanceSandbox({ blockchain, threshold: 2 })
  places.set('multisig', one.multisig).set('multisig 2', two.multisig)
  places.set('timelock', one.timelock)
  const operation = { to: one.helper.address, value: TON / 2n, body: claimOfNothing() }
  const order = await one.order({ kind: 'send', operation })
  const signatures = one.keys.slice(0, 3).map((key) => signOrder(order, key))
  signed.set('order', { home: 'multisig', bodies: [submitBody(order, signatures)] })
}

async function addVerdict(): Promise<void> {
  const one = await disputeSandbox({ blockchain })
  const two = await disputeSandbox({ blockchain, config: OTHER_NONCE })
  await one.tried()
  await two.tried()
  places.set('dispute', one.address).set('dispute 2', two.address)
  senders = [...senders, one.challenger.address]
  const statement = verdictOn(TEST_NETWORK, one.address, await one.view(), UPHELD)
  const votes = [0, 1, 2].map((arbiter) => one.vote(statement, arbiter))
  const bodies = [verdictBody(UPHELD.uphold, UPHELD.loss, votes)]
  signed.set('verdict', { home: 'dispute', bodies })
}

async function addTransfer(): Promise<void> {
  const keys = ['one', 'two'].map((name) => signingKey(sha256(utf8(`wallet ${name}`))))
  for (const [i, { publicKey }] of keys.entries()) {
    const address = walletAddress(publicKey)
    const init = walletStateInit(publicKey)
    const options = { bounce: false, init }
    await blockchain.sendMessage(internalMessage(address, address, TON, claimOfNothing(), options))
    places.set(i === 0 ? 'wallet' : 'wallet 2', address)
  }
  const message = { to: walletAddress(keys[1]!.publicKey), value: TON / 2n, bounce: false }
  const body = walletTransfer(0, START_S + 86_400, [message], keys[0]!)
  signed.set('transfer', { home: 'wallet', bodies: [body] })
}

function claimOfNothing(): Cell {
  return cooperativeCloseBody()
}

describe.each(['voucher', 'jetton voucher', 'order', 'verdict', 'transfer'])(
  'a signed %s',
  (name) => {
    it('is taken at home', async () => {
      const { home, bodies } = signed.get(name)!
      expect(await taken(home, bodies)).toBeGreaterThan(0)
    })

    it('is taken nowhere else', async () => {
      const { home, bodies } = signed.get(name)!
      const elsewhere = [...places.keys()].filter((place) => place !== home)
      expect(elsewhere.length).toBeGreaterThanOrEqual(10)
      for (const place of elsewhere) {
        expect({ place, taken: await taken(place, bodies) }).toEqual({ place, taken: 0 })
      }
    })
  },
)

/** In how many ways a contract takes a message: accepts it, or changes its state by it. */
async function taken(place: string, bodies: readonly Cell[]): Promise<number> {
  const to = places.get(place)!
  const lab = contractLab(blockchain, to)
  const before = await lab.state()
  const snapshot = blockchain.snapshot()
  let count = 0
  for (const body of bodies) {
    const messages = [
      external({ to, body }),
      ...senders.map((from) => internalMessage(from, to, TON, body)),
    ]
    for (const message of messages) {
      const { tx } = await outcomeOf(blockchain, to, message)
      const fromOutside = message.info.type === 'external-in' && tx !== undefined
      if (!fromOutside && (await lab.state()) === before) continue
      count++
      await blockchain.loadFrom(snapshot)
    }
  }
  return count
}
