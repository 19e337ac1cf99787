/**
 * A payer's way out of all its channels at once: each is asked to close, and finished when its
 * delay has passed. No payee has to agree; each may claim what was signed until then.
 *
 * Every channel on which anything was ever signed is known by its books; the chain says the rest.
 * @module
 */
import { Address } from '@ton/core'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Store } from '../../contracts/base/ports.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import type { ChannelView } from '../../contracts/wrappers/Channel.ts'
import { kindOf } from './channelKind.ts'
import { type ChannelDeps, untilChannel, viewChannel } from './channelView.ts'
import { PAYER_TABLE, savedPayer } from './savedPayer.ts'

/** A channel on its way to be closed. Amounts are base units of its asset. */
export interface ClosingOwn {
  readonly address: Address
  readonly status: ChannelView['status']
  readonly deposited: NanoTon
  /** What the payee may have of it at most. */
  readonly signed: NanoTon
  readonly claimed: NanoTon
  /** From when it can be finished; Unix seconds. */
  readonly closeAtS?: number
}

/** The channels of a payer as they stand; nothing is sent. */
export async function ownChannels({
  chain,
  store,
}: Pick<ChannelDeps, 'chain'> & { readonly store: Store }): Promise<readonly ClosingOwn[]> {
  const found: ClosingOwn[] = []
  for (const address of payerChannels(store)) {
    const view = await viewChannel(chain, address)
    if (view) found.push(describe(store, address, view))
  }
  return found
}

/**
 * Closes what is open and finishes what is due, one after the other. Run it again when the longest
 * delay has passed. Throws `wallet-empty`, `timeout`, `chain-unavailable`.
 */
export async function closeOwnChannels(
  deps: ChannelDeps & { readonly store: Store },
  signal?: AbortSignal,
): Promise<readonly ClosingOwn[]> {
  const { chain, wallet, store } = deps
  const ends: ClosingOwn[] = []
  for (const address of payerChannels(store)) {
    let view = await viewChannel(chain, address)
    if (!view) continue
    const kind = kindOf(view.config)
    if (view.status === 'open') {
      await wallet.send([kind.startClose(address)], signal)
      view = await untilChannel(deps, address, ({ status }) => status !== 'open', signal)
    }
    if (view.status === 'closing' && (await chain.now(signal)) >= (view.closeAtS ?? 0)) {
      await wallet.send([kind.finishClose(address)], signal)
      view = await untilChannel(deps, address, ({ status }) => status === 'closed', signal)
    }
    ends.push(describe(store, address, view))
  }
  return ends
}

function payerChannels(store: Store): Address[] {
  return store
    .list(PAYER_TABLE, { limit: LIMITS.networkItems })
    .map(([channel]) => Address.parseRaw(channel))
}

function describe(store: Store, address: Address, view: ChannelView): ClosingOwn {
  const { status, deposited, claimed, closeAtS } = view
  const signed = savedPayer(store, address.toRawString())?.cumulative ?? claimed
  return {
    ...{ address, status, deposited, claimed },
    signed: signed > claimed ? signed : claimed,
    ...(closeAtS === undefined ? {} : { closeAtS }),
  }
}
