/**
 * Ruling a market through its own contracts: an order of the multisig queues an operation in the
 * timelock, which anyone executes after its delay; the guardian pauses registration.
 *
 * What is sent is followed until the contract at the end of its way has taken it: a refusal is
 * thrown, never passed over. `proposals.ts` makes the orders, `foresight.ts` looks ahead.
 * @module
 */
import type { Address } from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import { MULTISIG_VALUE, signOrder, submitBody } from '../../contracts/wrappers/Multisig.ts'
import type { Operation } from '../../contracts/wrappers/operation.ts'
import { time } from '../../contracts/wrappers/parameterDiff.ts'
import { REGISTRY_TIMES } from '../../contracts/wrappers/Registry.ts'
import {
  pauseBody,
  REGISTRY_VALUE,
  unpauseBody,
} from '../../contracts/wrappers/registryMessages.ts'
import { type RegistryView, readRegistry } from '../../contracts/wrappers/registryView.ts'
import {
  executeBody,
  type QueuedOperation,
  TIMELOCK_TIMES,
  TIMELOCK_VALUE,
} from '../../contracts/wrappers/Timelock.ts'
import { type Hop, type Sender, sendFollowed } from './follow.ts'
import { foresee } from './foresight.ts'
import { type Governance, queuedOf } from './governance.ts'
import type { OrderFile } from './orderFile.ts'

/** Adds a signature, once. Throws `bad-input` where the key may not sign. */
export function addSignature(
  { multisig }: Pick<Governance, 'multisig'>,
  { order, signatures }: OrderFile,
  key: SigningKey,
): OrderFile {
  checkMultisig(multisig.address, order.multisig)
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  const own = hex(key.publicKey)
  if (!multisig.view.signers.keys.some((each) => hex(each) === own)) {
    const action = 'Sign with a key of the multisig: chrysalis govern show lists them.'
    throw new MarketError('bad-input', { signer: own }, { action })
  }
  const others = signatures.filter((each) => hex(each.key) !== own)
  return { order, signatures: [...others, signOrder(order, key)] }
}

/**
 * Hands an order in. Throws `bad-input` where signatures are missing, its number has passed, or
 * the timelock would refuse it; `contract-failed` where a contract did.
 */
export async function submitOrder(
  governance: Governance,
  { order, signatures }: OrderFile,
  sender: Sender,
  signal?: AbortSignal,
): Promise<void> {
  const { multisig } = governance
  const { signers, seqno } = multisig.view
  checkMultisig(multisig.address, order.multisig)
  if (order.seqno !== seqno) {
    const action = 'Another order was handed in before: make this one again.'
    throw new MarketError('bad-input', { order: order.seqno, expected: seqno }, { action })
  }
  if (signatures.length < signers.threshold) {
    const action = 'Let more signers run: chrysalis govern sign FILE.'
    const facts = { signatures: signatures.length, threshold: signers.threshold }
    throw new MarketError('bad-input', facts, { action })
  }
  foresee(governance, order)
  const body = submitBody(order, signatures)
  const first = { from: sender.wallet.address, to: multisig.address, body, name: 'multisig' }
  const sent = order.action.kind === 'send' ? order.action.operation : undefined
  const hops = sent ? [first, hopOf(governance, multisig.address, sent)] : [first]
  const value = (sent?.value ?? 0n) + MULTISIG_VALUE
  const action = 'See what stands now with chrysalis govern show, then make the order again.'
  await sendFollowed(sender, { value, body }, hops, { action, signal })
}

function checkMultisig(own: Address, orders: Address): void {
  if (orders.equals(own)) return
  const action = 'Name the timelock that this multisig rules: --timelock ADDRESS.'
  const facts = { order: `of multisig ${orders.toString()}`, expected: own.toString() }
  throw new MarketError('bad-input', facts, { action })
}

/**
 * Executes an operation that is due; anyone may. Throws `bad-input` where there is none to,
 * `contract-failed` where the target refused it: the operation is spent then.
 */
export async function executeOperation(
  governance: Governance,
  id: bigint | undefined,
  sender: Sender,
  signal?: AbortSignal,
): Promise<QueuedOperation> {
  const { timelock } = governance
  const chosen = dueOperation(governance, id)
  const value = chosen.operation.value + TIMELOCK_VALUE
  const body = executeBody(chosen.id)
  const hops = [
    { from: sender.wallet.address, to: timelock.address, body, name: 'timelock' },
    hopOf(governance, timelock.address, chosen.operation),
  ]
  const action =
    'Nothing has changed. Look with chrysalis govern show: what is gone from the queue must be ' +
    'proposed anew.'
  await sendFollowed(sender, { value, body }, hops, { action, signal })
  return chosen
}

/** The operation of this number, or the first that can be executed. Throws `bad-input`. */
export function dueOperation({ queue, nowS }: Governance, id: bigint | undefined): QueuedOperation {
  const isDue = ({ etaS }: QueuedOperation) => etaS <= nowS && nowS < etaS + TIMELOCK_TIMES.graceS
  const named = id === undefined ? queue : [queuedOf({ queue }, id)]
  const due = named.find(isDue)
  if (due) return due
  const next = named.find(({ etaS }) => nowS < etaS)
  if (next) {
    const action = 'Wait until it is due; anyone may execute it then.'
    const facts = { operation: next.id, dueAt: time(next.etaS) }
    throw new MarketError('bad-input', facts, { action })
  }
  const isVoid = named[0] !== undefined
  const action = isVoid
    ? 'It is void: anyone may clear it away, by a message, and it must be proposed anew.'
    : 'Propose something first: chrysalis govern propose --help.'
  throw new MarketError('bad-input', { queue: isVoid ? 'void' : 'empty' }, { action })
}

/**
 * Closes registration for a while, or opens it again, as the guardian. Gives the registry as it is
 * then. Throws `bad-input` where the wallet is not the guardian's, `contract-failed` where the
 * registry refused.
 */
export async function setPause(
  { registry, nowS }: Governance,
  isPause: boolean,
  sender: Sender,
  signal?: AbortSignal,
): Promise<RegistryView> {
  const { guardian, pausedUntilS } = registry.view
  const { wallet, chain } = sender
  if (!guardian.equals(wallet.address)) {
    const action = 'Only the guardian may: chrysalis govern show names it.'
    throw new MarketError('bad-input', { guardian: guardian.toString() }, { action })
  }
  const body = isPause ? pauseBody() : unpauseBody()
  const hop = { from: wallet.address, to: registry.address, body, name: 'registry' }
  const rested = pausedUntilS === 0 ? nowS : pausedUntilS + REGISTRY_TIMES.pauseS
  const action = isPause
    ? `The guardian may pause again from ${time(rested)}: chrysalis govern show.`
    : 'Registration is open: chrysalis govern show.'
  await sendFollowed(sender, { value: REGISTRY_VALUE, body }, [hop], { action, signal })
  return readRegistry(chain, registry.address)
}

function hopOf({ known }: Governance, from: Address, { to, body }: Operation): Hop {
  const names = ['registry', 'timelock', 'multisig'] as const
  const name = names.find((each) => known[each]?.equals(to)) ?? to.toString()
  return { from, to, body, name }
}
