/**
 * What running roles have in common on this machine: how they end, and what they ask for work.
 * @module
 */
import { type Bytes, utf8 } from '../../contracts/base/bytes.ts'
import type { MarketError } from '../../contracts/base/errors.ts'
import { taggedHash } from '../../contracts/base/signing.ts'
import type { Registration } from '../../node/settlement/registration.ts'
import type { RolePorts } from './rolePorts.ts'

/** What could not be started leaves nothing open behind. */
export async function orClosed<T>(ports: RolePorts, start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    ports.directory.stop()
    await ports.transport.stop()
    await ports.store.close()
    throw error
  }
}

/** A role that stops following the registry when it stops. */
export function leaving<Role extends { stop(): Promise<void> }>(
  role: Role,
  { directory }: RolePorts,
  ...registrations: readonly (Registration | undefined)[]
): Role {
  const stop = () => {
    for (const each of registrations) each?.stop()
    directory.stop()
    return role.stop()
  }
  return { ...role, stop }
}

/** One hash of what a role asks for its work: the same words give the same hash. */
export function priceSheet(
  networkId: number,
  words: Readonly<Record<string, string | number>>,
): Bytes {
  const text = JSON.stringify(Object.entries(words).sort())
  return taggedHash('chrysalis/sheet/1', networkId, utf8(text))
}

/** A store that failed may have lost what was acknowledged: this process says nothing more. */
export function stopProcess(error: MarketError): void {
  process.stderr.write(`error: ${error.message}\n  action: ${error.action}\n`)
  process.exit(error.exit)
}
