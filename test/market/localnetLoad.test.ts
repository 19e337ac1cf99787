/**
 * A localnet under load: callers at the same time, and transactions a second.
 * @module
 */
import type { Address } from '@ton/core'
import { TonClient } from '@ton/ton'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TON } from '../../contracts/base/units.ts'
import { walletAddress } from '../../contracts/wrappers/wallet.ts'
import { type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { getJson, postJson, realClock, rpc, testKey, transferBoc } from '../support/localnet.ts'

let localnet: Localnet
let client: TonClient

beforeAll(async () => {
  localnet = await startLocalnet({ clock: realClock, logger: silentLogger, port: 0 })
  client = new TonClient({ endpoint: localnet.endpoint })
})
afterAll(async () => {
  await localnet?.stop()
})

const fund = (address: Address, amount: bigint) =>
  postJson(`${localnet.url}/control/faucet`, { address: address.toString(), amount: `${amount}` })

describe('under load', () => {
  it('keeps writers apart: each transfer whole, none lost, the sums exact', async () => {
    const seeds = Array.from({ length: 20 }, (_, i) => 70 + i)
    const payee = walletAddress(testKey(69).publicKey)
    await Promise.all(seeds.map((seed) => fund(walletAddress(testKey(seed).publicKey), TON)))
    const sends = seeds.map((seed) =>
      rpc(localnet.endpoint, 'sendBoc', { boc: transferBoc(seed, 0, payee, 1_000_000n) }),
    )
    const reads = seeds.map(() => getJson(`${localnet.url}/control/totals`))
    const answers = await Promise.all([...sends, ...reads])
    expect(answers.every(({ body }) => body.ok)).toBe(true)
    for (const { body } of answers.slice(seeds.length)) {
      const { balances, fees, inFlight, minted } = body.result
      expect(BigInt(String(balances)) + BigInt(String(fees)) + BigInt(String(inFlight))).toBe(
        BigInt(String(minted)),
      )
    }
    const received = await client.getTransactions(payee, { limit: 100 })
    expect(received).toHaveLength(seeds.length)
    const [newest] = received
    const block = await client.getMasterchainInfo()
    // A block holds a transfer, the next one its receipt, never parts of two.
    const first = block.latestSeqno - 2 * seeds.length + 1
    for (let seqno = first; seqno <= block.latestSeqno; seqno++) {
      const listed = await client.getShardTransactions(0, seqno, '-9223372036854775808')
      expect(listed).toHaveLength(1)
      const isReceipt = (seqno - first) % 2 === 1
      expect(listed[0]!.account.equals(payee)).toBe(isReceipt)
    }
    expect(newest!.now).toBeGreaterThan(0)
  })

  it('measures transactions a second over HTTP', async () => {
    const payee = walletAddress(testKey(99).publicKey)
    const sender = walletAddress(testKey(98).publicKey)
    await fund(sender, 100n * TON)
    const bocs = Array.from({ length: 200 }, (_, seqno) => transferBoc(98, seqno, payee, 1n))
    const startMs = performance.now()
    for (const boc of bocs) {
      expect((await rpc(localnet.endpoint, 'sendBoc', { boc })).body.ok).toBe(true)
    }
    const seconds = (performance.now() - startMs) / 1_000
    const perSecond = (2 * bocs.length) / seconds // each transfer is two transactions
    process.stdout.write(`localnet: ${perSecond.toFixed(0)} transactions/s over HTTP\n`)
    expect(await client.getBalance(payee)).toBeGreaterThan(0n)
    expect(perSecond).toBeGreaterThan(20) // the aim is 120; a loaded machine must not fail the test
  })
})
