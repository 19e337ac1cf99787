/**
 * From a contradiction that a role has caught to the end of its case, on a localnet: by the command
 * as challenger and arbiters use it, by functions where a process would say nothing more.
 * @module
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Address } from '@ton/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { toHex } from '../../contracts/base/bytes.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain, Wallet } from '../../contracts/base/ports.ts'
import { TON } from '../../contracts/base/units.ts'
import { acknowledgementHash } from '../../contracts/money/acknowledgement.ts'
import { readContradiction } from '../../contracts/money/contradictionFile.ts'
import { type ItemView, readItem } from '../../contracts/wrappers/bondedItem.ts'
import { channelAddress } from '../../contracts/wrappers/Channel.ts'
import { readCase } from '../../contracts/wrappers/Dispute.ts'
import { ITEM_VALUE, registerBody } from '../../contracts/wrappers/itemMessages.ts'
import { providerProfileCell } from '../../contracts/wrappers/itemProfiles.ts'
import { providerAddress, providerStateInit } from '../../contracts/wrappers/Provider.ts'
import { sumMarket } from '../../node/audit/chainMarket.ts'
import { registryOf } from '../../node/chain/directory.ts'
import { connectChain } from '../../node/chain/tonClient.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { type Localnet, startLocalnet } from '../../node/localnet/localnet.ts'
import { witness } from '../../node/settlement/contradictions.ts'
import { openSqliteStore } from '../../node/store/sqliteStore.ts'
import { roleFolder } from '../../node/system/home.ts'
import { silentLogger as logger } from '../../node/system/logger.ts'
import { appealCase, concludeCase } from '../../scripts/disputes/cases.ts'
import { bearVerdict, signVote, writeVote } from '../../scripts/disputes/votes.ts'
import { deployLocally } from '../../scripts/market/institution.ts'
import { localnetConfig, writeNetwork } from '../../scripts/market/networkFile.ts'
import { openRoleKeys } from '../../scripts/market/rolePorts.ts'
import { realClock as clock, postJson, testKey } from '../support/localnet.ts'
import { lastJson, openProcesses, type Processes } from '../support/marketProcesses.ts'

const STAKE = 20n * TON
const LOSS = 3n * TON
const identity = testKey(7)

let processes: Processes
let home: string
let evidence: string
let localnet: Localnet
let network: NetworkConfig
let chain: Chain
let provider: Wallet
let item: Address

beforeAll(async () => {
  processes = await openProcesses()
  home = processes.home
  evidence = await mkdtemp(join(tmpdir(), 'chrysalis-evidence-'))
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
  provider = createWallet({ chain, clock, key: testKey(2) })
  await control('faucet', { address: provider.address.toString(), amount: `${50n * TON}` })
  const key = { registry: registryOf(network.registry!), owner: provider.address }
  item = providerAddress(key)
  const profile = providerProfileCell({ identity: identity.publicKey, peerId: identity.publicKey })
  const body = registerBody(STAKE, profile)
  const value = STAKE + ITEM_VALUE.register
  await provider.send([{ to: item, value, body, init: providerStateInit(key) }])
  const { keystore } = await role('client')
  const { address } = createWallet({ chain, clock, key: keystore.key('wallet') })
  await control('faucet', { address: address.toString(), amount: `${50n * TON}` })
})
afterAll(async () => {
  await localnet?.stop()
  await processes?.end()
  await rm(evidence, { recursive: true, force: true })
})

async function control(verb: string, body: object): Promise<void> {
  const answer = await postJson(`${localnet.url}/control/${verb}`, body)
  if (!answer.body.ok) throw new Error(answer.body.error)
}

async function role(name: string) {
  return { keystore: await openRoleKeys({ home, network, role: name }) }
}

const court = async () => ({ chain, clock, registry: registryOf(network.registry!) })
const stake = async (): Promise<Pick<ItemView, 'stake' | 'frozen' | 'slashed'>> => {
  const { stake: bonded, frozen, slashed } = await readItem(chain, item)
  return { stake: bonded, frozen, slashed }
}

async function dispute(...args: string[]): Promise<Record<string, unknown>> {
  const { exit, out, error } = await processes.run(['dispute', ...args, '--json'])
  expect({ exit, error: exit === 0 ? '' : `${out}${error}` }).toEqual({ exit: 0, error: '' })
  return lastJson(out)
}

/** What the client's account keeps of a payee that takes back `LOSS`. */
async function caught(): Promise<void> {
  const config = {
    ...{ payer: provider.address, payee: provider.address, network: network.id, closeDelayS: 1 },
    ...{ voucherKey: identity.publicKey, nonce: new Uint8Array(16) },
  }
  await mkdir(roleFolder(home, network.name, 'client'), { recursive: true })
  const store = openSqliteStore(join(roleFolder(home, network.name, 'client'), 'store.db'))
  for (const cumulative of [5n * TON, 5n * TON - LOSS]) {
    const statement = { sequence: 4, cumulative, credit: 0n }
    const hash = acknowledgementHash(network.id, channelAddress(config), statement)
    const about = { config, payeeIdentity: identity.publicKey }
    await store.write(witness(store, about, statement, identity.sign(hash)))
  }
  await store.close()
}

