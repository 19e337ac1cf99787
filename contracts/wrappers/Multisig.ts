/**
 * The multisig as TypeScript sees it: its address, its orders, its state.
 *
 * An order is signed outside the chain by enough of its signers, and submitted by anyone. What is
 * signed is the representation hash of a cell that names network, multisig and number.
 * @module
 */
import {
  type Address,
  beginCell,
  Cell,
  contractAddress,
  Dictionary,
  type StateInit,
  type TupleReader,
} from '@ton/core'
import { type Bytes, fromBigInt, toBigInt } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { Chain } from '../base/ports.ts'
import { type SigningKey, verifySignature } from '../base/signing.ts'
import type { NanoTon } from '../base/units.ts'
import { readDict } from './boundedDict.ts'
import artefact from './compiled/multisig.json' with { type: 'json' }
import { encodeOperation, type Operation, type OperationFailure, readFailure } from './operation.ts'

/** Who may sign, and how many must. Ed25519 public keys of 32 bytes, each once. */
export interface Signers {
  readonly threshold: number
  readonly keys: readonly Bytes[]
}

/** What is fixed in the address of a multisig. */
export interface MultisigConfig {
  readonly network: number
  readonly signers: Signers
}

/** What signers decide: a message, or other signers. */
export type OrderAction =
  | { readonly kind: 'send'; readonly operation: Operation }
  | { readonly kind: 'signers'; readonly signers: Signers }

export interface Order {
  readonly network: number
  readonly multisig: Address
  /** Number of the order: the one that the multisig shows. */
  readonly seqno: number
  readonly validUntilS: number
  readonly action: OrderAction
}

export interface OrderSignature {
  readonly key: Bytes
  readonly signature: Bytes
}

export interface MultisigView {
  /** Of the next order. */
  readonly seqno: number
  readonly network: number
  readonly signers: Signers
  /** Messages that their target refused. */
  readonly failed: number
  readonly failure?: OperationFailure
}

/** Exit codes of the contract (`contracts/tolk/governance/errors.tolk`). */
export const MULTISIG_EXIT = {
  wrongNetwork: 800,
  wrongMultisig: 801,
  seqno: 802,
  expired: 803,
  notSigner: 804,
  badSignature: 805,
  threshold: 806,
  signers: 807,
  noValue: 808,
  unknownMessage: 0xffff,
} as const

/** Ops of the messages that a multisig takes. */
export const MULTISIG_OP = { submit: 0x2c5a2401, topUp: 0x2c5a2402 } as const
/** First 32 bits of every order. */
export const ORDER_TAG = 0xb9c32295
/** Signers at most: as many signatures as one transaction checks at the plain price. */
export const MULTISIG_SIGNERS = 10
/** What it never spends on orders: five years of rent with ten signers. */
export const MULTISIG_RESERVE: NanoTon = 200_000_000n
/** Value to attach to an order, on top of the value that it sends; the rest comes back. */
export const MULTISIG_VALUE: NanoTon = 50_000_000n

export const MULTISIG_CODE = Cell.fromBase64(artefact.code)
export const MULTISIG_CODE_HASH: string = artefact.codeHash

/** Initial state of a multisig. Throws `bad-input`. */
export function multisigStateInit({ network, signers }: MultisigConfig): StateInit {
  if (network !== (network | 0)) throw new MarketError('bad-input', { multisig: 'network' })
  const data = beginCell().storeUint(0, 32).storeInt(network, 32).storeUint(0, 32).storeBit(false)
  return { code: MULTISIG_CODE, data: data.storeBuilder(signersBuilder(signers)).endCell() }
}

/** Address of a multisig, in workchain 0. Throws `bad-input`. */
export function multisigAddress(config: MultisigConfig): Address {
  return contractAddress(0, multisigStateInit(config))
}

