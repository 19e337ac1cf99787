/**
 * A registry in the TVM sandbox, for tests and the gas table: an owner, a guardian and a stranger,
 * items and cases that are played by their addresses alone, messages by name.
 *
 * An item or a case of this sandbox is an account that takes every message; what it sends, the test
 * sends in its name.
 * @module
 */
import { type Address, beginCell, type Cell, contractAddress, TupleReader } from '@ton/core'
import type { Blockchain, SandboxContract, TreasuryContract } from '@ton/sandbox'
import { type Bytes, utf8 } from '../../contracts/base/bytes.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import { caseConfigCell } from '../../contracts/wrappers/Dispute.ts'
import {
  type ItemConfig,
  type ItemKind,
  itemAddress,
  itemConfigCell,
} from '../../contracts/wrappers/itemConfig.ts'
import {
  decodeParameters,
  encodeParameters,
  type ListedParameters,
} from '../../contracts/wrappers/parameters.ts'
import {
  REGISTRY_RESERVE,
  type RegistryConfig,
  registryAddress,
  registryStateInit,
} from '../../contracts/wrappers/Registry.ts'
import {
  enrolBody,
  REGISTRY_PROTOCOL,
  REGISTRY_VALUE,
  topUpRegistryBody,
  updateBody,
} from '../../contracts/wrappers/registryMessages.ts'
import {
  parseRegistryView,
  parseSolvency,
  type RegistrySolvency,
  type RegistryView,
} from '../../contracts/wrappers/registryView.ts'
import {
  internalMessage,
  type Outcome,
  outcomeOf,
  START_S,
  TEST_NETWORK,
  type TestBlockchainOptions,
  takeEverything,
  testBlockchain,
} from './sandboxChain.ts'
import { someAddress, someParameters } from './someParameters.ts'

export interface RegistrySandbox {
  readonly blockchain: Blockchain
  readonly owner: SandboxContract<TreasuryContract>
  readonly guardian: SandboxContract<TreasuryContract>
  readonly stranger: SandboxContract<TreasuryContract>
  readonly config: RegistryConfig
  readonly address: Address
  /** Any internal message to the registry. */
  send(from: Address, body: Cell, value?: bigint, bounce?: boolean): Promise<Outcome>
  /** A message of the owner. */
  own(body: Cell, value?: bigint): Promise<Outcome>
  /** The next version of the parameters, with `change` in it, from the owner. */
  update(change?: Partial<ListedParameters>): Promise<Outcome>
  /** An item of this registry by its owner's name. */
  item(kind: ItemKind, owner?: string, key?: Bytes): ItemConfig
  addressOf(item: ItemConfig): Address
  /** Enrols an item, whose account takes every message from then on. */
  enrol(item: ItemConfig, stake?: bigint, value?: bigint): Promise<Outcome>
  /** A case of this registry by its challenger's name, whose account takes every message. */
  caseAgainst(item: ItemConfig, challenger?: string): Promise<SomeCase>
  openCase(of: SomeCase, amount?: bigint, bond?: bigint, value?: bigint): Promise<Outcome>
  closeCase(of: SomeCase, settlement: Settlement, value?: bigint): Promise<Outcome>
  view(): Promise<RegistryView>
  solvency(): Promise<RegistrySolvency>
  parameters(version?: number): Promise<ListedParameters | undefined>
  balance(of?: Address): Promise<bigint>
  elapse(seconds: number): void
  /** Puts the whole chain back to where it was when the registry had been deployed. */
  reset(): Promise<void>
}

export interface SomeCase {
  readonly config: Cell
  readonly address: Address
  readonly accused: Address
  readonly challenger: Address
}

/** What a case says of its end. */
export interface Settlement {
  readonly ticket: number
  readonly release: bigint
  readonly slash: bigint
  readonly loss: bigint
}

export interface RegistrySandboxOptions extends TestBlockchainOptions {
  readonly blockchain?: Blockchain
  readonly config?: Partial<RegistryConfig>
  /** What it is deployed with. */
  readonly funds?: bigint
}

const DEPLOY_FEES = 50_000_000n

/** Codes that are no programs: they only make addresses. */
export const SOME_CODES = {
  provider: codeOf('provider'),
  scheduler: codeOf('scheduler'),
  gpu: codeOf('gpu'),
  dispute: codeOf('dispute'),
} as const

