/**
 * The simulated chain: the compliance suite of the port, then its blocks, faults by seed, bounds.
 * @module
 */
import type { Address } from '@ton/core'
import { describe, expect, it } from 'vitest'
import type { Bytes } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { Random, Wallet } from '../../../contracts/base/ports.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import { walletAddress, walletTransfer } from '../../../contracts/wrappers/wallet.ts'
import {
  type ChainFaults,
  createSimulatedChain,
  type SimulatedChain,
} from '../../../node/chain/simulated.ts'
import { createSimulatedClock, type SimulatedClock } from '../../../node/system/simulatedClock.ts'
import { type ChainFixture, chainCompliance } from '../../support/chainCompliance.ts'

const NETWORK = -777
const BLOCK_MS = 1_000
const START_MS = 1_795_305_600_000

chainCompliance('the simulated chain', async () => {
  const { clock, sim } = make()
  return fixture(clock, sim)
})

describe('the simulated chain', () => {
  it('shows a message in the next block, not before', async () => {
    const { clock, sim } = make()
    const chain = sim.chain()
    const to = walletAddress(key(2).publicKey)
    await deploy(clock, sim, 1)
    const body = walletTransfer(
      1,
      (await chain.now()) + 60,
      [{ to, value: TON, bounce: false }],
      key(1),
    )
    await chain.sendExternal(walletAddress(key(1).publicKey), body)
    expect((await chain.account(to)).balance).toBe(0n)
    await clock.advance(BLOCK_MS)
    expect((await chain.account(to)).balance).toBe(TON)
  })

  it('runs a transfer once, however often it is sent', async () => {
    const { clock, sim } = make()
    const chain = sim.chain()
    const to = walletAddress(key(2).publicKey)
    await deploy(clock, sim, 1)
    const from = walletAddress(key(1).publicKey)
    const body = walletTransfer(
      1,
      (await chain.now()) + 60,
      [{ to, value: TON, bounce: false }],
      key(1),
    )
    for (let i = 0; i < 3; i++) await chain.sendExternal(from, body)
    await clock.advance(BLOCK_MS)
    expect((await chain.account(to)).balance).toBe(TON)
    await expect(chain.sendExternal(from, body)).rejects.toMatchObject({
      code: 'contract-failed',
      facts: { exitCode: 33 },
    })
  })

  it.each([
    ['late', 36, (now: number) => walletTransfer(1, now, [message()], key(1))],
    ['early', 33, (now: number) => walletTransfer(2, now + 60, [message()], key(1))],
    ['forged', 35, (now: number) => walletTransfer(1, now + 60, [message()], key(9))],
  ])('refuses a %s transfer with the wallet code %d', async (_name, exitCode, transfer) => {
    const { clock, sim } = make()
    await deploy(clock, sim, 1)
    const body = transfer(await sim.chain().now())
    const sending = sim.chain().sendExternal(walletAddress(key(1).publicKey), body)
    await expect(sending).rejects.toMatchObject({ facts: { exitCode } })
  })

  it('bounces a message to an account without code, less the way', async () => {
    const { clock, sim } = make()
    const wallet = await deploy(clock, sim, 1)
    const before = (await sim.chain().account(wallet.address)).balance
    await clock.settle(wallet.send([{ to: message().to, value: TON }]), 60_000)
    expect((await sim.chain().account(message().to)).status).toBe('none')
    const lost = before - (await sim.chain().account(wallet.address)).balance
    expect(lost).toBeGreaterThan(0n)
    expect(lost).toBeLessThan(TON / 100n)
    expectConserved(sim)
  })

  it('loses and delays messages by seed, and wallets send again until they are in', async () => {
    const run = async (seed: number): Promise<string[]> => {
      const faults = { random: seeded(seed), dropPer10k: 4_000, delayBlocks: 2 }
      const { clock, sim } = make(faults)
      const wallet = await deploy(clock, sim, 1)
      for (let i = 0; i < 5; i++) await clock.settle(wallet.send([message()]), 3_600_000)
      expectConserved(sim)
      const to = await sim.chain().account(message().to)
      expect(to.balance).toBe(5n * message().value)
      const history = await sim.chain().transactions(wallet.address, 50)
      return history.map(({ hash, at }) => `${at} ${hash}`)
    }
    const first = await run(1)
    expect(await run(1)).toEqual(first)
    expect(await run(2)).not.toEqual(first)
  })

  it('remembers the newest transactions of an account, and no more than its bound', async () => {
    const { sim } = make()
    const { address } = sim.wallet(key(1))
    const count = LIMITS.simulatedTransactions + 3
    for (let i = 1; i <= count; i++) sim.faucet(address, BigInt(i))
    const kept = await sim.chain().transactions(address, 2 * count)
    expect(kept).toHaveLength(LIMITS.simulatedTransactions)
    expect(kept[0]!.in.value).toBe(BigInt(count))
    expectConserved(sim)
  })

  it('makes no blocks while nothing happens', async () => {
    const { clock, sim } = make()
    await clock.advance(3_600_000)
    expect(sim.blocks()).toBe(0)
    expect(await sim.chain().now()).toBe(START_MS / 1000 + 3_600)
  })
})

