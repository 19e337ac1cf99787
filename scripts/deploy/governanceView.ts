/**
 * What `chrysalis govern show` tells, as JSON and in lines: who rules, what is prepared, what
 * waits and contradicts itself, and what was refused.
 * @module
 */
import { toHex } from '../../contracts/base/bytes.ts'
import { formatTon } from '../../contracts/base/units.ts'
import { describeQueued } from '../../contracts/wrappers/governance.ts'
import { ITEM_KINDS } from '../../contracts/wrappers/itemConfig.ts'
import type { OperationFailure } from '../../contracts/wrappers/operation.ts'
import { seconds, time } from '../../contracts/wrappers/parameterDiff.ts'
import { REGISTRY_TIMES } from '../../contracts/wrappers/Registry.ts'
import type { PreparedCode, RegistryView } from '../../contracts/wrappers/registryView.ts'
import { exitWords } from './exitWords.ts'
import { conflictsOf, shortDelay } from './foresight.ts'
import type { Governance } from './governance.ts'
import type { CodeOf } from './proposals.ts'

/** The whole of it as JSON; amounts are nanoTON. */
export function governanceJson(governance: Governance, development: boolean): object {
  const { registry, timelock, multisig, queue, nowS, known } = governance
  const { signers } = multisig.view
  const { parametersVersion, pausedUntilS, guardian, offered, kinds } = registry.view
  return {
    ...{ registry: registry.address.toString(), version: parametersVersion, pausedUntilS },
    guardian: guardian.toString(),
    ...(offered ? { offered: offered.toString() } : {}),
    code: Object.fromEntries(ITEM_KINDS.map((kind) => [kind, codeJson(kinds[kind])])),
    prepared: preparedOf(registry.view).map(([of, { codeHash, fromS }]) => {
      return { of, codeHash, fromS, untilS: fromS + REGISTRY_TIMES.applyWithinS }
    }),
    timelock: {
      address: timelock.address.toString(),
      delayS: timelock.view.delayS,
      ...{ executed: timelock.view.executed, failed: timelock.view.failed },
      ...failureJson(timelock.view.failure),
    },
    multisig: {
      address: multisig.address.toString(),
      ...{ threshold: signers.threshold, signers: signers.keys.map(toHex) },
      ...{ orders: multisig.view.seqno, failed: multisig.view.failed },
      ...failureJson(multisig.view.failure),
    },
    queue: queue.map((each) => {
      return { id: each.id, etaS: each.etaS, words: describeQueued(each, nowS, known) }
    }),
    warnings: warningsOf(governance, development),
  }
}

/** The same for a person. */
export function governanceLines(governance: Governance, development: boolean): string[] {
  const { registry, timelock, multisig, queue, nowS, known } = governance
  const { signers } = multisig.view
  const { parametersVersion, guardian, offered } = registry.view
  const { delayS } = timelock.view
  const test = development ? shortDelay(delayS, true) : undefined
  const between = test ?? `${seconds(delayS)} between decision and effect`
  return [
    `registry   ${registry.address}, parameters version ${parametersVersion}`,
    `members    ${membersLine(registry.view, nowS)}`,
    `guardian   ${guardian} (may pause registration, nothing else)`,
    ...(offered ? [`offered    THE REGISTRY, to ${offered}; it rules once it accepts`] : []),
    ...codeLines(registry.view, nowS),
    `timelock   ${timelock.address}, ${between}`,
    ...countLines('executed ', timelock.view.executed, timelock.view),
    `multisig   ${multisig.address}, ${signers.threshold} of ${signers.keys.length} sign`,
    ...countLines('orders   ', multisig.view.seqno, multisig.view),
    ...signers.keys.map((key) => `signer     ${toHex(key)}`),
    ...warningsOf(governance, development).map((line) => `WARNING    ${line}`),
    ...(queue.length === 0
      ? ['queue      empty']
      : queue.flatMap((each) => describeQueued(each, nowS, known))),
  ]
}

function warningsOf(governance: Governance, development: boolean): string[] {
  const short = development ? undefined : shortDelay(governance.timelock.view.delayS, false)
  return [...(short ? [short] : []), ...conflictsOf(governance)]
}

function membersLine({ pausedUntilS }: RegistryView, nowS: number): string {
  if (pausedUntilS > nowS) return `REGISTRATION IS PAUSED until ${time(pausedUntilS)}`
  const restedS = pausedUntilS === 0 ? 0 : pausedUntilS + REGISTRY_TIMES.pauseS
  const rests = restedS > nowS ? `; the guardian may pause again from ${time(restedS)}` : ''
  return `anyone may register${rests}`
}

function codeLines(view: RegistryView, nowS: number): string[] {
  return [
    ...ITEM_KINDS.map((kind) => {
      const { codeVersion, codeHash } = view.kinds[kind]
      return `code       of every ${kind}: version ${codeVersion}, ${codeHash}`
    }),
    ...preparedOf(view).map(
      ([of, { codeHash, fromS }]) =>
        `prepared   for ${nameOf(of)}: ${codeHash}, ${applicable(fromS, nowS)}`,
    ),
  ]
}

/** When prepared code can be applied, and when it lapses. */
export function applicable(fromS: number, nowS: number): string {
  const endS = fromS + REGISTRY_TIMES.applyWithinS
  if (nowS >= endS) return `LAPSED at ${time(endS)}: take it back to prepare other code`
  const from = nowS < fromS ? `from ${time(fromS)} (in ${seconds(fromS - nowS)})` : 'now'
  return `may be applied ${from}, lapses ${time(endS)}`
}

function countLines(
  what: string,
  count: number,
  { failed, failure }: { readonly failed: number; readonly failure?: OperationFailure },
): string[] {
  const line = `${what}  ${count}, of which targets ${failed > 0 ? 'REFUSED' : 'refused'} ${failed}`
  if (!failure) return [line]
  const { atS, exitCode, value } = failure
  const why = `exit code ${exitCode}: ${exitWords(exitCode)}`
  return [line, `refused    last at ${time(atS)}, ${why}; ${formatTon(value)} TON came back`]
}

function preparedOf({ prepared, kinds }: RegistryView): [CodeOf, PreparedCode][] {
  const items = ITEM_KINDS.map((kind) => [kind, kinds[kind].prepared] as const)
  const all = [['registry', prepared] as const, ...items]
  return all.flatMap(([of, each]) => (each ? [[of, each] as [CodeOf, PreparedCode]] : []))
}

function nameOf(of: CodeOf): string {
  return of === 'registry' ? 'the registry itself' : `every ${of}`
}

function codeJson({ codeVersion, codeHash }: RegistryView['kinds']['gpu']): object {
  return { version: codeVersion, codeHash }
}

function failureJson(failure: OperationFailure | undefined): object {
  if (!failure) return {}
  return { failure: { ...failure, reason: exitWords(failure.exitCode) } }
}
