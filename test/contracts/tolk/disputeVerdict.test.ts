/**
 * Verdicts on a case in the sandbox: who may sign, how many must, what a signature counts for, and
 * that it counts nowhere else.
 * @module
 */
import { Address, beginCell } from '@ton/core'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fromBigInt, toBigInt, utf8 } from '../../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { TON } from '../../../contracts/base/units.ts'
import { encodeVoucher } from '../../../contracts/money/voucher.ts'
import { type Verdict, verdict } from '../../../contracts/wire/records/verdict.ts'
import { DISPUTE_EXIT, verdictHash, verdictOn } from '../../../contracts/wrappers/Dispute.ts'
import {
  chainOfVotes,
  DISPUTE_OP,
  DISPUTE_VALUE,
  type Vote,
  verdictBody,
} from '../../../contracts/wrappers/disputeMessages.ts'
import {
  type DisputeSandbox,
  type DisputeSandboxOptions,
  disputeSandbox,
  EVIDENCE,
} from '../../support/disputeSandbox.ts'
import { DAY_S, type Outcome, START_S, sentTo, TEST_NETWORK } from '../../support/sandboxChain.ts'

const UPHELD = { uphold: true, loss: 30n * TON }
const DISMISSED = { uphold: false, loss: 0n }
const EXIT = DISPUTE_EXIT

let s: DisputeSandbox
let tried: ReturnType<DisputeSandbox['blockchain']['snapshot']>
beforeAll(async () => {
  s = await disputeSandbox()
  await s.tried()
  tried = s.blockchain.snapshot()
})
beforeEach(() => s.blockchain.loadFrom(tried))

describe('a verdict', () => {
  it('needs a threshold of arbiters, and costs its bearer no more than the gas', async () => {
    expect((await s.verdict(UPHELD, [3])).exit).toBe(EXIT.tooFew)
    const outcome = await s.verdict(UPHELD, [1, 4])
    expect(outcome.exit).toBe(0)
    const back = sentTo(outcome, s.stranger.address)
    expect(back).toBeGreaterThan(DISPUTE_VALUE.verdict - 10_000_000n)
    expect(await s.view()).toMatchObject({ state: 'judged', first: UPHELD })
    expect((await s.view()).second).toBeUndefined()
  })

  it('needs one more on appeal, and is final then', async () => {
    await s.verdict(UPHELD, [0, 1])
    await s.appeal()
    expect((await s.verdict(DISMISSED, [0, 1])).exit).toBe(EXIT.tooFew)
    expect((await s.verdict(DISMISSED, [0, 1, 2])).exit).toBe(0)
    const rulings = { first: UPHELD, second: DISMISSED }
    expect(await s.view()).toMatchObject({ state: 'final', deadlineS: 0, ...rulings })
    expect((await s.verdict(UPHELD, [0, 1, 2])).exit).toBe(EXIT.state)
  })

  it('comes before the deadline, and once a round', async () => {
    s.elapse(s.rules.verdictS - 1)
    const live = s.blockchain.snapshot()
    expect((await s.verdict(UPHELD)).exit).toBe(0)
    expect((await s.verdict(UPHELD)).exit).toBe(EXIT.state)
    await s.blockchain.loadFrom(live)
    s.elapse(1)
    expect((await s.verdict(UPHELD)).exit).toBe(EXIT.tooLate)
  })

  it('names a loss only where it upholds', async () => {
    expect(() => verdict.encode({ ...statement(s), uphold: false })).toThrow()
    const votes = [0, 1].map((place) => s.vote(statement(s), place))
    const body = verdictBody(false, 1n, votes)
    expect((await bear(s, body)).exit).toBe(EXIT.loss)
    expect((await s.verdict({ uphold: true, loss: 0n })).exit).toBe(0)
  })

  it('has a hash that TypeScript and the contract compute alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(0n, (1n << 120n) - 1n), async (loss) => {
        const { stack } = await s.blockchain.runGetMethod(s.address, 'get_verdict_hash', [
          { type: 'int', value: 1n },
          { type: 'int', value: -1n },
          { type: 'int', value: loss },
        ])
        const [hash] = stack
        const ours = verdictHash({ ...statement(s), loss })
        expect(hash).toEqual({ type: 'int', value: toBigInt(ours) })
      }),
      { seed: 11, numRuns: 20 },
    )
  })
})

