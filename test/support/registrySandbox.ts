/**
 * A registry in the TVM sandbox, for tests and the gas table: an owner, a guardian and a stranger,
 * items and cases that are played by their addresses alone, messages by name.
 *
 * An item or a case of this sandbox is an account that takes every message; what it sends, the test
 * sends in its name. The real ones meet the registry in `test/contracts/tolk/market`.
 * @module
 */
import { type Address, beginCell, type Cell, TupleReader } from '@ton/core'
import type { Blockchain, SandboxContract, TreasuryContract } from '@ton/sandbox'
import { type Bytes, utf8 } from '../../contracts/base/bytes.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
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
  type RegistryConfig,
  registryAddress,
  registryStateInit,
} from '../../contracts/wrappers/Registry.ts'
import {
  enrolBody,
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
  view(): Promise<RegistryView>
  solvency(): Promise<RegistrySolvency>
  parameters(version?: number): Promise<ListedParameters | undefined>
  balance(of?: Address): Promise<bigint>
  elapse(seconds: number): void
  /** Puts the whole chain back to where it was when the registry had been deployed. */
  reset(): Promise<void>
}

export interface RegistrySandboxOptions extends TestBlockchainOptions {
  readonly blockchain?: Blockchain
  readonly config?: Partial<RegistryConfig>
  /** Left undeployed where false. */
  readonly deploy?: boolean
}

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
  if (options.deploy !== false) {
    const init = registryStateInit(config)
    const body = topUpRegistryBody()
    const deploy = internalMessage(owner.address, address, 5n * TON, body, { init })
    const { exit } = await outcomeOf(blockchain, address, deploy)
    if (exit !== 0) throw new Error(`deploying the registry ended with exit code ${exit}`)
  }
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
