/**
 * Starting the roles of a market on this machine with real adapters: what `chrysalis dev` runs in
 * one process and the other verbs run in one process each.
 * @module
 */

import { fundAsset } from '../../client/fundAsset.ts'
import { fundFromFaucet } from '../../client/ports.ts'
import type { Compute } from '../../contracts/attest/document.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import { type Tier, tierAtLeast } from '../../contracts/base/tier.ts'
import { TON } from '../../contracts/base/units.ts'
import { nativeKem } from '../../contracts/seal/kem.ts'
import { providerProfileCell, schedulerProfileCell } from '../../contracts/wrappers/itemProfiles.ts'
import type { Backend } from '../../node/backends/backend.ts'
import type { StrategyName } from '../../node/matching/events.ts'
import type { Collect } from '../../node/provider/evidence.ts'
import { type Provider, startProvider } from '../../node/provider/provider.ts'
import { type Scheduler, startScheduler } from '../../node/scheduler/scheduler.ts'
import { booksAnchor } from '../../node/settlement/anchor.ts'
import type { Registration } from '../../node/settlement/registration.ts'
import type { Keystore } from '../../node/system/keystore.ts'
import { providerIdentity } from './identity.ts'
import { joinDevice, joinRegistry, type RoleMember } from './membership.ts'
import { addProvider, addScheduler } from './networkFile.ts'
import { paidJettons, roleAssets } from './roleAssets.ts'
import { leaving, orClosed, priceSheet, stopProcess } from './roleLife.ts'
import { openRoleKeys, openRolePorts, type RolePlace, type RolePorts } from './rolePorts.ts'

/** Deposit in each channel to a provider. */
const PROVIDER_DEPOSIT = 2n * TON
/** What a payee's wallet needs to claim, and to deploy itself. */
const CLAIM_FUNDS = TON / 2n

export interface SchedulerSettings extends Omit<RolePlace, 'listen'> {
  /** network.json to add this scheduler to. */
  readonly file: string
  /** TCP port for peers; 0 for any. */
  readonly port: number
  /** Parts per 10,000. */
  readonly fee: number
  readonly strategy: StrategyName
  readonly salt: number
  readonly queueLimit: number
  readonly affinityBonus?: number
  readonly closeDelayS?: number
  /** Jettons to take and to pay providers in, beside TON. */
  readonly assets?: readonly string[]
}

export interface RunningScheduler {
  readonly role: Scheduler
  readonly ports: RolePorts
  /** Its place in the registry, where the network has one. */
  readonly registration?: Registration
  /** The network as its file says now. */
  readonly network: NetworkConfig
}

/** Starts a scheduler and makes it known in a development network's file. */
export async function runScheduler(settings: SchedulerSettings): Promise<RunningScheduler> {
  const ports = await openRolePorts({
    ...settings,
    listen: [`/ip4/127.0.0.1/tcp/${settings.port}`],
  })
  return orClosed(ports, () => matchJobs(settings, ports))
}

async function matchJobs(settings: SchedulerSettings, ports: RolePorts): Promise<RunningScheduler> {
  const { network, fee, strategy, salt, queueLimit, affinityBonus } = settings
  const jettons = paidJettons(settings, ports)
  const { keystore, transport } = ports
  const role = await startScheduler(ports, {
    networkId: network.id,
    keys: {
      identity: keystore.key('identity'),
      peer: keystore.key('peer'),
      wallet: keystore.key('wallet'),
      voucherKey: (nonce) => keystore.key('voucher', nonce),
    },
    fee,
    strategy,
    salt,
    seed: salt,
    queueLimit,
    affinityBonus,
    providerDepositNano: PROVIDER_DEPOSIT,
    jettons,
    closeDelayS: settings.closeDelayS ?? LIMITS.closeDelayS,
    onFault: stopProcess,
  })
  const identity = toHex(role.identity)
  const addresses = transport.addresses()
  const registration = await joinRegistry(network, ports, {
    kind: 'scheduler',
    profile: () =>
      schedulerProfileCell({
        identity: role.identity,
        peerId: transport.peerKey,
        fee,
        addresses: transport.addresses(),
      }),
    anchor: role.anchor,
    sheet: () => priceSheet(network.id, { fee, strategy }),
  })
  // Channels to a handful of providers, and the fees of claiming.
  await fundFromFaucet(network, ports, PROVIDER_DEPOSIT * 8n)
  for (const { asset, deposit } of jettons) await fundAsset(network, ports, asset, deposit * 8n)
  const known =
    !registration && network.development
      ? await addScheduler(ports.clock, settings.file, { identity, addresses })
      : network
  return { role: leaving(role, ports, registration), ports, registration, network: known }
}

