/**
 * The registry at work on a localnet: deployed twice over, joined, followed through a change of
 * parameters, paused, and summed.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cell } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../contracts/base/bytes.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { MarketParameters } from '../../contracts/base/marketParameters.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain, Directory, Wallet } from '../../contracts/base/ports.ts'
import { TON } from '../../contracts/base/units.ts'
import { readItem } from '../../contracts/wrappers/bondedItem.ts'
import { providerProfileCell, schedulerProfileCell } from '../../contracts/wrappers/itemProfiles.ts'
import {
  pauseBody,
  REGISTRY_VALUE,
  unpauseBody,
} from '../../contracts/wrappers/registryMessages.ts'
import { sumMarket } from '../../node/audit/chainMarket.ts'
import { openDirectory, registryOf } from '../../node/chain/directory.ts'
import { connectChain } from '../../node/chain/tonClient.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { leaveRegistry } from '../../node/settlement/leaving.ts'
import { keepRegistered, type Membership } from '../../node/settlement/registration.ts'
import { silentLogger } from '../../node/system/logger.ts'
import { deploy } from '../../scripts/deploy/deploy.ts'
import { addSignature, executeOperation, submitOrder } from '../../scripts/deploy/govern.ts'
import { readGovernance } from '../../scripts/deploy/governance.ts'
import { orderParameters } from '../../scripts/deploy/proposals.ts'
import { deployLocally, prepareDeployment } from '../../scripts/market/institution.ts'
import { localnetConfig, writeNetwork } from '../../scripts/market/networkFile.ts'
import { openRoleKeys } from '../../scripts/market/rolePorts.ts'
import { realClock as clock, postJson, testKey } from '../support/localnet.ts'

const DAY_S = 86_400
const logger = silentLogger

let home: string
let file: string
let localnet: Localnet
let network: NetworkConfig
let chain: Chain
let directory: Directory
let scheduler: Wallet
let provider: Wallet

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'chrysalis-registry-'))
  file = join(home, 'localnet', 'network.json')
  localnet = await startLocalnet({ clock, logger, port: 0, blockMs: 0 })
  const { endpoint, networkId } = localnet
  chain = await connectChain({ endpoint, networkId, clock })
  const wallet = async (seed: number) => {
    const made = createWallet({ chain, clock, key: testKey(seed) })
    await control('faucet', { address: made.address.toString(), amount: `${30n * TON}` })
    return made
  }
  scheduler = await wallet(1)
  provider = await wallet(2)
  network = localnetConfig(localnet, 'localnet')
  await writeNetwork(file, network)
})
afterAll(async () => {
  directory?.stop()
  await localnet?.stop()
  await rm(home, { recursive: true, force: true })
})

async function control(verb: string, body: object): Promise<void> {
  const answer = await postJson(`${localnet.url}/control/${verb}`, body)
  if (!answer.body.ok) throw new Error(answer.body.error)
}

const own = (wallet: Wallet) => ({ chain, wallet, directory, clock, logger })
const sums = () => sumMarket(chain, registryOf(network.registry!))

describe('deploying', () => {
  it('goes on where it stopped, and changes nothing where all is there', async () => {
    const place = { home, network, file, chain, clock }
    const first = await prepareDeployment(place)
    await control('faucet', { address: first.wallet.address.toString(), amount: `${9n * TON}` })
    const [multisig, ...others] = first.steps
    await deploy({ chain, wallet: first.wallet, clock }, [multisig!])
    const second = await (await prepareDeployment(place)).run()
    expect(second.map(({ status }) => status)).toEqual(['already', 'deployed', 'deployed'])
    expect(second.map(({ address }) => address)).toEqual(
      [multisig!, ...others].map(({ address }) => address.toString()),
    )
    expect(second[2]!.fees).toBeGreaterThan(0n)
    const third = await prepareDeployment(place)
    expect(third.cost).toBe(0n)
    expect((await third.run()).map(({ status }) => status)).toEqual(Array(3).fill('already'))
    network = await deployLocally(place)
    expect(registryOf(network.registry!).equals(others[1]!.address)).toBe(true)
  })

  it('refuses to take the place of another registry', async () => {
    const given = { home, network, file, chain, clock, delayS: 3 * DAY_S }
    await expect(prepareDeployment(given)).rejects.toMatchObject({ code: 'bad-config' })
  })
})

describe('the directory', () => {
  it('is refused where there is no registry, or another network’s', async () => {
    const elsewhere = { ...network, registry: provider.address.toString() }
    const open = (changed: NetworkConfig) =>
      openDirectory({ network: changed, chain, clock, logger })
    await expect(open(elsewhere)).rejects.toMatchObject({ code: 'no-registry' })
    await expect(open({ ...network, registry: 'here' })).rejects.toMatchObject({
      code: 'bad-config',
    })
    await expect(open({ ...network, id: 5 })).rejects.toMatchObject({ code: 'wrong-network' })
  })

  it('finds nobody before anybody has registered', async () => {
    directory = await openDirectory({ network, chain, clock, logger })
    expect(directory.current()).toMatchObject({ version: 1, window: 256 })
    expect(await directory.schedulers()).toEqual([])
    const identity = testKey(7).publicKey
    expect(await directory.isProvider(identity, provider.address)).toBe(false)
    expect(await directory.isProvider(identity, undefined)).toBe(false)
  })
})

/** What of a membership is changed from look to look. */
let addresses = ['/ip4/127.0.0.1/tcp/1']
const identity = testKey(7).publicKey
const schedulerMember: Membership = {
  kind: 'scheduler',
  profile: () => schedulerProfileCell({ identity, peerId: identity, fee: 300, addresses }),
  anchor: () => new Uint8Array(32).fill(1),
  sheet: () => new Uint8Array(32).fill(2),
}
const providerMember: Membership = {
  ...schedulerMember,
  kind: 'provider',
  profile: () => providerProfileCell({ identity, peerId: identity }),
}

