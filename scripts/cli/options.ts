/**
 * Options that verbs share, and parsers of option values that name the option at fault.
 * @module
 */
import { type Command, InvalidArgumentError } from 'commander'
import { TIERS, type Tier } from '../../contracts/base/tier.ts'
import { parseTon } from '../../contracts/base/units.ts'

/** `--network`, `--home`, `--json`: on every verb that touches the market. */
export function addCommon(command: Command): Command {
  return command
    .option(
      '--network <name|file>',
      'network by name or network.json (default: the localnet); ' +
        'its endpoint’s API key is $CHRYSALIS_TONCENTER_KEY',
    )
    .option('--home <folder>', 'where keys and stores are (default: $CHRYSALIS_HOME, else XDG)')
    .option('--json', 'print one JSON object instead of text')
}

/** A whole number of at least 0. */
export function integerOption(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a whole number is expected')
  return Number(text)
}

const UNITS_S = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

/** Parser of a duration with its unit, as seconds; a bare number is one of `bare`, where given. */
export function durationOption(bare?: keyof typeof UNITS_S): (text: string) => number {
  return (text) => {
    const [, count, unit = bare] = /^(\d{1,9})([smhd])?$/.exec(text) ?? []
    if (count === undefined || unit === undefined) {
      throw new InvalidArgumentError('a duration is expected, like 90m, 36h or 7d')
    }
    return Number(count) * UNITS_S[unit as keyof typeof UNITS_S]
  }
}

/** The number of an operation of a timelock: 64 bits. */
export function operationOption(text: string): bigint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 2n ** 64n) {
    throw new InvalidArgumentError('the number of an operation is expected, like 3')
  }
  return BigInt(text)
}

/** An amount in TON, above 0, as nanoTON. */
export function tonOption(text: string): bigint {
  if (!/^\d{1,10}(\.\d{1,9})?$/.test(text) || parseTon(text) === 0n) {
    throw new InvalidArgumentError('an amount in TON is expected, like 1.5')
  }
  return parseTon(text)
}

/** The id of a network: a signed 32-bit integer. */
export function networkIdOption(text: string): number {
  const id = Number(text)
  if (!/^-?\d{1,10}$/.test(text) || (id | 0) !== id) {
    throw new InvalidArgumentError('a signed 32-bit integer is expected')
  }
  return id
}

/** A TCP port; 0 for any. */
export function portOption(text: string): number {
  const port = integerOption(text)
  if (port > 65_535) throw new InvalidArgumentError('a port is at most 65535')
  return port
}

/** A tier by name. */
export function tierOption(text: string): Tier {
  const tier = TIERS.find((each) => each === text)
  if (!tier) throw new InvalidArgumentError(`one of ${TIERS.join(', ')} is expected`)
  return tier
}
