/**
 * The roles' places in the registry, on networks that have one; their places in network.json, on
 * development networks that have none.
 * @module
 */
import type { Cell } from '@ton/core'
import { fundFromFaucet } from '../../client/ports.ts'
import { verifyEvidence } from '../../contracts/attest/verify.ts'
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { ITEM_VALUE } from '../../contracts/wrappers/itemMessages.ts'
import { gpuProfileCell } from '../../contracts/wrappers/itemProfiles.ts'
import type { Provider } from '../../node/provider/provider.ts'
import { keepRegistered, type Registration } from '../../node/settlement/registration.ts'
import type { RolePorts } from './rolePorts.ts'

/** What a role says of itself, now. */
export interface RoleMember {
  readonly kind: 'provider' | 'scheduler'
  profile(): Cell
  anchor(): Bytes
  sheet(): Bytes
}

/**
 * Registers the device that a provider's evidence proves, bonded and renewed each week with fresh
 * evidence. Undefined where it proves none, or without a registry. Not for tier `open`: nothing is
 * proved there.
 */
export async function joinDevice(
  network: NetworkConfig,
  ports: RolePorts,
  role: Pick<Provider, 'prove'>,
  provider: Registration,
  say: Pick<RoleMember, 'anchor' | 'sheet'>,
): Promise<Registration | undefined> {
  const { directory, clock } = ports
  const read = async () => {
    const { model, evidence } = await role.prove()
    const { id, development } = network
    const context = { atMs: clock.nowMs(), network: id, development }
    return { model, verdict: await verifyEvidence(evidence, context) }
  }
  const { verdict } = await read()
  if (!directory.registry || !verdict.deviceId) return undefined
  const stake = directory.current().stakes.gpu
  await fundFromFaucet(network, ports, stake + ITEM_VALUE.register + HEARTBEATS)
  return keepRegistered(ports, {
    ...say,
    kind: 'gpu',
    key: verdict.deviceId,
    profile: async () => {
      const now = await read()
      const { digest, tier } = now.verdict
      return gpuProfileCell({
        provider: provider.address,
        evidence: digest,
        tier,
        model: now.model,
      })
    },
  })
}

/** Fees of heartbeats and of the wallet, beside the stake. */
const HEARTBEATS: NanoTon = 200_000_000n

/**
 * Registers a role, with coins of the faucet where there is one. Undefined on a network without a
 * registry. Throws what `keepRegistered` does.
 */
export async function joinRegistry(
  network: NetworkConfig,
  ports: RolePorts,
  member: RoleMember,
): Promise<Registration | undefined> {
  const { directory } = ports
  if (!directory.registry) return undefined
  const stake = directory.current().stakes[member.kind]
  await fundFromFaucet(network, ports, stake + ITEM_VALUE.register + HEARTBEATS)
  return keepRegistered(ports, member)
}
