/**
 * An item in the TVM sandbox, for tests and the gas table, under a registry that does as it is told
 * (`testRegistry.tolk`): messages by name, and the transaction of the item that each one caused.
 * @module
 */
import { type Address, type Cell, TupleReader } from '@ton/core'
import type { Blockchain, SandboxContract, TreasuryContract } from '@ton/sandbox'
import { type Bytes, utf8 } from '../../contracts/base/bytes.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import {
  type ItemConfig,
  type ItemKind,
  type ItemSolvency,
  type ItemView,
  itemAddress,
  itemStateInit,
  parseItemSolvency,
  parseItemView,
} from '../../contracts/wrappers/bondedItem.ts'
import { GPU_CODE } from '../../contracts/wrappers/Gpu.ts'
import {
  addStakeBody,
  heartbeatBody,
  ITEM_VALUE,
  registerBody,
  unbondBody,
  upgradeBody,
  withdrawBody,
} from '../../contracts/wrappers/itemMessages.ts'
import {
  gpuProfileCell,
  providerProfileCell,
  schedulerProfileCell,
} from '../../contracts/wrappers/itemProfiles.ts'
import { PROVIDER_CODE } from '../../contracts/wrappers/Provider.ts'
import { SCHEDULER_CODE } from '../../contracts/wrappers/Scheduler.ts'
import {
  internalMessage,
  type Outcome,
  outcomeOf,
  START_S,
  type TestBlockchainOptions,
  testBlockchain,
} from './sandboxChain.ts'
import {
  becomeBody,
  freezeBody,
  type RegistryMemory,
  settleBody,
  testRegistry,
} from './testRegistry.ts'

export const FIRST_CODE = {
  provider: PROVIDER_CODE,
  scheduler: SCHEDULER_CODE,
  gpu: GPU_CODE,
} as const satisfies Record<ItemKind, Cell>

/** A profile of each kind. */
export function profileOf(kind: ItemKind, name = 'one', provider?: Address): Cell {
  const identity = hashOf(`identity of ${name}`)
  const peerId = hashOf(`peer id of ${name}`)
  if (kind === 'provider') return providerProfileCell({ identity, peerId })
  if (kind === 'scheduler') {
    const addresses = ['/ip4/192.0.2.1/tcp/4001', '/dns4/example.org/tcp/443/wss']
    return schedulerProfileCell({ identity, peerId, fee: 200, addresses })
  }
  return gpuProfileCell({
    provider: provider!,
    evidence: hashOf(`evidence of ${name}`),
    tier: 'gpu-tee',
    model: 'NVIDIA H100 80GB HBM3',
  })
}

/** The largest profile that a contract takes from this wrapper: a scheduler's with 1,000 bytes. */
export function largestProfile(): Cell {
  const identity = hashOf('identity')
  const addresses = Array.from(
    { length: 16 },
    (_, i) => `/dns4/${'x'.repeat(40)}/tcp/${4_001 + i}/ws`,
  )
  return schedulerProfileCell({ identity, peerId: identity, fee: 1, addresses })
}

/** An item without its addresses. */
export type ItemFacts = Omit<ItemView, 'config' | 'previous'>

export interface ItemSandbox {
  readonly blockchain: Blockchain
  readonly owner: SandboxContract<TreasuryContract>
  readonly stranger: SandboxContract<TreasuryContract>
  readonly registry: Address
  readonly config: ItemConfig
  readonly address: Address
  readonly profile: Cell
  register(stake?: bigint, value?: bigint, from?: Address): Promise<Outcome>
  heartbeat(profile?: Cell, from?: Address): Promise<Outcome>
  addStake(amount: bigint, value?: bigint, from?: Address): Promise<Outcome>
  unbond(amount: bigint, from?: Address, value?: bigint): Promise<Outcome>
  withdraw(from?: Address, value?: bigint): Promise<Outcome>
  upgrade(from?: Address, value?: bigint): Promise<Outcome>
  /** `bonds`: what the case risks, in least bonds; default 1. */
  freeze(
    amount: bigint,
    forS: number,
    to?: Address,
    value?: bigint,
    bonds?: number,
  ): Promise<Outcome>
  settle(end: {
    readonly ticket: number
    readonly release: bigint
    readonly slash?: bigint
    readonly loss?: bigint
    readonly challenger?: Address
  }): Promise<Outcome>
  /** Any message to the item in the registry's name. */
  told(body: Cell, value?: bigint): Promise<Outcome>
  /** Any message to the item. */
  internal(from: Address, value: bigint, body: Cell, bounce?: boolean): Promise<Outcome>
  /** What the registry is to do from now on. */
  become(memory: RegistryMemory): Promise<void>
  view(): Promise<ItemView>
  /** What `view` says, less the addresses: to be compared. */
  facts(): Promise<ItemFacts>
  /** The profile as `get_profile` shows it. */
  profileShown(): Promise<Cell>
  solvency(): Promise<ItemSolvency>
  balance(of?: Address): Promise<bigint>
  elapse(seconds: number): void
}

