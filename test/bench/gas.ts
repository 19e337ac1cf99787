/**
 * `npm run bench:gas`: gas of every message of the contracts, measured in the TVM.
 *
 * Gas does not depend on the machine, so this is a table and not a race: `test/bench/gas.json` is
 * the committed one, `test/contracts/tolk/gas.test.ts` holds it to exact equality. `--json` prints
 * it as JSON, `--write` replaces the committed one. The baseline column is what one
 * client-to-worker settlement costs in Cocoon's contracts, measured in the same sandbox.
 * @module
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beginCell, contractAddress, external } from '@ton/core'
import { utf8 } from '../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import { walletAddress, walletStateInit, walletTransfer } from '../../contracts/wrappers/wallet.ts'
import {
  channelSandbox,
  DAY_S,
  type Outcome,
  outcomeOf,
  START_S,
  testBlockchain,
} from '../support/channelSandbox.ts'

/** Gas units by contract and message. */
export type GasTable = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Most gas that the design allows a message, where it says so. */
export const GAS_BUDGET: GasTable = {
  channel: {
    open: 2_800,
    topUp: 2_800,
    claim: 5_200,
    startClose: 4_000,
    finishClose: 4_000,
    cooperativeClose: 7_000,
    cooperativeCloseLast: 7_000,
  },
}

/** Cocoon, client charge and worker payout together: FunC, and its port to Tolk. */
const COCOON_SETTLEMENT = { func: 38_487, tolk: 29_531 }

/** Measures everything. Throws where a message that must succeed does not. */
export async function measureGas(): Promise<GasTable> {
  return { channel: await channelGas(), wallet: await walletGas() }
}

async function channelGas(): Promise<Record<string, number>> {
  const s = await channelSandbox()
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
    bounced: await bouncedGas(),
    unknown: { ...(await s.internal(s.payer.address, TON, beginCell().endCell())), exit: 0 },
  })
}

/** The second transaction of a channel whose payee refuses the payout. */
async function bouncedGas(): Promise<Outcome> {
  const payee = contractAddress(0, { code: beginCell().endCell(), data: beginCell().endCell() })
  const s = await channelSandbox({ config: { payee } })
  await s.topUp(10n * TON)
  const { transactions } = await s.claim(s.voucher(TON))
  const tx = transactions.at(-1)
  if (tx?.description.type !== 'generic' || tx.description.computePhase.type !== 'vm') {
    throw new Error('the payout did not bounce')
  }
  const { exitCode, gasUsed } = tx.description.computePhase
  return { transactions, tx, exit: exitCode, gas: gasUsed }
}

async function walletGas(): Promise<Record<string, number>> {
  const blockchain = await testBlockchain()
  const key = signingKey(sha256(utf8('wallet')))
  const address = walletAddress(key.publicKey)
  const giver = await blockchain.treasury('giver')
  await giver.send({ to: address, value: 100n * TON, bounce: false })
  const message = { to: giver.address, value: TON, bounce: false }
  const send = (seqno: number, count: number, first = false): Promise<Outcome> => {
    const messages = Array.from({ length: count }, () => message)
    const body = walletTransfer(seqno, START_S + 60, messages, key)
    const init = first ? { init: walletStateInit(key.publicKey) } : {}
    return outcomeOf(blockchain, address, external({ to: address, body, ...init }))
  }
  const deploy = await send(0, 1, true)
  const oneMessage = await send(1, 1)
  const fourMessages = await send(2, 4)
  const { transactions } = await giver.send({ to: address, value: TON })
  const tx = transactions.at(-1)!
  const vm = tx.description.type === 'generic' ? tx.description.computePhase : undefined
  const received = { transactions, tx, exit: 0, gas: vm?.type === 'vm' ? vm.gasUsed : 0n }
  return figures({ deploy, oneMessage, fourMessages, received })
}

function figures(outcomes: Record<string, Outcome>): Record<string, number> {
  const rows = Object.entries(outcomes).map(([name, { exit, gas }]) => {
    if (exit !== 0) throw new Error(`${name} ended with exit code ${exit}`)
    return [name, Number(gas)] as const
  })
  return Object.fromEntries(rows)
}

function print(table: GasTable): void {
  const lines = ['contract  message                gas    at most']
  for (const [contract, messages] of Object.entries(table)) {
    for (const [name, gas] of Object.entries(messages)) {
      const most = GAS_BUDGET[contract]?.[name] ?? ''
      lines.push(`${contract.padEnd(9)} ${name.padEnd(20)} ${String(gas).padStart(6)} ${most}`)
    }
  }
  const claims = 2 * (table.channel?.claim ?? 0)
  lines.push(
    `one settlement, two claims: ${claims}; Cocoon: ${COCOON_SETTLEMENT.func} in FunC ` +
      `(${(COCOON_SETTLEMENT.func / claims).toFixed(1)} times), ${COCOON_SETTLEMENT.tolk} in Tolk`,
  )
  process.stdout.write(`${lines.join('\n')}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = await measureGas()
  const json = `${JSON.stringify(table, null, 2)}\n`
  if (process.argv.includes('--write')) writeFileSync(new URL('gas.json', import.meta.url), json)
  if (process.argv.includes('--json')) process.stdout.write(json)
  else print(table)
}
