/**
 * Two small classifiers that tell one topic from another, and how well they do.
 *
 * Logistic regression sees what adds up, boosted stumps (AdaBoost) what has thresholds. Both are
 * trained on four fifths of the samples and scored on the rest, five times over; the figure is the
 * area under the ROC curve of the scores, 0.5 for chance and 1 for certainty. Seeded.
 * @module
 */

export interface Sample {
  readonly features: readonly number[]
  /** True for the second topic. */
  readonly label: boolean
  /** Samples that were matched with each other share a group, and are never on both sides. */
  readonly group: number
}

/** A trained classifier: the higher, the rather the second topic. */
type Score = (features: readonly number[]) => number
type Train = (samples: readonly Sample[]) => Score

const FOLDS = 5
const STUMPS = 60
const STEPS = 150
const RATE = 0.5
const DECAY = 0.01

/** AUC of each classifier, by cross-validation. `draw` gives numbers in [0, 1). */
export function classify(samples: readonly Sample[], draw: () => number) {
  const groups = shuffle([...new Set(samples.map(({ group }) => group))], draw)
  const folds = new Map(groups.map((group, i) => [group, i % FOLDS]))
  const foldOf = ({ group }: Sample) => folds.get(group)!
  return {
    logistic: validated(samples, foldOf, logistic),
    stumps: validated(samples, foldOf, stumps),
  }
}

/** Area under the ROC curve: how often one of the second topic scores above one of the first. */
export function auc(scored: readonly { readonly score: number; readonly label: boolean }[]) {
  const sorted = scored.toSorted((a, b) => a.score - b.score)
  let positives = 0
  let rankSum = 0
  for (let from = 0; from < sorted.length; ) {
    let to = from
    while (to < sorted.length && sorted[to]!.score === sorted[from]!.score) to++
    const rank = (from + 1 + to) / 2 // ties share their ranks
    const hits = sorted.slice(from, to).filter(({ label }) => label).length
    positives += hits
    rankSum += hits * rank
    from = to
  }
  const negatives = sorted.length - positives
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
}

function validated(
  samples: readonly Sample[],
  foldOf: (sample: Sample) => number,
  train: Train,
): number {
  let total = 0
  for (let fold = 0; fold < FOLDS; fold++) {
    const score = train(samples.filter((sample) => foldOf(sample) !== fold))
    const held = samples.filter((sample) => foldOf(sample) === fold)
    total += auc(held.map(({ features, label }) => ({ score: score(features), label })))
  }
  return total / FOLDS
}

const logistic: Train = (samples) => {
  const scale = standard(samples)
  const rows = samples.map(({ features, label }) => ({ x: scale(features), y: label ? 1 : 0 }))
  const width = rows[0]!.x.length
  const weights = new Array<number>(width).fill(0)
  let bias = 0
  const score = (x: readonly number[]) => x.reduce((sum, v, i) => sum + v * weights[i]!, bias)
  for (let step = 0; step < STEPS; step++) {
    const slope = new Array<number>(width).fill(0)
    let biasSlope = 0
    for (const { x, y } of rows) {
      const error = 1 / (1 + Math.exp(-score(x))) - y
      biasSlope += error
      for (let i = 0; i < width; i++) slope[i]! += error * x[i]!
    }
    bias -= (RATE * biasSlope) / rows.length
    for (let i = 0; i < width; i++) {
      weights[i]! -= RATE * (slope[i]! / rows.length + DECAY * weights[i]!)
    }
  }
  return (features) => score(scale(features))
}

/** To mean 0 and deviation 1, by the training samples; what never varies becomes 0. */
function standard(samples: readonly Sample[]): (features: readonly number[]) => number[] {
  const width = samples[0]!.features.length
  const columns = Array.from({ length: width }, (_, i) => samples.map((s) => s.features[i]!))
  const means = columns.map((column) => column.reduce((a, b) => a + b, 0) / column.length)
  const spreads = columns.map((column, i) =>
    Math.sqrt(column.reduce((sum, v) => sum + (v - means[i]!) ** 2, 0) / column.length),
  )
  return (features) => features.map((v, i) => (spreads[i]! ? (v - means[i]!) / spreads[i]! : 0))
}

interface Stump {
  readonly feature: number
  readonly above: number
  readonly weight: number
}

const stumps: Train = (samples) => {
  const signs = samples.map(({ label }) => (label ? 1 : -1))
  const width = samples[0]!.features.length
  const orders = Array.from({ length: width }, (_, feature) =>
    samples.map((_, i) => i).sort((a, b) => at(samples, a, feature) - at(samples, b, feature)),
  )
  let weights = samples.map(() => 1 / samples.length)
  const chosen: Stump[] = []
  for (let round = 0; round < STUMPS; round++) {
    const { feature, above, edge } = bestStump(samples, signs, weights, orders)
    if (Math.abs(edge) < 1e-9) break
    const bounded = Math.max(-0.999, Math.min(0.999, edge))
    const weight = Math.log((1 + bounded) / (1 - bounded)) / 2
    chosen.push({ feature, above, weight })
    const moved = weights.map((w, i) => {
      const side = at(samples, i, feature) > above ? 1 : -1
      return w * Math.exp(-weight * side * signs[i]!)
    })
    const total = moved.reduce((a, b) => a + b, 0)
    weights = moved.map((w) => w / total)
  }
  return (features) =>
    chosen.reduce((sum, s) => sum + (features[s.feature]! > s.above ? s.weight : -s.weight), 0)
}

/** The threshold with the greatest weighted edge over chance, of either sign. */
function bestStump(
  samples: readonly Sample[],
  signs: readonly number[],
  weights: readonly number[],
  orders: readonly (readonly number[])[],
) {
  let best = { feature: 0, above: 0, edge: 0 }
  const all = signs.reduce((sum, sign, i) => sum + sign * weights[i]!, 0)
  for (const [feature, order] of orders.entries()) {
    let edge = all
    for (let k = 0; k + 1 < order.length; k++) {
      edge -= 2 * signs[order[k]!]! * weights[order[k]!]!
      const low = at(samples, order[k]!, feature)
      const high = at(samples, order[k + 1]!, feature)
      if (low < high && Math.abs(edge) > Math.abs(best.edge)) {
        best = { feature, above: (low + high) / 2, edge }
      }
    }
  }
  return best
}

function at(samples: readonly Sample[], sample: number, feature: number): number {
  return samples[sample]!.features[feature]!
}

function shuffle<T>(values: readonly T[], draw: () => number): T[] {
  const out = [...values]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1))
    ;[out[i], out[j]] = [out[j]!, out[i]!]
  }
  return out
}
