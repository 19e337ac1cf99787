/**
 * What every implementation of the Chain and Wallet ports must do, as one suite.
 *
 * A test file calls `chainCompliance(name, create)`; `create` makes an empty network and the means
 * to mint, to count and to let time pass. The suite knows nothing else about what it tests.
 * @module
 */
import { type Address, beginCell, type Cell } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain, Wallet } from '../../contracts/base/ports.ts'
import { signingKey } from '../../contracts/base/signing.ts'
import { type NanoTon, TON } from '../../contracts/base/units.ts'
import { signVoucher } from '../../contracts/money/voucher.ts'
import {
  type ChannelConfig,
  channelAddress,
  channelStateInit,
  readChannel,
} from '../../contracts/wrappers/Channel.ts'
import {
  CHANNEL_VALUE,
  claimBody,
  finishCloseBody,
  startCloseBody,
  topUpBody,
  topUpValue,
} from '../../contracts/wrappers/channelMessages.ts'

/** Sums over a whole network, in nanoTON: minted = balances + fees + inFlight, always. */
export interface ChainTotals {
  readonly balances: NanoTon
  readonly fees: NanoTon
  readonly minted: NanoTon
  /** Value of messages sent and not yet received. */
  readonly inFlight?: NanoTon
}

export interface ChainFixture {
  readonly chain: Chain
  /** The network id the fixture was made with. */
  readonly networkId: number
  /** The wallet of the key whose 32-byte seed is `seed` repeated. */
  wallet(seed: number): Wallet
  /** A transfer message to the wallet of `seed`, signed by a key that is not its own. */
  forgedTransfer(seed: number): { readonly to: Address; readonly body: Cell }
  faucet(address: Address, amount: NanoTon): Promise<void>
  totals(): Promise<ChainTotals>
  advance(seconds: number): Promise<void>
  /** Resolves when every message on its way has arrived; absent where none ever waits. */
  arrived?(): Promise<void>
  stop(): Promise<void>
}

export function chainCompliance(name: string, create: () => Promise<ChainFixture>): void {
  describe(`${name} as a Chain`, () => {
    let net: ChainFixture
    beforeAll(async () => {
      net = await create()
    })
    afterAll(async () => {
      await net?.stop()
    })

    describeAccounts(() => net)
    describeWallets(() => net)
    describeHistory(() => net)
    describeChannels(() => net)
    describeRefusals(() => net)
  })
}

function describeAccounts(net: () => ChainFixture): void {
  it('names the network it belongs to', () => {
    expect(net().chain.networkId).toBe(net().networkId)
  })

  it('says of an address nobody has used that there is none', async () => {
    const account = await net().chain.account(net().wallet(200).address)
    expect(account).toEqual({ status: 'none', balance: 0n })
  })

  it('gives a fresh account exactly what the faucet sends', async () => {
    const { address } = net().wallet(1)
    await net().faucet(address, 5n * TON)
    expect(await net().chain.account(address)).toEqual({ status: 'uninit', balance: 5n * TON })
  })

  it('has a time that moves forward', async () => {
    const before = await net().chain.now()
    await net().advance(3_600)
    const after = await net().chain.now()
    expect(after - before).toBeGreaterThanOrEqual(3_600)
    expect(after - before).toBeLessThan(3_700)
  })

  it('names its last block, another one as time goes on', async () => {
    const { chain } = net()
    const first = await chain.lastBlock()
    expect(first.hash).toHaveLength(32)
    expect(Math.abs((await chain.now()) - first.atS)).toBeLessThan(60)
    await net().advance(10)
    const second = await chain.lastBlock()
    expect(second.hash).not.toEqual(first.hash)
    expect(second.atS).toBeGreaterThanOrEqual(first.atS + 10)
    expect(second.seqno).toBeGreaterThan(first.seqno)
  })

  it('gives a block by its number, and none that is to come', async () => {
    const { chain } = net()
    const first = await chain.lastBlock()
    await net().advance(10)
    const second = await chain.lastBlock()
    for (const known of [first, second]) {
      const found = await chain.block(known.seqno)
      expect(found).toMatchObject({ seqno: known.seqno, hash: known.hash })
      expect(Math.abs(found!.atS - known.atS)).toBeLessThan(60)
    }
    expect(await chain.block(second.seqno + 1_000)).toBeUndefined()
    expect(await chain.block(2 ** 32 - 1)).toBeUndefined()
  })
}

