/**
 * A localnet for tests: started on any free port, driven over HTTP only, as anybody would.
 * @module
 */
import type { Address } from '@ton/core'
import { type SigningKey, signingKey } from '../../contracts/base/signing.ts'
import { walletAddress, walletTransfer } from '../../contracts/wrappers/wallet.ts'
import { connectChain } from '../../node/chain/tonClient.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { startLocalnet } from '../../node/localnet/localnet.ts'
import { createClock } from '../../node/system/clock.ts'
import { silentLogger } from '../../node/system/logger.ts'
import type { ChainFixture } from './chainCompliance.ts'

export const realClock = createClock()

/** Anything in an answer: tests look at what they name. */
export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes, looked at by tests only
  readonly body: any
}

export async function postJson(url: string, body: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, body: await response.json() }
}

export async function getJson(url: string): Promise<Answer> {
  const response = await fetch(url)
  return { status: response.status, body: await response.json() }
}

/** The key whose seed is one byte repeated. */
export function testKey(seed: number): SigningKey {
  return signingKey(new Uint8Array(32).fill(seed))
}

/** One JSON-RPC call of toncenter's API. */
export function rpc(endpoint: string, method: string, params: object): Promise<Answer> {
  return postJson(endpoint, { id: '1', jsonrpc: '2.0', method, params })
}

/** TonClient and localnet as the fixture of the Chain compliance suite. */
export async function localnetFixture(): Promise<ChainFixture & { url: string; endpoint: string }> {
  const clock = realClock
  const localnet = await startLocalnet({ clock, logger: silentLogger, port: 0 })
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
        balances: BigInt(balances),
        fees: BigInt(fees),
        minted: BigInt(minted),
        inFlight: BigInt(inFlight),
      }
    },
    advance: (seconds) => control('time', { advanceSeconds: seconds }),
    stop: () => localnet.stop(),
  }
}
