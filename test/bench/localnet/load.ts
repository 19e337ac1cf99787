/**
 * The load of `npm run bench:localnet`: wallets that send to each other, over HTTP.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { beginCell, external, storeMessage } from '@ton/core'
import { u64 } from '../../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import {
  walletAddress,
  walletStateInit,
  walletTransfer,
} from '../../../contracts/wrappers/wallet.ts'
import type { Request, Usage } from './child.ts'

const LATEST = 2 ** 32 - 1

export interface Sender {
  readonly address: string
  /** The next transfer, signed: a bag of cells, base64. */
  next(): string
}

/** Wallets in a ring: each sends a little to the next one. */
export function senders(count: number): Sender[] {
  const keys = Array.from({ length: count }, (_, at) => signingKey(sha256(u64(BigInt(at)))))
  const addresses = keys.map(({ publicKey }) => walletAddress(publicKey))
  return keys.map((key, at) => {
    let seqno = 0
    const to = addresses[(at + 1) % count]!
    return {
      address: addresses[at]!.toRawString(),
      next() {
        const init = seqno === 0 ? walletStateInit(key.publicKey) : undefined
        const body = walletTransfer(seqno++, LATEST, [{ to, value: 1_000n, bounce: false }], key)
        const message = external({ to: addresses[at]!, init, body })
        return beginCell().store(storeMessage(message)).endCell().toBoc().toString('base64')
      },
    }
  })
}

export interface Side {
  readonly url: string
  ask(request: Request): Promise<Usage>
  stop(): void
}

/** Starts `child.ts`. */
export async function startSide(role: string, ...args: string[]): Promise<Side> {
  const file = join(import.meta.dirname, 'child.ts')
  const child: ChildProcess = fork(file, [role, ...args], { execArgv: ['--expose-gc'] })
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  return {
    url,
    async ask(request) {
      child.send(request)
      const [usage] = (await once(child, 'message')) as [Usage]
      return usage
    },
    stop: () => void child.kill(),
  }
}

/** Posts, and throws where the answer is no success. */
export async function post(url: string, body: object): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url}: ${text.slice(0, 300)}`)
}

/** Sends one message as `TonClient` does. */
export function sendBoc(url: string, boc: string): Promise<void> {
  const call = { id: '1', jsonrpc: '2.0', method: 'sendBoc', params: { boc } }
  return post(`${url}/api/v2/jsonRPC`, call)
}

/** Runs `work` for all items, `width` of them at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items].reverse()
  const worker = async () => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