export interface ProviderSettings extends Omit<RolePlace, 'listen'> {
  readonly file: string
  readonly backend: (ports: RolePorts) => Promise<Backend>
  readonly tick: number
  /** What the work is sold for; absent: TON. */
  readonly assets?: readonly string[]
  readonly tier: Tier
  /** Where the backend runs its models. */
  readonly compute: Compute
  readonly region: string
  readonly gpu: string
  readonly memoryGiB: number
  /** Asks the hardware for evidence: for tiers above `open`. */
  readonly collect?: (ports: RolePorts) => Promise<Collect>
}

export interface RunningProvider {
  readonly role: Provider
  readonly ports: RolePorts
  /** Its place in the registry, where the network has one. */
  readonly registration?: Registration
  /** The place of its device, where evidence proves one. */
  readonly device?: Registration
}

/** Starts a provider; on a development network its identity is added to the accepted ones. */
export async function runProvider(settings: ProviderSettings): Promise<RunningProvider> {
  const { network, tier } = settings
  const keystore = await openRoleKeys(settings)
  const identityKey = providerIdentity(tier, keystore)
  if (tier === 'simulated' && !network.development) {
    throw new MarketError('bad-config', { tier, expected: 'open, outside development networks' })
  }
  const ports = await openRolePorts({ ...settings, listen: [] }, keystore)
  return orClosed(ports, () => serveModels(settings, ports, keystore, identityKey))
}

async function serveModels(
  settings: ProviderSettings,
  ports: RolePorts,
  keystore: Keystore,
  identityKey: SigningKey,
): Promise<RunningProvider> {
  const { network, file, tick, tier, compute, region, gpu, memoryGiB } = settings
  const isConfidential = tierAtLeast(tier, 'cpu-tee')
  const identity = toHex(identityKey.publicKey)
  const { registry } = ports.directory
  // Above `open` no list is asked: the evidence itself speaks for the key.
  if (!registry && network.development && !isConfidential) {
    await addProvider(ports.clock, file, identity)
  }
  const schedulers = await ports.directory.schedulers()
  if (schedulers.length === 0) {
    throw new MarketError(
      'unreachable',
      { schedulers: 0 },
      {
        action: 'Start a scheduler first: chrysalis scheduler start.',
      },
    )
  }
  let running: Provider | undefined
  const member: RoleMember = {
    kind: 'provider',
    profile: () =>
      providerProfileCell({ identity: identityKey.publicKey, peerId: ports.transport.peerKey }),
    anchor: () => running?.anchor() ?? booksAnchor(network.id, []),
    sheet: () => priceSheet(network.id, { tick, tier, region, gpu }),
  }
  const registration = await joinRegistry(network, ports, member)
  await fundFromFaucet(network, ports, CLAIM_FUNDS)
  const collect = await settings.collect?.(ports)
  const backend = await settings.backend(ports)
  const role = await startProvider(
    { ...ports, kem: nativeKem(), backend, collect },
    {
      networkId: network.id,
      keys: {
        identity: identityKey,
        peer: keystore.key('peer'),
        wallet: keystore.key('wallet'),
        device: keystore.key('identity', 'simulated device'),
      },
      schedulers,
      tick,
      assets: roleAssets(settings, ports),
      tier,
      compute,
      region,
      gpu,
      memoryGiB,
      minCloseDelayS: LIMITS.closeDelayS,
      onFault: stopProcess,
    },
  )
  running = role
  const proves = tier === 'open' ? undefined : registration
  const device = proves && (await joinDevice(network, ports, role, proves, member))
  const leave = leaving(role, ports, registration, device)
  return { role: leave, ports, registration, device }
}