let file: string
let address: string

it('what a role has caught is exported, and says what it proves', async () => {
  await caught()
  const { contradictions } = await dispute('export', '--out', evidence)
  const [found] = contradictions as { file: string; signer: string }[]
  file = found!.file
  expect(found).toMatchObject({ kind: 'acknowledgements', signer: toHex(identity.publicKey) })
  const checked = await dispute('check', file)
  expect(checked).toMatchObject({ role: 'payee', lossAtMost: `${LOSS}` })
})

it('a case is opened with it, and freezes what is proven', async () => {
  const opened = await dispute('open', file, '--yes')
  const view = opened.case as Record<string, unknown>
  address = String(view.address)
  expect(view).toMatchObject({ state: 'tried', amount: `${LOSS}`, frozen: `${LOSS}` })
  expect(await stake()).toEqual({ stake: STAKE, frozen: LOSS, slashed: 0n })
  const { cases } = await sumMarket(chain, registryOf(network.registry!))
  const accused = { kind: 'provider', owner: provider.address.toString(), open: 1, frozen: LOSS }
  expect(cases).toEqual({
    ...{ found: 1, open: 1, frozen: LOSS },
    ...{ accused: [{ ...accused, cases: [address] }], insolvent: [] },
  })
})

it('a case that is none is said to be none', async () => {
  for (const other of [provider.address.toString(), `0:${'0d'.repeat(32)}`]) {
    const { exit, out } = await processes.run(['dispute', 'show', other, '--json'])
    expect(exit).toBe(2)
    expect(lastJson(out)).toMatchObject({ error: { code: 'no-case' } })
  }
})

it('arbiters check the evidence and sign, anyone bears their votes', async () => {
  const votes = ['vote-0.json', 'vote-1.json'].map((name) => join(evidence, name))
  const words = ['--uphold', '--loss', '3', '--as', 'deployer', '--out', votes[0]!]
  await dispute('sign', address, file, ...words)
  const { keystore } = await role('deployer')
  const about = { file: readContradiction(await readFile(file, 'utf8')) }
  const key = keystore.key('arbiter', '1')
  const ruling = { uphold: true, loss: LOSS }
  await writeVote(
    votes[1]!,
    await signVote(await court(), Address.parse(address), ruling, key, about),
  )
  const { case: judged } = await dispute('verdict', address, ...votes)
  expect(judged).toMatchObject({ state: 'judged', first: { uphold: true, loss: `${LOSS}` } })
})

it('the accused appeals, a third arbiter is asked, and the challenger loses its bond', async () => {
  const at = Address.parse(address)
  const stands = { ...(await court()), wallet: provider }
  await expect(concludeCase(stands, at)).rejects.toMatchObject({ code: 'bad-input' })
  expect(await appealCase(stands, at)).toMatchObject({ state: 'appealed' })
  const { keystore } = await role('deployer')
  const dismissal = { uphold: false, loss: 0n }
  const sign = (label: string) => signVote(stands, at, dismissal, keystore.key('arbiter', label))
  const votes = [await sign('0'), await sign('1')]
  await expect(bearVerdict(stands, at, votes)).rejects.toMatchObject({ code: 'bad-input' })
  const all = [...votes, await sign('2')]
  expect(await bearVerdict(stands, at, all)).toMatchObject({ state: 'final' })
  const before = (await chain.account(provider.address)).balance
  const { case: over } = await dispute('conclude', address)
  expect(over).toMatchObject({ state: 'concluded', second: { uphold: false, loss: '0' } })
  const { cases } = await sumMarket(chain, registryOf(network.registry!))
  expect(cases).toEqual({ found: 1, open: 0, frozen: 0n, accused: [], insolvent: [] })
  expect((await chain.account(provider.address)).balance - before).toBeGreaterThan(3n * TON)
  expect(await stake()).toEqual({ stake: STAKE, frozen: 0n, slashed: 0n })
})

it('upheld without an appeal it is slashed, once the time to appeal is over', async () => {
  const opened = await dispute('open', file, '--amount', '10', '--bond', '4', '--yes')
  const at = Address.parse(String((opened.case as { address: string }).address))
  const stands = { ...(await court()), wallet: provider }
  const { keystore } = await role('deployer')
  const about = { file: readContradiction(await readFile(file, 'utf8')) }
  const ruling = { uphold: true, loss: LOSS }
  const sign = (label: string, change = ruling) =>
    signVote(stands, at, change, keystore.key('arbiter', label), about)
  await expect(sign('0', { uphold: true, loss: LOSS + 1n })).rejects.toMatchObject({
    code: 'bad-input',
  })
  await expect(sign('9')).rejects.toMatchObject({ code: 'bad-input' })
  await bearVerdict(stands, at, [await sign('1'), await sign('2')])
  const { deadlineS } = await readCase(chain, at)
  await control('time', { advanceSeconds: deadlineS - (await chain.now()) + 1 })
  expect(await concludeCase(stands, at)).toMatchObject({ state: 'concluded' })
  expect(await stake()).toEqual({ stake: 10n * TON, frozen: 0n, slashed: 10n * TON })
})
