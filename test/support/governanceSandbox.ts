/**
 * Multisig and timelock in the TVM sandbox, for tests and the gas table: signers by number, orders
 * and operations by name, and a registry that the timelock owns where a test wants one.
 * @module
 */
import { type Address, type Cell, TupleReader } from '@ton/core'
import type { Blockchain, SandboxContract, TreasuryContract } from '@ton/sandbox'
import { utf8 } from '../../contracts/base/bytes.ts'
import { type SigningKey, sha256, signingKey } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import {
  MULTISIG_VALUE,
  type MultisigView,
  multisigAddress,
  multisigStateInit,
  type Order,
  type OrderAction,
  parseMultisigView,
  type Signers,
  signOrder,
  submitBody,
  topUpMultisigBody,
} from '../../contracts/wrappers/Multisig.ts'
import type { Operation } from '../../contracts/wrappers/operation.ts'
import {
  cancelBody,
  executeBody,
  parseQueue,
  parseTimelockView,
  type QueuedOperation,
  queueBody,
  TIMELOCK_VALUE,
  type TimelockView,
  timelockAddress,
  timelockStateInit,
  topUpTimelockBody,
} from '../../contracts/wrappers/Timelock.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  outcomeOf,
  START_S,
  TEST_NETWORK,
  type TestBlockchainOptions,
  testBlockchain,
} from './sandboxChain.ts'

export interface GovernanceSandbox {
  readonly blockchain: Blockchain
  /** Submits, executes, and pays. */
  readonly helper: SandboxContract<TreasuryContract>
  readonly keys: readonly SigningKey[]
  readonly multisig: Address
  readonly timelock: Address
  now(): number
  elapse(seconds: number): void
  balance(of: Address): Promise<bigint>
  /** The next order of the multisig; `change` replaces what a test is about. */
  order(action: OrderAction, change?: Partial<Order>): Promise<Order>
  /** Hands an order in, signed by `signers` (by default, as many as are needed). */
  submit(order: Order, signers?: readonly SigningKey[], value?: bigint): Promise<Outcome>
  /** Any internal message to the multisig or the timelock. */
  send(to: Address, body: Cell, value?: bigint, from?: Address, bounce?: boolean): Promise<Outcome>
  /** As the multisig, to the timelock: without an order. */
  queue(id: bigint, operation: Operation, etaS?: number): Promise<Outcome>
  cancel(id: bigint, from?: Address): Promise<Outcome>
  execute(id: bigint, value?: bigint): Promise<Outcome>
  multisigView(): Promise<MultisigView>
  timelockView(): Promise<TimelockView>
  waiting(): Promise<readonly QueuedOperation[]>
  /** Puts the whole chain back to where it was when both had been deployed. */
  reset(): Promise<void>
}

export interface GovernanceSandboxOptions extends TestBlockchainOptions {
  readonly blockchain?: Blockchain
  readonly signers?: number
  readonly threshold?: number
  readonly delayS?: number
  readonly network?: number
  /** What either holds at first. */
  readonly funds?: bigint
}

/** The signing key of signer number `i`. */
export const signerKey = (i: number): SigningKey => signingKey(sha256(utf8(`signer ${i}`)))

/** Five signers of whom three must sign, and a delay of two days, where nothing else is said. */
export async function governanceSandbox(
  options: GovernanceSandboxOptions = {},
): Promise<GovernanceSandbox> {
  const { signers: count = 5, threshold = 3, delayS = 2 * DAY_S, funds = TON } = options
  const network = options.network ?? TEST_NETWORK
  const blockchain = options.blockchain ?? (await testBlockchain(options))
  const helper = await blockchain.treasury('helper')
  const keys = Array.from({ length: count }, (_, i) => signerKey(i))
  const signers: Signers = { threshold, keys: keys.map(({ publicKey }) => publicKey) }
  const multisig = multisigAddress({ network, signers })
  const timelockConfig = { network, multisig, delayS }
  const timelock = timelockAddress(timelockConfig)
  const get = async (of: Address, method: string): Promise<TupleReader> =>
    new TupleReader((await blockchain.runGetMethod(of, method)).stack)
  const send: GovernanceSandbox['send'] = (
    to,
    body,
    value = TON / 10n,
    from = helper.address,
    bounce = true,
  ) => outcomeOf(blockchain, to, internalMessage(from, to, value, body, { bounce }))
  const now = (): number => blockchain.now ?? START_S
  const multisigView = async (): Promise<MultisigView> =>
    parseMultisigView(await get(multisig, 'get_multisig'))
  for (const [to, init, body] of [
    [multisig, multisigStateInit({ network, signers }), topUpMultisigBody()],
    [timelock, timelockStateInit(timelockConfig), topUpTimelockBody()],
  ] as const) {
    const deploy = internalMessage(helper.address, to, funds, body, { init })
    const { exit } = await outcomeOf(blockchain, to, deploy)
    if (exit !== 0) throw new Error(`deploying ended with exit code ${exit}`)
  }
  const deployed = blockchain.snapshot()
  return {
    ...{ blockchain, helper, keys, multisig, timelock, now, send, multisigView },
    reset: () => blockchain.loadFrom(deployed),
    elapse: (seconds) => {
      blockchain.now = now() + seconds
    },
    balance: async (of) => (await blockchain.getContract(of)).balance,
    order: async (action, change) => {
      const { seqno } = await multisigView()
      return { network, multisig, seqno, validUntilS: now() + DAY_S, action, ...change }
    },
    submit: (order, by = keys.slice(0, threshold), value) => {
      const sent = order.action.kind === 'send' ? order.action.operation.value : 0n
      const body = submitBody(
        order,
        by.map((key) => signOrder(order, key)),
      )
      return send(multisig, body, value ?? sent + MULTISIG_VALUE)
    },
    queue: (id, operation, etaS = now() + delayS) =>
      send(timelock, queueBody({ id, etaS, operation }), TIMELOCK_VALUE, multisig),
    cancel: (id, from = multisig) => send(timelock, cancelBody(id), TIMELOCK_VALUE, from),
    execute: (id, value = TIMELOCK_VALUE + TON) => send(timelock, executeBody(id), value),
    timelockView: async () => parseTimelockView(await get(timelock, 'get_timelock')),
    waiting: async () => parseQueue(await get(timelock, 'get_queue')),
  }
}
