/**
 * A case in words, and as JSON: what it is about, how it stands, who may do what until when.
 * @module
 */
import { toHex } from '../../contracts/base/bytes.ts'
import { formatTon } from '../../contracts/base/units.ts'
import type { Contradiction } from '../../contracts/money/contradiction.ts'
import type { CaseView, Ruling } from '../../contracts/wrappers/Dispute.ts'

/** A case as JSON: addresses as text, amounts as they are. */
export function caseJson(address: string, view: CaseView): object {
  const { config, evidence, terms, ...rest } = view
  return {
    address,
    ...rest,
    registry: config.registry.toString(),
    challenger: config.challenger.toString(),
    accused: {
      kind: config.accused.kind,
      owner: config.accused.owner.toString(),
      ...(terms ? { item: terms.accused.toString() } : {}),
    },
    evidence: toHex(evidence),
    ...(terms
      ? {
          untilS: terms.untilS,
          needed: terms.needed,
          neededOnAppeal: terms.neededOnAppeal,
          arbiters: terms.rules.arbiters.map(({ key, account }) => ({
            key,
            account: account.toString(),
          })),
        }
      : {}),
  }
}

/** Lines for a person. `nowS` is the chain's time. */
export function caseLines(address: string, view: CaseView, nowS: number): readonly string[] {
  const { config, terms, frozen, amount, bond, appealBond, first, second } = view
  return [
    `case        ${address}`,
    `state       ${view.state}: ${nextStep(view, nowS)}`,
    `evidence    ${toHex(view.evidence)}`,
    `challenger  ${config.challenger.toString()}, bond ${formatTon(bond)} TON`,
    `accused     ${config.accused.kind} of ${config.accused.owner.toString()}` +
      (terms ? `, item ${terms.accused.toString()}` : ''),
    `frozen      ${formatTon(frozen)} of ${formatTon(amount)} TON asked for` +
      (terms ? `, until ${dateOf(terms.untilS)} at most` : ''),
    ...(first ? [`verdict     ${rulingWords(first)}`] : []),
    ...(appealBond > 0n ? [`appeal      bond ${formatTon(appealBond)} TON`] : []),
    ...(second ? [`on appeal   ${rulingWords(second)}`] : []),
  ]
}

/** A contradiction for a person. */
export function contradictionLines(found: Contradiction): readonly string[] {
  const { signer, role, proved, lossAtMost, asset, hash } = found
  const amount = asset === 'ton' ? `${formatTon(lossAtMost)} TON` : `${lossAtMost} base units`
  return [
    `signer      ${signer}, as ${role}`,
    `proved      ${proved}`,
    `loss        at most ${amount}${asset === 'of the channel' ? ' of the channel’s asset' : ''}`,
    `evidence    ${toHex(hash)}`,
  ]
}

export function dateOf(atS: number): string {
  return new Date(atS * 1000).toISOString().replace('.000', '')
}

function rulingWords({ uphold, loss }: Ruling): string {
  return uphold ? `upheld, loss ${formatTon(loss)} TON` : 'dismissed'
}

function nextStep(view: CaseView, nowS: number): string {
  const { state, deadlineS, terms } = view
  const isOpen = nowS < deadlineS
  const until = `until ${dateOf(deadlineS)}`
  const conclude = 'over: anyone may conclude it'
  switch (state) {
    case 'asked':
      return isOpen ? `the registry answers ${until}` : conclude
    case 'opened':
      return isOpen ? `the accused item answers ${until}` : conclude
    case 'tried':
      return isOpen ? `${terms?.needed} arbiters decide ${until}` : conclude
    case 'judged':
      return isOpen ? `the loser may appeal ${until}` : conclude
    case 'appealed':
      return isOpen ? `${terms?.neededOnAppeal} arbiters decide ${until}` : conclude
    case 'final':
      return 'decided: anyone may conclude it'
    case 'concluded':
      return 'paid, and told the registry; it may be told again'
    case 'void':
      return 'ended without a decision: refused, nothing frozen, or no answer'
    case 'blank':
      return 'never opened'
  }
}
