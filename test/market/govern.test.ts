/**
 * Governing a market on a localnet, from the order to what the contracts make of it: code from
 * prepare to an upgraded item, signers, guardian, delay and owner, and every refusal told as one.
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../contracts/base/bytes.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain } from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import { readItem } from '../../contracts/wrappers/bondedItem.ts'
import { describeOrder } from '../../contracts/wrappers/governance.ts'
import { schedulerProfileCell } from '../../contracts/wrappers/itemProfiles.ts'
import {
  multisigAddress,
  multisigStateInit,
  type Order,
  topUpMultisigBody,
} from '../../contracts/wrappers/Multisig.ts'
import { PROVIDER_CODE, PROVIDER_CODE_HASH } from '../../contracts/wrappers/Provider.ts'
import {
  timelockAddress,
  timelockStateInit,
  topUpTimelockBody,
} from '../../contracts/wrappers/Timelock.ts'
import { openDirectory, registryOf } from '../../node/chain/directory.ts'
import { connectChain } from '../../node/chain/tonClient.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { keepRegistered } from '../../node/settlement/registration.ts'
import { silentLogger } from '../../node/system/logger.ts'
import type { Sender } from '../../scripts/deploy/follow.ts'
import {
  addSignature,
  executeOperation,
  setPause,
  submitOrder,
} from '../../scripts/deploy/govern.ts'
import { type Governance, readGovernance } from '../../scripts/deploy/governance.ts'
import { governanceJson, governanceLines } from '../../scripts/deploy/governanceView.ts'
import { isOffered, readUpgrade, upgradeItem } from '../../scripts/deploy/itemUpgrade.ts'
import { readOrder, writeOrder } from '../../scripts/deploy/orderFile.ts'
import {
  orderCancel,
  orderParameters,
  orderSigners,
  type Proposal,
  propose,
} from '../../scripts/deploy/proposals.ts'
import { deployLocally } from '../../scripts/market/institution.ts'
import { localnetConfig, writeNetwork } from '../../scripts/market/networkFile.ts'
import { openRoleKeys } from '../../scripts/market/rolePorts.ts'
import { realClock as clock, postJson, testKey } from '../support/localnet.ts'

const DAY_S = 86_400
const logger = silentLogger
const identity = testKey(7).publicKey

let home: string
let localnet: Localnet
let network: NetworkConfig
let chain: Chain
let guardian: Sender
let anyone: Sender
let signer: SigningKey

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'chrysalis-govern-'))
  localnet = await startLocalnet({ clock, logger, port: 0, blockMs: 0 })
  const { endpoint, networkId } = localnet
  chain = await connectChain({ endpoint, networkId, clock })
  const file = join(home, 'localnet', 'network.json')
  await writeNetwork(file, localnetConfig(localnet, 'localnet'))
  network = await deployLocally({
    home,
    network: localnetConfig(localnet, 'localnet'),
    file,
    clock,
  })
  const keystore = await openRoleKeys({ home, network, role: 'deployer' })
  signer = keystore.key('signer')
  guardian = await senderOf(keystore.key('wallet'))
  anyone = await senderOf(testKey(1))
})
afterAll(async () => {
  await localnet?.stop()
  await rm(home, { recursive: true, force: true })
})

async function senderOf(key: SigningKey): Promise<Sender> {
  const wallet = createWallet({ chain, clock, key })
  await control('faucet', { address: wallet.address.toString(), amount: `${30n * TON}` })
  return { chain, clock, wallet }
}

async function control(verb: string, body: object): Promise<void> {
  const answer = await postJson(`${localnet.url}/control/${verb}`, body)
  if (!answer.body.ok) throw new Error(answer.body.error)
}

const pass = (seconds: number) => control('time', { advanceSeconds: seconds })
const registry = () => registryOf(network.registry!)
const governance = (): Promise<Governance> => readGovernance(chain, registry())

/** Through the file in which an order travels. */
async function handIn(order: Order, keys: readonly SigningKey[] = [signer]): Promise<void> {
  const now = await governance()
  const path = join(home, 'order.json')
  const signed = keys.reduce((file, key) => addSignature(now, file, key), {
    ...{ order, signatures: [] as const },
  } as Parameters<typeof addSignature>[1])
  await writeOrder(path, signed)
  await submitOrder(now, await readOrder(path), anyone)
}

/** From the proposal over the delay to its execution. */
async function decide(proposal: Proposal): Promise<void> {
  await handIn(propose(await governance(), proposal).order)
  const { queue, nowS } = await governance()
  const last = queue.at(-1)!
  await pass(last.etaS - nowS + 1)
  await executeOperation(await governance(), last.id, anyone)
}

const shown = async () => governanceLines(await governance(), true).join('\n')
const refused = (exitCode: number) => ({ code: 'contract-failed', facts: { exitCode } })

