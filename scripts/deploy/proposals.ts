/**
 * What signers may propose, and the order that each becomes: an operation that the multisig queues
 * in the timelock, or, of the signers themselves, the multisig's own change.
 *
 * Impossible proposals are refused here, before anybody signs; what may still change until an
 * operation is executed is a warning.
 * @module
 */
import type { Address, Cell } from '@ton/core'
import { toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { MarketParameters } from '../../contracts/base/marketParameters.ts'
import { orderToQueue } from '../../contracts/wrappers/governance.ts'
import type { ItemKind } from '../../contracts/wrappers/itemConfig.ts'
import type { Order, Signers } from '../../contracts/wrappers/Multisig.ts'
import type { Operation } from '../../contracts/wrappers/operation.ts'
import { time } from '../../contracts/wrappers/parameterDiff.ts'
import { encodeParameters, type ListedParameters } from '../../contracts/wrappers/parameters.ts'
import { REGISTRY_TIMES } from '../../contracts/wrappers/Registry.ts'
import {
  acceptOwnerBody,
  applyBody,
  cancelUpgradeBody,
  prepareBody,
  REGISTRY_VALUE,
  setGuardianBody,
  transferOwnerBody,
  updateBody,
} from '../../contracts/wrappers/registryMessages.ts'
import type { PreparedCode, RegistryView } from '../../contracts/wrappers/registryView.ts'
import {
  cancelBody,
  setDelayBody,
  TIMELOCK_TIMES,
  TIMELOCK_VALUE,
} from '../../contracts/wrappers/Timelock.ts'
import { subjectOf } from './foresight.ts'
import { type Governance, queuedOf } from './governance.ts'

/** Whose code: the registry's own, or that of a kind of items. */
export type CodeOf = ItemKind | 'registry'

export type Proposal =
  | { readonly kind: 'parameters'; readonly parameters: MarketParameters }
  | { readonly kind: 'prepare' | 'apply'; readonly of: CodeOf; readonly code: Cell }
  | { readonly kind: 'take-back'; readonly of: CodeOf }
  | { readonly kind: 'guardian'; readonly guardian: Address }
  | { readonly kind: 'owner'; readonly owner: Address }
  | { readonly kind: 'accept' }
  | { readonly kind: 'delay'; readonly delayS: number }

/** An order to be signed, and what its signers should know beside what it says. */
export interface Proposed {
  readonly order: Order
  readonly warnings: readonly string[]
}

/** An order can be handed in this long after it was made, seconds. */
const ORDER_LIFE_S = 7 * 86_400
/** Later than the least delay by this: an order takes time to be signed and handed in. */
const SPARE_S = 3_600

/**
 * The order that queues a proposal. `waitS`: from now to when it may be executed, at least the
 * timelock's own delay. Throws `bad-input` where the proposal cannot come true.
 */
export function propose(governance: Governance, proposal: Proposal, waitS?: number): Proposed {
  const { timelock, multisig, nowS, queue } = governance
  const operation = operationOf(governance, proposal)
  const usual = timelock.view.delayS + SPARE_S
  const etaS = etaOf(governance, proposal, nowS + (waitS ?? usual), waitS === undefined)
  const order = orderToQueue({
    ...{ multisig: multisig.address, view: multisig.view, timelock: timelock.address },
    validUntilS: nowS + ORDER_LIFE_S,
    queued: { id: timelock.view.lastId + 1n, etaS, operation },
  })
  const about = subjectOf(governance, operation)
  const rivals = queue.filter((each) => subjectOf(governance, each.operation) === about)
  const warnings = rivals.map(
    ({ id }) =>
      `operation ${id} waits already and is about ${about} too: anyone may execute what is due, ` +
      'in any order, and the first makes the other void',
  )
  const own = warningOf(governance, proposal)
  return { order, warnings: about === undefined ? own : [...own, ...warnings] }
}

/**
 * The order that queues new parameters; their version is the next one, whatever they say.
 * `waitS`: as `propose` takes it.
 */
export function orderParameters(
  governance: Governance,
  parameters: MarketParameters,
  waitS?: number,
): Order {
  return propose(governance, { kind: 'parameters', parameters }, waitS).order
}

/** The order that drops an operation of the queue. Throws `bad-input` where it does not wait. */
export function orderCancel(governance: Governance, id: bigint): Order {
  queuedOf(governance, id)
  const operation = {
    ...{ to: governance.timelock.address, value: TIMELOCK_VALUE, body: cancelBody(id) },
  }
  return ownOrder(governance, { kind: 'send', operation })
}

/** The order that changes who signs. It happens when it is handed in: no delay protects anybody. */
export function orderSigners(governance: Governance, signers: Signers): Proposed {
  const kept = new Set(signers.keys.map(toHex))
  const gone = governance.multisig.view.signers.keys.map(toHex).filter((key) => !kept.has(key))
  return {
    order: ownOrder(governance, { kind: 'signers', signers }),
    warnings: gone.map((key) => `signer ${key} signs no more`),
  }
}

function ownOrder({ multisig, nowS }: Governance, action: Order['action']): Order {
  const { network, seqno } = multisig.view
  const validUntilS = nowS + ORDER_LIFE_S
  return { network, seqno, multisig: multisig.address, validUntilS, action }
}

function operationOf(governance: Governance, proposal: Proposal): Operation {
  const { registry, timelock } = governance
  const toRegistry = (body: Cell) => ({ to: registry.address, value: REGISTRY_VALUE, body })
  switch (proposal.kind) {
    case 'parameters':
      return toRegistry(updateBody(nextParameters(governance, proposal.parameters)))
    case 'prepare':
      return toRegistry(prepareBody(proposal.of, hashOf(proposal.code)))
    case 'apply':
      return toRegistry(applyBody(proposal.of, proposal.code))
    case 'take-back':
      preparedOf(registry.view, proposal.of)
      return toRegistry(cancelUpgradeBody(proposal.of))
    case 'guardian':
      return toRegistry(setGuardianBody(proposal.guardian))
    case 'owner':
      return toRegistry(transferOwnerBody(proposal.owner))
    case 'accept':
      checkOffered(governance)
      return toRegistry(acceptOwnerBody())
    case 'delay':
      checkDelay(proposal.delayS)
      return { to: timelock.address, value: TIMELOCK_VALUE, body: setDelayBody(proposal.delayS) }
  }
}

function nextParameters({ parameters }: Governance, proposed: MarketParameters): Cell {
  const version = parameters.version + 1
  const measurements = { ...proposed.measurements, version }
  const images = imagesOf(parameters, proposed)
  return encodeParameters({ ...proposed, measurements, version, sinceS: 0, images })
}

/** What the listed measurements are of is kept from version to version. */
function imagesOf(now: ListedParameters, next: MarketParameters): ListedParameters['images'] {
  const kept = next.measurements.list.flatMap((measurement) => {
    const image = now.images.get(measurement)
    return image ? [[measurement, image] as const] : []
  })
  return new Map(kept)
}

/** When it may be executed: code not before its own delay is over, and not once it has lapsed. */
function etaOf(governance: Governance, proposal: Proposal, etaS: number, mayWait: boolean): number {
  const { timelock, nowS, registry } = governance
  const first = nowS + timelock.view.delayS
  if (etaS < first || etaS > first + TIMELOCK_TIMES.aheadS) {
    const facts = { delayS: etaS - nowS, least: timelock.view.delayS }
    throw new MarketError('bad-input', { ...facts, most: facts.least + TIMELOCK_TIMES.aheadS })
  }
  if (proposal.kind !== 'apply') return etaS
  const prepared = preparedOf(registry.view, proposal.of, hashOf(proposal.code))
  const lapsesS = prepared.fromS + REGISTRY_TIMES.applyWithinS
  const chosen = mayWait ? Math.max(etaS, prepared.fromS) : etaS
  if (chosen >= prepared.fromS && chosen < lapsesS) return chosen
  const facts = { due: time(chosen), from: time(prepared.fromS), lapses: time(lapsesS) }
  const action = 'Let it be due between those times, or prepare the code anew.'
  throw new MarketError('bad-input', facts, { action })
}

/** What is prepared. Throws `bad-input` where nothing is, or code of another hash than `hash`. */
function preparedOf({ prepared, kinds }: RegistryView, of: CodeOf, hash?: string): PreparedCode {
  const found = of === 'registry' ? prepared : kinds[of].prepared
  if (found && (hash === undefined || found.codeHash === hash)) return found
  const action =
    hash === undefined
      ? 'There is nothing to take back: chrysalis govern show.'
      : 'Prepare it first, and execute that: chrysalis govern propose code prepare --help.'
  const facts = { codeOf: of, prepared: found?.codeHash ?? 'nothing', code: hash }
  throw new MarketError('bad-input', facts, { action })
}

function checkOffered({ registry, timelock }: Governance): void {
  const { offered } = registry.view
  if (offered?.equals(timelock.address)) return
  const facts = {
    offeredTo: offered?.toString() ?? 'nobody',
    timelock: timelock.address.toString(),
  }
  const action = 'The owner offers it first: chrysalis govern propose owner ADDRESS.'
  throw new MarketError('bad-input', facts, { action })
}

function checkDelay(delayS: number): void {
  const { leastDelayS: least, mostDelayS: most } = TIMELOCK_TIMES
  if (delayS >= least && delayS <= most) return
  const action = 'Choose from 1 to 30 days, like 36h or 7d.'
  throw new MarketError('bad-input', { delayS, least, most }, { action })
}

function warningOf({ registry: { view } }: Governance, proposal: Proposal): string[] {
  if (proposal.kind === 'prepare') {
    const now = proposal.of === 'registry' ? view.prepared : view.kinds[proposal.of].prepared
    return now ? [`code ${now.codeHash} is prepared: until it is taken back this is refused`] : []
  }
  if (proposal.kind !== 'owner') return []
  return ['whoever that is rules alone once it accepts: see that it is a timelock, and whose']
}

function hashOf(code: Cell): string {
  return code.hash().toString('hex')
}
