/**
 * Cases that were found, and what the open ones hold frozen, by whom they accuse.
 *
 * Nothing lists cases: those are found that the registry, and items with frozen stake, lately dealt
 * with. A case counts where its address follows from its own configuration and its registry is this
 * one; the code alone proves nothing.
 * @module
 */
import { Address } from '@ton/core'
import type { Chain } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import type { ItemKind } from '../../contracts/wrappers/bondedItem.ts'
import {
  type CaseState,
  type CaseView,
  caseAddress,
  DISPUTE_CODE_HASH,
  readCase,
  readCaseSolvency,
} from '../../contracts/wrappers/Dispute.ts'
import { answerOf, type FoundAccount } from './chainAccounts.ts'

/** Open cases against one item. */
export interface AccusedSums {
  readonly kind: ItemKind
  readonly owner: string
  readonly open: number
  readonly frozen: NanoTon
  /** Addresses of the open cases. */
  readonly cases: readonly string[]
}

export interface CaseSums {
  readonly found: number
  /** Neither concluded nor void. */
  readonly open: number
  /** Of items' stakes, by open cases whose time is not over. */
  readonly frozen: NanoTon
  readonly accused: readonly AccusedSums[]
  /** Open cases that do not cover their bonds. */
  readonly insolvent: readonly string[]
}

const ENDED: readonly CaseState[] = ['blank', 'concluded', 'void']

/** Reads those of the accounts that are cases of `registry`. Throws `chain-unavailable`. */
export async function sumCases(
  chain: Chain,
  registry: Address,
  accounts: readonly FoundAccount[],
  nowS: number,
): Promise<CaseSums> {
  const found: { readonly address: string; readonly view: CaseView }[] = []
  for (const { address, codeHash } of accounts) {
    if (codeHash !== DISPUTE_CODE_HASH) continue
    const view = await answerOf(readCase(chain, address))
    const isOurs = view?.config.registry.equals(registry)
    if (view && isOurs && caseAddress(view.config).equals(address)) {
      found.push({ address: address.toString(), view })
    }
  }
  const open = found.filter(({ view }) => !ENDED.includes(view.state))
  const insolvent: string[] = []
  const accused = new Map<string, AccusedSums>()
  for (const { address: at, view } of open) {
    const solvency = await answerOf(readCaseSolvency(chain, Address.parse(at)))
    if (solvency && !solvency.solvent) insolvent.push(at)
    const { kind, owner, key } = view.config.accused
    const name = `${kind} ${owner} ${key?.toString() ?? ''}`
    const before = accused.get(name)
    accused.set(name, {
      ...{ kind, owner: owner.toString(), open: (before?.open ?? 0) + 1 },
      frozen: (before?.frozen ?? 0n) + frozenBy(view, nowS),
      cases: [...(before?.cases ?? []), at],
    })
  }
  const frozen = open.reduce((sum, { view }) => sum + frozenBy(view, nowS), 0n)
  const sums = { found: found.length, open: open.length, frozen }
  return { ...sums, accused: [...accused.values()], insolvent }
}

/** A freeze lapses by itself, whatever becomes of its case. */
function frozenBy({ frozen, terms }: CaseView, nowS: number): NanoTon {
  return terms && nowS < terms.untilS ? frozen : 0n
}
