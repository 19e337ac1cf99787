/**
 * What changes from one version of the parameters to another, in words a signer can read.
 * @module
 */
import type { Multipliers } from '../base/terms.ts'
import { formatTon } from '../base/units.ts'
import type { ListedParameters } from './parameters.ts'

/**
 * A line for each change, in the order of the parameters: `window: 256 -> 512`. Version and time do
 * not count. Empty where both say the same.
 *
 * @example
 * describeChanges(inForce, decodeParameters(proposed)).forEach((line) => print(line))
 */
export function describeChanges(before: ListedParameters, after: ListedParameters): string[] {
  const [old, next] = [facts(before), facts(after)]
  const names = new Set([...old.keys(), ...next.keys()])
  return [...names].flatMap((name) => {
    const [was, is] = [old.get(name), next.get(name)]
    if (was === is) return []
    if (was === undefined) return [`${name}: new, ${is}`]
    return [is === undefined ? `${name}: gone (was ${was})` : `${name}: ${was} -> ${is}`]
  })
}

/** Every single fact by its name. */
function facts(parameters: ListedParameters): Map<string, string> {
  const { steps, stakes, disputes, models, images, measurements, assets } = parameters
  const known = new Map<string, string>()
  known.set('window', `${parameters.window} tokens`)
  for (const [of, tokens] of Object.entries(steps)) known.set(`step of ${of}`, `${tokens} tokens`)
  known.set('multipliers', multipliers(parameters.multipliers))
  known.set('least close delay', seconds(parameters.leastCloseDelayS))
  for (const kind of ['provider', 'scheduler', 'gpu'] as const) {
    known.set(`least stake of a ${kind}`, `${formatTon(stakes[kind])} TON`)
  }
  known.set('unbonding', seconds(stakes.unbondingS))
  known.set('time for a verdict', seconds(disputes.verdictS))
  known.set('time for an appeal', seconds(disputes.appealS))
  known.set('least bond of a case', `${formatTon(disputes.leastBond)} TON`)
  known.set('votes for a verdict', `${disputes.threshold} of ${disputes.arbiters.length}`)
  for (const { key, account } of disputes.arbiters) {
    known.set(`arbiter ${key}`, account.toString())
  }
  for (const [id, model] of models) {
    const { weightsHash, tokenizerHash = 'none', quantisation, referenceTick } = model
    const words = `weights ${weightsHash}, tokenizer ${tokenizerHash}, ${quantisation}`
    const prices = `reference tick ${referenceTick}, ${multipliers(model.multipliers)}`
    known.set(`model ${printable(id)}`, `${words}, ${prices}`)
  }
  for (const [hash, { machine, sinceS }] of images) {
    known.set(`measurement ${hash}`, `${machine}, since ${time(sinceS)}`)
  }
  for (const [product, parts] of Object.entries(measurements.leastTcb ?? {})) {
    const least = Object.entries(parts).map(([part, number]) => `${part} ${number}`)
    known.set(`least firmware of ${product}`, least.sort().join(', ') || 'any')
  }
  for (const [minter, { scale, decimals }] of assets) {
    known.set(`asset ${minter}`, `scale ${scale}, ${decimals} decimals`)
  }
  return known
}

function multipliers({ prompt, cachedPrompt, completion, reasoning }: Multipliers): string {
  const answer = `completion ${completion}, reasoning ${reasoning}`
  return `prompt ${prompt}, cached ${cachedPrompt}, ${answer}`
}

/** In quotes, plain characters only: none that turns the line round, or looks like another. */
function printable(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~]/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  )
}

/** `3 d 4 h 5 min 6 s`, without the parts that are zero. */
export function seconds(count: number): string {
  const parts = [
    [Math.floor(count / 86_400), 'd'],
    [Math.floor((count % 86_400) / 3_600), 'h'],
    [Math.floor((count % 3_600) / 60), 'min'],
    [count % 60, 's'],
  ] as const
  const said = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}`)
  return said.join(' ') || '0 s'
}

/** Unix seconds as ISO 8601. */
export function time(unixS: number): string {
  return `${new Date(unixS * 1_000).toISOString().slice(0, 19)}Z`
}
