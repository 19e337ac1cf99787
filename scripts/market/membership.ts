/**
 * The roles' places in the registry, on networks that have one; their places in network.json, on
 * development networks that have none.
 * @module
 */
import type { Cell } from '@ton/core'
import { fundFromFaucet } from '../../client/ports.ts'
import type { Bytes } from '../../contracts/base/bytes.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { NanoTon } from '../../contracts/base/units.ts'
import { ITEM_VALUE } from '../../contracts/wrappers/itemMessages.ts'
import { keepRegistered, type Registration } from '../../node/settlement/registration.ts'
import type { RolePorts } from './rolePorts.ts'

/** What a role says of itself, now. */
export interface RoleMember {
  readonly kind: 'provider' | 'scheduler'
  profile(): Cell
  anchor(): Bytes
  sheet(): Bytes
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
