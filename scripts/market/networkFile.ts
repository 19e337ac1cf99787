/**
 * The `network.json` of a localnet, kept by the roles themselves: there is no registry contract
 * yet, so a scheduler adds its address and a provider its identity when they start.
 *
 * Only a development network's file is ever changed. Writers take turns by a lock file; readers see
 * the old file or the new one, never half of one.
 * @module
 */
import { mkdir, open, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MarketError } from '../../contracts/base/errors.ts'
import {
  type NetworkConfig,
  parseNetwork,
  type SchedulerAddress,
} from '../../contracts/base/network.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import { testJettonMinter } from '../../contracts/wrappers/testJetton.ts'

/** What a localnet that was just started is: nobody serves on it yet. */
export function localnetConfig(
  localnet: { readonly url: string; readonly endpoint: string; readonly networkId: number },
  name: string,
): NetworkConfig {
  return {
    id: localnet.networkId,
    name,
    toncenter: localnet.endpoint,
    schedulers: [],
    providers: [],
    assets: [{ name: 'usdt-test', minter: testJettonMinter().toString(), decimals: 6 }],
    faucet: `${localnet.url}/control/faucet`,
    development: true,
  }
}

/** Writes a network's file: nobody serves on it yet. */
export async function writeNetwork(file: string, network: NetworkConfig): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}.new`
  await writeFile(temporary, `${JSON.stringify(network, null, 2)}\n`, { mode: 0o600 })
  await rename(temporary, file)
}

/** Adds or replaces a scheduler. Throws `bad-config` where the network is not for development. */
export function addScheduler(
  clock: Clock,
  file: string,
  scheduler: SchedulerAddress,
): Promise<NetworkConfig> {
  return change(clock, file, (network) => {
    const others = network.schedulers.filter((each) => each.identity !== scheduler.identity)
    return { ...network, schedulers: [...others, scheduler] }
  })
}

/** Accepts a provider identity (hex). Throws `bad-config` outside a development network. */
export function addProvider(clock: Clock, file: string, identity: string): Promise<NetworkConfig> {
  return change(clock, file, (network) => {
    const providers = [...new Set([...(network.providers ?? []), identity])]
    return { ...network, providers }
  })
}

/**
 * Tells a network's file its registry. On a public network the file is its owner's own copy, and
 * this is the one thing that is ever changed in it.
 */
export async function setRegistry(clock: Clock, file: string, registry: string): Promise<void> {
  await change(clock, file, (network) => ({ ...network, registry }), { anyNetwork: true })
}

async function change(
  clock: Clock,
  file: string,
  edit: (network: NetworkConfig) => NetworkConfig,
  { anyNetwork = false } = {},
): Promise<NetworkConfig> {
  const unlock = await lock(clock, `${file}.lock`)
  try {
    const network = parseNetwork(JSON.parse(await readFile(file, 'utf8')))
    if (!network.development && !anyNetwork) {
      throw new MarketError('bad-config', { file, expected: 'a development network' })
    }
    const edited = parseNetwork(edit(network))
    await writeNetwork(file, edited)
    return edited
  } finally {
    await unlock()
  }
}

const LOCK_TRIES = 100
const LOCK_MS = 50

/** One writer at a time; a lock left by a dead process is taken over after five seconds. */
async function lock(clock: Clock, file: string): Promise<() => Promise<void>> {
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    try {
      await (await open(file, 'wx', 0o600)).close()
      return () => unlink(file)
    } catch {
      await clock.sleep(LOCK_MS)
    }
  }
  await unlink(file).catch(() => undefined)
  return lock(clock, file)
}
