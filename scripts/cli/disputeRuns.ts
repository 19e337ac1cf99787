/**
 * What the verbs of `chrysalis dispute` do: options in, `scripts/disputes` asked, results printed.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import type { CaseView } from '../../contracts/wrappers/Dispute.ts'
import { consent } from './consent.ts'
import { type CommonOptions, printResult, say } from './output.ts'

export interface DisputeOptions extends CommonOptions {
  readonly as: string
  readonly amount?: bigint
  readonly bond?: bigint
  readonly owner?: string
  readonly uphold?: boolean
  readonly dismiss?: boolean
  readonly loss?: bigint
  readonly key: string
  readonly former?: boolean
  readonly out: string
  readonly yes?: boolean
}

type Run = (words: readonly string[], options: DisputeOptions) => Promise<void>

/** By the name of the verb. The words are its arguments. */
export const RUNS: Readonly<Record<string, Run>> = {
  export: (_, options) => exportAll(options),
  compare: ([one, other], options) => compare(one!, other!, options),
  check: ([file], options) => check(file!, options),
  open: ([file], options) => open(file!, options),
  show: ([address], options) => show(address!, options),
  appeal: ([address], options) => appeal(address!, options),
  conclude: ([address], options) => conclude(address!, options),
  sign: ([address, file], options) => sign(address!, file, options),
  verdict: ([address, ...files], options) => verdict(address!, files, options),
  key: (_, options) => showKey(options),
}

async function exportAll(options: DisputeOptions): Promise<void> {
  const { exportContradictions } = await import('../disputes/export.ts')
  const found = await exportContradictions(await placeOf(options), options.out)
  printResult(
    options,
    { contradictions: found },
    found.length === 0
      ? ['No contradiction was caught.']
      : found.map(({ file, kind, signer }) => `${file}  ${kind} of ${signer}`),
  )
}

async function compare(one: string, other: string, options: DisputeOptions): Promise<void> {
  const { compareReceipts } = await import('../disputes/export.ts')
  const { network } = await placeOf(options)
  const found = await compareReceipts(one, other, network.id, options.out)
  printResult(
    options,
    { contradictions: found },
    found.length === 0
      ? ['The two files do not contradict one another.']
      : found.map(({ file, kind, signer }) => `${file}  ${kind} of ${signer}`),
  )
}

async function check(path: string, options: DisputeOptions): Promise<void> {
  const { verifyContradiction } = await import('../../contracts/money/contradiction.ts')
  const { contradictionLines } = await import('../disputes/words.ts')
  const { toHex } = await import('../../contracts/base/bytes.ts')
  const { network } = await placeOf(options)
  const { hash, ...found } = verifyContradiction(await evidenceAt(path), network.id)
  const lines = contradictionLines({ ...found, hash })
  printResult(options, { ...found, evidence: toHex(hash) }, lines)
}

async function open(path: string, options: DisputeOptions): Promise<void> {
  const { verifyContradiction } = await import('../../contracts/money/contradiction.ts')
  const { formatTon } = await import('../../contracts/base/units.ts')
  const { findAccused, leastBondAgainst, openCase } = await import('../disputes/cases.ts')
  const { contradictionLines } = await import('../disputes/words.ts')
  const { DISPUTE_VALUE } = await import('../../contracts/wrappers/disputeMessages.ts')
  const court = await enter(options)
  const found = verifyContradiction(await evidenceAt(path), court.network.id)
  const owner = options.owner === undefined ? undefined : await addressOf(options.owner)
  const accused = await findAccused(court, found, owner)
  const proven = found.asset === 'jetton' ? 0n : found.lossAtMost
  const amount = options.amount ?? proven
  if (amount === 0n) throw new MarketError('bad-input', { missing: '--amount' })
  const bond = options.bond ?? (await leastBondAgainst(court, accused))
  for (const line of contradictionLines(found)) say(line)
  say(`accused     ${accused.kind} ${accused.address.toString()} of ${accused.owner.toString()}`)
  say(`freezes     at most ${formatTon(amount)} TON of its stake`)
  say(`bond        ${formatTon(bond)} TON, lost if the case is dismissed or nobody decides`)
  say(`costs       ${formatTon(DISPUTE_VALUE.open)} TON beside it; what is left goes to the winner`)
  await consent(options, 'Open the case?')
  const claim = { accused, evidence: found.hash, amount, bond }
  const { address, view } = await openCase(court, claim)
  await print(options, address.toString(), view)
}

async function show(text: string, options: DisputeOptions): Promise<void> {
  const { readCase } = await import('../../contracts/wrappers/Dispute.ts')
  const { chain } = await look(options)
  const address = await addressOf(text)
  await print(options, address.toString(), await readCase(chain, address))
}

