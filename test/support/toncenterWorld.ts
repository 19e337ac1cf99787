/**
 * A localnet as tools see it: over HTTP, by its JSON-RPC, its paths, and an unmodified `TonClient`.
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
import { TonClient } from '@ton/ton'
import { type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { type Answer, type Json, postJson, realClock, rpc } from './localnet.ts'

export interface ToncenterWorld extends Localnet {
  readonly client: TonClient
  /** One JSON-RPC call. */
  ask(method: string, params?: object): Promise<Answer>
  /** The result of one that must succeed. */
  result(method: string, params?: object): Promise<Json>
  fund(address: Address, nano: bigint): Promise<void>
  /** Funds a contract that takes external messages, and brings it up with one. */
  deploy(contract: { address: Address; init: StateInit }, nano: bigint): Promise<void>
  /** Sends an external message that must be taken. */
  send(to: Address, body?: Cell, init?: StateInit): Promise<void>
}

export async function toncenterWorld(): Promise<ToncenterWorld> {
  const localnet = await startLocalnet({ clock: realClock, logger: silentLogger, port: 0 })
  const { url, endpoint } = localnet
  const ask = (method: string, params: object = {}) => rpc(endpoint, method, params)
  const result = async (method: string, params: object = {}) => {
    const { status, body } = await ask(method, params)
    if (!body.ok) throw new Error(`${method}: ${status} ${body.error}`)
    return body.result
  }
  const fund = async (address: Address, nano: bigint) => {
    const grant = { address: address.toString(), amount: nano.toString() }
    const { body } = await postJson(`${url}/control/faucet`, grant)
    if (!body.ok) throw new Error(body.error)
  }
  const send = async (to: Address, body?: Cell, init?: StateInit) => {
    const message = beginCell().store(storeMessage(external({ to, body, init })))
    await result('sendBoc', { boc: message.endCell().toBoc().toString('base64') })
  }
  return {
    ...localnet,
    client: new TonClient({ endpoint }),
    ask,
    result,
    fund,
    send,
    deploy: async ({ address, init }, nano) => {
      await fund(address, nano)
      await send(address, undefined, init)
    },
  }
}
