/**
 * The verdict: what an arbiter signs about a case on chain.
 *
 * The case (`contracts/tolk/dispute`) rebuilds the same cell from its own network, address,
 * evidence and time of opening: a signature counts for one case, one round and one decision.
 * `contracts/wire/records.tlb` is the schema.
 * @module
 */
import type { Address } from '@ton/core'
import type { Bytes } from '../../base/bytes.ts'
import { MarketError } from '../../base/errors.ts'
import type { NanoTon } from '../../base/units.ts'
import { loadBytes, recordCodec, storeAmount, storeBytes, within } from './codec.ts'

/** A decision about a case, as arbiters sign it. */
export interface Verdict {
  readonly network: number
  readonly case: Address
  /** SHA-256 of the contradiction file, 32 bytes. */
  readonly evidence: Bytes
  /** Unix seconds of the case's opening. */
  readonly openedAtS: number
  /** 1, or 2 on appeal. */
  readonly round: number
  readonly uphold: boolean
  /** Proven loss of the challenger; 0 where the case is dismissed. */
  readonly loss: NanoTon
}

export const verdict = recordCodec<Verdict>({
  name: 'verdict',
  tag: 0x938cd079,
  write(builder, value) {
    if (!value.uphold && value.loss !== 0n) throw new MarketError('bad-input', { field: 'loss' })
    storeBytes(builder.storeAddress(value.case), value.evidence, 32)
    builder.storeUint(within(value.openedAtS, 0, 0xffff_ffff), 32)
    builder.storeUint(within(value.round, 1, 2), 8).storeBit(value.uphold)
    return storeAmount(builder, value.loss)
  },
  read: (slice, network) => ({
    network,
    case: slice.loadAddress(),
    evidence: loadBytes(slice, 32),
    openedAtS: slice.loadUint(32),
    round: slice.loadUint(8),
    uphold: slice.loadBit(),
    loss: slice.loadCoins(),
  }),
})
