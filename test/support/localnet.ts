/**
 * A localnet for tests: started on any free port, driven over HTTP only, as anybody would.
 * @module
 */
import { type Address, beginCell, external, storeMessage } from '@ton/core'
import { type SigningKey, signingKey } from '../../contracts/base/signing.ts'
import { walletAddress, walletStateInit, walletTransfer } from '../../contracts/wrappers/wallet.ts'
import { connectChain } from '../../node/chain/tonClient.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { startLocalnet } from '../../node/localnet/localnet.ts'
import { createClock } from '../../node/system/clock.ts'
import { silentLogger } from '../../node/system/logger.ts'
import type { ChainFixture } from './chainCompliance.ts'

export const realClock = createClock()

/** A status, and an answer of localnet as far as tests look into it. */
export interface Answer {
  readonly status: number
  readonly body: { readonly ok: boolean; readonly error: string; readonly result: Json }
}

/** JSON that is walked by field; the end of the way is converted where it matters. */
export interface Json {
  readonly [field: string]: Json
}

export function postJson(url: string, payload: unknown): Promise<Answer> {
  return ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof payload === 'string' ? payload : JSON.stringify(payload),
  })
}

export function getJson(url: string): Promise<Answer> {
  return ask(url)
}

async function ask(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const body = (await response.json()) as Answer['body']
  return { status: response.status, body }
}

/** The key whose seed is one byte repeated. */
export function testKey(seed: number): SigningKey {
  return signingKey(new Uint8Array(32).fill(seed))
}

/** One JSON-RPC call of toncenter's API. */
export function rpc(endpoint: string, method: string, params: object): Promise<Answer> {
  return postJson(endpoint, { id: '1', jsonrpc: '2.0', method, params })
}

/** A signed transfer of a fresh wallet as one external message, ready for sendBoc. */
export function transferBoc(seed: number, seqno: number, to: Address, value: bigint): string {
  const key = testKey(seed)
  const body = walletTransfer(seqno, 2 ** 32 - 1, [{ to, value, bounce: false }], key)
  const init = seqno === 0 ? walletStateInit(key.publicKey) : undefined
  const message = external({ to: walletAddress(key.publicKey), init, body })
  return beginCell().store(storeMessage(message)).endCell().toBoc().toString('base64')
}

/** TonClient and localnet as the fixture of the Chain compliance suite. `BLOCK_MS` sets a pace. */
export async function localnetFixture(): Promise<ChainFixture & { url: string; endpoint: string }> {
  const clock = realClock
  const blockMs = Number(process.env.BLOCK_MS ?? 0)
  const localnet = await startLocalnet({ clock, logger: silentLogger, port: 0, blockMs })
  const { url, endpoint, networkId } = localnet
  const chain = await connectChain({ endpoint, networkId, clock })
  const control = async (verb: string, body: object) => {
    const answer = await postJson(`${url}/control/${verb}`, body)
    if (!answer.body.ok) throw new Error(answer.body.error)
  }
  return {
    url,
    endpoint,
    chain,
    networkId,
    wallet: (seed) => createWallet({ chain, clock, key: testKey(seed) }),
    forgedTransfer: (seed) => {
      const to = walletAddress(testKey(seed).publicKey)
      const messages = [{ to, value: 1n }]
      return { to, body: walletTransfer(0, 2 ** 32 - 1, messages, testKey(seed + 1)) }
    },
    faucet: (address: Address, amount) =>
      control('faucet', { address: address.toString(), amount: amount.toString() }),
    totals: async () => {
      const { result } = (await getJson(`${url}/control/totals`)).body
      const { balances, fees, minted, inFlight } = result
      return {
        balances: BigInt(String(balances)),
        fees: BigInt(String(fees)),
        minted: BigInt(String(minted)),
        inFlight: BigInt(String(inFlight)),
      }
    },
    advance: (seconds) => control('time', { advanceSeconds: seconds }),
    arrived: async () => {
      const waiting = async () => (await getJson(`${url}/control/status`)).body.result.waiting
      while (Number(await waiting()) > 0) await clock.sleep(10)
    },
    stop: () => localnet.stop(),
  }
}
