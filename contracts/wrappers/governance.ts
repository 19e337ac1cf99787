/**
 * Governance outside the chain: an order that queues an operation, and what an operation does, in
 * words.
 *
 * A signer reads the words before signing, and anyone reads those of the queue before they come
 * true. What cannot be told is called so: it is never passed over.
 * @module
 */
import type { Address, Cell, Slice } from '@ton/core'
import { toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { formatTon, type NanoTon } from '../base/units.ts'
import { ITEM_KINDS } from './itemConfig.ts'
import { MULTISIG_OP, type MultisigView, type Order, orderCell, type Signers } from './Multisig.ts'
import { decodeOperation, type Operation } from './operation.ts'
import { describeChanges, seconds, time } from './parameterDiff.ts'
import { decodeParameters, type ListedParameters } from './parameters.ts'
import { REGISTRY_OP } from './registryMessages.ts'
import {
  type QueuedOperation,
  queueBody,
  TIMELOCK_OP,
  TIMELOCK_TIMES,
  TIMELOCK_VALUE,
} from './Timelock.ts'

/** Whose messages are understood, and the parameters that a change is compared with. */
export interface Known {
  readonly registry?: Address
  readonly timelock?: Address
  readonly multisig?: Address
  readonly current?: ListedParameters
}

/**
 * The order by which a multisig queues an operation in its timelock. Sign it with `signOrder`, hand
 * it in with `submitBody`. Throws `bad-input`.
 *
 * @example
 * const order = orderToQueue({ multisig, view: await readMultisig(chain, multisig), timelock,
 *   validUntilS: nowS + 86_400, queued: { id: lastId + 1n, etaS, operation } })
 */
export function orderToQueue(options: {
  readonly multisig: Address
  readonly view: Pick<MultisigView, 'network' | 'seqno'>
  readonly timelock: Address
  readonly validUntilS: number
  readonly queued: QueuedOperation
}): Order {
  const { multisig, view, timelock, validUntilS, queued } = options
  const operation = { to: timelock, value: TIMELOCK_VALUE, body: queueBody(queued) }
  const { network, seqno } = view
  return { network, multisig, seqno, validUntilS, action: { kind: 'send', operation } }
}

/** What an order does, a line each; the first line is what it is, the last what is signed. */
export function describeOrder(order: Order, known: Known = {}): string[] {
  const { network, multisig, seqno, validUntilS, action } = order
  const where = `of multisig ${multisig} on network ${network}`
  const head = `Order ${seqno} ${where}, until ${time(validUntilS)}:`
  const lines =
    action.kind === 'send'
      ? describeOperation(action.operation, known)
      : describeSigners(action.signers)
  return [head, ...indent(lines), `Signed is ${orderCell(order).hash().toString('hex')}.`]
}

/** An operation that waits, and whether it is due at `nowS`. */
export function describeQueued(
  { id, etaS, operation }: QueuedOperation,
  nowS: number,
  known?: Known,
) {
  const end = etaS + TIMELOCK_TIMES.graceS
  const when =
    nowS < etaS
      ? `due in ${seconds(etaS - nowS)}, at ${time(etaS)}`
      : nowS < end
        ? `due, void in ${seconds(end - nowS)}`
        : `void since ${time(end)}`
  return [`Operation ${id}, ${when}:`, ...indent(describeOperation(operation, known))]
}

/** What an operation does, a line each. Never throws. */
export function describeOperation({ to, value, body }: Operation, known: Known = {}): string[] {
  const is = (address: Address | undefined): boolean => address?.equals(to) === true
  const at = (name: string, lines: string[]): string[] => [
    `To the ${name} ${to}, with ${tons(value)}:`,
    ...indent(lines),
  ]
  try {
    if (is(known.registry)) return at('registry', registryMessage(body, known))
    if (is(known.timelock)) return at('timelock', timelockMessage(body, known))
    if (is(known.multisig)) return at('multisig', multisigMessage(body))
  } catch (error) {
    const code = error instanceof MarketError ? error.code : 'bad-frame'
    return at('contract', [`MALFORMED (${code}): it would be refused, or do what nobody can tell.`])
  }
  return [`To ${to}, which is not known, with ${tons(value)}:`, ...indent([opaque(body)])]
}

function registryMessage(body: Cell, { current }: Known): string[] {
  const slice = body.beginParse()
  const op = slice.loadUint(32)
  const lines = registryLines(op, slice, current)
  if (lines === undefined) return [opaque(body)]
  slice.endParse()
  return lines
}

function registryLines(op: number, slice: Slice, current?: ListedParameters): string[] | undefined {
  if (op === REGISTRY_OP.update) return newParameters(slice.loadRef(), current)
  if (op === REGISTRY_OP.prepareUpgrade) {
    return [`Prepare code ${hash(slice)} for the registry itself.`]
  }
  if (op === REGISTRY_OP.prepareItemCode) {
    return [`Prepare code for every ${kind(slice)}: ${hash(slice)}.`]
  }
  if (op === REGISTRY_OP.applyUpgrade) {
    return [`Run code ${slice.loadRef().hash().toString('hex')} in the registry itself.`]
  }
  if (op === REGISTRY_OP.applyItemCode) {
    return [`Offer every ${kind(slice)} code ${slice.loadRef().hash().toString('hex')}.`]
  }
  if (op === REGISTRY_OP.cancelUpgrade) return [`Take back code prepared for ${kind(slice, true)}.`]
  if (op === REGISTRY_OP.setGuardian) {
    return [`Make ${slice.loadAddress()} the guardian, and end a pause.`]
  }
  if (op === REGISTRY_OP.transferOwner) {
    return [`OFFER THE REGISTRY to ${slice.loadAddress()}; it is its once it accepts.`]
  }
  if (op === REGISTRY_OP.acceptOwner) return ['Accept the registry that was offered.']
  if (op === REGISTRY_OP.unpause) return ['End a pause of registration.']
  return op === REGISTRY_OP.topUp ? ['Leave the value there, for rent.'] : undefined
}

function newParameters(cell: Cell, current?: ListedParameters): string[] {
  const next = decodeParameters(cell)
  const head = `Put version ${next.version} of the parameters into force.`
  if (!current) return [head, `Not compared with any version. Hash ${cell.hash().toString('hex')}.`]
  const late =
    next.version === current.version + 1 ? [] : [`NOT THE NEXT VERSION after ${current.version}.`]
  const changes = describeChanges(current, next)
  return [head, ...late, ...(changes.length > 0 ? changes : ['Nothing changes.'])]
}

function timelockMessage(body: Cell, known: Known): string[] {
  const slice = body.beginParse()
  const op = slice.loadUint(32)
  if (op === TIMELOCK_OP.queue) {
    const [id, etaS] = [slice.loadUintBig(64), slice.loadUint(32)]
    const lines = describeOperation(decodeOperation(slice.loadRef()), known)
    slice.endParse()
    return [`Queue operation ${id}, to be executed from ${time(etaS)}:`, ...indent(lines)]
  }
  if (op === TIMELOCK_OP.cancel) return [`Cancel operation ${slice.loadUintBig(64)}.`]
  if (op === TIMELOCK_OP.execute) return [`Execute operation ${slice.loadUintBig(64)}.`]
  if (op === TIMELOCK_OP.setDelay) return [`Let operations wait ${seconds(slice.loadUint(32))}.`]
  return [op === TIMELOCK_OP.topUp ? 'Leave the value there.' : opaque(body)]
}

function multisigMessage(body: Cell): string[] {
  const op = body.beginParse().loadUint(32)
  return [op === MULTISIG_OP.topUp ? 'Leave the value there.' : opaque(body)]
}

function describeSigners({ threshold, keys }: Signers): string[] {
  const head = `From now on ${threshold} of these ${keys.length} signers must sign:`
  const when = 'At once, when the order is handed in: no delay comes before it.'
  return [head, ...indent(keys.map((key) => toHex(key))), when]
}

function kind(slice: Slice, orRegistry = false): string {
  const number = slice.loadUint(8)
  const name = ITEM_KINDS[number - 1] ?? (number === 0 && orRegistry ? 'the registry' : undefined)
  if (name === undefined) throw new MarketError('bad-frame', { field: 'kind' })
  return name
}

function hash(slice: Slice): string {
  return toHex(new Uint8Array(slice.loadBuffer(32)))
}

function opaque(body: Cell): string {
  return `A MESSAGE THAT IS NOT UNDERSTOOD, body ${body.hash().toString('hex')}.`
}

function tons(value: NanoTon): string {
  return `${formatTon(value)} TON`
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
