/**
 * A value that redacts itself: prompts, answers, seeds, private keys, API keys, passphrases.
 *
 * Whoever prints, joins, serialises, spreads, clones or inspects a `Secret` or its holder gets
 * its label and never its value; the only way to the value is to write `reveal()`, which is easy to
 * find in a review. It is a class because only `#value` is out of reach of inspection (and of
 * `structuredClone`, `v8.serialize`, `Object.keys`). It does not keep a value out of memory: `wipe`
 * says what can be erased.
 * @module
 */
import { MarketError } from './errors.ts'

/** What node:util looks for when it prints an object; `contracts` imports nothing to name it. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

export class Secret<T> {
  #value: T
  #wiped = false
  readonly #label: string

  /** Use `secret`. */
  constructor(label: string, value: T) {
    this.#label = label
    this.#value = value
    Object.freeze(this)
  }

  /** The value. Do not keep it, print it, or put it in an error. Throws `internal` once wiped. */
  reveal(): T {
    if (this.#wiped) throw new MarketError('internal', { secret: this.#label, wiped: true })
    return this.#value
  }

  /** Another secret made of this one; the label says of what. */
  map<U>(label: string, make: (value: T) => U): Secret<U> {
    return new Secret(label, make(this.reveal()))
  }

  /**
   * Ends it: bytes are overwritten with zeroes where they lie; text, which JavaScript cannot
   * overwrite, is let go for the garbage collector. `reveal` throws from now on.
   */
  wipe(): void {
    if (this.#value instanceof Uint8Array) this.#value.fill(0)
    this.#wiped = true
    this.#value = undefined as T // nothing reads it any more
  }

  toString(): string {
    return `[secret ${this.#label}]`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.toPrimitive](): string {
    return this.toString()
  }

  get [Symbol.toStringTag](): string {
    return 'Secret'
  }

  [INSPECT](): string {
    return this.toString()
  }
}

/**
 * A secret; `label` says what kind of thing it is, and is printed.
 *
 * @example
 * const passphrase = secret('passphrase', 'correct horse')
 * `${passphrase}` // '[secret passphrase]'
 * passphrase.reveal() // 'correct horse'
 */
export function secret<T>(label: string, value: T): Secret<T> {
  return new Secret(label, value)
}
