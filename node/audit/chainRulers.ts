/**
 * Who rules a market, as its contracts tell: the timelock that owns the registry, the multisig
 * above it, what waits, and what both hold beyond their rent.
 * @module
 */
import type { Address } from '@ton/core'
import { toHex } from '../../contracts/base/bytes.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { MULTISIG_RESERVE, readMultisig } from '../../contracts/wrappers/Multisig.ts'
import { readQueue, readTimelock, TIMELOCK_RESERVE } from '../../contracts/wrappers/Timelock.ts'
import { answerOf } from './chainAccounts.ts'

interface Held {
  readonly address: string
  readonly balance: NanoTon
  /** Five years of rent, which it never spends on what it sends. */
  readonly reserve: NanoTon
}

export interface TimelockFigures extends Held {
  readonly delayS: number
  readonly executed: number
  readonly failed: number
  /** At most 32. */
  readonly queue: readonly { readonly id: bigint; readonly etaS: number }[]
}

export interface MultisigFigures extends Held {
  /** Orders that were carried out. */
  readonly orders: number
  readonly failed: number
  readonly threshold: number
  /** Public keys, hex. */
  readonly signers: readonly string[]
}

/** What is there of the two; an owner that is something else has neither. */
export interface Rulers {
  readonly timelock?: TimelockFigures
  readonly multisig?: MultisigFigures
}

/** Reads the rulers of a registry from its owner upwards. Throws `chain-unavailable`. */
export async function readRulers(
  chain: Chain,
  owner: Address,
  signal?: AbortSignal,
): Promise<Rulers> {
  const timelock = await answerOf(readTimelock(chain, owner))
  const queued = timelock && (await answerOf(readQueue(chain, owner)))
  if (!queued) return {}
  const { delayS, executed, failed } = timelock
  const lower: TimelockFigures = {
    ...(await held(chain, owner, TIMELOCK_RESERVE, signal)),
    ...{ delayS, executed, failed, queue: queued.map(({ id, etaS }) => ({ id, etaS })) },
  }
  const multisig = await answerOf(readMultisig(chain, timelock.multisig))
  if (!multisig) return { timelock: lower }
  const { threshold, keys } = multisig.signers
  const upper: MultisigFigures = {
    ...(await held(chain, timelock.multisig, MULTISIG_RESERVE, signal)),
    ...{ orders: multisig.seqno, failed: multisig.failed, threshold, signers: keys.map(toHex) },
  }
  return { timelock: lower, multisig: upper }
}

async function held(
  chain: Chain,
  address: Address,
  reserve: NanoTon,
  signal?: AbortSignal,
): Promise<Held> {
  const { balance } = await chain.account(address, signal)
  return { address: address.toString(), balance, reserve }
}
