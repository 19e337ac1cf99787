/**
 * Jettons as their standards have them: TEP-74 transfers, whose wallet is where, what it holds.
 *
 * Any jetton; nothing here trusts one. A wallet's address is asked of the minter, which the caller
 * has pinned.
 * @module
 */
import { type Address, beginCell, type Cell } from '@ton/core'
import { MarketError } from '../base/errors.ts'
import type { Chain } from '../base/ports.ts'
import { MAX_COINS, type NanoTon } from '../base/units.ts'

/** Ops of TEP-74 and TEP-89 that this project sends or takes. */
export const JETTON_OP = {
  transfer: 0x0f8a7ea5,
  internalTransfer: 0x178d4519,
  transferNotification: 0x7362d09c,
  excesses: 0xd53276db,
  burn: 0x595f07bc,
  burnNotification: 0x7bdd97de,
  provideWalletAddress: 0x2c76b973,
  takeWalletAddress: 0xd1735400,
} as const

/** What an owner tells its wallet. */
export interface JettonTransfer {
  /** In base units of the jetton. */
  readonly amount: bigint
  readonly to: Address
  /** Who is to have the TON that is left over. */
  readonly excesses: Address
  /** TON that goes to the new owner with a notification; none is sent where this is 0. */
  readonly forward?: NanoTon
}

/** TON to attach to a transfer: two wallets' gas and rent; what is left comes back. */
export const JETTON_TRANSFER_VALUE: NanoTon = 60_000_000n
/** TON that goes with a deposit's notification: enough to send the jettons back. */
export const JETTON_DEPOSIT_FORWARD: NanoTon = 50_000_000n

/** A transfer of jettons; from the owner, to its own wallet. Throws `bad-input`. */
export function jettonTransferBody(transfer: JettonTransfer): Cell {
  const { amount, to, excesses, forward = 0n } = transfer
  if (amount < 0n || amount > MAX_COINS) throw new MarketError('bad-input', { field: 'amount' })
  return beginCell()
    .storeUint(JETTON_OP.transfer, 32)
    .storeUint(0, 64)
    .storeCoins(amount)
    .storeAddress(to)
    .storeAddress(excesses)
    .storeBit(false)
    .storeCoins(forward)
    .storeBit(false)
    .endCell()
}

/** Where the minter says that an owner's wallet is. Throws `contract-failed`, `bad-frame`. */
export async function jettonWalletAddress(
  chain: Chain,
  minter: Address,
  owner: Address,
): Promise<Address> {
  const cell = beginCell().storeAddress(owner).endCell()
  const reader = await chain.getter(minter, 'get_wallet_address', [{ type: 'slice', cell }])
  try {
    return reader.readAddress()
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'jetton wallet' }, { cause })
  }
}

/**
 * What an owner's wallet of this jetton holds, in base units; 0 where there is no wallet yet, or no
 * minter.
 *
 * @example
 * const held = await jettonBalance(chain, minter, wallet.address)
 */
export async function jettonBalance(
  chain: Chain,
  minter: Address,
  owner: Address,
): Promise<bigint> {
  if ((await chain.account(minter)).status !== 'active') return 0n
  const wallet = await jettonWalletAddress(chain, minter, owner)
  const { status } = await chain.account(wallet)
  if (status !== 'active') return 0n
  try {
    return (await chain.getter(wallet, 'get_wallet_data')).readBigNumber()
  } catch (cause) {
    throw new MarketError('bad-frame', { record: 'jetton wallet' }, { cause })
  }
}
