/**
 * A localnet for tests: started on any free port, driven over HTTP only, as anybody would.
 * @module
 */
import { type Address, beginCell } from '@ton/core'
import type { Logger } from '../../contracts/base/ports.ts'
import { type SigningKey, signingKey } from '../../contracts/base/signing.ts'
import { walletAddress, walletTransfer } from '../../contracts/wrappers/wallet.ts'
import { connectChain } from '../../node/chain/tonClient.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { startLocalnet } from '../../node/localnet/localnet.ts'
import type { ChainFixture } from './chainCompliance.ts'
import { realClock } from './realClock.ts'

export const quiet: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => quiet,
}

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

/** TonClient and localnet as the fixture of the Chain compliance suite. */
export async function localnetFixture(): Promise<ChainFixture & { url: string; endpoint: string }> {
  const clock = realClock
  const localnet = await startLocalnet({ clock, logger: quiet, port: 0 })
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

/** An empty cell, for messages whose content does not matter. */
export const NOTHING = beginCell().endCell()