function describeWallets(net: () => ChainFixture): void {
  it('deploys a wallet with its first transfer and conserves every nanoTON', async () => {
    const { chain } = net()
    const payer = net().wallet(2)
    const payee = net().wallet(3).address
    await net().faucet(payer.address, 10n * TON)
    await payer.send([{ to: payee, value: 3n * TON, body: comment('hello'), bounce: false }])

    const [sender, receiver] = [await chain.account(payer.address), await chain.account(payee)]
    expect(sender.status).toBe('active')
    expect(sender.codeHash?.length).toBe(32)
    expect(receiver).toEqual({ status: 'uninit', balance: 3n * TON })
    await expectConserved(net())
  })

  it('sends transfers asked for at once one after the other, each once', async () => {
    const payer = net().wallet(4)
    const payee = net().wallet(5).address
    await net().faucet(payer.address, 10n * TON)
    const transfer = { to: payee, value: TON / 10n, bounce: false }
    await Promise.all([
      payer.send([transfer]),
      payer.send([transfer, transfer]),
      payer.send([transfer]),
    ])
    const received = await net().chain.transactions(payee, 10)
    expect(received.map((tx) => tx.in.value)).toEqual(Array(4).fill(TON / 10n))
    const seqno = await net().chain.getter(payer.address, 'seqno')
    expect(seqno.readNumber()).toBe(3)
    await expectConserved(net())
  })

  it('refuses a transfer that the wallet cannot pay', async () => {
    const payer = net().wallet(6)
    await net().faucet(payer.address, TON)
    const sending = payer.send([{ to: net().wallet(7).address, value: 2n * TON, bounce: false }])
    await expect(sending).rejects.toMatchObject({ code: 'wallet-empty' })
    expect((await net().chain.account(payer.address)).balance).toBe(TON)
  })

  it('refuses no messages and more than four', async () => {
    const wallet = net().wallet(6)
    const five = Array.from({ length: 5 }, () => ({ to: wallet.address, value: 1n }))
    await expect(wallet.send([])).rejects.toMatchObject({ code: 'bad-input' })
    await expect(wallet.send(five)).rejects.toMatchObject({ code: 'bad-input' })
  })
}

