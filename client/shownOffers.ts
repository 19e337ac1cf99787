/**
 * What a connection was last shown on offer: a scheduler that lists one model and leases another
 * under its name is noticed.
 * @module
 */
import type { OfferedModel } from './types.ts'

/**
 * Weight hashes (hex) of the models that this connection was last shown on offer: what a lease
 * names under the same name has to be one of them.
 */
export interface ShownOffers {
  hashesOf(model: string): readonly string[] | undefined
  /** After a difference was told: the owner knows, and a model that changed is not lost. */
  forget(model: string): void
}

/** Nothing was shown yet. */
export function shownOffers() {
  let offers = new Map<string, string[]>()
  const shown: ShownOffers = {
    hashesOf: (model) => offers.get(model),
    forget: (model) => void offers.delete(model),
  }
  const remember = (listed: readonly OfferedModel[]) => {
    const byModel = Map.groupBy(listed, ({ model }) => model)
    offers = new Map([...byModel].map(([model, each]) => [model, each.map((e) => e.modelHash)]))
    return listed
  }
  return { shown, remember }
}
