/**
 * What `chrysalis market --chain` prints: the sums of `node/audit/chainMarket.ts`, for a person and
 * as JSON.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import { formatTon } from '../../contracts/base/units.ts'
import type { CaseSums } from '../../node/audit/chainCases.ts'
import type { ChannelSums } from '../../node/audit/chainChannels.ts'
import { type ChainMarket, type KindSums, sumMarket } from '../../node/audit/chainMarket.ts'
import type { Rulers } from '../../node/audit/chainRulers.ts'
import { registryOf } from '../../node/chain/directory.ts'
import { parametersJson } from '../deploy/parametersFile.ts'
import { dateOf } from '../disputes/words.ts'
import { moneyOf } from './assets.ts'
import { type CommonOptions, printResult, table } from './output.ts'

/** Throws `no-registry`, `chain-unavailable`. */
export async function printChain(
  options: CommonOptions,
  network: NetworkConfig,
  chain: Chain,
): Promise<void> {
  if (network.registry === undefined) {
    throw new MarketError('no-registry', { network: network.name })
  }
  const sums = await sumMarket(chain, registryOf(network.registry))
  const { kinds, channels, jettonChannels, cases, rulers, devices, solvency } = sums
  const { parameters, registry } = sums
  const value = {
    network: network.name,
    registry: network.registry,
    registration: registry.pausedUntilS > sums.atS ? 'paused' : 'open',
    parameters: parametersJson(parameters),
    ...{ kinds, devices, channels, jettonChannels, cases, rulers, solvency },
  }
  printResult(options, value, [
    `registry    ${network.registry}, registration ${value.registration}`,
    `parameters  version ${parameters.version}, ${parameters.models.size} models, ` +
      `${parameters.measurements.list.length} measurements, ${parameters.assets.size} assets`,
    ...rulerLines(rulers, sums.atS),
    ...table(
      ['members', 'enrolled', 'live', 'staked', 'unbonding', 'frozen', 'slashed', 'withdrawn'],
      Object.entries(kinds).map(([kind, each]) => row(kind, each)),
    ),
    `devices     ${devices} distinct`,
    ...channelLines('TON', channels, (amount) => `${formatTon(amount)} TON`),
    ...jettonChannels.flatMap(({ minter, ...each }) =>
      channelLines(nameOf(network, minter), each, moneyOf(network, minter)),
    ),
    ...caseLines(cases),
    `solvent     ${solvencyLine(sums)}`,
  ])
}

function row(kind: string, sums: KindSums): string[] {
  const { enrolled, live, staked, unbonding, frozen, slashed, withdrawn } = sums
  return [
    ...[kind, `${enrolled}`, `${live}`],
    ...[staked, unbonding, frozen, slashed, withdrawn].map(formatTon),
  ]
}

function rulerLines({ timelock, multisig }: Rulers, nowS: number): string[] {
  if (!timelock) return ['timelock    none: the registry’s owner is another contract']
  const waiting = timelock.queue.map(({ id, etaS }) =>
    etaS > nowS ? `operation ${id} from ${dateOf(etaS)}` : `operation ${id} due`,
  )
  return [
    `timelock    ${timelock.address} holds ${formatTon(timelock.balance)} TON, delay ` +
      `${timelock.delayS} s, ${timelock.executed} executed, ${timelock.queue.length} waiting` +
      (waiting.length > 0 ? `: ${waiting.join(', ')}` : ''),
    multisig
      ? `multisig    ${multisig.address} holds ${formatTon(multisig.balance)} TON, ` +
        `${multisig.threshold} of ${multisig.signers.length} sign, ${multisig.orders} orders`
      : 'multisig    none: the timelock’s ruler is another contract',
  ]
}

function channelLines(
  asset: string,
  sums: ChannelSums,
  amount: (value: bigint) => string,
): string[] {
  const { found, open, closing, closed, deposited, claimed, locked } = sums
  return [
    `channels    ${asset}: ${found} found: ${open} open, ${closing} closing, ${closed} closed`,
    `deposits    ${amount(deposited)}, claimed ${amount(claimed)}, locked ${amount(locked)}`,
  ]
}

function nameOf({ assets = [] }: NetworkConfig, minter: string): string {
  const listed = assets.find((each) => registryOf(each.minter).toRawString() === minter)
  return listed ? listed.name.toUpperCase() : `jetton ${minter}`
}

function caseLines({ found, open, frozen, accused }: CaseSums): string[] {
  return [
    `cases       ${found} found: ${open} open, ${formatTon(frozen)} TON frozen by them`,
    ...accused.map(
      (each) =>
        `accused     ${each.kind} of ${each.owner}: ${each.open} open, ` +
        `${formatTon(each.frozen)} TON frozen: ${each.cases.join(' ')}`,
    ),
  ]
}

function solvencyLine({ kinds, channels, jettonChannels, cases }: ChainMarket): string {
  const sums = [...Object.values(kinds), channels, ...jettonChannels, cases]
  const insolvent = sums.flatMap((each) => each.insolvent)
  return insolvent.length === 0
    ? 'every contract covers what it owes'
    : `NOT: ${insolvent.join(' ')}`
}