async function sign(
  text: string,
  path: string | undefined,
  options: DisputeOptions,
): Promise<void> {
  const { signVote, writeVote } = await import('../disputes/votes.ts')
  const { uphold = false, dismiss = false, loss = 0n, former: isFormer, out } = options
  if (uphold === dismiss) throw new MarketError('bad-input', { missing: '--uphold or --dismiss' })
  const evidence = path === undefined ? {} : { file: await evidenceAt(path) }
  const court = await enter(options)
  const key = court.keystore.key('arbiter', options.key)
  const about = { ...evidence, ...(isFormer ? { isFormer } : {}) }
  const ruling = { uphold, loss }
  const signed = await signVote(court, await addressOf(text), ruling, key, about)
  await writeVote(out, signed)
  const { round, vote } = signed
  printResult(options, { file: out, round, arbiter: vote.arbiter, uphold, loss }, [
    `vote        ${out}: round ${round}, arbiter ${vote.arbiter}, ` +
      (uphold ? 'upheld' : 'dismissed'),
  ])
}

async function verdict(
  text: string,
  files: readonly string[],
  options: DisputeOptions,
): Promise<void> {
  const { bearVerdict, readVote } = await import('../disputes/votes.ts')
  const court = await enter(options)
  const address = await addressOf(text)
  const votes = await Promise.all(files.map(readVote))
  await print(options, address.toString(), await bearVerdict(court, address, votes))
}

async function appeal(text: string, options: DisputeOptions): Promise<void> {
  const { appealCase } = await import('../disputes/cases.ts')
  const court = await enter(options)
  const address = await addressOf(text)
  await consent(options, 'Appeal? The bond is lost unless the second verdict differs.')
  await print(options, address.toString(), await appealCase(court, address, options.bond))
}

async function conclude(text: string, options: DisputeOptions): Promise<void> {
  const { concludeCase } = await import('../disputes/cases.ts')
  const court = await enter(options)
  const address = await addressOf(text)
  await print(options, address.toString(), await concludeCase(court, address))
}

async function showKey(options: DisputeOptions): Promise<void> {
  const { toHex } = await import('../../contracts/base/bytes.ts')
  const { keystore, wallet } = await enter(options)
  const key = toHex(keystore.key('arbiter', options.key).publicKey)
  const account = wallet.address.toString()
  printResult(options, { key, account }, [`key         ${key}`, `account     ${account}`])
}

async function print(options: DisputeOptions, address: string, view: CaseView): Promise<void> {
  const { caseJson, caseLines } = await import('../disputes/words.ts')
  const { chain } = await look(options)
  const nowS = await chain.now()
  printResult(options, { case: caseJson(address, view) }, caseLines(address, view, nowS))
}

async function evidenceAt(path: string) {
  const { readFile } = await import('node:fs/promises')
  const { readContradiction } = await import('../../contracts/money/contradictionFile.ts')
  try {
    return readContradiction(await readFile(path, 'utf8'))
  } catch (cause) {
    if (cause instanceof MarketError) throw cause
    throw new MarketError('bad-input', { file: path }, { cause })
  }
}

async function addressOf(text: string) {
  const { Address } = await import('@ton/core')
  try {
    return Address.parse(text)
  } catch (cause) {
    throw new MarketError('bad-input', { address: text.slice(0, 80) }, { cause })
  }
}

async function placeOf(options: DisputeOptions) {
  const { homeFolder, readNetwork } = await import('../../node/system/home.ts')
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(options.as ?? 'client')) {
    throw new MarketError('bad-input', { field: 'as' })
  }
  return { home, network, role: options.as ?? 'client' }
}

/** The chain alone: no keys. */
async function look(options: DisputeOptions) {
  const { createClock } = await import('../../node/system/clock.ts')
  const { openNetworkChain } = await import('../../node/chain/networkChain.ts')
  const place = await placeOf(options)
  const { network } = place
  const clock = createClock()
  const chain = await openNetworkChain({ network, clock, env: process.env })
  return { ...place, clock, chain }
}

/** The registry, and the keys and wallet of a role. */
async function enter(options: DisputeOptions) {
  const { registryOf } = await import('../../node/chain/directory.ts')
  const { createWallet } = await import('../../node/chain/wallet.ts')
  const { createRandom } = await import('../../node/system/random.ts')
  const { openRoleKeys } = await import('../market/rolePorts.ts')
  const seen = await look(options)
  const { network, chain, clock } = seen
  if (network.registry === undefined) {
    throw new MarketError('no-registry', { network: network.name })
  }
  const keystore = await openRoleKeys(seen)
  const wallet = createWallet({ chain, key: keystore.key('wallet'), clock })
  const registry = registryOf(network.registry)
  return { ...seen, registry, keystore, wallet, random: createRandom() }
}
