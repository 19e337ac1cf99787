/**
 * Accounts that members, items and the registry lately dealt with, and what code they run: how
 * contracts are found that nothing on chain lists.
 * @module
 */
import { Address } from '@ton/core'
import { toHex } from '../../contracts/base/bytes.ts'
import { asMarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'

/** An active account that was found, as it was looked at. */
export interface FoundAccount {
  readonly address: Address
  readonly balance: NanoTon
  /** Lower-case hex. */
  readonly codeHash: string
}

/**
 * Active accounts that appear in the last `LIMITS.chainPage` transactions of each of `watched`,
 * each once, without those watched themselves and `besides`; `LIMITS.auditedAccounts` are looked
 * at.
 */
export async function accountsAround(
  chain: Chain,
  watched: readonly Address[],
  besides: readonly Address[],
  signal?: AbortSignal,
): Promise<readonly FoundAccount[]> {
  const known = new Set([...watched, ...besides].map((each) => each.toRawString()))
  const around = new Set<string>()
  for (const address of watched) {
    const recent = await chain.transactions(address, LIMITS.chainPage).catch((thrown: unknown) => {
      // An account that has never sent anything has no transactions to show.
      if (asMarketError(thrown).code === 'chain-unavailable') throw thrown
      return []
    })
    for (const { in: message, out } of recent) {
      const texts = [message.source, ...out.map(({ destination }) => destination)]
      for (const text of texts) if (text && !known.has(text)) around.add(text)
    }
  }
  const found: FoundAccount[] = []
  for (const text of [...around].slice(0, LIMITS.auditedAccounts)) {
    const address = Address.parse(text)
    const { status, balance, codeHash } = await chain.account(address, signal)
    if (status === 'active' && codeHash) found.push({ address, balance, codeHash: toHex(codeHash) })
  }
  return found
}

/**
 * What a contract answers, or undefined where it is not what its code or its owner says: anyone may
 * deploy the pinned code over data of their own. Throws `chain-unavailable`.
 */
export async function answerOf<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read
  } catch (thrown) {
    const { code } = asMarketError(thrown)
    if (['contract-failed', 'no-case', 'bad-frame', 'bad-input'].includes(code)) return undefined
    throw thrown
  }
}
