/**
 * Gas of a case: every message of its life, at five arbiters and at the most there may be.
 * @module
 */
import { beginCell } from '@ton/core'
import { TON } from '../../../contracts/base/units.ts'
import { type DisputeSandbox, disputeSandbox } from '../../support/disputeSandbox.ts'
import { type Outcome, outcomeAmong, refuseEverything, sentTo } from '../../support/sandboxChain.ts'
import { type ContractGas, figures, type Gas } from '../gasTable.ts'

const UPHELD = { uphold: true, loss: TON }
/** The most arbiters, all of whom sign. */
const TEN = { arbiters: 10, rules: { threshold: 9 } }
const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

export const gas: ContractGas = {
  measure,
  atMost: { openedTen: 20_000, verdictTen: 30_000, conclude: 12_000, concludeDismissed: 12_000 },
  among: [{ of: 'cases', measure: async (n) => life(await lastOf(n)) }],
}

async function measure(): Promise<Gas> {
  const s = await disputeSandbox()
  const figuresOfLife = await life(s)
  const ten = await disputeSandbox(TEN)
  await ten.open()
  const openedTen = await ten.opened()
  await ten.frozen()
  const verdictTen = await ten.verdict(UPHELD, ALL)
  const refused = await s.internal(s.stranger.address, TON, beginCell().endCell())
  const unknown = { ...refused, exit: 0 }
  const others = figures({ openedTen, verdictTen, bounced: await bounced(), unknown })
  return { ...figuresOfLife, ...others }
}

/** Every message of one case. */
async function life(s: DisputeSandbox): Promise<Gas> {
  const open = await s.open()
  const opened = await s.opened()
  const waiting = s.blockchain.snapshot()
  const frozenNothing = await s.frozen(0n)
  await s.blockchain.loadFrom(waiting)
  s.elapse(2 * 3_600)
  const unanswered = await s.conclude()
  await s.blockchain.loadFrom(waiting)
  const frozen = await s.frozen()
  const verdict = await s.verdict(UPHELD, [0, 1])
  const appeal = await s.appeal()
  const appealed = s.blockchain.snapshot()
  await s.verdict({ uphold: false, loss: 0n }, [0, 1, 2])
  const concludeDismissed = await s.conclude()
  await s.blockchain.loadFrom(appealed)
  const verdictOnAppeal = await s.verdict(UPHELD, [0, 1, 2])
  const conclude = await s.conclude()
  if (sentTo(conclude, s.registry.address) === 0n) throw new Error('the registry was not told')
  const concludeAgain = await s.conclude(TON)
  return figures({
    ...{ open, opened, frozen, frozenNothing, unanswered },
    ...{ verdict, appeal, verdictOnAppeal, conclude, concludeDismissed, concludeAgain },
  })
}

/** The last of `n` cases of one challenger against one item on one chain, the others open. */
async function lastOf(n: number): Promise<DisputeSandbox> {
  let s = await disputeSandbox()
  for (let i = 1; i < n; i++) {
    await s.tried()
    const nonce = new Uint8Array(16)
    new DataView(nonce.buffer).setUint32(0, i)
    s = await disputeSandbox({ blockchain: s.blockchain, config: { nonce } })
  }
  return s
}

/** The second transaction of a case that the registry refuses. */
async function bounced(): Promise<Outcome> {
  const s = await disputeSandbox()
  await refuseEverything(s.blockchain, s.registry.address)
  const { transactions } = await s.open()
  return outcomeAmong(transactions.slice(1), s.address)
}
