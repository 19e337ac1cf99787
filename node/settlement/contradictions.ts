/**
 * What a payer keeps of a payee's word: the last signed acknowledgement of each channel, and every
 * contradiction between two of them, as the file that opens a case (`contracts/money/README.md`).
 * @module
 */
import { type Bytes, toBase64, toHex, utf8 } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Change, Store } from '../../contracts/base/ports.ts'
import type { Statement } from '../../contracts/money/account.ts'
import { verifyContradiction } from '../../contracts/money/contradiction.ts'
import {
  type ContradictionFile,
  contradictionHash,
  contradictionText,
  readContradiction,
  type SignedAcknowledgement,
} from '../../contracts/money/contradictionFile.ts'

import { channelAddress } from './channelKind.ts'
import type { PayerKeys } from './payerWire.ts'

const LAST = 'acknowledgement'
const KEPT = 'contradiction'

/**
 * What to write with the books for an acknowledgement whose signature was checked: it becomes the
 * last one, unless it contradicts the last: then both are kept for good.
 */
export function witness(
  store: Pick<Store, 'get'>,
  { config, payeeIdentity }: Pick<PayerKeys, 'config' | 'payeeIdentity'>,
  { sequence, cumulative, credit }: Statement,
  signature: Bytes,
): readonly Change[] {
  const said: SignedAcknowledgement = {
    ...{ sequence, cumulative: `${cumulative}`, credit: `${credit}` },
    signature: toBase64(signature),
  }
  const key = channelAddress(config).toRawString()
  const last = store.get(LAST, key)
  if (last) {
    const before: SignedAcknowledgement = JSON.parse(new TextDecoder().decode(last))
    const file: ContradictionFile = {
      ...{ version: 1, network: config.network, signer: toHex(payeeIdentity) },
      ...{ kind: 'acknowledgements', channel: key },
      statements: [before, said],
    }
    if (isProven(file)) return [keep(file)]
  }
  return [{ table: LAST, key, value: utf8(JSON.stringify(said)) }]
}

/** The contradictions in a store, by their hash. */
export function keptContradictions(
  store: Pick<Store, 'list'>,
): readonly { readonly key: string; readonly file: ContradictionFile }[] {
  return store.list(KEPT, { limit: LIMITS.listedItems }).map(([key, value]) => ({
    key,
    file: readContradiction(new TextDecoder().decode(value)),
  }))
}

function keep(file: ContradictionFile): Change {
  const value = utf8(contradictionText(file))
  return { table: KEPT, key: toHex(contradictionHash(file)), value }
}

function isProven(file: ContradictionFile): boolean {
  try {
    verifyContradiction(file, file.network)
    return true
  } catch (error) {
    if (error instanceof MarketError) return false
    throw error
  }
}
