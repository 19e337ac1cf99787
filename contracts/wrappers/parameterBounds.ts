/**
 * Bounds of the market's parameters: what the registry refuses to put into force.
 *
 * The same numbers as contracts/tolk/registry/bounds.tolk; a test tries each edge on the contract.
 * What the contract cannot look at for little gas (the lists) is bounded here only.
 * @module
 */
import { Address } from '@ton/core'
import { MarketError } from '../base/errors.ts'
import { LIMITS } from '../base/limits.ts'
import type { DisputeRules, MarketParameters } from '../base/marketParameters.ts'
import { TICKS } from '../base/terms.ts'
import { TON } from '../base/units.ts'

const HOUR_S = 3_600
const DAY_S = 86_400

export const PARAMETER_BOUNDS = {
  /** Completion tokens paid ahead: a million is more than any model's answer. */
  window: { least: 1, most: 1 << 20 },
  /** Tokens billed together: a step is what the last one may be overcharged by. */
  step: { least: 1, most: 4_096 },
  /** A payee must be able to claim between start and end of a close. */
  leastCloseDelayS: { least: HOUR_S, most: 30 * DAY_S },
  /** Entering the list costs so much: free entries would be endless. */
  stake: { least: TON, most: 1_000_000n * TON },
  /** A day shorter than the delay of an upgrade: who does not like the next code can leave. */
  unbondingS: { least: HOUR_S, most: 29 * DAY_S },
  /** Twice a verdict, an appeal and a day is the longest that a stake is frozen: 36 days. */
  verdictS: { least: HOUR_S, most: 14 * DAY_S },
  appealS: { least: HOUR_S, most: 7 * DAY_S },
  /** A case costs work of its arbiters; a bond that nobody has would end all cases. */
  leastBond: { least: TON / 10n, most: 10_000n * TON },
  /** Signatures that one transaction checks at the plain price. */
  arbiters: 10,
  models: LIMITS.listedModels,
  images: LIMITS.listedImages,
  assets: LIMITS.listedAssets,
} as const

/** From the last deadline of a case to the end of its freeze (`CONCLUDE_S` in protocol.tolk). */
export const CONCLUDE_S = DAY_S

/** The longest a case can last, and a stake be frozen for it, seconds. */
export function longestCaseS({ verdictS, appealS }: DisputeRules): number {
  return 2 * verdictS + appealS + CONCLUDE_S
}

/** Throws `bad-input` naming the first field that is out of its bounds. */
export function checkParameters(parameters: MarketParameters): void {
  const { steps, multipliers, stakes, disputes } = parameters
  within('version', parameters.version, { least: 1, most: 0xffff_ffff })
  within('sinceS', parameters.sinceS, { least: 0, most: 0xffff_ffff })
  within('window', parameters.window, PARAMETER_BOUNDS.window)
  for (const [name, step] of Object.entries(steps)) {
    within(`steps.${name}`, step, PARAMETER_BOUNDS.step)
  }
  checkMultipliers('multipliers', multipliers)
  within('leastCloseDelayS', parameters.leastCloseDelayS, PARAMETER_BOUNDS.leastCloseDelayS)
  for (const kind of ['provider', 'scheduler', 'gpu'] as const) {
    within(`stakes.${kind}`, stakes[kind], PARAMETER_BOUNDS.stake)
  }
  within('stakes.unbondingS', stakes.unbondingS, PARAMETER_BOUNDS.unbondingS)
  checkDisputes(disputes)
  checkLists(parameters)
}

function checkDisputes(disputes: DisputeRules): void {
  const { arbiters, threshold } = disputes
  within('disputes.verdictS', disputes.verdictS, PARAMETER_BOUNDS.verdictS)
  within('disputes.appealS', disputes.appealS, PARAMETER_BOUNDS.appealS)
  within('disputes.leastBond', disputes.leastBond, PARAMETER_BOUNDS.leastBond)
  within('disputes.arbiters', arbiters.length, { least: 1, most: PARAMETER_BOUNDS.arbiters })
  within('disputes.threshold', threshold, { least: 1, most: arbiters.length })
  for (const { key, account } of arbiters) {
    checkHash('disputes.arbiters.key', key)
    if (!Address.isAddress(account)) throw wrong('disputes.arbiters.account', 'an address')
  }
  const keys = new Set(arbiters.map(({ key }) => key))
  if (keys.size < arbiters.length) throw wrong('disputes.arbiters', 'a key of its own for each')
}

function checkLists({ models, measurements, assets, version }: MarketParameters): void {
  within('models', models.size, { least: 0, most: PARAMETER_BOUNDS.models })
  within('measurements', measurements.list.length, { least: 0, most: PARAMETER_BOUNDS.images })
  within('assets', assets.size, { least: 0, most: PARAMETER_BOUNDS.assets })
  if (measurements.version !== version) throw wrong('measurements.version', `${version}`)
  for (const measurement of measurements.list) checkHash('measurements', measurement)
  for (const [id, model] of models) {
    within(`models.${id}.id`, Buffer.byteLength(id), { least: 1, most: 127 })
    checkHash(`models.${id}.weightsHash`, model.weightsHash)
    if (model.tokenizerHash !== undefined) {
      checkHash(`models.${id}.tokenizerHash`, model.tokenizerHash)
      if (/^0*$/.test(model.tokenizerHash)) throw wrong(`models.${id}.tokenizerHash`, 'no zeros')
    }
    if (!/^[!-~]{1,16}$/.test(model.quantisation)) {
      throw wrong(`models.${id}.quantisation`, '1 to 16 printable ASCII characters')
    }
    within(`models.${id}.referenceTick`, model.referenceTick, { least: 0, most: TICKS - 1 })
    checkMultipliers(`models.${id}.multipliers`, model.multipliers)
  }
  for (const [minter, { scale, decimals }] of assets) {
    within(`assets.${minter}.scale`, scale, { least: 1n, most: (1n << 64n) - 1n })
    within(`assets.${minter}.decimals`, decimals, { least: 0, most: 30 })
  }
}

function checkMultipliers(field: string, multipliers: MarketParameters['multipliers']): void {
  for (const [name, parts] of Object.entries(multipliers)) {
    within(`${field}.${name}`, parts, { least: 0, most: 0xffff })
  }
}

function checkHash(field: string, hash: string): void {
  if (!/^[0-9a-f]{64}$/.test(hash)) throw wrong(field, '64 lower-case hex digits')
}

function within<N extends number | bigint>(
  field: string,
  value: N,
  { least, most }: { readonly least: N; readonly most: N },
): void {
  const whole = typeof value === 'bigint' || Number.isInteger(value)
  if (!whole || value < least || value > most) throw wrong(field, `${least} to ${most}`)
}

function wrong(parameters: string, expected: string): MarketError {
  return new MarketError('bad-input', { parameters, expected })
}
