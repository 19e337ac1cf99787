/**
 * The books of all parties at the end of a simulated world, side by side with the chain, and what
 * must hold of them.
 * @module
 */
import { Address } from '@ton/core'
import { concat, toHex, utf8 } from '../../../contracts/base/bytes.ts'
import type { Chain, Store } from '../../../contracts/base/ports.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import { decodePayee, decodePayer } from '../../../contracts/money/accountCodec.ts'
import { readChannel } from '../../../contracts/wrappers/Channel.ts'
import type { LedgerTotals } from '../../../node/chain/simulatedLedger.ts'
import { PAYEE_TABLE, PAYER_TABLE } from './audit.ts'

/** One channel as its two ends and the chain see it. */
export interface ChannelBooks {
  readonly channel: string
  readonly payer: { readonly machine: string } & Sums
  readonly payee: { readonly machine: string } & Sums
  readonly deposited: bigint
  readonly claimed: bigint
}

export interface Sums {
  readonly cumulative: bigint
  readonly spent: bigint
  /** Jobs that are neither ended nor settled. */
  readonly openJobs: number
}

/** A balance on chain. */
export interface Balance {
  readonly owner: string
  readonly address: string
  readonly balance: bigint
}

export interface Ledger {
  readonly channels: readonly ChannelBooks[]
  readonly balances: readonly Balance[]
  readonly totals: LedgerTotals
  /** SHA-256 over all rows and balances, in a fixed order. */
  readonly hash: Uint8Array
}

/** A machine with its open store and its wallet. */
export interface Holder {
  readonly name: string
  readonly store: Store
  readonly wallet: Address
}

/** Reads everything. */
export async function readLedger(
  chain: Chain,
  totals: LedgerTotals,
  holders: readonly Holder[],
): Promise<Ledger> {
  const channels: ChannelBooks[] = []
  const balances: Balance[] = []
  for (const { name, wallet } of holders) {
    balances.push(await balanceOf(chain, name, wallet))
  }
  const payees = new Map(holders.flatMap((holder) => payeeRows(holder)))
  for (const { name, store } of holders) {
    for (const [channel, value] of store.list(PAYER_TABLE)) {
      const { cumulative, spent, jobs } = decodePayer(value)
      const address = Address.parseRaw(channel)
      const { deposited, claimed } = await readChannel(chain, address)
      balances.push(await balanceOf(chain, `channel of ${name}`, address))
      channels.push({
        channel,
        payer: { machine: name, cumulative, spent, openJobs: jobs.size },
        payee: payees.get(channel) ?? { machine: '-', cumulative: 0n, spent: 0n, openJobs: -1 },
        deposited,
        claimed,
      })
    }
  }
  return { channels, balances, totals, hash: hashOf(holders, balances, totals) }
}

/** What does not hold of a settled ledger; empty where all does. */
export function findFaults({ channels, balances, totals }: Ledger): string[] {
  const faults: string[] = []
  const require = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault)
  }
  require(totals.faucet ===
    totals.balances +
      totals.fees, `the chain lost ${totals.faucet - totals.balances - totals.fees} nanoTON`)
  const known = balances.reduce((sum, { balance }) => sum + balance, 0n)
  require(known === totals.balances, `${totals.balances - known} nanoTON on unknown accounts`)
  for (const { channel, payer, payee, deposited, claimed } of channels) {
    const name = `channel ${channel.slice(0, 10)} of ${payer.machine}`
    const equal = payer.cumulative === payee.cumulative && payer.spent === payee.spent
    require(equal, `${name}: payer ${sumsOf(payer)}, payee ${sumsOf(payee)}`)
    const open = payer.openJobs + payee.openJobs
    require(open === 0, `${name}: ${payer.openJobs} and ${payee.openJobs} jobs left open`)
    require(claimed === payee.cumulative, `${name}: claimed ${claimed} of ${payee.cumulative}`)
    require(payer.cumulative <= deposited, `${name}: signed more than was deposited`)
  }
  return faults
}

function sumsOf({ cumulative, spent }: Sums): string {
  return `${cumulative}/${spent}`
}

function payeeRows({ name, store }: Holder): [string, ChannelBooks['payee']][] {
  return store.list(PAYEE_TABLE).map(([channel, value]) => {
    const { cumulative, spent, jobs, unsettled } = decodePayee(value)
    return [channel, { machine: name, cumulative, spent, openJobs: jobs.size + unsettled.size }]
  })
}

async function balanceOf(chain: Chain, owner: string, address: Address): Promise<Balance> {
  const { balance } = await chain.account(address)
  return { owner, address: address.toRawString(), balance }
}

/** Rows are taken byte by byte: every figure of every account counts. */
function hashOf(holders: readonly Holder[], balances: readonly Balance[], totals: LedgerTotals) {
  const rows = holders.flatMap(({ name, store }) =>
    [PAYER_TABLE, PAYEE_TABLE].flatMap((table) =>
      store.list(table).map(([key, value]) => `${name} ${table} ${key} ${toHex(value)}`),
    ),
  )
  const accounts = balances.map(({ owner, address, balance }) => `${owner} ${address} ${balance}`)
  const sums = `${totals.faucet} ${totals.balances} ${totals.fees}`
  return sha256(concat(utf8([...rows, ...accounts, sums].join('\n'))))
}
