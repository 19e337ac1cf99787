/**
 * The test jetton: play money for development networks, that anyone may mint.
 *
 * Its minter refuses to mint on the main network. Address and metadata are fixed here, so that
 * every development network has it at the same place once somebody has deployed it.
 * @module
 */
import {
  type Address,
  beginCell,
  Cell,
  contractAddress,
  Dictionary,
  type StateInit,
} from '@ton/core'
import { utf8 } from '../base/bytes.ts'
import { sha256 } from '../base/signing.ts'
import type { NanoTon } from '../base/units.ts'
import minter from './compiled/testJettonMinter.json' with { type: 'json' }
import wallet from './compiled/testJettonWallet.json' with { type: 'json' }

/** What wallets and explorers show of it. */
export const TEST_JETTON = {
  name: 'Test dollar',
  symbol: 'USDT-TEST',
  decimals: '6',
  description: 'Play money of development networks. Anyone can mint it; it is worth nothing.',
} as const

/** Exit codes of minter and wallet (`contracts/tolk/testJetton/errors.tolk`). */
export const TEST_JETTON_EXIT = {
  notOwner: 810,
  balance: 811,
  notWallet: 812,
  value: 813,
  realNetwork: 814,
  amount: 815,
  unknownMessage: 0xffff,
} as const

/** The most that one message mints, in base units. */
export const TEST_JETTON_MOST = 1_000_000_000_000_000n
/** TON to attach to a mint; what is not used comes back. */
export const TEST_JETTON_MINT_VALUE: NanoTon = 60_000_000n

const MINT = 0x2c5a2601

/** Code of a wallet. */
export const TEST_JETTON_WALLET_CODE = Cell.fromBase64(wallet.code)

/** The minter as it is before anything was minted. */
export function testJettonStateInit(): StateInit {
  const data = beginCell()
    .storeCoins(0)
    .storeRef(content())
    .storeRef(TEST_JETTON_WALLET_CODE)
    .endCell()
  return { code: Cell.fromBase64(minter.code), data }
}

/** Where the minter is, on every network. */
export function testJettonMinter(): Address {
  return contractAddress(0, testJettonStateInit())
}

/** Mints `amount` base units for `to`; from anyone, to the minter. */
export function testJettonMintBody(to: Address, amount: bigint): Cell {
  return beginCell()
    .storeUint(MINT, 32)
    .storeUint(0, 64)
    .storeAddress(to)
    .storeCoins(amount)
    .endCell()
}

/** TEP-64, on chain: a map from SHA-256 of a key's name to its value. */
function content(): Cell {
  const values = Dictionary.empty(Dictionary.Keys.BigUint(256), Dictionary.Values.Cell())
  for (const [key, value] of Object.entries(TEST_JETTON)) {
    const name = BigInt(`0x${Buffer.from(sha256(utf8(key))).toString('hex')}`)
    values.set(name, beginCell().storeUint(0, 8).storeStringTail(value).endCell())
  }
  return beginCell().storeUint(0, 8).storeDict(values).endCell()
}
