/**
 * Who rules a market, read from its registry upwards: timelock, multisig, and what waits.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import { getterOr } from '../../contracts/wrappers/absent.ts'
import type { Known } from '../../contracts/wrappers/governance.ts'
import { type MultisigView, readMultisig } from '../../contracts/wrappers/Multisig.ts'
import type { ListedParameters } from '../../contracts/wrappers/parameters.ts'
import {
  type RegistryView,
  readParameters,
  readRegistry,
} from '../../contracts/wrappers/registryView.ts'
import {
  parseTimelockView,
  type QueuedOperation,
  readQueue,
  type TimelockView,
} from '../../contracts/wrappers/Timelock.ts'

/** The contracts that rule a market, as they stand. */
export interface Governance {
  readonly registry: { readonly address: Address; readonly view: RegistryView }
  readonly timelock: { readonly address: Address; readonly view: TimelockView }
  readonly multisig: { readonly address: Address; readonly view: MultisigView }
  readonly queue: readonly QueuedOperation[]
  readonly parameters: ListedParameters
  readonly nowS: number
  /** For `describeOperation` and its like. */
  readonly known: Known
}

/**
 * Reads who rules a registry: through its owner, or through another timelock, to which it was
 * offered. Throws `contract-failed` where the owner is no timelock, `bad-input` where `other` is
 * none.
 */
export async function readGovernance(
  chain: Chain,
  registry: Address,
  other?: Address,
): Promise<Governance> {
  const view = await readRegistry(chain, registry)
  const ruler = other ?? view.owner
  const code = other ? 'bad-input' : 'contract-failed'
  const timelock = parseTimelockView(await getterOr(code, chain, ruler, 'get_timelock'))
  const [multisig, queue, parameters, nowS] = await Promise.all([
    readMultisig(chain, timelock.multisig),
    readQueue(chain, ruler),
    readParameters(chain, registry, view.parametersVersion),
    chain.now(),
  ])
  if (!parameters) throw new MarketError('bad-frame', { record: 'parameters' })
  return {
    registry: { address: registry, view },
    timelock: { address: ruler, view: timelock },
    multisig: { address: timelock.multisig, view: multisig },
    ...{ queue, parameters, nowS },
    known: { registry, timelock: ruler, multisig: timelock.multisig, current: parameters },
  }
}

/** The operation of this number that waits. Throws `bad-input`. */
export function queuedOf({ queue }: Pick<Governance, 'queue'>, id: bigint): QueuedOperation {
  const found = queue.find((each) => each.id === id)
  if (found) return found
  const action = 'Name an operation that waits: chrysalis govern show lists them.'
  const waiting = queue.map((each) => each.id).join(', ') || 'none'
  throw new MarketError('bad-input', { operation: id, waiting }, { action })
}
