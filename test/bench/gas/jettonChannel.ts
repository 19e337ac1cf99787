/**
 * Gas of the jetton-channel, and of a claim with both wallets of the test jetton that it moves.
 * @module
 */
import { beginCell } from '@ton/core'
import { TON } from '../../../contracts/base/units.ts'
import {
  DOLLAR,
  type JettonSandbox,
  jettonSandbox,
  openJettonSandbox,
} from '../../support/jettonSandbox.ts'
import { DAY_S, type Outcome, outcomeAmong, refuseEverything } from '../../support/sandboxChain.ts'
import { type ContractGas, figures, type Gas } from '../gasTable.ts'

export const gas: ContractGas = {
  measure,
  // The design's figure: a claim with the wallets that it goes through.
  atMost: { claimInAll: 20_000 },
  among: [{ of: 'channels', measure: async (n) => messages(await lastOf(n)) }],
}

async function measure(): Promise<Gas> {
  const open = await (await jettonSandbox()).open()
  const s = await openJettonSandbox(100n * DOLLAR)
  const figuresOfAll = { ...figures({ open }), ...(await messages(s)) }
  const unknown = await s.internal(s.payer.address, TON, beginCell().endCell())
  const bounced = await bouncedClaim()
  return { ...figuresOfAll, ...figures({ bounced, unknown: { ...unknown, exit: 0 } }) }
}

/** One channel's life, in all the ways it may end. */
async function messages(s: JettonSandbox): Promise<Gas> {
  const reopen = await s.open()
  const deposit = await s.deposit(DOLLAR)
  // The payee's wallet exists from the second claim on.
  const claimDeploying = await s.claim(s.voucher(DOLLAR))
  const claim = await s.claim(s.voucher(2n * DOLLAR))
  const live = s.blockchain.snapshot()
  const cooperativeClose = await s.cooperativeClose()
  const depositReturned = await s.deposit(DOLLAR)
  const sweep = await s.sweep()
  await s.blockchain.loadFrom(live)
  const cooperativeCloseLast = await s.cooperativeClose(s.voucher(3n * DOLLAR))
  await s.blockchain.loadFrom(live)
  const startClose = await s.startClose()
  s.elapse(DAY_S)
  const finishClose = await s.finishClose()
  return {
    ...figures({ reopen, deposit, depositReturned, claim, startClose, finishClose }),
    ...figures({ cooperativeClose, cooperativeCloseLast, sweep }),
    claimInAll: allGas(claim),
    claimDeployingInAll: allGas(claimDeploying),
  }
}

/** Gas of every transaction that a message caused. */
function allGas({ transactions }: Outcome): number {
  let sum = 0n
  for (const { description } of transactions) {
    if (description.type !== 'generic') continue
    const { computePhase } = description
    if (computePhase.type === 'vm') sum += computePhase.gasUsed
  }
  return Number(sum)
}

/** The last of `n` channels of one payer and one payee on one chain, the others open. */
async function lastOf(n: number): Promise<JettonSandbox> {
  let s = await openJettonSandbox(10n * DOLLAR)
  for (let i = 1; i < n; i++) {
    const nonce = new Uint8Array(16)
    new DataView(nonce.buffer).setUint32(0, i)
    const { blockchain } = s
    if (i % 50 === 0) await s.mint(s.payer.address, 1_000n * DOLLAR)
    s = await openJettonSandbox(10n * DOLLAR, { blockchain, config: { nonce } })
  }
  return s
}

/** The channel's second transaction where its wallet refuses a claim's transfer. */
async function bouncedClaim(): Promise<Outcome> {
  const s = await openJettonSandbox(10n * DOLLAR)
  await refuseEverything(s.blockchain, await s.walletOf(s.address))
  const { transactions } = await s.claim(s.voucher(DOLLAR))
  return outcomeAmong(transactions.slice(1), s.address)
}
