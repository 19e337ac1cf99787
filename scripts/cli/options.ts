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
