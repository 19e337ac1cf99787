/**
 * Amounts as a person reads and writes them, in the asset that a verb was asked to use.
 * @module
 */
import type { Command } from 'commander'
import type { NamedAsset } from '../../contracts/base/assets.ts'
import { formatUnits } from '../../contracts/base/units.ts'

export interface AssetOptions {
  readonly asset?: string
}

/** `--asset`: on every verb of a client that shows or moves money. */
export function addAsset(command: Command): Command {
  return command.option(
    '--asset <name>',
    'what to pay in: ton, or a jetton of the network by name or minter',
    'ton',
  )
}

/** Formats amounts of an asset with its unit: `1.5 TON`. */
export function amountIn({ decimals, unit }: Pick<NamedAsset, 'decimals' | 'unit'>) {
  return (amount: bigint): string => `${formatUnits(amount, decimals)} ${unit}`
}

/** `ton,usdt-test` as names. */
export function namesIn(text: string): string[] {
  return text.split(',').map((name) => name.trim())
}