describe('joining', () => {
  it('lists a scheduler where it is, and a provider under its owner', async () => {
    const joined = await keepRegistered(own(scheduler), schedulerMember)
    joined.stop()
    expect(await readItem(chain, joined.address)).toMatchObject({
      status: 'enrolled',
      stake: 10n * TON,
      index: 1,
    })
    ;(await keepRegistered(own(provider), providerMember)).stop()
    const fresh = await openDirectory({ network, chain, clock, logger })
    expect(await fresh.schedulers()).toEqual([{ identity: toHex(identity), addresses }])
    fresh.stop()
    expect(await directory.isProvider(identity, provider.address)).toBe(true)
    expect(await directory.isProvider(identity, scheduler.address)).toBe(false)
    expect(await directory.isProvider(testKey(8).publicKey, provider.address)).toBe(false)
  })

  it('costs nothing more where all is as it should be', async () => {
    const before = (await chain.account(provider.address)).balance
    ;(await keepRegistered(own(provider), providerMember)).stop()
    expect((await chain.account(provider.address)).balance).toBe(before)
  })

  it('brings the profile up to date, and is seen again after a week', async () => {
    addresses = ['/ip4/127.0.0.1/tcp/2']
    const joined = await keepRegistered(own(scheduler), schedulerMember)
    joined.stop()
    const fresh = await openDirectory({ network, chain, clock, logger })
    expect(await fresh.schedulers()).toEqual([{ identity: toHex(identity), addresses }])
    fresh.stop()
    const { seenAtS, anchor } = await readItem(chain, joined.address)
    expect(anchor).toEqual(new Uint8Array(32).fill(1))
    await control('time', { advanceSeconds: LIMITS.itemHeartbeatS })
    expect((await joined.look()).seenAtS).toBeGreaterThan(seenAtS + LIMITS.itemHeartbeatS - 60)
  })

  it('adds up on chain', async () => {
    const { kinds, channels, devices, rulers } = await sums()
    expect(kinds.scheduler).toMatchObject({ enrolled: 1, live: 1, staked: 10n * TON })
    expect(kinds.provider).toMatchObject({ enrolled: 1, live: 1, staked: TON })
    expect([kinds.gpu.enrolled, devices, channels.found]).toEqual([0, 0, 0])
    expect([...kinds.provider.insolvent, ...kinds.scheduler.insolvent]).toEqual([])
    const { timelock, multisig } = rulers
    expect(timelock).toMatchObject({ delayS: DAY_S, executed: 0, queue: [] })
    expect(multisig).toMatchObject({ threshold: 1, orders: 0 })
    expect(timelock!.balance).toBeGreaterThan(timelock!.reserve)
    expect(multisig!.balance).toBeGreaterThan(multisig!.reserve)
  })

  it.each<[string, () => string]>([
    ['nothing', () => `0:${'0d'.repeat(32)}`],
    ['another contract', () => provider.address.toString()],
  ])('says so where %s is at the address', async (_name, address) => {
    const failing = sumMarket(chain, registryOf(address()))
    await expect(failing).rejects.toMatchObject({ code: 'no-registry' })
    const governing = readGovernance(chain, registryOf(address()))
    await expect(governing).rejects.toMatchObject({ code: 'no-registry' })
  })
})