/** A cell that stands for the code of something. */
export function codeOf(name: string): Cell {
  return beginCell().storeBuffer(Buffer.from(name)).endCell()
}

/** A deployed registry with version 1 of `someParameters`. */
export async function registrySandbox(
  options: RegistrySandboxOptions = {},
): Promise<RegistrySandbox> {
  const blockchain = options.blockchain ?? (await testBlockchain(options))
  const owner = await blockchain.treasury('owner')
  const guardian = await blockchain.treasury('guardian')
  const stranger = await blockchain.treasury('stranger')
  const config: RegistryConfig = {
    network: TEST_NETWORK,
    owner: owner.address,
    guardian: guardian.address,
    parameters: someParameters(),
    codes: SOME_CODES,
    ...options.config,
  }
  const address = registryAddress(config)
  const send: RegistrySandbox['send'] = (from, body, value = REGISTRY_VALUE, bounce = true) =>
    outcomeOf(blockchain, address, internalMessage(from, address, value, body, { bounce }))
  const own: RegistrySandbox['own'] = (body, value) => send(owner.address, body, value)
  const addressOf = (item: ItemConfig): Address => itemAddress(config.codes[item.kind], item)
  const get = async (method: string, ...args: bigint[]): Promise<TupleReader> => {
    const stack = args.map((value) => ({ type: 'int', value }) as const)
    return new TupleReader((await blockchain.runGetMethod(address, method, stack)).stack)
  }
  const parameters: RegistrySandbox['parameters'] = async (version = 0) => {
    const cell = (await get('get_parameters', BigInt(version))).readCellOpt()
    return cell ? decodeParameters(cell) : undefined
  }
  const init = registryStateInit(config)
  const funds = options.funds ?? REGISTRY_RESERVE + DEPLOY_FEES
  const deploy = internalMessage(owner.address, address, funds, topUpRegistryBody(), { init })
  const { exit } = await outcomeOf(blockchain, address, deploy)
  if (exit !== 0) throw new Error(`deploying the registry ended with exit code ${exit}`)
  const deployed = blockchain.snapshot()
  return {
    ...{ blockchain, owner, guardian, stranger, config, address, send, own, addressOf, parameters },
    reset: () => blockchain.loadFrom(deployed),
    update: async (change = {}) => {
      const { version } = (await parameters())!
      return own(updateBody(encodeParameters(someParameters({ version: version + 1, ...change }))))
    },
    item: (kind, name = 'an owner', key) => ({
      ...{ registry: address, kind, owner: someAddress(name), ...(key ? { key } : {}) },
    }),
    enrol: async (item, stake = 1_000n * TON, value = TON / 10n) => {
      const from = addressOf(item)
      await takeEverything(blockchain, from)
      return send(from, enrolBody(itemConfigCell(item), stake), value)
    },
    caseAgainst: async (item, name = 'a challenger') => {
      const challenger = someAddress(name)
      const { kind, owner, key = new Uint8Array(32) } = item
      const accused = { kind, owner, key }
      const nonce = new Uint8Array(16)
      const cell = caseConfigCell({ registry: address, nonce, challenger, accused })
      const data = beginCell().storeUint(0, 8).storeRef(cell).endCell()
      const at = contractAddress(0, { code: config.codes.dispute, data })
      await takeEverything(blockchain, at)
      return { config: cell, address: at, accused: addressOf(item), challenger }
    },
    openCase: (of, amount = 10n * TON, bond = 5n * TON, value = TON / 10n) => {
      const body = beginCell().storeUint(REGISTRY_PROTOCOL.openCase, 32).storeRef(of.config)
      return send(of.address, body.storeCoins(amount).storeCoins(bond).endCell(), value)
    },
    closeCase: (of, { ticket, release, slash, loss }, value = TON / 10n) => {
      const body = beginCell().storeUint(REGISTRY_PROTOCOL.closeCase, 32).storeRef(of.config)
      body.storeUint(ticket, 32).storeCoins(release).storeCoins(slash).storeCoins(loss)
      return send(of.address, body.endCell(), value)
    },
    view: async () => parseRegistryView(await get('get_registry')),
    solvency: async () => parseSolvency(await get('get_solvency')),
    balance: async (of = address) => (await blockchain.getContract(of)).balance,
    elapse: (seconds) => {
      blockchain.now = (blockchain.now ?? START_S) + seconds
    },
  }
}

/** A device id for tests. */
export const deviceOf = (name: string): Bytes => sha256(utf8(name))