describe('a refusal', () => {
  it('of the guardian’s second pause is told, with the day of the next', async () => {
    const { pausedUntilS } = await setPause(await governance(), true, guardian)
    expect(pausedUntilS).toBeGreaterThan(await chain.now())
    expect(await shown()).toContain('REGISTRATION IS PAUSED until')
    await expect(setPause(await governance(), true, guardian)).rejects.toMatchObject(refused(732))
    await setPause(await governance(), false, guardian)
    const again = setPause(await governance(), true, guardian)
    await expect(again).rejects.toMatchObject({ action: expect.stringMatching(/from 20\d\d-/) })
    await expect(setPause(await governance(), false, guardian)).rejects.toMatchObject(refused(736))
    expect(await shown()).toMatch(/anyone may register; the guardian may pause again from 20/)
    await expect(setPause(await governance(), true, anyone)).rejects.toMatchObject({
      code: 'bad-input',
    })
  })

  it('of parameters that came second is told, shown, and foretold', async () => {
    const first = await governance()
    await handIn(orderParameters(first, { ...first.parameters, window: 128 }))
    const second = await governance()
    const next: Proposal = { kind: 'parameters', parameters: second.parameters }
    const { order, warnings } = propose(second, next)
    expect(warnings.join()).toContain('operation 1 waits already and is about parameters too')
    await handIn(order)
    expect(await shown()).toContain('WARNING    operations 1, 2 are all about parameters')
    await pass(DAY_S + 3_700)
    await executeOperation(await governance(), 2n, anyone)
    const late = executeOperation(await governance(), 1n, anyone)
    await expect(late).rejects.toMatchObject(refused(729))
    const after = await governance()
    expect(after.parameters).toMatchObject({ version: 2, window: 256 })
    expect(await shown()).toMatch(/executed +2, of which targets REFUSED 1\nrefused +last at 20/)
    expect(await shown()).toContain('exit code 729: the parameters are not of the next version')
    expect(governanceJson(after, true)).toMatchObject({
      timelock: { failed: 1, failure: { exitCode: 729, reason: expect.any(String) } },
    })
  })

  it('that can be foreseen burns no number', async () => {
    const now = await governance()
    const { seqno } = now.multisig.view
    expect(() => orderCancel(now, 77n)).toThrow(expect.objectContaining({ code: 'bad-input' }))
    await expect(executeOperation(now, 77n, anyone)).rejects.toMatchObject({ code: 'bad-input' })
    const { order } = propose(now, { kind: 'delay', delayS: 2 * DAY_S })
    await pass(3_700)
    await expect(handIn(order)).rejects.toMatchObject({ code: 'bad-input' })
    await pass(8 * DAY_S)
    const { order: other } = orderSigners(now, now.multisig.view.signers)
    await expect(handIn(other)).rejects.toMatchObject({ code: 'bad-input' })
    expect((await governance()).multisig.view.seqno).toBe(seqno)
  })
})

describe('code', () => {
  const upgrade = () =>
    readUpgrade(chain, registry(), { kind: 'scheduler', owner: anyone.wallet.address })

  it('is applied only as it was prepared, and shown with its dates before', async () => {
    const code = { of: 'scheduler', code: PROVIDER_CODE } as const
    const empty = await governance()
    const bad = expect.objectContaining({ code: 'bad-input' })
    expect(() => propose(empty, { kind: 'apply', ...code })).toThrow(bad)
    expect(() => propose(empty, { kind: 'take-back', of: 'scheduler' })).toThrow(bad)
    await decide({ kind: 'prepare', ...code })
    expect(await shown()).toMatch(
      /prepared +for every scheduler: [0-9a-f]{64}, may be applied from 20.* lapses 20/,
    )
    const prepared = await governance()
    expect(() => propose(prepared, { kind: 'apply', ...code }, 2 * DAY_S)).toThrow(bad)
    expect(propose(prepared, { kind: 'prepare', ...code }).warnings).toHaveLength(1)
    expect(isOffered(await joined())).toBe(false)
    await decide({ kind: 'apply', ...code })
    expect(await shown()).toContain(`every scheduler: version 1, ${PROVIDER_CODE_HASH}`)
  })

  /** The item of a scheduler that anyone owns. */
  async function joined() {
    const directory = await openDirectory({ network, chain, clock, logger })
    const member = await keepRegistered(
      { chain, wallet: anyone.wallet, directory, clock, logger },
      {
        kind: 'scheduler',
        profile: () => schedulerProfileCell({ identity, peerId: identity, fee: 1, addresses: [] }),
        anchor: () => new Uint8Array(32),
        sheet: () => new Uint8Array(32),
      },
    )
    member.stop()
    directory.stop()
    return upgrade()
  }

  it('is run by an item when its owner takes it, once', async () => {
    const before = await upgrade()
    expect(before).toMatchObject({ version: 0, offered: { version: 1 } })
    expect(isOffered(before)).toBe(true)
    await upgradeItem(anyone, before)
    const after = await upgrade()
    expect(after).toMatchObject({ version: 1, codeHash: PROVIDER_CODE_HASH })
    expect([after.item.equals(before.item), isOffered(after)]).toEqual([true, false])
    expect(await readItem(chain, after.item)).toMatchObject({ stake: 10n * TON, codeVersion: 1 })
    await expect(upgradeItem(anyone, after)).rejects.toMatchObject(refused(728))
    const stranger = { kind: 'scheduler', owner: guardian.wallet.address } as const
    await expect(readUpgrade(chain, registry(), stranger)).rejects.toMatchObject({
      code: 'bad-input',
    })
  })

  it('is taken back before it was applied', async () => {
    await decide({ kind: 'prepare', of: 'registry', code: PROVIDER_CODE })
    expect(await shown()).toContain('prepared   for the registry itself: ')
    await decide({ kind: 'take-back', of: 'registry' })
    expect(await shown()).not.toContain('prepared')
  })
})