export interface ItemSandboxOptions extends TestBlockchainOptions {
  readonly kind?: ItemKind
  /** A chain that is there already; the options of the chain do not count then. */
  readonly blockchain?: Blockchain
  readonly registry?: Address
  readonly owner?: string
  readonly profile?: Cell
}

/** What a registered item in these tests has at stake. */
export const STAKE = 10n * TON
export const UNBONDING_S = 14 * 86_400

/** An item that is not deployed yet: `register` does it. */
export async function itemSandbox(options: ItemSandboxOptions = {}): Promise<ItemSandbox> {
  const kind = options.kind ?? 'provider'
  const blockchain = options.blockchain ?? (await testBlockchain(options))
  const owner = await blockchain.treasury(options.owner ?? 'owner')
  const stranger = await blockchain.treasury('stranger')
  const registry = options.registry ?? (await testRegistry(blockchain, { unbondingS: UNBONDING_S }))
  const key = kind === 'gpu' ? { key: hashOf('device') } : {}
  const config: ItemConfig = { registry, kind, owner: owner.address, ...key }
  const address = itemAddress(FIRST_CODE[kind], config)
  const profile = options.profile ?? profileOf(kind, 'one', stranger.address)
  const run = (message: Parameters<Blockchain['sendMessage']>[0]): Promise<Outcome> =>
    outcomeOf(blockchain, address, message)
  const send = (from: Address, value: bigint, body: Cell, bounce = true): Promise<Outcome> =>
    run(internalMessage(from, address, value, body, { bounce }))
  const told = (body: Cell, value = TON / 10n): Promise<Outcome> =>
    run(internalMessage(registry, address, value, body))
  const reader = async (method: string): Promise<TupleReader> =>
    new TupleReader((await blockchain.runGetMethod(address, method)).stack)
  const view = async (): Promise<ItemView> => parseItemView(await reader('get_item'))
  const mine = owner.address
  const books = { anchor: hashOf('books'), sheet: hashOf('prices') }

  return {
    ...{ blockchain, owner, stranger, registry, config, address, profile, told, internal: send },
    register: (stake = STAKE, value = stake + ITEM_VALUE.register, from = mine) =>
      run(
        internalMessage(from, address, value, registerBody(stake, profile), {
          init: itemStateInit(FIRST_CODE[kind], config),
        }),
      ),
    heartbeat: (shown, from = mine) =>
      send(
        from,
        ITEM_VALUE.heartbeat,
        heartbeatBody({ ...books, ...(shown && { profile: shown }) }),
      ),
    addStake: (amount, value = amount + ITEM_VALUE.addStake, from = mine) =>
      send(from, value, addStakeBody(amount)),
    unbond: (amount, from = mine, value = ITEM_VALUE.unbond) =>
      send(from, value, unbondBody(amount)),
    withdraw: (from = mine, value = ITEM_VALUE.withdraw) => send(from, value, withdrawBody()),
    upgrade: (from = mine, value = ITEM_VALUE.upgrade) => send(from, value, upgradeBody()),
    freeze: (amount, forS, to = stranger.address, value, bonds) =>
      told(freezeBody(to, amount, (blockchain.now ?? START_S) + forS, bonds), value),
    settle: (end) =>
      told(settleBody({ case: stranger.address, challenger: stranger.address, ...end })),
    become: async (memory) => {
      await blockchain.sendMessage(
        internalMessage(stranger.address, registry, TON / 10n, becomeBody(memory)),
      )
    },
    view,
    facts: async () => {
      const { config: _, previous: __, ...facts } = await view()
      return facts
    },
    profileShown: async () => (await reader('get_profile')).readCell(),
    solvency: async () => parseItemSolvency(await reader('get_solvency')),
    balance: async (of = address) => (await blockchain.getContract(of)).balance,
    elapse: (seconds) => {
      blockchain.now = (blockchain.now ?? START_S) + seconds
    },
  }
}

export function hashOf(text: string): Bytes {
  return sha256(utf8(text))
}
