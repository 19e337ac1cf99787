/**
 * What the fuzzer of `test/support` lacks: JSON that is broken in its values instead of its bytes,
 * and decoders that are asynchronous.
 * @module
 */
import { type Bytes, toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import {
  type FuzzReport,
  type FuzzTarget,
  fuzz as fuzzed,
  mulberry32,
  mutated,
} from '../support/fuzz.ts'
import { heldBytes } from '../support/heap.ts'

/** Values that readers of JSON like least. */
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, Infinity, NaN],
  ...['', '0', '__proto__', 'constructor', 'toString', 'A'.repeat(70_000), '\u0000', '\ud800'],
  ...[[], {}, [[]], [{}], [null], { toString: null }, { length: 3 }],
  JSON.parse('{"__proto__":{"a":1}}'),
]
const KEYS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '', 'type', 'id']

/**
 * A document whose values were changed as `recipe` says: which document, then for each further
 * group of three bytes where and what. Every recipe gives JSON, so that parsers are reached.
 */
export function brokenJson(documents: readonly unknown[], recipe: Bytes): unknown {
  const text = JSON.stringify(documents[(recipe[0] ?? 0) % documents.length])
  let root: unknown = JSON.parse(text)
  for (let at = 1; at + 2 < recipe.length && at < 16; at += 3) {
    const [where, what, how] = [recipe[at]!, recipe[at + 1]!, recipe[at + 2]!]
    root = edited(root, where, how, structuredClone(VALUES[what % VALUES.length]))
  }
  return root
}

/** Walks down by `where`, then replaces, removes, adds or repeats. */
function edited(root: unknown, where: number, how: number, value: unknown): unknown {
  let holder = root
  for (let rest = where; ; rest >>= 2) {
    if (typeof holder !== 'object' || holder === null) return value
    const keys = Object.keys(holder)
    const key = keys[rest % Math.max(1, keys.length)]
    const next = key === undefined ? undefined : Reflect.get(holder, key)
    if (typeof next === 'object' && next !== null && rest > 0) {
      holder = next
      continue
    }
    change(holder, key, how, value)
    return root
  }
}

function change(holder: object, key: string | undefined, how: number, value: unknown): void {
  const set = (name: string, to: unknown) =>
    Object.defineProperty(holder, name, {
      value: to,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  if (how % 4 === 0 && key !== undefined && !Array.isArray(holder))
    Reflect.deleteProperty(holder, key)
  else if (how % 4 === 1) set(Array.isArray(holder) ? '0' : KEYS[(how >> 2) % KEYS.length]!, value)
  else if (how % 4 === 2 && Array.isArray(holder)) {
    for (let i = 0; i < how % 32; i++) holder.push(structuredClone(holder[0] ?? value))
  } else if (key !== undefined) set(key, value)
}

/** Growth of the heap that is still no leak. */
const MOST_HEAP = 32 * 1024 * 1024
/** A decoder that takes this long hangs; less may be a busy machine, which looks thrice. */
const MOST_MS = 1_000

/** `fuzz` of `test/support`, patient with a campaign beside other work. */
export function fuzz(target: FuzzTarget): FuzzReport {
  return fuzzed({ mostMs: MOST_MS, ...target })
}

/** As `fuzz` of `test/support`, for a decoder that is awaited. */
export async function fuzzAsync(target: {
  readonly name: string
  readonly corpus: readonly Bytes[]
  readonly decode: (input: Bytes) => Promise<unknown>
  readonly inputs: number
}): Promise<FuzzReport> {
  const { name } = target
  const inputs = Number(process.env.FUZZ_INPUTS ?? target.inputs)
  const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32))
  const draw = mulberry32(seed)
  const warm = Math.min(inputs, 1_000)
  let [accepted, slowestMs, before] = [0, 0, 0]
  for (let i = 0; i < inputs; i++) {
    if (i === warm) before = heldBytes()
    const input = mutated(target.corpus, draw)
    const start = process.cpuUsage() // the processor's time: others may keep it busy
    const error = await target.decode(input).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    const { user, system } = process.cpuUsage(start)
    slowestMs = Math.max(slowestMs, (user + system) / 1_000)
    if (slowestMs > MOST_MS) throw new Error(`${name}: ${slowestMs} ms (seed ${seed}, input ${i})`)
    if (error === undefined) accepted++
    else if (!(error instanceof MarketError) || error.code === 'internal') {
      const text = `${name}: ${error} (seed ${seed}, input ${i}) on ${toHex(input.slice(0, 4_096))}`
      throw new Error(text, { cause: error })
    }
  }
  const heapGrowthBytes = inputs > warm ? heldBytes() - before : 0
  if (heapGrowthBytes > MOST_HEAP) throw new Error(`${name}: heap grew by ${heapGrowthBytes}`)
  return { name, seed, inputs, accepted, refused: inputs - accepted, slowestMs, heapGrowthBytes }
}

/** One line a target, so that a campaign's figures can be read off. */
export function tell(report: FuzzReport): FuzzReport {
  const { name, seed, inputs, accepted, refused, slowestMs, heapGrowthBytes } = report
  const growth = (heapGrowthBytes / 2 ** 20).toFixed(1)
  console.log(
    `${name}: ${inputs} inputs, ${accepted} accepted, ${refused} refused, ` +
      `slowest ${slowestMs.toFixed(1)} ms, heap ${growth} MiB, seed ${seed}`,
  )
  return report
}