describe('who rules', () => {
  const second = testKey(12)

  it('another guardian, and another delay, each after the delay', async () => {
    await decide({ kind: 'guardian', guardian: anyone.wallet.address })
    await setPause(await governance(), true, anyone)
    await expect(setPause(await governance(), false, guardian)).rejects.toMatchObject({
      code: 'bad-input',
    })
    await decide({ kind: 'delay', delayS: 2 * DAY_S })
    expect(await shown()).toContain('2 d between decision and effect')
    const tooLong: Proposal = { kind: 'delay', delayS: 31 * DAY_S }
    const now = await governance()
    expect(() => propose(now, tooLong)).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })

  it('other signers at once, of whom enough must sign from then on', async () => {
    const now = await governance()
    const signers = { threshold: 2, keys: [signer.publicKey, second.publicKey] }
    const { order } = orderSigners(now, signers)
    expect(describeOrder(order).join('\n')).toContain('At once')
    await handIn(order)
    const { multisig } = await governance()
    expect(multisig.view.signers).toMatchObject({ threshold: 2 })
    const cancelled = propose(await governance(), { kind: 'delay', delayS: DAY_S })
    await expect(handIn(cancelled.order)).rejects.toMatchObject({ code: 'bad-input' })
    await handIn(cancelled.order, [signer, second])
    const { queue } = await governance()
    await handIn(orderCancel(await governance(), queue.at(-1)!.id), [second, signer])
    expect((await governance()).queue).toEqual([])
    const alone = orderSigners(await governance(), { threshold: 1, keys: [signer.publicKey] })
    expect(alone.warnings).toEqual([`signer ${toHex(second.publicKey)} signs no more`])
    await handIn(alone.order, [signer, second])
  })

  it('another timelock, once it was offered the registry and accepts', async () => {
    const signers = { threshold: 1, keys: [second.publicKey] }
    const networkId = chain.networkId
    const multisig = multisigAddress({ network: networkId, signers })
    const config = { network: networkId, multisig, delayS: 60, unsafeShortDelay: true }
    const owner = timelockAddress(config)
    await anyone.wallet.send([
      ...[
        { to: multisig, init: multisigStateInit({ network: networkId, signers }) },
        { to: owner, init: timelockStateInit(config) },
      ].map((each, at) => ({
        ...{ ...each, value: TON, bounce: false },
        body: at === 0 ? topUpMultisigBody() : topUpTimelockBody(),
      })),
    ])
    const theirs = () => readGovernance(chain, registry(), owner)
    const accept: Proposal = { kind: 'accept' }
    const bad = expect.objectContaining({ code: 'bad-input' })
    const before = await theirs()
    expect(() => propose(before, accept)).toThrow(bad)
    await decide({ kind: 'owner', owner })
    expect(await shown()).toContain(`offered    THE REGISTRY, to ${owner}`)
    const file = { order: propose(await theirs(), accept).order, signatures: [] }
    const own = await governance()
    expect(() => addSignature(own, file, second)).toThrow(bad)
    await submitOrder(await theirs(), addSignature(await theirs(), file, second), anyone)
    await pass(3_700)
    await executeOperation(await theirs(), undefined, anyone)
    expect((await governance()).timelock.address.equals(owner)).toBe(true)
    const [test, real] = [true, false].map((each) => governanceLines(before, each).join('\n'))
    expect(test).toContain('a test network’s delay: 1 min')
    expect(real).toContain('WARNING    the delay is 1 min, below a day')
    await expect(readGovernance(chain, registry(), multisig)).rejects.toMatchObject({
      code: 'bad-input',
    })
  })
})

it('an order file that was altered, or is none, is refused', async () => {
  const path = join(home, 'broken.json')
  await writeFile(path, '{"signers":{"threshold":1,"keys":[]}}')
  await expect(readOrder(path)).rejects.toMatchObject({ code: 'bad-config' })
})
