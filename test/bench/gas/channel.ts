/**
 * Gas of the channel: every message, and the same among many channels of one payer and payee.
 * @module
 */
import { beginCell, contractAddress } from '@ton/core'
import { TON } from '../../../contracts/base/units.ts'
import { type ChannelSandbox, channelSandbox } from '../../support/channelSandbox.ts'
import { DAY_S, type Outcome, outcomeAmong } from '../../support/sandboxChain.ts'
import { type ContractGas, figures, type Gas } from '../gasTable.ts'

export const gas: ContractGas = {
  measure,
  atMost: {
    open: 2_800,
    topUp: 2_800,
    claim: 5_200,
    startClose: 4_000,
    finishClose: 4_000,
    cooperativeClose: 7_000,
    cooperativeCloseLast: 7_000,
  },
  // Cocoon's contracts in FunC, measured in this sandbox: what its client pays its proxy, and what
  // its proxy pays a worker, the proxy's own transaction included.
  baseline: {
    claim: { gas: 15_937, of: 'Cocoon, client charge' },
    claimByPayee: { gas: 9_401 + 13_149, of: 'Cocoon, worker payout' },
  },
  among: [{ of: 'channels', measure: async (n) => messages(await lastOf(n)) }],
}

async function measure(): Promise<Gas> {
  const s = await channelSandbox()
  const figuresOfAll = await messages(s)
  const refused = await s.internal(s.payer.address, TON, beginCell().endCell())
  const unknown = { ...refused, exit: 0 }
  return { ...figuresOfAll, ...figures({ bounced: await bounced(), unknown }) }
}

/** One channel's life, in all the ways it may end. */
async function messages(s: ChannelSandbox): Promise<Gas> {
  const open = await s.topUp(10n * TON)
  const topUp = await s.topUp(5n * TON)
  const claim = await s.claim(s.voucher(TON))
  const claimByPayee = await s.claimFrom(s.payee.address, s.voucher(2n * TON))
  const live = s.blockchain.snapshot()
  const cooperativeClose = await s.cooperativeClose()
  const sweep = await s.sweep()
  await s.blockchain.loadFrom(live)
  const cooperativeCloseLast = await s.cooperativeClose(s.voucher(3n * TON))
  await s.blockchain.loadFrom(live)
  const startClose = await s.startClose()
  s.elapse(DAY_S)
  const finishClose = await s.finishClose()
  return figures({
    ...{ open, topUp, claim, claimByPayee, startClose, finishClose },
    ...{ cooperativeClose, cooperativeCloseLast, sweep },
  })
}

/** The last of `n` channels of one payer and one payee on one chain, the others open. */
async function lastOf(n: number): Promise<ChannelSandbox> {
  let s = await channelSandbox()
  for (let i = 1; i < n; i++) {
    await s.topUp(TON)
    const nonce = new Uint8Array(16)
    new DataView(nonce.buffer).setUint32(0, i)
    s = await channelSandbox({ blockchain: s.blockchain, config: { nonce } })
  }
  return s
}

/** The second transaction of a channel whose payee refuses the payout. */
async function bounced(): Promise<Outcome> {
  const payee = contractAddress(0, { code: beginCell().endCell(), data: beginCell().endCell() })
  const s = await channelSandbox({ config: { payee } })
  await s.topUp(10n * TON)
  const { transactions } = await s.claim(s.voucher(TON))
  return outcomeAmong(transactions.slice(1), s.address)
}
