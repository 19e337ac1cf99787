/**
 * Ruling a market through its own contracts: an order of the multisig queues an operation in the
 * timelock, which anyone executes after its delay.
 * @module
 */
import type { Address, Cell } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { MarketParameters } from '../../contracts/base/marketParameters.ts'
import type { Chain, Wallet } from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import { type Known, orderToQueue } from '../../contracts/wrappers/governance.ts'
import {
  MULTISIG_VALUE,
  type MultisigView,
  type Order,
  readMultisig,
  signOrder,
  submitBody,
} from '../../contracts/wrappers/Multisig.ts'
import { encodeParameters, type ListedParameters } from '../../contracts/wrappers/parameters.ts'
import { REGISTRY_VALUE, updateBody } from '../../contracts/wrappers/registryMessages.ts'
import {
  type RegistryView,
  readParameters,
  readRegistry,
} from '../../contracts/wrappers/registryView.ts'
import {
  cancelBody,
  executeBody,
  type QueuedOperation,
  readQueue,
  readTimelock,
  TIMELOCK_VALUE,
  type TimelockView,
} from '../../contracts/wrappers/Timelock.ts'
import type { OrderFile } from './orderFile.ts'

/** An order can be handed in this long after it was made, seconds. */
const ORDER_LIFE_S = 7 * 86_400
/** Later than the least delay by this: an order takes time to be signed and handed in. */
const SPARE_S = 3_600

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

/** Reads who rules a registry. Throws `contract-failed` where its owner is no timelock. */
export async function readGovernance(chain: Chain, registry: Address): Promise<Governance> {
  const view = await readRegistry(chain, registry)
  const timelock = await readTimelock(chain, view.owner)
  const [multisig, queue, parameters, nowS] = await Promise.all([
    readMultisig(chain, timelock.multisig),
    readQueue(chain, view.owner),
    readParameters(chain, registry, view.parametersVersion),
    chain.now(),
  ])
  if (!parameters) throw new MarketError('bad-frame', { record: 'parameters' })
  return {
    registry: { address: registry, view },
    timelock: { address: view.owner, view: timelock },
    multisig: { address: timelock.multisig, view: multisig },
    ...{ queue, parameters, nowS },
    known: {
      registry,
      timelock: view.owner,
      multisig: timelock.multisig,
      current: parameters,
    },
  }
}

/**
 * The order that queues new parameters; their version is the next one, whatever they say.
 * `delayS`: from now to when they may come into force, at least the timelock's own delay.
 */
export function orderParameters(
  governance: Governance,
  proposed: MarketParameters,
  delayS = governance.timelock.view.delayS + SPARE_S,
): Order {
  const { registry, parameters } = governance
  const images = imagesOf(governance.parameters, proposed)
  const version = parameters.version + 1
  const measurements = { ...proposed.measurements, version }
  const cell = encodeParameters({ ...proposed, measurements, version, sinceS: 0, images })
  const operation = { to: registry.address, value: REGISTRY_VALUE, body: updateBody(cell) }
  return queueing(governance, operation.to, operation.value, operation.body, delayS)
}

/** What the listed measurements are of is kept from version to version. */
function imagesOf(now: ListedParameters, next: MarketParameters): ListedParameters['images'] {
  const kept = next.measurements.list.flatMap((measurement) => {
    const image = now.images.get(measurement)
    return image ? [[measurement, image] as const] : []
  })
  return new Map(kept)
}

function queueing(
  { multisig, timelock, nowS }: Governance,
  to: Address,
  value: bigint,
  body: Cell,
  delayS: number,
): Order {
  const id = timelock.view.lastId + 1n
  const queued = { id, etaS: nowS + delayS, operation: { to, value, body } }
  return orderToQueue({
    multisig: multisig.address,
    view: multisig.view,
    timelock: timelock.address,
    validUntilS: nowS + ORDER_LIFE_S,
    queued,
  })
}

/** The order that drops an operation of the queue. */
export function orderCancel({ multisig, timelock, nowS }: Governance, id: bigint): Order {
  const { network, seqno } = multisig.view
  const operation = { to: timelock.address, value: TIMELOCK_VALUE, body: cancelBody(id) }
  return {
    ...{ network, seqno, multisig: multisig.address },
    validUntilS: nowS + ORDER_LIFE_S,
    action: { kind: 'send', operation },
  }
}

/** Adds a signature, once. Throws `bad-input` where the key may not sign. */
export function addSignature(
  { multisig }: Pick<Governance, 'multisig'>,
  { order, signatures }: OrderFile,
  key: SigningKey,
): OrderFile {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  const own = hex(key.publicKey)
  if (!multisig.view.signers.keys.some((each) => hex(each) === own)) {
    const action = 'Sign with a key of the multisig: chrysalis govern show lists them.'
    throw new MarketError('bad-input', { signer: own }, { action })
  }
  const others = signatures.filter((each) => hex(each.key) !== own)
  return { order, signatures: [...others, signOrder(order, key)] }
}

/** Hands an order in. Throws `bad-input` where signatures are missing or its number has passed. */
export async function submitOrder(
  { multisig }: Governance,
  { order, signatures }: OrderFile,
  wallet: Wallet,
  signal?: AbortSignal,
): Promise<void> {
  const { signers, seqno } = multisig.view
  if (!order.multisig.equals(multisig.address))
    throw new MarketError('bad-input', { order: 'other' })
  if (order.seqno !== seqno) {
    const action = 'Another order was handed in before: make this one again.'
    throw new MarketError('bad-input', { order: order.seqno, expected: seqno }, { action })
  }
  if (signatures.length < signers.threshold) {
    const action = 'Let more signers run: chrysalis govern sign FILE.'
    const facts = { signatures: signatures.length, threshold: signers.threshold }
    throw new MarketError('bad-input', facts, { action })
  }
  const value = order.action.kind === 'send' ? order.action.operation.value : 0n
  const body = submitBody(order, signatures)
  await wallet.send([{ to: multisig.address, value: value + MULTISIG_VALUE, body }], signal)
}

/** Executes an operation that is due; anyone may. Throws `bad-input` where there is none to. */
export async function executeOperation(
  { timelock, queue, nowS }: Governance,
  id: bigint | undefined,
  wallet: Wallet,
  signal?: AbortSignal,
): Promise<QueuedOperation> {
  const due = queue.filter(({ etaS }) => etaS <= nowS)
  const chosen = id === undefined ? due[0] : due.find((each) => each.id === id)
  if (!chosen) {
    const next = queue.find((each) => id === undefined || each.id === id)
    const facts = { operation: id, dueInS: next && next.etaS - nowS }
    throw new MarketError('bad-input', facts, {
      action: 'Wait until it is due, or queue it first.',
    })
  }
  const value = chosen.operation.value + TIMELOCK_VALUE
  await wallet.send([{ to: timelock.address, value, body: executeBody(chosen.id) }], signal)
  return chosen
}