function describeHistory(net: () => ChainFixture): void {
  it('lists transactions newest first, in pages that neither overlap nor skip', async () => {
    const payer = net().wallet(8)
    const payee = net().wallet(9).address
    await net().faucet(payer.address, 10n * TON)
    for (let i = 1n; i <= 5n; i++) {
      await payer.send([{ to: payee, value: i, body: comment(`${i}`), bounce: false }])
    }
    const { chain } = net()
    const all = await chain.transactions(payee, 50)
    expect(all.map((tx) => tx.in.value)).toEqual([5n, 4n, 3n, 2n, 1n])
    expect(all.every((tx) => tx.in.source === payer.address.toRawString())).toBe(true)
    expect(all.every((tx, i) => i === 0 || tx.lt < all[i - 1]!.lt)).toBe(true)

    const first = await chain.transactions(payee, 2)
    const second = await chain.transactions(payee, 2, first[1]!.lt)
    const third = await chain.transactions(payee, 2, second[1]!.lt)
    const paged = [...first, ...second, ...third].map((tx) => tx.hash)
    expect(paged).toEqual(all.map((tx) => tx.hash))
    expect(await chain.transactions(payee, 2, all[4]!.lt)).toEqual([])
    const between = await chain.transactions(payee, 10, all[2]!.lt + 1n)
    expect(between.map((tx) => tx.hash)).toEqual(paged.slice(2))
  })

  it('accounts for the balance of a wallet by its transactions', async () => {
    const { chain } = net()
    const { address } = net().wallet(8)
    const all = await chain.transactions(address, 50)
    expect(all).toHaveLength(6)
    const flow = all.map(
      (tx) => tx.in.value - tx.fees - tx.out.reduce((sum, out) => sum + out.value, 0n),
    )
    const balance = flow.reduce((sum, value) => sum + value, 0n)
    expect((await chain.account(address)).balance).toBe(balance)
    const latest = all[0]!
    expect(latest.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(latest.in.source).toBeUndefined()
    expect(latest.in.value).toBe(0n)
    expect(latest.out).toEqual([{ value: 5n, destination: net().wallet(9).address.toRawString() }])
    expect({ exit: latest.exitCode, aborted: latest.aborted }).toEqual({ exit: 0, aborted: false })
  })

  it('lists nothing of an address nobody has used', async () => {
    expect(await net().chain.transactions(net().wallet(200).address, 10)).toEqual([])
  })
}

function describeChannels(net: () => ChainFixture): void {
  it('runs a channel from its deposit through an external claim to its close', async () => {
    const { chain, networkId } = net()
    const { payer, payee, channel } = await openChannel(net(), 20)
    const opened = await readChannel(chain, channel)
    expect(opened).toMatchObject({ status: 'open', deposited: 10n * TON, claimed: 0n })

    const claim = signedClaim(channel, networkId, 3n * TON)
    await chain.sendExternal(channel, claim)
    await net().arrived?.()
    const [payout] = await chain.transactions(payee.address, 1)
    expect(payout?.in.source).toBe(channel.toRawString())
    expect(payout?.in.value).toBeGreaterThan((299n * TON) / 100n) // the claim pays its own way
    expect(payout?.in.value).toBeLessThanOrEqual(3n * TON)
    expect(await readChannel(chain, channel)).toMatchObject({ status: 'open', claimed: 3n * TON })
    await expect(chain.sendExternal(channel, claim)).rejects.toMatchObject({
      code: 'contract-failed',
    })

    const { startClose, finishClose } = CHANNEL_VALUE
    await payer.send([{ to: channel, value: startClose, body: startCloseBody() }])
    await net().arrived?.()
    expect((await readChannel(chain, channel)).status).toBe('closing')
    await net().advance(LIMITS.closeDelayS + 1)
    await payer.send([{ to: channel, value: finishClose, body: finishCloseBody() }])
    await net().arrived?.()
    expect((await readChannel(chain, channel)).status).toBe('closed')
    const [returned] = await chain.transactions(payer.address, 1)
    expect(returned?.in.source).toBe(channel.toRawString())
    expect(returned?.in.value).toBeGreaterThan(7n * TON)
    await expectConserved(net())
  })

  it('refuses a claim for another network', async () => {
    const { channel } = await openChannel(net(), 22)
    const foreign = net().chain.sendExternal(channel, signedClaim(channel, -239, 3n * TON))
    await expect(foreign).rejects.toMatchObject({ code: 'contract-failed' })
    expect((await readChannel(net().chain, channel)).claimed).toBe(0n)
  })
}

function describeRefusals(net: () => ChainFixture): void {
  it('gives the exit code of a getter that fails', async () => {
    const wallet = net().wallet(10)
    await net().faucet(wallet.address, TON)
    await wallet.send([{ to: wallet.address, value: 1n, bounce: false }])
    const missing = net().chain.getter(wallet.address, 'no_such_method')
    await expect(missing).rejects.toMatchObject({
      code: 'contract-failed',
      facts: { exitCode: 11 },
    })
  })

  it('refuses a getter of an account without code', async () => {
    const missing = net().chain.getter(net().wallet(200).address, 'seqno')
    await expect(missing).rejects.toMatchObject({ code: 'contract-failed' })
  })

  it('refuses an external message that the contract does not accept, at no cost', async () => {
    const wallet = net().wallet(11)
    await net().faucet(wallet.address, TON)
    await wallet.send([{ to: wallet.address, value: 1n, bounce: false }])
    const before = await net().chain.account(wallet.address)
    const { to, body } = net().forgedTransfer(11)
    await expect(net().chain.sendExternal(to, body)).rejects.toMatchObject({
      code: 'contract-failed',
    })
    expect(await net().chain.account(wallet.address)).toEqual(before)
  })

  it('refuses an external message to an account that is not there', async () => {
    const { address } = net().wallet(201)
    const sending = net().chain.sendExternal(address, beginCell().endCell())
    await expect(sending).rejects.toMatchObject({ code: 'contract-failed' })
  })
}

async function expectConserved(net: ChainFixture): Promise<void> {
  const { balances, fees, minted, inFlight = 0n } = await net.totals()
  expect(balances + fees + inFlight).toBe(minted)
}

/** The voucher key of every channel of this suite. */
const voucherKey = signingKey(new Uint8Array(32).fill(77))

/** A channel with 10 TON in it, from wallet `seed` to the next one; both are deployed. */
async function openChannel(net: ChainFixture, seed: number) {
  const [payer, payee] = [net.wallet(seed), net.wallet(seed + 1)]
  await net.faucet(payer.address, 20n * TON)
  await net.faucet(payee.address, TON)
  await payee.send([{ to: payee.address, value: 1n }]) // a payout to no code would bounce
  const config: ChannelConfig = {
    payer: payer.address,
    payee: payee.address,
    voucherKey: voucherKey.publicKey,
    nonce: new Uint8Array(16).fill(seed),
    closeDelayS: LIMITS.closeDelayS,
    network: net.networkId,
  }
  const channel = channelAddress(config)
  const deposit = { to: channel, value: topUpValue(10n * TON), body: topUpBody(10n * TON) }
  await payer.send([{ ...deposit, init: channelStateInit(config) }])
  return { payer, payee, channel }
}

function signedClaim(channel: Address, network: number, cumulative: NanoTon): Cell {
  const voucher = { network, channel, cumulative, receiptsHash: new Uint8Array(32) }
  return claimBody(voucher, signVoucher(voucher, voucherKey))
}

function comment(text: string): Cell {
  return beginCell().storeUint(0, 32).storeStringTail(text).endCell()
}
