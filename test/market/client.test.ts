/**
 * The client against its real adapters, short of a scheduler: keys, disk, chain and network come
 * up, refuse in words, and are released, so that the next try finds nothing locked.
 * @module
 */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from '../../client/index.ts'
import { fundFromFaucet, openPorts } from '../../client/ports.ts'
import { type NetworkConfig, parseNetwork } from '../../contracts/base/network.ts'
import { TON } from '../../contracts/base/units.ts'
import { type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { createClock } from '../../node/system/clock.ts'
import { silentLogger } from '../../node/system/logger.ts'

async function readNetworkFile(): Promise<NetworkConfig> {
  return parseNetwork(JSON.parse(await readFile(join(home, 'localnet', 'network.json'), 'utf8')))
}

let home: string
let localnet: Localnet

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'chrysalis-client-'))
  localnet = await startLocalnet({ port: 0, clock: createClock(), logger: silentLogger })
  const network = {
    id: localnet.networkId,
    name: 'localnet',
    toncenter: localnet.url,
    schedulers: [{ identity: '00'.repeat(32), addresses: [NOBODY] }],
    faucet: `${new URL(localnet.url).origin}/control/faucet`,
    development: true,
  }
  await mkdir(join(home, 'localnet'))
  await writeFile(join(home, 'localnet', 'network.json'), JSON.stringify(network))
})
afterAll(async () => {
  await localnet.stop()
  await rm(home, { recursive: true })
})

/** Port 9 (discard) answers nowhere; the peer id is of a key that nobody holds. */
const NOBODY = '/ip4/127.0.0.1/tcp/9/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'

it('names an unknown network', async () => {
  await expect(connect({ network: 'nowhere', home, env: {} })).rejects.toMatchObject({
    code: 'unknown-network',
  })
})

it('says that no scheduler answers, and releases what it opened', async () => {
  const options = { network: 'localnet', home, env: {} }
  await expect(connect(options)).rejects.toMatchObject({ code: 'unreachable' })
  const folder = join(home, 'localnet', 'client')
  expect((await stat(join(folder, 'keys.json'))).mode & 0o777).toBe(0o600)
  const keys = await readFile(join(folder, 'keys.json'), 'utf8')
  // The second try gets as far as the first: no lock is left behind, and the keys are the same.
  await expect(connect(options)).rejects.toMatchObject({ code: 'unreachable' })
  expect(await readFile(join(folder, 'keys.json'), 'utf8')).toBe(keys)
})

it('asks the faucet for what is missing, and for no more', async () => {
  const network = await readNetworkFile()
  const { ports, release } = await openPorts({}, network, join(home, 'localnet', 'funded'), {})
  try {
    await fundFromFaucet(network, ports, TON)
    const { balance } = await ports.chain.account(ports.wallet.address)
    expect(balance).toBeGreaterThanOrEqual(TON)
    await fundFromFaucet(network, ports, TON)
    expect((await ports.chain.account(ports.wallet.address)).balance).toBe(balance)
    const gone = { ...network, faucet: 'http://127.0.0.1:9/' }
    await expect(fundFromFaucet(gone, ports, 10n * TON)).rejects.toMatchObject({
      code: 'unreachable',
    })
  } finally {
    await release()
  }
})
