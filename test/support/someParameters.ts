/**
 * Parameters of a market for tests: every list has something in it, every figure is in its bounds.
 * @module
 */
import { Address } from '@ton/core'
import { toHex, utf8 } from '../../contracts/base/bytes.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import type { ListedParameters } from '../../contracts/wrappers/parameters.ts'

/** A hash that depends on its name alone. */
export const hashOf = (name: string): string => toHex(sha256(utf8(name)))
/** An account of nobody that depends on its name alone. */
export const someAddress = (name: string): Address =>
  new Address(0, Buffer.from(sha256(utf8(name))))

const multipliers = { prompt: 2_500, cachedPrompt: 250, completion: 10_000, reasoning: 10_000 }

/** Version 1 with `models` models; `change` replaces what a test is about. */
export function someParameters(
  change: Partial<ListedParameters> = {},
  models = 2,
): ListedParameters {
  const version = change.version ?? 1
  const images = new Map([
    [hashOf('a tdx image'), { machine: 'tdx', sinceS: 1_780_000_000 }],
    [hashOf('a snp image'), { machine: 'sev-snp', sinceS: 0 }],
  ] as const)
  return {
    ...{ version, sinceS: 0, window: 256, multipliers, leastCloseDelayS: 86_400 },
    steps: { prompt: 64, cachedPrompt: 64, completion: 32 },
    stakes: { provider: 50n * TON, scheduler: 100n * TON, gpu: 20n * TON, unbondingS: 14 * 86_400 },
    disputes: {
      ...{ verdictS: 7 * 86_400, appealS: 3 * 86_400, leastBond: 5n * TON, threshold: 2 },
      arbiters: ['first', 'second', 'third'].map((name) => ({
        key: hashOf(`${name} arbiter`),
        account: someAddress(`${name} arbiter`),
      })),
    },
    models: new Map(
      Array.from({ length: models }, (_, i) => [
        `models/number-${i}`,
        {
          weightsHash: hashOf(`weights ${i}`),
          ...(i % 2 === 0 ? { tokenizerHash: hashOf(`tokenizer ${i}`) } : {}),
          ...{ quantisation: 'Q4_K_M', referenceTick: i % 96, multipliers },
        },
      ]),
    ),
    images,
    measurements: {
      version,
      list: [...images.keys()].sort(),
      leastTcb: { Milan: { bootloader: 4, snp: 23, microcode: 213 }, Turin: { fmc: 1, tee: 1 } },
    },
    assets: new Map([
      ['ton', { scale: 1_000_000n, decimals: 9 }],
      [`0:${hashOf('a minter')}`, { scale: 1_000n, decimals: 6 }],
    ]),
    ...change,
  }
}
