/**
 * What an application sees of its money: wallet, channels, and how a closing one stands.
 *
 * Types only; `client/index.ts` exports them. Amounts are `bigint`: of a wallet in nanoTON, of a
 * channel in base units of its asset.
 * @module
 */
import type { NanoTon } from '../contracts/base/units.ts'

/** The wallet of this client. */
export interface WalletInfo {
  readonly address: string
  readonly balance: NanoTon
}

/** Money of this client. */
export interface Balance {
  readonly wallet: WalletInfo
  /** What this client's wallet holds of the jetton that it pays in; absent for TON. */
  readonly jettons?: bigint
  readonly channel: {
    /** What the amounts are in: `ton` for nanoTON, or the minter of a jetton. */
    readonly asset: string
    readonly address: string
    readonly deposited: NanoTon
    /** Claimed on chain by the scheduler. */
    readonly claimed: NanoTon
    /** Signed to the scheduler so far. */
    readonly signed: NanoTon
    /** Charged for jobs that ended. */
    readonly spent: NanoTon
    /** Signed and neither spent nor granted to an open job: used before anything more is signed. */
    readonly credit: NanoTon
  }
}

/** A channel that this client has opened, now or earlier. */
export interface ChannelInfo {
  readonly address: string
  /** What the amounts are in: `ton` for nanoTON, or the minter of a jetton. */
  readonly asset: string
  /** Identity of the scheduler that it pays, hex. */
  readonly scheduler: string
  /** `unopened`: its deposit never reached the chain. */
  readonly status: 'unopened' | 'open' | 'closing' | 'closed'
  /** True where jobs are paid from it. */
  readonly inUse: boolean
  readonly deposited: NanoTon
  /** Claimed on chain by the scheduler. */
  readonly claimed: NanoTon
  /** Signed to the scheduler: it may still claim what is not claimed of it. */
  readonly signed: NanoTon
  /** While closing: Unix seconds from which it can be finished. */
  readonly closeAtS?: number
  /** Seconds from the start of closing to its end. */
  readonly closeDelayS: number
  readonly openedAtMs: number
}

/** How a channel stands after it was asked to close. */
export interface ClosingChannel {
  readonly address: string
  readonly asset: string
  readonly status: 'closing' | 'closed'
  /** Unix seconds from which it can be finished; absent once closed. */
  readonly closeAtS?: number
  /** What comes back at least, beside the reserve: the deposit that was never signed away. */
  readonly refundable: NanoTon
}
