/**
 * A localnet is killed in the middle of its work, again and again: what it has answered for is
 * there afterwards, and every block is whole.
 * @module
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cell, loadTransaction } from '@ton/core'
import { afterAll, describe, expect, it } from 'vitest'
import type { Ledger } from '../../node/localnet/ledger.ts'
import { createSeededRandom } from '../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'
import { expectConserved, ledgerWorld, walletOf } from '../support/ledgerWorld.ts'
import { postJson, rpc, transferBoc } from '../support/localnet.ts'

const SEED = Number(process.env.SEED ?? 20261126)
const KILLS = Number(process.env.KILLS ?? 3)
const WALLETS = [1, 2, 3, 4, 5, 6]
const random = createSeededRandom(SEED)
const folder = mkdtempSync(join(tmpdir(), 'chrysalis-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a localnet has said "ok" to: the number of the next transfer of each wallet. */
const answered = new Map<number, number>()

async function start(home: string, blockMs: number) {
  const file = join(import.meta.dirname, '../support/localnetChild.ts')
  const child = fork(file, [home, String(blockMs)])
  const [url] = (await once(child, 'message')) as [string]
  return { child, url }
}

/** One wallet sends until nobody answers any more; `onAnswer` hears of each success. */
async function work(url: string, seed: number, onAnswer: () => void): Promise<void> {
  const endpoint = `${url}/api/v2/jsonRPC`
  const address = walletOf(seed).toString()
  const to = walletOf((seed % WALLETS.length) + 1)
  try {
    if (!answered.has(seed)) {
      const granted = await postJson(`${url}/control/faucet`, { address, amount: '10000000000' })
      if (granted.body.ok) answered.set(seed, 0)
    }
    for (;;) {
      const { body } = await rpc(endpoint, 'getWalletInformation', { address })
      const seqno = Number(body.result.seqno ?? 0)
      const boc = transferBoc(seed, seqno, to, 1_000n)
      const sent = await rpc(endpoint, 'sendBoc', { boc })
      if (!sent.body.ok) continue
      answered.set(seed, seqno + 1)
      onAnswer()
    }
  } catch {
    // killed
  }
}

/** Every block up to the last is there, every transaction where its account says it is. */
function expectWhole(ledger: Ledger): void {
  const { history } = ledger
  let lt = -1n
  let transactions = 0
  for (let seqno = 1; seqno <= history.last.seqno; seqno++) {
    const block = history.block(seqno)!
    expect(block.startLt).toBeGreaterThanOrEqual(lt)
    lt = block.endLt
    transactions += block.transactions.length
    for (const { account, lt: at, boc } of block.transactions) {
      expect(history.page(account, 1, at)[0]).toMatchObject({ lt: at, boc })
    }
  }
  expect(transactions).toBe(ledger.transactions)
  for (const seed of WALLETS) {
    const page = history.page(walletOf(seed).toRawString(), 1_000)
    const { lastTransactionLt = 0n, lastTransactionHash } =
      ledger.account(walletOf(seed))?.shard ?? {}
    expect(page[0]?.lt ?? 0n).toBe(lastTransactionLt)
    for (const [at, { boc }] of page.entries()) {
      const { prevTransactionLt, prevTransactionHash } = loadTransaction(
        Cell.fromBase64(boc).beginParse(),
      )
      expect(page[at + 1]?.lt ?? 0n).toBe(prevTransactionLt)
      if (page[at + 1]) expect(toInt(page[at + 1]!.hash)).toBe(prevTransactionHash)
    }
    if (page[0]) expect(toInt(page[0].hash)).toBe(lastTransactionHash)
  }
  expectConserved(ledger)
}

const toInt = (hash: Buffer) => BigInt(`0x${hash.toString('hex')}`)

describe('a localnet that is killed', () => {
  it.each([0, 30])(`is whole afterwards, blocks every %d ms (seed ${SEED})`, async (blockMs) => {
    const home = join(folder, String(blockMs))
    answered.clear()
    let seqno = 0
    let transactions = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, url } = await start(home, blockMs)
      const exit = once(child, 'exit')
      // In the middle of whatever follows a random number of answers, by a random moment.
      const [answers, delayMs] = [5 + (random.bytes(1)[0]! % 30), random.bytes(1)[0]! % 20]
      let left = answers
      const onAnswer = () => {
        left -= 1
        if (left === 0) setTimeout(() => child.kill('SIGKILL'), delayMs)
      }
      await Promise.all([exit, ...WALLETS.map((seed) => work(url, seed, onAnswer))])

      const clock = createSimulatedClock({ startMs: Date.now() })
      const { ledger, close } = await ledgerWorld({
        ...{ file: join(home, 'localnet.sqlite'), clock, blockMs },
      })
      expectWhole(ledger)
      expect(ledger.history.last.seqno).toBeGreaterThanOrEqual(seqno)
      seqno = ledger.history.last.seqno
      transactions = ledger.transactions
      if (blockMs === 0) {
        for (const [seed, next] of answered) {
          const sent = ledger.history
            .page(walletOf(seed).toRawString(), 1_000)
            .filter(({ inKey }) => inKey === undefined)
          expect(sent.length).toBeGreaterThanOrEqual(next)
        }
      }
      close()
    }
    expect(transactions).toBeGreaterThan(WALLETS.length)
  })
})
