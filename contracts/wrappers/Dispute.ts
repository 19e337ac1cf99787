/**
 * A case as TypeScript sees it: its address, its state, what an arbiter signs about it.
 *
 * The code is pinned by the committed artefact; `disputeMessages.ts` has the message bodies.
 * Nothing here touches a network except `readCase`, which is handed one.
 * @module
 */

import type { TupleReader } from '@ton/core'
import { type Address, beginCell, Cell, contractAddress, type StateInit } from '@ton/core'
import { type Bytes, fromBigInt } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import type { DisputeRules } from '../base/marketParameters.ts'
import type { Chain } from '../base/ports.ts'
import type { NanoTon } from '../base/units.ts'
import { type Verdict, verdict } from '../wire/records/verdict.ts'
import { getterOr } from './absent.ts'
import artefact from './compiled/dispute.json' with { type: 'json' }
import { ITEM_KINDS, type ItemConfig, itemConfigCell } from './itemConfig.ts'
import { decodeDisputeRules } from './parameters.ts'

/** What is fixed in the address of a case. */
export interface CaseConfig {
  readonly registry: Address
  /** 16 bytes. A case is opened once. */
  readonly nonce: Bytes
  readonly challenger: Address
  /** The item that it accuses, of the same registry. */
  readonly accused: Omit<ItemConfig, 'registry'>
}

/** By number on chain. */
const STATES = [
  'blank',
  'asked',
  'opened',
  'tried',
  'judged',
  'appealed',
  'final',
  'concluded',
  'void',
] as const
export type CaseState = (typeof STATES)[number]

export interface Ruling {
  readonly uphold: boolean
  readonly loss: NanoTon
}

/** What the registry said when it opened the case. */
export interface CaseTerms {
  readonly accused: Address
  readonly untilS: number
  /** Signatures of a first and of a second verdict. */
  readonly needed: number
  readonly neededOnAppeal: number
  readonly rules: DisputeRules
}

/** State of a case on chain. */
export interface CaseView {
  readonly state: CaseState
  /** Unix seconds until which this state takes its message; 0 where it waits for nothing. */
  readonly deadlineS: number
  readonly config: CaseConfig
  readonly evidence: Bytes
  readonly openedAtS: number
  readonly amount: NanoTon
  readonly bond: NanoTon
  readonly frozen: NanoTon
  readonly ticket: number
  readonly appealBond: NanoTon
  readonly first?: Ruling
  readonly second?: Ruling
  /** From the registry's answer to the end of the case. */
  readonly terms?: CaseTerms
}

/** What a case holds, as `get_solvency` tells it. */
export interface CaseSolvency {
  readonly balance: NanoTon
  /** Bonds that are not paid out yet. */
  readonly owed: NanoTon
  /** Above them, the floor and its last message; below 0 where it lacks some. */
  readonly spare: NanoTon
  readonly solvent: boolean
}

/** Exit codes of the contract (`contracts/tolk/dispute/errors.tolk`). */
export const DISPUTE_EXIT = {
  state: 770,
  notChallenger: 771,
  self: 772,
  noAmount: 773,
  tooLittleValue: 774,
  notRegistry: 775,
  notAccused: 776,
  noThreshold: 777,
  tooLate: 778,
  tooEarly: 779,
  notArbiter: 780,
  order: 781,
  party: 782,
  badSignature: 783,
  tooFew: 784,
  loss: 785,
  notLoser: 786,
  reserve: 787,
  unknownMessage: 0xffff,
} as const

/** What stays on the account for ever (`FLOOR` in fees.tolk). */
export const DISPUTE_FLOOR: NanoTon = 10_000_000n
/** What goes to the registry with the end of a case (`CLOSE_VALUE` in fees.tolk). */
export const DISPUTE_CLOSE_VALUE: NanoTon = 60_000_000n
/** Registry and item answer within this, or the case is over (`ANSWER_S` in fees.tolk). */
export const DISPUTE_ANSWER_S = 3_600

export const DISPUTE_CODE = Cell.fromBase64(artefact.code)
/** Hash of that code, lower-case hex. */
export const DISPUTE_CODE_HASH: string = artefact.codeHash

/** What a case's address is made of, as a cell (`CaseConfig`). Throws `bad-input`. */
export function caseConfigCell({ registry, nonce, challenger, accused }: CaseConfig): Cell {
  if (nonce.length !== 16) throw new MarketError('bad-input', { case: 'nonce', bytes: 16 })
  return beginCell()
    .storeAddress(registry)
    .storeBuffer(Buffer.from(nonce))
    .storeAddress(challenger)
    .storeRef(itemConfigCell({ registry, ...accused }))
    .endCell()
}

