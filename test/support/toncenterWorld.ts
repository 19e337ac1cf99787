/**
 * A localnet as tools see it: over HTTP, by its JSON-RPC and its paths.
 * @module
 */
import {
  type Address,
  beginCell,
  type Cell,
  external,
  type StateInit,
  storeMessage,
} from '@ton/core'
import { type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'
import { type Answer, type Json, postJson, realClock, rpc } from './localnet.ts'

export interface ToncenterWorld extends Localnet {
  /** One JSON-RPC call. */
  ask(method: string, params?: object): Promise<Answer>
  /** The result of one that must succeed. */
  result(method: string, params?: object): Promise<Json>
  /** Lets time pass, block by block, where the network has a pace. */
  tick(blocks?: number): Promise<void>
  fund(address: Address, nano: bigint): Promise<void>
  /** Funds a contract that takes external messages, and brings it up with one. */
  deploy(contract: { address: Address; init: StateInit }, nano: bigint): Promise<void>
  /** Sends an external message that must be taken, and lets what it causes happen. */
  send(to: Address, body?: Cell, init?: StateInit): Promise<void>
}

/**
 * Without a pace, what is sent has run with all that it caused when its call returns. With one,
 * time is simulated, and stands still until `tick` moves it from block to block.
 */
export async function toncenterWorld(blockMs = 0): Promise<ToncenterWorld> {
  const simulated = createSimulatedClock({ startMs: 1_800_000_000_000 })
  const clock = blockMs > 0 ? simulated : realClock
  const localnet = await startLocalnet({ clock, logger: silentLogger, port: 0, blockMs })
  const { url, endpoint } = localnet
  const ask = (method: string, params: object = {}) => rpc(endpoint, method, params)
  const result = async (method: string, params: object = {}) => {
    const { status, body } = await ask(method, params)
    if (!body.ok) throw new Error(`${method}: ${status} ${body.error}`)
    return body.result
  }
  const tick = async (blocks = 1) => {
    for (let i = 0; blockMs > 0 && i < blocks; i++) {
      await simulated.advance(blockMs)
      await result('getConsensusBlock') // after the block, which waits for its turn as this does
    }
  }
  const fund = async (address: Address, nano: bigint) => {
    const grant = { address: address.toString(), amount: nano.toString() }
    const granting = postJson(`${url}/control/faucet`, grant)
    let isGranted = false
    granting.finally(() => {
      isGranted = true
    })
    do await tick()
    while (blockMs > 0 && !isGranted)
    const { body } = await granting
    if (!body.ok) throw new Error(body.error)
  }
  const send = async (to: Address, body?: Cell, init?: StateInit) => {
    const message = beginCell().store(storeMessage(external({ to, body, init })))
    await result('sendBoc', { boc: message.endCell().toBoc().toString('base64') })
    await tick(CASCADE)
  }
  return {
    ...localnet,
    ask,
    result,
    tick,
    fund,
    send,
    deploy: async ({ address, init }, nano) => {
      await fund(address, nano)
      await send(address, undefined, init)
    },
  }
}

/** Blocks in which all that tests send has had its consequences. */
export const CASCADE = 3
