/**
 * What TON asks for gas, for forwarding and for rent: the tables a chain's configuration holds.
 *
 * Figures are facts of the networks they are named after, written once. `node/localnet/prices.ts`
 * encodes them into configuration cells, `node/chain/simulatedFees.ts` computes with them. Field
 * names and units follow block.tlb of TON (GasLimitsPrices, MsgForwardPrices, StoragePrices).
 * @module
 */
import type { NanoTon } from './units.ts'

/** Parameters 20 and 21. `price` is nanoTON for a unit of gas times 2^16. */
export interface GasPrices {
  /** So much gas costs `flatPrice` nanoTON; what is used beyond it, `price`. */
  readonly flatLimit: bigint
  readonly flatPrice: NanoTon
  readonly price: bigint
  /** Most gas of a transaction, and of one of a system contract. */
  readonly limit: bigint
  readonly specialLimit: bigint
  /** Gas that an external message may use before it is accepted. */
  readonly credit: bigint
  readonly blockLimit: bigint
  /** Debt of rent at which an account is frozen, and at which it is deleted, nanoTON. */
  readonly freezeDue: NanoTon
  readonly deleteDue: NanoTon
}

/** Parameters 24 and 25. `bit` and `cell` are nanoTON times 2^16; the root cell is not counted. */
export interface ForwardPrices {
  readonly lump: NanoTon
  readonly bit: bigint
  readonly cell: bigint
  /** Part of the fee that instant routing took, times 2^16; nothing uses it any more. */
  readonly ihrFactor: bigint
  /** Part that the sender's shard keeps, and each shard on the way, times 2^16. */
  readonly firstFraction: bigint
  readonly nextFraction: bigint
}

/** One row of parameter 18: nanoTON for 2^16 seconds, valid from `sinceS` on. */
export interface StoragePrices {
  readonly sinceS: number
  readonly bit: bigint
  readonly cell: bigint
  readonly masterBit: bigint
  readonly masterCell: bigint
}

/** All prices of a chain. `master` is the masterchain's, the plain ones are the basechain's. */
export interface ChainPrices {
  /** Oldest first. */
  readonly storage: readonly StoragePrices[]
  readonly masterGas: GasPrices
  readonly gas: GasPrices
  readonly masterForward: ForwardPrices
  readonly forward: ForwardPrices
}

const MASTER_GAS: GasPrices = {
  flatLimit: 100n,
  flatPrice: 1_000_000n,
  price: 655_360_000n,
  limit: 1_000_000n,
  specialLimit: 70_000_000n,
  credit: 10_000n,
  blockLimit: 2_500_000n,
  freezeDue: 100_000_000n,
  deleteDue: 1_000_000_000n,
}

/** A third of a forwarding fee stays where the message begins, a third of the rest at each step. */
const FRACTIONS = { ihrFactor: 98_304n, firstFraction: 21_845n, nextFraction: 21_845n } as const

const MASTER_FORWARD: ForwardPrices = {
  lump: 10_000_000n,
  bit: 655_360_000n,
  cell: 65_536_000_000n,
  ...FRACTIONS,
}

const FIRST_STORAGE: StoragePrices = {
  sinceS: 0,
  bit: 1n,
  cell: 500n,
  masterBit: 1_000n,
  masterCell: 500_000n,
}

/** What the basechain's gas table shares with the masterchain's, whatever gas costs. */
const GAS_LIMITS = { ...MASTER_GAS, specialLimit: 1_000_000n, blockLimit: 10_000_000n }

/** TON mainnet on 9 August 2026: a unit of gas is 66.67 nanoTON, bits are stored for nothing. */
const MAINNET_2026_08: ChainPrices = {
  storage: [
    FIRST_STORAGE,
    { ...FIRST_STORAGE, sinceS: 1_777_500_000, bit: 0n, cell: 135n }, // 29 April 2026
  ],
  masterGas: MASTER_GAS,
  gas: { ...GAS_LIMITS, flatPrice: 6_667n, price: 4_369_067n },
  masterForward: MASTER_FORWARD,
  forward: { lump: 66_667n, bit: 4_369_067n, cell: 436_906_667n, ...FRACTIONS },
}

/** The table inside @ton/sandbox 0.41, mainnet's of block 52,956,904: gas costs six times that. */
const SANDBOX_0_41: ChainPrices = {
  storage: [FIRST_STORAGE],
  masterGas: MASTER_GAS,
  gas: { ...GAS_LIMITS, flatPrice: 40_000n, price: 26_214_400n },
  masterForward: MASTER_FORWARD,
  forward: { lump: 400_000n, bit: 26_214_400n, cell: 2_621_440_000n, ...FRACTIONS },
}

/** The tables by the name that `--prices` takes. */
export const CHAIN_PRICES = {
  'mainnet-2026-08': MAINNET_2026_08,
  'sandbox-0.41': SANDBOX_0_41,
} as const satisfies Readonly<Record<string, ChainPrices>>

export type ChainPricesName = keyof typeof CHAIN_PRICES

export const DEFAULT_CHAIN_PRICES: ChainPricesName = 'mainnet-2026-08'