describe('an arbiter', () => {
  it('counts once, however often it signs', async () => {
    const one = s.vote(statement(s), 2)
    expect((await inOrder([one, one])).exit).toBe(EXIT.order)
    // The same key in two places of the rules is one arbiter as well.
    const arbiters = [...s.rules.arbiters, s.rules.arbiters[1]!]
    const twice = await triedAt({ rules: { arbiters } })
    const signed = twice.vote(statement(twice), 1)
    const doubled = await bear(twice, body([signed, { ...signed, arbiter: 5 }]))
    expect(doubled.exit).toBe(EXIT.order)
  })

  it('is named by the rules', async () => {
    const honest = s.vote(statement(s), 0)
    expect((await inOrder([{ ...honest, arbiter: 5 }])).exit).toBe(EXIT.notArbiter)
    expect((await inOrder([{ ...honest, arbiter: 255 }])).exit).toBe(EXIT.notArbiter)
  })

  it('signs itself: no other key counts for it, and no changed bit', async () => {
    const stranger = signingKey(sha256(utf8('stranger')))
    const forged = {
      ...s.vote(statement(s), 0),
      signature: stranger.sign(verdictHash(statement(s))),
    }
    expect((await inOrder([forged])).exit).toBe(EXIT.badSignature)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 511 }), async (bit) => {
        const vote = s.vote(statement(s), 0)
        vote.signature[bit >> 3]! ^= 1 << (bit & 7)
        expect((await inOrder([vote])).exit).toBe(EXIT.badSignature)
      }),
      { seed: 5, numRuns: 24 },
    )
  })

  it.each(['challenger', 'owner'] as const)('who is the %s does not count', async (party) => {
    const one = await triedAt({ accounts: new Map([[1, party]]) })
    expect((await one.verdict(UPHELD, [0, 1])).exit).toBe(EXIT.party)
    expect((await one.verdict(UPHELD, [0, 2])).exit).toBe(0)
  })

  it('more is asked on appeal, as far as there are impartial ones', async () => {
    const accounts = new Map([[0, 'owner' as const]])
    const three = await triedAt({ arbiters: 3, accounts })
    expect((await three.view()).terms).toMatchObject({ needed: 2, neededOnAppeal: 2 })
    await three.verdict(UPHELD, [1, 2])
    await three.appeal()
    expect((await three.verdict(DISMISSED, [1, 2])).exit).toBe(0)
    // Where there are fewer than the threshold, nobody can decide: silence dismisses.
    const two = await triedAt({ arbiters: 2, accounts })
    expect((await two.view()).terms).toMatchObject({ needed: 2, neededOnAppeal: 2 })
    expect((await two.verdict(UPHELD, [0, 1])).exit).toBe(EXIT.party)
    expect((await two.verdict(UPHELD, [1])).exit).toBe(EXIT.tooFew)
  })

  it('ten may sign at once', async () => {
    const ten = await triedAt({ arbiters: 10, rules: { threshold: 9 } })
    expect((await ten.view()).terms).toMatchObject({ needed: 9, neededOnAppeal: 10 })
    const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    expect((await ten.verdict(UPHELD, all)).exit).toBe(0)
    await ten.appeal()
    expect((await ten.verdict(DISMISSED, all.slice(1))).exit).toBe(EXIT.tooFew)
    expect((await ten.verdict(DISMISSED, all)).exit).toBe(0)
  })
})

