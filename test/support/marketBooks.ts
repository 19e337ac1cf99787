/**
 * The books of a market whose roles have stopped: read from each role's own store on disk, and
 * compared with the other side's and with the chain.
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Address } from '@ton/core'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import { parseNetwork } from '../../contracts/base/network.ts'
import type { Store } from '../../contracts/base/ports.ts'
import { decodePayee, decodePayer } from '../../contracts/money/accountCodec.ts'
import type { PayeeState } from '../../contracts/money/payee.ts'
import type { PayerState } from '../../contracts/money/payer.ts'
import { readChannel } from '../../contracts/wrappers/Channel.ts'
import { connectChain } from '../../node/chain/tonClient.ts'
import { openSqliteStore } from '../../node/store/sqliteStore.ts'
import { getJson, realClock } from './localnet.ts'

/** One channel as its payer, its payee and the chain have it. */
export interface ChannelBooks {
  readonly channel: string
  /** Folders of the two roles. */
  readonly payer: string
  readonly payee: string
  readonly paid: PayerState
  readonly held: PayeeState
  readonly onChain: { readonly deposited: bigint; readonly claimed: bigint }
}

/** Sums over the whole localnet, in nanoTON. */
export interface Sums {
  readonly minted: bigint
  readonly balances: bigint
  readonly fees: bigint
  readonly inFlight: bigint
}

/** Every channel that any role of this home was ever paid on. The roles must have stopped. */
export async function readBooks(home: string, network: NetworkConfig): Promise<ChannelBooks[]> {
  const { id: networkId, toncenter: endpoint } = network
  const chain = await connectChain({ endpoint, networkId, clock: realClock })
  const payers = new Map<string, { role: string; state: PayerState }>()
  const payees: { role: string; channel: string; state: PayeeState }[] = []
  for (const role of roles(home, network.name)) {
    const store = openSqliteStore(join(home, network.name, role, 'store.db'))
    for (const [channel, bytes] of rows(store, 'payer')) {
      payers.set(channel, { role, state: decodePayer(bytes) })
    }
    for (const [channel, bytes] of rows(store, 'payee')) {
      payees.push({ role, channel, state: decodePayee(bytes) })
    }
    await store.close()
  }
  return Promise.all(
    payees.map(async ({ role, channel, state }) => {
      const payer = payers.get(channel)
      if (!payer) throw new Error(`nobody pays on ${channel}`)
      const onChain = await readChannel(chain, Address.parseRaw(channel))
      return { channel, payer: payer.role, payee: role, paid: payer.state, held: state, onChain }
    }),
  )
}

/** Minted, balances, fees and messages in flight of a localnet. */
export async function readSums(url: string): Promise<Sums> {
  const { result } = (await getJson(`${url}/control/totals`)).body
  const sum = (name: string) => BigInt(String(result[name]))
  const [minted, balances] = [sum('minted'), sum('balances')]
  return { minted, balances, fees: sum('fees'), inFlight: sum('inFlight') }
}

/** The network as the file in a home says now. */
export async function networkOf(home: string): Promise<NetworkConfig> {
  const { readFile } = await import('node:fs/promises')
  return parseNetwork(JSON.parse(await readFile(join(home, 'localnet', 'network.json'), 'utf8')))
}

function roles(home: string, network: string): string[] {
  const folders = readdirSync(join(home, network), { withFileTypes: true })
  const names = folders.filter((each) => each.isDirectory()).map((each) => each.name)
  return names.filter((name) => existsSync(join(home, network, name, 'store.db')))
}

function rows(store: Store, table: string): readonly (readonly [string, Uint8Array])[] {
  return store.list(table, { limit: 1_000 })
}
