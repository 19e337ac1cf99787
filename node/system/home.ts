/**
 * Where a node keeps its files, and how a network is found by name.
 *
 * `$CHRYSALIS_HOME`, else the XDG data folder. Below it one folder a network, with `network.json`
 * and one folder a role; no two processes share a role's folder (its store is locked).
 * @module
 */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { MarketError } from '../../contracts/base/errors.ts'
import { type NetworkConfig, parseNetwork } from '../../contracts/base/network.ts'

/** Longest network.json that is read: thousands of providers fit. */
const NETWORK_FILE_BYTES = 1024 * 1024

/** The folder of this installation. `env` is `process.env` or a test's own. */
export function homeFolder(env: Readonly<Record<string, string | undefined>>): string {
  if (env.CHRYSALIS_HOME) return resolve(env.CHRYSALIS_HOME)
  // XDG says that a relative path must be ignored.
  const data = env.XDG_DATA_HOME
  const base = data && isAbsolute(data) ? data : join(env.HOME ?? homedir(), '.local', 'share')
  return join(base, 'chrysalis')
}

/** The `network.json` of a network that is known by name under `home`. */
export function networkFile(home: string, name: string): string {
  return join(home, name, 'network.json')
}

/** The folder of one role on one network. */
export function roleFolder(home: string, network: string, role: string): string {
  return join(home, network, role)
}

/**
 * Reads a network by name (`localnet`) or by path (anything with a slash or ending in `.json`).
 * Throws `unknown-network` where there is no such file, `bad-config` where it is malformed.
 */
export async function readNetwork(nameOrPath: string, home: string): Promise<NetworkConfig> {
  return (await locateNetwork(nameOrPath, home)).network
}

/** The same, and the file that it came from. */
export async function locateNetwork(
  nameOrPath: string,
  home: string,
): Promise<{ readonly network: NetworkConfig; readonly file: string }> {
  const isPath = /[/\\]|\.json$/.test(nameOrPath)
  const file = isPath ? resolve(nameOrPath) : networkFile(home, nameOrPath)
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (cause) {
    throw new MarketError('unknown-network', { network: nameOrPath, file }, { cause })
  }
  if (content.length > NETWORK_FILE_BYTES)
    throw new MarketError('bad-config', { file, tooLong: true })
  try {
    return { network: parseNetwork(JSON.parse(content)), file }
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    throw new MarketError('bad-config', { file, expected: 'JSON' }, { cause })
  }
}