/** Initial state of a case: never opened. Throws `bad-input`. */
export function caseStateInit(config: CaseConfig): StateInit {
  const data = beginCell().storeUint(0, 8).storeRef(caseConfigCell(config)).endCell()
  return { code: DISPUTE_CODE, data }
}

/** Address of a case, in workchain 0. Throws `bad-input`. */
export function caseAddress(config: CaseConfig): Address {
  return contractAddress(0, caseStateInit(config))
}

/**
 * State of a case, final on chain. Throws `no-case` where there is none, `contract-failed` where it
 * was never opened.
 *
 * @example
 * const { state, deadlineS, first } = await readCase(chain, address)
 */
export async function readCase(chain: Chain, address: Address): Promise<CaseView> {
  return parseCaseView(await getterOr('no-case', chain, address, 'get_case'))
}

/** Whether a case covers its bonds. Throws `no-case`, `contract-failed` of one never opened. */
export async function readCaseSolvency(chain: Chain, address: Address): Promise<CaseSolvency> {
  return parseCaseSolvency(await getterOr('no-case', chain, address, 'get_solvency'))
}

/** The answer of `get_solvency`. Throws `bad-frame`. */
export function parseCaseSolvency(reader: TupleReader): CaseSolvency {
  try {
    const balance = reader.readBigNumber()
    const owed = reader.readBigNumber()
    const spare = reader.readBigNumber()
    return { balance, owed, spare, solvent: spare >= 0n }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'case solvency' }, { cause })
  }
}

/** The answer of `get_case`. Throws `bad-frame`. */
export function parseCaseView(reader: TupleReader): CaseView {
  try {
    const state = STATES[reader.readNumber()]
    if (state === undefined) throw new MarketError('bad-frame', { field: 'state' })
    const deadlineS = reader.readNumber()
    const config = readConfig(reader)
    const evidence = fromBigInt(reader.readBigNumber(), 32)
    const openedAtS = reader.readNumber()
    const amount = reader.readBigNumber()
    const bond = reader.readBigNumber()
    const frozen = reader.readBigNumber()
    const ticket = reader.readNumber()
    const appealBond = reader.readBigNumber()
    const rulings = readRulings(reader)
    const terms = reader.readCellOpt()
    const facts = { state, deadlineS, config, evidence, openedAtS, amount, bond, frozen, ticket }
    return { ...facts, appealBond, ...rulings, ...(terms ? { terms: parseTerms(terms) } : {}) }
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'case' }, { cause })
  }
}

/** What an arbiter signs to decide the round that a case is in. Throws `bad-input`. */
export function verdictOn(
  network: number,
  address: Address,
  view: Pick<CaseView, 'state' | 'evidence' | 'openedAtS'>,
  { uphold, loss }: Ruling,
): Verdict {
  const round = view.state === 'appealed' ? 2 : 1
  const { evidence, openedAtS } = view
  return { network, case: address, evidence, openedAtS, round, uphold, loss }
}

/** Representation hash of a verdict, 32 bytes: what is signed. Throws `bad-input`. */
export function verdictHash(value: Verdict): Bytes {
  return new Uint8Array(verdict.encode(value).hash())
}

function readConfig(reader: TupleReader): CaseConfig {
  const registry = reader.readAddress()
  const challenger = reader.readAddress()
  const nonce = fromBigInt(reader.readBigNumber(), 16)
  const kind = ITEM_KINDS[reader.readNumber() - 1]
  if (kind === undefined) throw new MarketError('bad-frame', { field: 'kind' })
  const key = fromBigInt(reader.readBigNumber(), 32)
  const owner = reader.readAddress()
  const accused = { kind, owner, ...(kind === 'gpu' ? { key } : {}) }
  return { registry, nonce, challenger, accused }
}

function readRulings(reader: TupleReader): Pick<CaseView, 'first' | 'second'> {
  const count = reader.readNumber()
  const [first, second] = [0, 1].map(() => ({
    uphold: reader.readBoolean(),
    loss: reader.readBigNumber(),
  }))
  return { ...(count > 0 ? { first } : {}), ...(count > 1 ? { second } : {}) }
}

function parseTerms(cell: Cell): CaseTerms {
  const slice = cell.beginParse()
  const accused = slice.loadAddress()
  const untilS = slice.loadUint(32)
  const needed = slice.loadUint(8)
  const neededOnAppeal = slice.loadUint(8)
  const rules = decodeDisputeRules(slice.loadRef())
  return { accused, untilS, needed, neededOnAppeal, rules }
}
