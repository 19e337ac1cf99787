/**
 * Deploying a plan through the Chain and Wallet ports: what stands already is left alone, the rest
 * goes out in one transfer, and each contract is looked up on chain before it is called deployed.
 * @module
 */
import { Address } from '@ton/core'
import { toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain, Clock, Wallet } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import type { Step } from './plan.ts'

export interface DeployDeps {
  readonly chain: Chain
  readonly wallet: Wallet
  readonly clock: Clock
}

/** What became of a step. */
export interface Deployed {
  readonly name: Step['name']
  readonly address: string
  readonly codeHash: string
  readonly status: 'deployed' | 'already'
  /** Attached to its deployment, nanoTON; 0 where it stood already. */
  readonly value: NanoTon
  /** What its own transaction cost of that. */
  readonly fees: NanoTon
}

/** What deploying these costs at most, fees of the wallet included. */
export function costOf(missing: readonly Step[]): NanoTon {
  return missing.reduce((sum, { value }) => sum + value, missing.length > 0 ? WALLET_FEES : 0n)
}

/**
 * Deploys what is missing. Running it again after any failure goes on where it stopped. Throws
 * `wallet-empty`, `chain-unavailable`, `timeout`, `contract-failed` where another contract stands
 * at an address of the plan.
 */
export async function deploy(
  deps: DeployDeps,
  steps: readonly Step[],
  signal?: AbortSignal,
): Promise<readonly Deployed[]> {
  const missing = new Set(await missingOf(deps.chain, steps))
  if (missing.size > 0) {
    const messages = [...missing].map(({ address: to, value, body, init }) => {
      return { to, value, body, init, bounce: false }
    })
    await deps.wallet.send(messages, signal)
    for (const step of missing) await untilThere(deps, step, signal)
  }
  return Promise.all(steps.map((step) => report(deps.chain, step, missing.has(step))))
}

/** Fees of the wallet's own transaction, and its deployment, at the dearest table known. */
export const WALLET_FEES: NanoTon = 50_000_000n

/** What the wallet's own transaction cost that sent them; 0 where all stood already. */
export async function walletFees(
  chain: Chain,
  wallet: Pick<Wallet, 'address'>,
  contracts: readonly Deployed[],
): Promise<NanoTon> {
  const sent = contracts.find(({ status }) => status === 'deployed')
  if (!sent) return 0n
  const target = Address.parse(sent.address).toRawString()
  const recent = await chain.transactions(wallet.address, LIMITS.chainPage)
  const own = recent.find(({ out }) => out.some(({ destination }) => destination === target))
  return own?.fees ?? 0n
}

/** The steps of a plan that are not deployed yet. Throws what `deploy` does. */
export async function missingOf(chain: Chain, steps: readonly Step[]): Promise<Step[]> {
  const there = await Promise.all(steps.map((step) => isThere(chain, step)))
  return steps.filter((_, at) => !there[at])
}

async function isThere(chain: Chain, { name, address, codeHash }: Step): Promise<boolean> {
  const { status, codeHash: actual } = await chain.account(address)
  if (status !== 'active') return false
  // The registry may run newer code by now: its address is proof of the first one.
  if (name !== 'registry' && actual && toHex(actual) !== codeHash) {
    throw new MarketError('contract-failed', { contract: name, codeHash: toHex(actual) })
  }
  return true
}

async function untilThere({ chain, clock }: DeployDeps, step: Step, signal?: AbortSignal) {
  const untilMs = clock.monotonicMs() + LIMITS.chainFinalMs
  while (!(await isThere(chain, step))) {
    if (clock.monotonicMs() > untilMs) {
      throw new MarketError('timeout', { waiting: step.name, address: step.address.toString() })
    }
    await clock.sleep(LIMITS.chainPollMs, signal)
  }
}

async function report(chain: Chain, step: Step, isNew: boolean): Promise<Deployed> {
  const { name, address, codeHash, value } = step
  const first = isNew ? (await chain.transactions(address, LIMITS.chainPage)).at(-1) : undefined
  return {
    name,
    address: address.toString(),
    codeHash,
    status: isNew ? 'deployed' : 'already',
    value: isNew ? value : 0n,
    fees: first?.fees ?? 0n,
  }
}
