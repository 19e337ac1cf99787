/**
 * The client's channel survives a crash at any point, and is not opened twice.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { channelTo } from '../../client/channel.ts'
import { createHandle } from '../../client/handle.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Wallet } from '../../contracts/base/ports.ts'
import { secret } from '../../contracts/base/secret.ts'
import { signingKey } from '../../contracts/base/signing.ts'
import { channelAddress } from '../../contracts/wrappers/Channel.ts'
import { walletAddress } from '../../contracts/wrappers/wallet.ts'
import { createSimulatedChain } from '../../node/chain/simulated.ts'
import { createSimulatedDisk, createSimulatedStore } from '../../node/store/simulatedStore.ts'
import { keystoreOf } from '../../node/system/keystore.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { createSeededRandom } from '../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'

const LIMIT_MS = 300_000
const DEPOSIT = 1_000_000_000n

function world(seed: string) {
  const random = createSeededRandom(seed)
  const clock = createSimulatedClock({ startMs: 1_795_000_000_000 })
  const ton = createSimulatedChain({ clock, networkId: 77, blockMs: 1_000 })
  const keystore = keystoreOf(secret('root key', random.bytes(32)))
  const wallet = ton.wallet(keystore.key('wallet'))
  ton.faucet(wallet.address, 10_000_000_000n)
  const disk = createSimulatedDisk({ clock })
  const scheduler = {
    identity: 'ab'.repeat(32),
    wallet: walletAddress(signingKey(random.bytes(32)).publicKey),
    closeDelayS: 86_400,
  }
  const options = { networkId: 77, deposit: DEPOSIT, fund: async () => undefined }
  const open = (by: Wallet = wallet, to = scheduler, networkId = 77) => {
    const store = createSimulatedStore(disk)
    const needs = {
      chain: ton.chain(),
      wallet: by,
      store,
      clock,
      random,
      keystore,
      logger: silentLogger,
    }
    const opening = channelTo(needs, to, { ...options, networkId })
    return clock.settle(opening, LIMIT_MS).finally(() => store.close())
  }
  const balance = async () => (await ton.chain().account(wallet.address)).balance
  return { clock, wallet, scheduler, open, balance }
}

describe('channelTo', () => {
  it('opens once, and finds the channel again', async () => {
    const { open, balance } = world('once')
    const first = await open()
    const left = await balance()
    const second = await open()
    expect(second.address.equals(first.address)).toBe(true)
    expect(second.voucherKey.publicKey).toEqual(first.voucherKey.publicKey)
    expect(await balance()).toBe(left)
    expect(channelAddress(first.config).equals(first.address)).toBe(true)
  })

  it('deploys the same channel where the process died before the deploy', async () => {
    const { open, wallet, balance } = world('died')
    const dying: Wallet = {
      ...wallet,
      send: () => Promise.reject(new MarketError('unreachable')),
    }
    await expect(open(dying)).rejects.toMatchObject({ code: 'unreachable' })
    const before = await balance()
    const opened = await open()
    const again = await open()
    expect(again.address.equals(opened.address)).toBe(true)
    // One deposit has left the wallet, and the fees of one.
    expect(before - (await balance())).toBeLessThan(DEPOSIT + DEPOSIT / 5n)
  })

  it('opens another for another payee or a longer close delay', async () => {
    const { open, wallet, scheduler } = world('other')
    const first = await open()
    const stricter = await open(wallet, { ...scheduler, closeDelayS: 2 * 86_400 })
    expect(stricter.address.equals(first.address)).toBe(false)
    expect(stricter.config.closeDelayS).toBe(2 * 86_400)
    const moved = await open(wallet, { ...scheduler, wallet: wallet.address })
    expect(moved.config.payee.equals(wallet.address)).toBe(true)
  })
})

describe('a job handle', () => {
  it('gives pieces in order to one who comes late, then the failure', async () => {
    const control = createHandle('id')
    control.push({ text: 'a', completionTokens: 1 })
    control.push({ text: 'b', completionTokens: 2 })
    control.fail(new MarketError('stalled'))
    const texts: string[] = []
    const read = async () => {
      for await (const { text } of control.job) texts.push(text)
    }
    await expect(read()).rejects.toMatchObject({ code: 'stalled' })
    expect(texts).toEqual(['a', 'b'])
    expect(control.signal.aborted).toBe(false)
  })

  it('aborts where the loop is left, where asked to, and by a given signal', async () => {
    const left = createHandle('id')
    left.push({ text: 'a', completionTokens: 1 })
    for await (const _ of left.job) break
    expect(left.signal.aborted).toBe(true)

    const asked = createHandle('id')
    asked.job.abort()
    expect(asked.signal.aborted).toBe(true)

    const own = new AbortController()
    const signalled = createHandle('id', own.signal)
    expect(signalled.signal.aborted).toBe(false)
    own.abort()
    expect(signalled.signal.aborted).toBe(true)
  })
})