function make(faults?: ChainFaults): { clock: SimulatedClock; sim: SimulatedChain } {
  const clock = createSimulatedClock({ startMs: START_MS })
  const sim = createSimulatedChain({ clock, networkId: NETWORK, blockMs: BLOCK_MS, faults })
  return { clock, sim }
}

/** Time passes only where the fixture lets it: a block after each message. */
function fixture(clock: SimulatedClock, sim: SimulatedChain): ChainFixture {
  const chain = sim.chain()
  const wallets = new Map<number, Wallet>()
  const walletOf = (seed: number): Wallet => {
    const known = wallets.get(seed) ?? sim.wallet(key(seed))
    wallets.set(seed, known)
    return known
  }
  return {
    networkId: NETWORK,
    chain: {
      ...chain,
      async sendExternal(to, body, init) {
        await chain.sendExternal(to, body, init)
        await clock.advance(BLOCK_MS)
      },
    },
    wallet(seed) {
      const wallet = walletOf(seed)
      return { ...wallet, send: (messages) => settle(clock, wallet.send(messages)) }
    },
    forgedTransfer(seed) {
      const to: Address = walletAddress(key(seed).publicKey)
      return { to, body: walletTransfer(1, START_MS / 1000 + 86_400, [message()], key(99)) }
    },
    faucet: async (address, amount) => sim.faucet(address, amount),
    async totals() {
      const { balances, fees, faucet } = sim.totals()
      return { balances, fees, minted: faucet }
    },
    advance: (seconds) => clock.advance(seconds * 1_000),
    stop: async () => {},
  }
}

let turn: Promise<unknown> = Promise.resolve()
/** Several waits at once share one clock: one after the other drives it. */
function settle<T>(clock: SimulatedClock, promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  const mine = turn.then(() => clock.settle(promise, 600_000))
  turn = mine.catch(() => {})
  return mine
}

async function deploy(clock: SimulatedClock, sim: SimulatedChain, seed: number): Promise<Wallet> {
  const wallet = sim.wallet(key(seed))
  sim.faucet(wallet.address, 20n * TON)
  await clock.settle(wallet.send([{ to: wallet.address, value: 1n, bounce: false }]), 600_000)
  return wallet
}

function message() {
  return { to: walletAddress(key(50).publicKey), value: TON / 10n, bounce: false }
}

function key(seed: number) {
  return signingKey(new Uint8Array(32).fill(seed))
}

function expectConserved(sim: SimulatedChain): void {
  const { balances, fees, faucet } = sim.totals()
  expect(balances + fees).toBe(faucet)
}

/** Bytes by seed: a hash over a counter. */
function seeded(seed: number): Random {
  let count = 0
  return {
    bytes(length): Bytes {
      count += 1
      return sha256(new Uint8Array([seed, count >> 8, count & 255])).subarray(0, length)
    },
  }
}