/** The cell that signers sign. Throws `bad-input`. */
export function orderCell({ network, multisig, seqno, validUntilS, action }: Order): Cell {
  return beginCell()
    .storeUint(ORDER_TAG, 32)
    .storeInt(network, 32)
    .storeAddress(multisig)
    .storeUint(seqno, 32)
    .storeUint(validUntilS, 32)
    .storeRef(actionCell(action))
    .endCell()
}

/** A signer's signature over an order. Throws `bad-input`. */
export function signOrder(order: Order, key: SigningKey): OrderSignature {
  const hash = new Uint8Array(orderCell(order).hash())
  return { key: key.publicKey, signature: key.sign(hash) }
}

/**
 * Hands an order in; from anyone. Throws `bad-signature` where one is not over this order: the
 * multisig would refuse all of them.
 */
export function submitBody(order: Order, signatures: readonly OrderSignature[]): Cell {
  const cell = orderCell(order)
  const hash = new Uint8Array(cell.hash())
  const dict = Dictionary.empty(Dictionary.Keys.BigUint(256), Dictionary.Values.Buffer(64))
  for (const { key, signature } of signatures) {
    if (!verifySignature(hash, signature, key)) throw new MarketError('bad-signature')
    dict.set(toBigInt(key), Buffer.from(signature))
  }
  return beginCell().storeUint(MULTISIG_OP.submit, 32).storeRef(cell).storeDict(dict).endCell()
}

/** Leaves its value there; from anyone. */
export function topUpMultisigBody(): Cell {
  return beginCell().storeUint(MULTISIG_OP.topUp, 32).endCell()
}

/**
 * State of a multisig, final on chain. Throws `contract-failed` where there is none.
 *
 * @example
 * const { seqno, signers } = await readMultisig(chain, address)
 */
export async function readMultisig(chain: Chain, address: Address): Promise<MultisigView> {
  return parseMultisigView(await chain.getter(address, 'get_multisig'))
}

/** The answer of `get_multisig`. Throws `bad-frame`. */
export function parseMultisigView(reader: TupleReader): MultisigView {
  try {
    const seqno = reader.readNumber()
    const network = reader.readNumber()
    const threshold = reader.readNumber()
    const entries = readDict(reader.readCellOpt(), 256, MULTISIG_SIGNERS)
    const numbered = entries.map(([key, value]) => ({ key, place: value.loadUint(8) }))
    numbered.sort((a, b) => a.place - b.place)
    const signers = { threshold, keys: numbered.map(({ key }) => fromBigInt(key, 32)) }
    const failed = reader.readNumber()
    const failure = readFailure(reader)
    return { seqno, network, signers, failed, ...(failure ? { failure } : {}) }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'multisig' }, { cause })
  }
}

function actionCell(action: OrderAction): Cell {
  if (action.kind === 'signers') {
    return beginCell().storeUint(2, 8).storeBuilder(signersBuilder(action.signers)).endCell()
  }
  const operation = encodeOperation(action.operation)
  return beginCell().storeUint(1, 8).storeSlice(operation.beginParse()).endCell()
}

function signersBuilder({ threshold, keys }: Signers): ReturnType<typeof beginCell> {
  if (keys.length < 1 || keys.length > MULTISIG_SIGNERS) {
    throw new MarketError('bad-input', { signers: keys.length, most: MULTISIG_SIGNERS })
  }
  const dict = Dictionary.empty(Dictionary.Keys.BigUint(256), Dictionary.Values.Uint(8))
  for (const [place, key] of keys.entries()) {
    if (key.length !== 32) throw new MarketError('bad-input', { signers: 'key', bytes: 32 })
    dict.set(toBigInt(key), place)
  }
  if (dict.size < keys.length) throw new MarketError('bad-input', { signers: 'a key twice' })
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > keys.length) {
    throw new MarketError('bad-input', { signers: 'threshold', most: keys.length })
  }
  return beginCell().storeUint(threshold, 8).storeDict(dict)
}