describe('a change of parameters', () => {
  it('comes into force by order, timelock and anyone, and is followed', async () => {
    const registry = registryOf(network.registry!)
    const keystore = await openRoleKeys({ home, network, role: 'deployer' })
    const seen: MarketParameters[] = []
    const stop = directory.onChange((parameters) => seen.push(parameters))
    const before = await readGovernance(chain, registry)
    const order = orderParameters(before, { ...before.parameters, window: 128 })
    const sender = { chain, clock, wallet: provider }
    await expect(submitOrder(before, { order, signatures: [] }, sender)).rejects.toMatchObject({
      code: 'bad-input',
    })
    expect(() => addSignature(before, { order, signatures: [] }, testKey(9))).toThrow(
      expect.objectContaining({ code: 'bad-input' }),
    )
    const signed = addSignature(before, { order, signatures: [] }, keystore.key('signer'))
    await submitOrder(before, signed, sender)
    const queued = await readGovernance(chain, registry)
    await expect(executeOperation(queued, undefined, sender)).rejects.toMatchObject({
      code: 'bad-input',
    })
    await control('time', { advanceSeconds: DAY_S + 3_700 })
    await executeOperation(await readGovernance(chain, registry), undefined, sender)
    expect(await directory.version(2)).toMatchObject({ version: 2, window: 128 })
    expect(directory.current().window).toBe(128)
    expect(seen.map(({ version }) => version)).toEqual([2])
    stop()
  })

  it('leaves the version before in use for a while, and no other', async () => {
    expect(await directory.version(1)).toMatchObject({ version: 1, window: 256 })
    expect(await directory.version(3)).toBeUndefined()
    await control('time', { advanceSeconds: LIMITS.parameterGraceS + 1 })
    expect(await directory.version(1)).toBeUndefined()
  })
})

describe('a pause', () => {
  const guard = async (body: Cell) => {
    const keystore = await openRoleKeys({ home, network, role: 'deployer' })
    const guardian = createWallet({ chain, clock, key: keystore.key('wallet') })
    await control('faucet', { address: guardian.address.toString(), amount: `${TON}` })
    await guardian.send([{ to: registryOf(network.registry!), value: REGISTRY_VALUE, body }])
  }

  it('refuses a newcomer, whose stake comes back, and stops nobody else', async () => {
    const newcomer = createWallet({ chain, clock, key: testKey(3) })
    await control('faucet', { address: newcomer.address.toString(), amount: `${20n * TON}` })
    await guard(pauseBody())
    await expect(keepRegistered(own(newcomer), schedulerMember)).rejects.toMatchObject({
      code: 'registration-refused',
    })
    expect((await chain.account(newcomer.address)).balance).toBeGreaterThan((198n * TON) / 10n)
    const { kinds } = await sums()
    expect(kinds.scheduler).toMatchObject({ enrolled: 1, live: 1 })
    await guard(unpauseBody())
    ;(await keepRegistered(own(newcomer), schedulerMember)).stop()
    expect((await sums()).kinds.scheduler.enrolled).toBe(2)
  })
})

describe('leaving', () => {
  it('takes the time of unbonding and nobody’s consent, and gives the stake back', async () => {
    const { unbondingS } = directory.current().stakes
    const first = await leaveRegistry(own(provider), { kind: 'provider' })
    expect(first).toMatchObject({ status: 'unbonding', bonded: TON, frozen: 0n, withdrawn: 0n })
    const again = await leaveRegistry(own(provider), { kind: 'provider' })
    expect([again.bonded, again.dueAtS]).toEqual([TON, first.dueAtS])
    const before = (await chain.account(provider.address)).balance
    await control('time', { advanceSeconds: unbondingS })
    const left = await leaveRegistry(own(provider), { kind: 'provider' })
    expect(left).toMatchObject({ status: 'left', bonded: 0n, withdrawn: TON })
    const back = (await chain.account(provider.address)).balance - before
    expect(back).toBeGreaterThan(TON - TON / 50n)
    const never = { kind: 'gpu' as const, key: new Uint8Array(32).fill(4) }
    expect(await leaveRegistry(own(provider), never)).toMatchObject({ status: 'none' })
  })
})

describe('what time does', () => {
  it('whoever is not seen for thirty days counts no more', async () => {
    await control('time', { advanceSeconds: 30 * DAY_S })
    const { kinds } = await sums()
    expect(kinds.provider).toMatchObject({ enrolled: 1, walked: 1, live: 0, staked: 0n })
    expect(kinds.scheduler).toMatchObject({ enrolled: 2, walked: 2, live: 0 })
    const fresh = await openDirectory({ network, chain, clock, logger })
    expect(await fresh.schedulers()).toEqual([])
    expect(await fresh.isProvider(identity, provider.address)).toBe(false)
    fresh.stop()
  })
})
