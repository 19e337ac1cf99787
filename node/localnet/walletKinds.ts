/**
 * The wallets that toncenter knows by the hash of their code, and what their state says.
 *
 * The hashes are of public contracts; a test compares them with the code in @ton/ton.
 * @module
 */
import type { Cell, Slice } from '@ton/core'

export interface WalletState {
  readonly wallet_type: string
  readonly seqno: number
  readonly wallet_id?: number
  readonly is_signature_allowed?: boolean
}

type Reader = (slice: Slice) => Omit<WalletState, 'wallet_type'>

const seqnoFirst: Reader = (slice) => ({ seqno: slice.loadUint(32) })
const seqnoAndId: Reader = (slice) => ({ seqno: slice.loadUint(32), wallet_id: slice.loadUint(32) })
const version5: Reader = (slice) => ({
  is_signature_allowed: slice.loadBit(),
  seqno: slice.loadUint(32),
  wallet_id: slice.loadUint(32),
})
/** Its id has 80 bits: network, workchain, version, and the number that is told here. */
const version5Beta: Reader = (slice) => ({
  is_signature_allowed: !slice.loadBit(),
  seqno: slice.loadUint(32),
  wallet_id: slice.skip(48).loadUint(32),
})

const KINDS: Readonly<Record<string, readonly [type: string, read: Reader]>> = {
  a0cfc2c48aee16a271f2cfc0b7382d81756cecb1017d077faaab3bb602f6868c: ['wallet v1 r1', seqnoFirst],
  d4902fcc9fad74698fa8e353220a68da0dcf72e32bcb2eb9ee04217c17d3062c: ['wallet v1 r2', seqnoFirst],
  '587cc789eff1c84f46ec3797e45fc809a14ff5ae24f1e0c7a6a99cc9dc9061ff': ['wallet v1 r3', seqnoFirst],
  '5c9a5e68c108e18721a07c42f9956bfb39ad77ec6d624b60c576ec88eee65329': ['wallet v2 r1', seqnoFirst],
  fe9530d3243853083ef2ef0b4c2908c0abf6fa1c31ea243aacaa5bf8c7d753f1: ['wallet v2 r2', seqnoFirst],
  b61041a58a7980b946e8fb9e198e3c904d24799ffa36574ea4251c41a566f581: ['wallet v3 r1', seqnoAndId],
  '84dafa449f98a6987789ba232358072bc0f76dc4524002a5d0918b9a75d2d599': ['wallet v3 r2', seqnoAndId],
  '64dd54805522c5be8a9db59cea0105ccf0d08786ca79beb8cb79e880a8d7322d': ['wallet v4 r1', seqnoAndId],
  feb5ff6820e2ff0d9483e7e0d62c817d846789fb4ae580c878866d959dabd5c0: ['wallet v4 r2', seqnoAndId],
  f3d7ca53493deedac28b381986a849403cbac3d2c584779af081065af0ac4b93: [
    'wallet v5 beta',
    version5Beta,
  ],
  '20834b7b72b112147e1b2fb457b84e74d1a30f04f737d4f62a668e9552d2b72f': ['wallet v5 r1', version5],
}

/** Undefined where the code is of no known wallet, or its data not of that kind. */
export function walletOf(code: Cell | undefined, data: Cell | undefined): WalletState | undefined {
  const kind = code && KINDS[code.hash().toString('hex')]
  if (!kind || !data) return undefined
  try {
    return { wallet_type: kind[0], ...kind[1](data.beginParse()) }
  } catch {
    return undefined // anybody may deploy a wallet's code over data that is none
  }
}
