/**
 * The balances that the journey prints: every party's wallet, and what contracts hold for whom.
 * @module
 */
import { Address } from '@ton/core'
import { formatTon, type NanoTon } from '../../contracts/base/units.ts'
import { registryOf } from '../../node/chain/directory.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { ownChannels } from '../../node/settlement/payerExit.ts'
import { createClock } from '../../node/system/clock.ts'
import { readGovernance } from '../deploy/governance.ts'
import type { DevMarket } from './dev.ts'
import { openRoleKeys } from './rolePorts.ts'
import { settledTotals, type Totals } from './settle.ts'

export interface Books {
  /** A line for each account, `cases` among them, and one that adds them up. */
  balances(cases?: readonly Address[]): Promise<readonly string[]>
  /** The localnet's own sums. */
  totals(): Promise<Totals>
}

/** Nobody has its key: what goes there is burned. */
const BURNED = new Address(0, Buffer.alloc(32))

export async function openBooks(home: string, market: DevMarket): Promise<Books> {
  const { network, localnet, scheduler, providers } = market
  const { chain } = scheduler.ports
  const clock = createClock()
  const walletOf = async (role: string) => {
    const keystore = await openRoleKeys({ home, network, role })
    return createWallet({ chain, key: keystore.key('wallet'), clock }).address
  }
  const registry = registryOf(network.registry!)
  const { timelock, multisig } = await readGovernance(chain, registry)
  const paid = scheduler.role.status().clientChannels
  const channels = paid.map(({ channel }) => Address.parseRaw(channel))
  const own = await ownChannels({ chain, store: scheduler.ports.store })
  const accounts: [string, Address][] = [
    ['client', await walletOf('gateway')],
    ['scheduler', scheduler.ports.wallet.address],
    ['provider', providers[0]!.ports.wallet.address],
    ['deployer, guardian', await walletOf('deployer')],
    ...channels.map((each): [string, Address] => ['channel of the client', each]),
    ...own.map(({ address }): [string, Address] => ['channel of the scheduler', address]),
    ['item of the scheduler', scheduler.registration!.address],
    ['item of the provider', providers[0]!.registration!.address],
    ['registry', registry],
    ['timelock', timelock.address],
    ['multisig', multisig.address],
  ]

  return {
    async balances(cases = []) {
      const rows: [string, Address][] = [
        ...accounts,
        ...cases.map((each): [string, Address] => ['case', each]),
        ['burned', BURNED],
      ]
      const balances = await Promise.all(
        rows.map(async ([, address]) => (await chain.account(address)).balance),
      )
      const total = balances.reduce((sum, each) => sum + each, 0n)
      const { fees, inFlight } = await settledTotals(localnet)
      return [
        ...rows.map(([name], at) => line(name, balances[at]!)),
        line('fees of the chain', fees),
        ...(inFlight > 0n ? [line('on its way', inFlight)] : []),
        line('together', total + fees + inFlight),
      ]
    },
    totals: () => settledTotals(localnet),
  }
}

function line(name: string, balance: NanoTon): string {
  return `${name.padEnd(26)}${formatTon(balance).padStart(16)}`
}
