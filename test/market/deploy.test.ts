/**
 * `chrysalis deploy` and `market --chain` through an endpoint that takes one request a second of
 * whoever has no key: with the key by the command itself, without one in a time that runs faster.
 * @module
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import { CHANNEL_CODE_HASH } from '../../contracts/wrappers/Channel.ts'
import { JETTON_CHANNEL_CODE_HASH } from '../../contracts/wrappers/JettonChannel.ts'
import { readRegistry } from '../../contracts/wrappers/registryView.ts'
import { sumMarket } from '../../node/audit/chainMarket.ts'
import { registryOf } from '../../node/chain/directory.ts'
import { openNetworkChain } from '../../node/chain/networkChain.ts'
import { type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { silentLogger as logger } from '../../node/system/logger.ts'
import { prepareDeployment } from '../../scripts/market/institution.ts'
import { localnetConfig, writeNetwork } from '../../scripts/market/networkFile.ts'
import { type LimitedEndpoint, startLimitedEndpoint } from '../support/limitedEndpoint.ts'
import { realClock } from '../support/localnet.ts'
import { lastJson, openProcesses, type Processes } from '../support/marketProcesses.ts'

const KEY = 'a key of this endpoint'
/** Client and endpoint live this much faster than the machine. */
const FASTER = 20
const fast: Clock = {
  nowMs: () => realClock.nowMs(),
  monotonicMs: () => realClock.monotonicMs() * FASTER,
  after: (ms, task) => realClock.after(ms / FASTER, task),
  sleep: (ms, signal) => realClock.sleep(ms / FASTER, signal),
}

let processes: Processes
let localnet: Localnet
let limited: LimitedEndpoint
let network: NetworkConfig
let file: string

beforeAll(async () => {
  processes = await openProcesses({ CHRYSALIS_TONCENTER_KEY: KEY })
  localnet = await startLocalnet({ clock: realClock, logger, port: 0, blockMs: 0 })
  limited = await startLimitedEndpoint(localnet.url, KEY, fast)
  const config = localnetConfig(localnet, 'localnet')
  network = { ...config, toncenter: `${limited.url}/api/v2/jsonRPC` }
  file = join(processes.home, 'localnet', 'network.json')
  await writeNetwork(file, network)
})
afterAll(async () => {
  limited?.stop()
  await localnet?.stop()
  await processes?.end()
})

async function command(...args: string[]): Promise<Record<string, unknown>> {
  const { exit, out, error } = await processes.run([...args, '--json'])
  expect({ exit, error: exit === 0 ? '' : `${out}${error}` }).toEqual({ exit: 0, error: '' })
  return lastJson(out)
}

it('without a key it keeps the pace: planned, deployed, summed, and little refused', async () => {
  const { home } = processes
  const chain = await openNetworkChain({ network, clock: fast, env: {} })
  const place = { home, network, file, chain, clock: fast, delayS: 2 * 86_400 }
  const planned = await prepareDeployment(place)
  expect(planned.missing).toHaveLength(3)
  const deployed = await planned.run()
  expect(deployed.map(({ status }) => status)).toEqual(Array(3).fill('deployed'))
  const { rulers } = await sumMarket(chain, planned.steps[2]!.address)
  expect(rulers.timelock?.delayS).toBe(2 * 86_400)
  const { keyed, taken, refused } = limited.counts
  expect(keyed).toBe(0)
  expect(taken).toBeGreaterThan(20)
  expect(refused).toBeLessThan(taken / 2)
  await writeNetwork(file, network)
})

it('with a key it asks as it likes, and prints every address, hash, value and fee', async () => {
  const { taken } = limited.counts
  const { planned, codes, cost, walletFeesAtMost } = await command('deploy', '--dry-run')
  const rows = planned as Record<string, string>[]
  const names = ['multisig', 'timelock', 'registry']
  expect(rows.map(({ name, status }) => [name, status])).toEqual(
    names.map((name, at) => [name, at === 0 ? 'already' : 'missing']),
  )
  const missing = rows.slice(1).reduce((sum, { value }) => sum + BigInt(value!), 0n)
  expect(BigInt(String(cost))).toBe(missing + BigInt(String(walletFeesAtMost)))
  const { contracts, walletFees, ...done } = await command('deploy')
  expect(done.codes).toEqual(codes)
  expect(BigInt(String(walletFees))).toBeGreaterThan(0n)
  expect(BigInt(String(walletFees))).toBeLessThan(BigInt(String(walletFeesAtMost)))
  for (const [at, { address, codeHash, fees }] of (contracts as typeof rows).entries()) {
    expect({ address, codeHash }).toMatchObject({
      ...{ address: rows[at]!.address, codeHash: rows[at]!.codeHash },
    })
    expect(BigInt(fees!)).toBeLessThan(BigInt(rows[at]!.feesAtMost!))
  }
  const summed = await command('market', '--chain')
  expect(summed).toMatchObject({ jettonChannels: [], cases: { open: 0 }, rulers: { multisig: {} } })
  expect(limited.counts.keyed).toBeGreaterThan(20)
  expect(limited.counts.taken).toBe(taken)

  const chain = await openNetworkChain({
    network: { ...network, toncenter: localnet.endpoint },
    ...{ clock: realClock, env: {} },
  })
  const { kinds, disputeCodeHash } = await readRegistry(chain, registryOf(rows[2]!.address!))
  expect(codes).toEqual([
    { name: 'provider', codeHash: kinds.provider.firstCodeHash, pinnedBy: 'registry' },
    { name: 'scheduler', codeHash: kinds.scheduler.firstCodeHash, pinnedBy: 'registry' },
    { name: 'gpu', codeHash: kinds.gpu.firstCodeHash, pinnedBy: 'registry' },
    { name: 'dispute', codeHash: disputeCodeHash, pinnedBy: 'registry' },
    { name: 'channel', codeHash: CHANNEL_CODE_HASH, pinnedBy: 'clients' },
    { name: 'jetton-channel', codeHash: JETTON_CHANNEL_CODE_HASH, pinnedBy: 'clients' },
  ])
  const { out } = await processes.run(['deploy', '--dry-run'])
  for (const { codeHash } of codes as { codeHash: string }[]) expect(out).toContain(codeHash)
  for (const verb of ['deploy', 'market']) {
    const { out: text } = await processes.run([verb, '--help'])
    expect(text, verb).toContain('$CHRYSALIS_TONCENTER_KEY')
  }
})
