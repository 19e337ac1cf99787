/**
 * The money of this client: wallet, channel in use, what is signed and what is left.
 * @module
 */
import { assetKey } from '../contracts/base/assets.ts'
import { asMarketError, type ErrorCode } from '../contracts/base/errors.ts'
import type { Chain, Store, Wallet } from '../contracts/base/ports.ts'
import type { Asset } from '../contracts/base/terms.ts'
import { type PayerState, payerCredit } from '../contracts/money/payer.ts'
import { jettonBalance } from '../contracts/wrappers/jetton.ts'
import { viewChannel } from '../node/settlement/channelView.ts'
import { savedPayer } from '../node/settlement/savedPayer.ts'
import { chooseChannel } from './channelChoice.ts'
import { channelRecords } from './channelRecords.ts'
import type { Balance, WalletInfo } from './channelTypes.ts'
import type { SchedulerLine } from './line.ts'

interface BalanceNeeds {
  readonly chain: Chain
  readonly wallet: Wallet
  readonly store: Store
  readonly line: SchedulerLine
  readonly asset: Asset
}

/** The wallet, as the chain says. */
export async function walletOf({
  chain,
  wallet,
}: Pick<BalanceNeeds, 'chain' | 'wallet'>): Promise<WalletInfo> {
  const { balance } = await chain.account(wallet.address)
  return { address: wallet.address.toString(), balance }
}

/** Wallet and channel in use. Throws `no-channel`. */
export async function balanceOf(needs: BalanceNeeds): Promise<Balance> {
  const live = await liveLine(needs)
  const address = live?.channel.address ?? chooseChannel(needs, undefined).address
  const books = live?.account.state() ?? savedPayer(needs.store, address.toRawString())
  const [wallet, view] = await Promise.all([walletOf(needs), viewChannel(needs.chain, address)])
  const { deposited = 0n, claimed = 0n } = view ?? {}
  const { asset } = needs
  const of = { address: address.toString(), asset: assetKey(asset) }
  const channel = { ...of, deposited, claimed, ...signed(books) }
  if (asset === 'ton') return { wallet, channel }
  return { wallet, jettons: await jettonBalance(needs.chain, asset, needs.wallet.address), channel }
}

function signed(books: PayerState | undefined) {
  if (!books) return { signed: 0n, spent: 0n, credit: 0n }
  return { signed: books.cumulative, spent: books.spent, credit: payerCredit(books) }
}

/** Without these the own books are as good as the scheduler's word. */
const AWAY: readonly ErrorCode[] = ['unreachable', 'timeout', 'stalled']

async function liveLine({ line, store }: BalanceNeeds) {
  try {
    return await line.current()
  } catch (error) {
    const isAway = line.retired || AWAY.includes(asMarketError(error).code)
    if (isAway && channelRecords(store).all().length > 0) return undefined
    throw error
  }
}