describe('a signature counts only where it was made for', () => {
  it('is refused with any signed field changed', async () => {
    const changes: Partial<Verdict>[] = [
      { network: -239 },
      { network: -3 },
      { case: s.registry.address },
      { case: new Address(-1, s.address.hash) },
      { evidence: sha256(utf8('other evidence')) },
      { openedAtS: statement(s).openedAtS + 1 },
      { round: 2 },
      { uphold: false, loss: 0n },
      { loss: UPHELD.loss + 1n },
    ]
    for (const change of changes) {
      // What the case sees differs from what was signed in exactly this field.
      const { exit } = await s.verdict(UPHELD, [0, 1], change)
      expect({ change, exit }).toEqual({ change, exit: EXIT.badSignature })
    }
    expect((await s.verdict(UPHELD, [0, 1])).exit).toBe(0)
  })

  it('is refused in the other round, in another case, on another network', async () => {
    const votes = [0, 1, 2].map((place) => s.vote(statement(s), place))
    await s.verdict(UPHELD, [0, 1])
    await s.appeal()
    expect((await bear(s, body(votes))).exit).toBe(EXIT.badSignature)

    const nonce = fromBigInt(2n, 16)
    const other = await triedAt({ blockchain: s.blockchain, config: { nonce } })
    expect((await bear(other, body(votes))).exit).toBe(EXIT.badSignature)
    const foreign = await triedAt({ networkId: -3 })
    expect(foreign.address.equals(s.address)).toBe(true)
    expect((await bear(foreign, body(votes))).exit).toBe(EXIT.badSignature)
  })

  it('is refused in another life of the same address, were there one', async () => {
    const votes = [0, 1, 2].map((place) => s.vote(statement(s), place))
    const later = await disputeSandbox()
    later.elapse(DAY_S)
    await later.tried()
    expect(later.address.equals(s.address)).toBe(true)
    expect((await bear(later, body(votes))).exit).toBe(EXIT.badSignature)
  })

  it('over any other kind of record is none here', async () => {
    const receiptsHash = sha256(utf8('evidence'))
    const record = {
      network: TEST_NETWORK,
      channel: s.address,
      cumulative: UPHELD.loss,
      receiptsHash,
    }
    const vote = s.vote(statement(s), 0)
    const cells = [encodeVoucher(record), beginCell().storeBuffer(Buffer.from(vote.key)).endCell()]
    for (const cell of cells) {
      const signature = s.arbiters[0]!.sign(new Uint8Array(cell.hash()))
      expect((await inOrder([{ ...vote, signature }])).exit).toBe(EXIT.badSignature)
    }
  })
})

it('a chain of votes that is malformed is refused', async () => {
  const vote = s.vote(statement(s), 0)
  const head = () => beginCell().storeUint(DISPUTE_OP.verdict, 32).storeBit(true).storeCoins(0)
  const short = head().storeRef(beginCell().storeUint(0, 8).endCell()).endCell()
  expect((await bear(s, short)).exit).toBe(9)
  const chain = chainOfVotes([vote])!.beginParse()
  const long = beginCell().storeSlice(chain).storeBit(true).endCell()
  expect((await bear(s, head().storeRef(long).endCell())).exit).toBe(9)
  expect((await bear(s, head().endCell())).exit).toBe(9)
  expect(() => verdictBody(true, 0n, [])).toThrow()
})

function statement(of: DisputeSandbox): Verdict {
  const view = { state: 'tried', evidence: EVIDENCE, openedAtS: START_S } as const
  return verdictOn(TEST_NETWORK, of.address, view, UPHELD)
}

async function triedAt(options: DisputeSandboxOptions): Promise<DisputeSandbox> {
  const other = await disputeSandbox(options)
  await other.tried()
  return other
}

function body(votes: readonly Vote[]) {
  return verdictBody(UPHELD.uphold, UPHELD.loss, votes)
}

const inOrder = (votes: readonly Vote[]): Promise<Outcome> => bear(s, body(votes))

function bear(of: DisputeSandbox, message: ReturnType<typeof body>): Promise<Outcome> {
  return of.internal(of.stranger.address, DISPUTE_VALUE.verdict, message)
}
