/**
 * Money for nothing, on development networks only: coins from the faucet, test jettons freshly
 * minted. Whoever starts a role or connects there can pay at once; elsewhere nothing happens.
 * @module
 */
import { sameAsset } from '../contracts/base/assets.ts'
import type { NetworkConfig } from '../contracts/base/network.ts'
import type { Asset } from '../contracts/base/terms.ts'
import { jettonBalance } from '../contracts/wrappers/jetton.ts'
import {
  TEST_JETTON_MINT_VALUE,
  testJettonMintBody,
  testJettonMinter,
  testJettonStateInit,
} from '../contracts/wrappers/testJetton.ts'
import { kindOfAsset } from '../node/settlement/channelKind.ts'
import { untilFinal } from '../node/settlement/channelView.ts'
import { type ClientPorts, fundFromFaucet } from './ports.ts'

/**
 * Sees that the wallet can make a deposit of `needed` base units of an asset, where the network
 * gives it for nothing. Throws `unreachable`, `timeout`.
 */
export async function fundAsset(
  network: NetworkConfig,
  ports: Pick<ClientPorts, 'chain' | 'wallet' | 'clock'>,
  asset: Asset,
  needed: bigint,
): Promise<void> {
  if (asset === 'ton') return fundFromFaucet(network, ports, needed)
  await fundFromFaucet(network, ports, kindOfAsset(asset).chainFees.open + TEST_JETTON_MINT_VALUE)
  if (network.development && sameAsset(asset, testJettonMinter())) await mint(ports, needed)
}

/** Mints what is missing, and as much again. The first one on a network deploys the minter. */
async function mint(
  { chain, wallet, clock }: Pick<ClientPorts, 'chain' | 'wallet' | 'clock'>,
  needed: bigint,
): Promise<void> {
  const minter = testJettonMinter()
  const held = await jettonBalance(chain, minter, wallet.address)
  if (held >= needed) return
  const body = testJettonMintBody(wallet.address, needed * 2n - held)
  const message = { to: minter, value: TEST_JETTON_MINT_VALUE, body, init: testJettonStateInit() }
  await wallet.send([message])
  const look = () => jettonBalance(chain, minter, wallet.address)
  await untilFinal({ clock }, wallet.address, look, (balance) => balance >= needed)
}
