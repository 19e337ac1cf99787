/**
 * The timelock as TypeScript sees it: its address, its messages, what waits in it.
 *
 * It owns the registry and is ruled by the multisig (`Multisig.ts`); `governance.ts` says in words
 * what an operation does.
 * @module
 */
import {
  type Address,
  type Builder,
  beginCell,
  Cell,
  contractAddress,
  type StateInit,
  type TupleReader,
} from '@ton/core'
import { MarketError } from '../base/errors.ts'
import type { Chain } from '../base/ports.ts'
import type { NanoTon } from '../base/units.ts'
import { readDict } from './boundedDict.ts'
import artefact from './compiled/timelock.json' with { type: 'json' }
import {
  decodeOperation,
  encodeOperation,
  type Operation,
  type OperationFailure,
  readFailure,
} from './operation.ts'

/** What is fixed in the address of a timelock. */
export interface TimelockConfig {
  readonly network: number
  readonly multisig: Address
  /** Seconds between queueing and executing, at first: 1 to 30 days. */
  readonly delayS: number
  /**
   * Lets `delayS` be below a day: for networks where nothing is worth anything. The contract holds
   * only later delays to their bounds, so this is where the first one is.
   */
  readonly unsafeShortDelay?: boolean
}

export interface TimelockView {
  readonly multisig: Address
  readonly network: number
  readonly delayS: number
  /** Number of the operation queued last; the next one's is above it. */
  readonly lastId: bigint
  readonly executed: number
  /** Operations that their target refused. */
  readonly failed: number
  readonly failure?: OperationFailure
}

/** An operation that waits. */
export interface QueuedOperation {
  readonly id: bigint
  /** From then on anyone may execute it, for `TIMELOCK_TIMES.graceS`. */
  readonly etaS: number
  readonly operation: Operation
}

/** Exit codes of the contract (`contracts/tolk/governance/errors.tolk`). */
export const TIMELOCK_EXIT = {
  notMultisig: 790,
  notItself: 791,
  full: 792,
  oldId: 793,
  unknownId: 794,
  eta: 795,
  tooEarly: 796,
  tooLate: 797,
  delay: 798,
  noFunds: 799,
  unknownMessage: 0xffff,
} as const

/** Ops of the messages that a timelock takes. */
export const TIMELOCK_OP = {
  queue: 0x2c5a2301,
  execute: 0x2c5a2302,
  cancel: 0x2c5a2303,
  setDelay: 0x2c5a2304,
  topUp: 0x2c5a2305,
} as const
/** Op of what timelock and multisig send back to whoever sent them a message. */
export const GOVERNANCE_EXCESS = 0x2c5a2311

/** Times of the contract, seconds (`contracts/tolk/governance/timelock.tolk`). */
export const TIMELOCK_TIMES = {
  graceS: 14 * 86_400,
  aheadS: 60 * 86_400,
  leastDelayS: 86_400,
  mostDelayS: 30 * 86_400,
} as const
/** Operations that may wait at once. */
export const TIMELOCK_QUEUE = 32
/** What it never spends on operations: five years of rent with a full queue. */
export const TIMELOCK_RESERVE: NanoTon = 500_000_000n
/** Value to attach to a message, on top of the operation's own value; the rest comes back. */
export const TIMELOCK_VALUE: NanoTon = 50_000_000n

export const TIMELOCK_CODE = Cell.fromBase64(artefact.code)
export const TIMELOCK_CODE_HASH: string = artefact.codeHash

/** Initial state of a timelock. Throws `bad-input`. */
export function timelockStateInit(config: TimelockConfig): StateInit {
  const { network, multisig, delayS, unsafeShortDelay = false } = config
  if (network !== (network | 0)) throw new MarketError('bad-input', { timelock: 'network' })
  const least = unsafeShortDelay ? 0 : TIMELOCK_TIMES.leastDelayS
  const most = TIMELOCK_TIMES.mostDelayS
  if (delayS !== delayS >>> 0 || delayS < least || delayS > most) {
    const action = 'Choose a delay of 1 to 30 days; below a day on development networks only.'
    throw new MarketError('bad-input', { delayS, least, most }, { action })
  }
  const data = beginCell()
    .storeAddress(multisig)
    .storeInt(network, 32)
    .storeUint(delayS, 32)
    .storeUint(0, 64)
    .storeUint(0, 8)
    .storeUint(0, 32)
    .storeUint(0, 32)
    .storeBit(false)
    .storeBit(false)
    .endCell()
  return { code: TIMELOCK_CODE, data }
}

/** Address of a timelock, in workchain 0. Throws `bad-input`. */
export function timelockAddress(config: TimelockConfig): Address {
  return contractAddress(0, timelockStateInit(config))
}

/** Queues an operation; from the multisig. Throws `bad-input`. */
export function queueBody({ id, etaS, operation }: QueuedOperation): Cell {
  const body = op(TIMELOCK_OP.queue).storeUint(id, 64).storeUint(etaS, 32)
  return body.storeRef(encodeOperation(operation)).endCell()
}

/** Sends what waited long enough; from anyone. */
export function executeBody(id: bigint): Cell {
  return op(TIMELOCK_OP.execute).storeUint(id, 64).endCell()
}

/** Drops an operation; from the multisig, and from anyone once it is void. */
export function cancelBody(id: bigint): Cell {
  return op(TIMELOCK_OP.cancel).storeUint(id, 64).endCell()
}

/** Changes the delay; only as an operation of the timelock to itself. */
export function setDelayBody(delayS: number): Cell {
  return op(TIMELOCK_OP.setDelay).storeUint(delayS, 32).endCell()
}

/** Leaves its value there; from anyone. */
export function topUpTimelockBody(): Cell {
  return op(TIMELOCK_OP.topUp).endCell()
}

/**
 * State of a timelock, final on chain. Throws `contract-failed` where there is none.
 *
 * @example
 * const { delayS, lastId } = await readTimelock(chain, address)
 */
export async function readTimelock(chain: Chain, address: Address): Promise<TimelockView> {
  return parseTimelockView(await chain.getter(address, 'get_timelock'))
}

/** All that waits in a timelock, by number. */
export async function readQueue(
  chain: Chain,
  address: Address,
): Promise<readonly QueuedOperation[]> {
  return parseQueue(await chain.getter(address, 'get_queue'))
}

/** The answer of `get_timelock`. Throws `bad-frame`. */
export function parseTimelockView(reader: TupleReader): TimelockView {
  try {
    const multisig = reader.readAddress()
    const network = reader.readNumber()
    const delayS = reader.readNumber()
    const lastId = reader.readBigNumber()
    const executed = reader.readNumber()
    const failed = reader.readNumber()
    const failure = readFailure(reader)
    const counts = { lastId, executed, failed }
    return { multisig, network, delayS, ...counts, ...(failure ? { failure } : {}) }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'timelock' }, { cause })
  }
}

/** The answer of `get_queue`. Throws `bad-frame`. */
export function parseQueue(reader: TupleReader): readonly QueuedOperation[] {
  try {
    reader.readNumber()
    return readDict(reader.readCellOpt(), 64, TIMELOCK_QUEUE).map(([id, value]) => {
      const slice = value.loadRef().beginParse()
      const etaS = slice.loadUint(32)
      return { id, etaS, operation: decodeOperation(slice.loadRef()) }
    })
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'queue' }, { cause })
  }
}

function op(code: number): Builder {
  return beginCell().storeUint(code, 32)
}
