/**
 * Looks up the blocks that evidence names, on the client's own access to the chain: what makes
 * evidence fresh is nobody else's word (contracts/attest/README.md, "Freshness").
 *
 * A block that was found is remembered, since masterchain blocks are final; whoever asks for the
 * same one at the same time shares the question. Everything that leaves the answer open is
 * `evidence-unchecked`, and nothing is sent.
 * @module
 */
import type { Claims } from '../contracts/attest/document.ts'
import { equal } from '../contracts/base/bytes.ts'
import { chainTime } from '../contracts/base/chainTime.ts'
import { type Facts, MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import type { Chain, ChainBlock, Clock } from '../contracts/base/ports.ts'

export interface FreshBlocks {
  /**
   * The block of the number that the claims name; the verifier compares. Throws `evidence-block`
   * where the chain is not that far, `evidence-unchecked` where it cannot tell.
   */
  look(claims: Claims): Promise<ChainBlock>
  /** Unix milliseconds: this machine's time, and at least that of the last block seen. */
  nowMs(): number
}

export interface FreshBlocksDeps {
  readonly chain: Pick<Chain, 'block' | 'lastBlock'>
  readonly clock: Clock
}

/** An empty memory of blocks over a chain. */
export function freshBlocks({ chain, clock }: FreshBlocksDeps): FreshBlocks {
  const time = chainTime(clock)
  const known = new Map<number, ChainBlock>()
  const asking = new Map<number, Promise<ChainBlock>>()

  const ask = async (seqno: number): Promise<ChainBlock> => {
    const [block, last] = await inTime(clock, (signal) =>
      Promise.all([chain.block(seqno, signal), chain.lastBlock(signal)]),
    ).catch((cause: unknown) => {
      throw unchecked('the chain did not answer', { seqno }, cause)
    })
    time.seen(last.atS)
    if (!block) throw missing(seqno, last.seqno)
    known.delete(seqno)
    if (known.size >= LIMITS.freshBlocks) known.delete(known.keys().next().value!)
    known.set(seqno, block)
    return block
  }

  return {
    nowMs: time.nowMs,
    async look(claims) {
      const seqno = claims.freshSeqno
      const found = known.get(seqno)
      // What differs is asked for anew: a development network may have been set back since.
      if (found && isNamed(found, claims)) return found
      const running = asking.get(seqno)
      if (running) return running
      const started = ask(seqno).finally(() => asking.delete(seqno))
      asking.set(seqno, started)
      return started
    },
  }
}

function isNamed({ hash, atS }: ChainBlock, { freshBlock, freshAtS }: Claims): boolean {
  return equal(hash, freshBlock) && atS === freshAtS
}

/** Why there is no block of this number, by how far the chain is. */
function missing(seqno: number, last: number): MarketError {
  if (seqno > last + LIMITS.freshBlocksAhead) {
    return new MarketError('evidence-block', {
      because: 'there is none of its number',
      seqno,
      last,
    })
  }
  return seqno > last
    ? unchecked('your endpoint is behind', { seqno, last })
    : unchecked('your endpoint has forgotten the block', { seqno, last })
}

function unchecked(because: string, facts: Facts, cause?: unknown): MarketError {
  return new MarketError('evidence-unchecked', { because, ...facts }, { cause })
}

/** What `work` gives within `LIMITS.freshBlockMs`, even where it does not heed the signal. */
async function inTime<T>(clock: Clock, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController()
  const late = Promise.withResolvers<never>()
  const disarm = clock.after(LIMITS.freshBlockMs, () => {
    const error = new MarketError('timeout', { waiting: 'chain' })
    limit.abort(error)
    late.reject(error)
  })
  try {
    return await Promise.race([work(limit.signal), late.promise])
  } finally {
    disarm()
  }
}
