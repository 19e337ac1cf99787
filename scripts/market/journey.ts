/**
 * `npm run journey`: one job from registration to everybody's exit, on a localnet with the real
 * contracts: deploy, register, serve, pay, settle, a contradiction, a case, a slash, and the way
 * out, with every balance after each step and the sum at the end.
 *
 * What is played is said so: the scheduler acknowledges two sums on purpose, and the three
 * arbiters are keys of the deployer. Time is moved on; everything else happens as it would.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Address } from '@ton/core'
import { toBase64, toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Chain, Wallet } from '../../contracts/base/ports.ts'
import { TON, formatTon as ton } from '../../contracts/base/units.ts'
import { acknowledgementHash } from '../../contracts/money/acknowledgement.ts'
import { type Contradiction, verifyContradiction } from '../../contracts/money/contradiction.ts'
import {
  type ContradictionFile,
  parseContradiction,
} from '../../contracts/money/contradictionFile.ts'
import { registryOf } from '../../node/chain/directory.ts'
import { createWallet } from '../../node/chain/wallet.ts'
import { createClock } from '../../node/system/clock.ts'
import { createRandom } from '../../node/system/random.ts'
import { type Court, concludeCase, findAccused, openCase } from '../disputes/cases.ts'
import { bearVerdict, signVote } from '../disputes/votes.ts'
import { DEV_MODEL, type DevMarket, startDev } from './dev.ts'
import { openExit } from './exit.ts'
import { DEPLOYER } from './institution.ts'
import { type Books, openBooks } from './journeyBooks.ts'
import { advance, doublePrompts } from './journeyRules.ts'
import { openRoleKeys } from './rolePorts.ts'

/** What the case claims of the scheduler's stake. */
const CLAIMED = 4n * TON
/** By how much the scheduler's second word on the client's channel is more than its first. */
const INVENTED = 2n * TON
const ARBITERS = [0, 1]

/** The whole journey. `say` gets a line at a time. Gives whether not one nanoTON is missing. */
export async function travel(say: (line: string) => void): Promise<boolean> {
  const home = await mkdtemp(join(tmpdir(), 'chrysalis-journey-'))
  try {
    say('1. A network, its contracts, and members in the registry')
    const market = await startDev({
      ...{ home, name: 'localnet', localnetPort: 0, blockMs: 0, providers: 1 },
      onStep: (step) => say(`   ${step}`),
    })
    try {
      return await follow(home, market, say)
    } finally {
      await market.stop()
    }
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function follow(
  home: string,
  market: DevMarket,
  say: (line: string) => void,
): Promise<boolean> {
  const { chain } = market.scheduler.ports
  const books = await openBooks(home, market)
  const show = (lines: readonly string[]) => {
    for (const line of lines) say(`   ${line}`)
  }
  show(await books.balances())

  say('2. One job: sealed, paid ahead, answered, receipted')
  const result = await oneJob(market)
  say(`   "${result.text.trim()}"`)
  say(`   cost ${ton(result.cost)} TON, fee ${ton(result.fee)} TON`)

  say('3. Settlement: both payees claim their vouchers on chain')
  const { claimed } = await market.settle()
  say(`   claimed ${ton(claimed.clientChannel)} from the client's channel,`)
  say(`   ${ton(claimed.providerChannel)} from the scheduler's`)
  show(await books.balances())

  say('4. The market doubles the price of prompts while everybody runs')
  const client = await clientWallet(home, market, chain)
  const version = await doublePrompts(home, market, client)
  const dearer = await oneJob(market)
  say(`   version ${version} is in force; the same job now costs ${ton(dearer.cost)} TON`)
  if (dearer.cost <= result.cost) throw new MarketError('internal', { cost: dearer.cost })

  say('5. The scheduler contradicts itself (on purpose), and the client takes it to a case')
  const file = twoSums(market)
  const found = verifyContradiction(file, chain.networkId)
  say(`   proved: ${found.proved}`)
  const court: Court = {
    chain,
    clock: createClock(),
    registry: registryOf(market.network.registry!),
  }
  const at = await dispute(home, market, court, client, { file, found, say })
  show(await books.balances([at]))

  say('6. Everybody leaves')
  await exits(home, market, say)
  show(await books.balances([at]))
  return sum(books, say)
}

async function oneJob({ market }: DevMarket) {
  const content = 'What is the capital of Peru?'
  const messages = [{ role: 'user' as const, content }]
  return market.submit({ model: DEV_MODEL, messages, maxTokens: 64, temperature: 0 }).result()
}

/** The wallet of the running client: the same key, for messages that the market does not send. */
async function clientWallet(home: string, { network }: DevMarket, chain: Chain): Promise<Wallet> {
  const keystore = await openRoleKeys({ home, network, role: 'gateway' })
  return createWallet({ chain, key: keystore.key('wallet'), clock: createClock() })
}

/** What the client's channel has come to, and another sum after the same message: both signed. */
function twoSums({ scheduler }: DevMarket): ContradictionFile {
  const { ports, role } = scheduler
  const key = ports.keystore.key('identity')
  const [{ channel, cumulative } = { channel: '', cumulative: 0n }] = role.status().clientChannels
  const { networkId: network } = ports.chain
  const acknowledge = (sum: bigint) => {
    const hash = acknowledgementHash(network, Address.parseRaw(channel), {
      sequence: 1,
      cumulative: sum,
      credit: 0n,
    })
    return { sequence: 1, cumulative: `${sum}`, credit: '0', signature: toBase64(key.sign(hash)) }
  }
  return parseContradiction({
    ...{ version: 1, network, kind: 'acknowledgements', signer: toHex(key.publicKey), channel },
    statements: [acknowledge(cumulative), acknowledge(cumulative + INVENTED)],
  })
}

async function dispute(
  home: string,
  market: DevMarket,
  court: Court,
  client: Wallet,
  on: {
    readonly file: ContradictionFile
    readonly found: Contradiction
    say(line: string): void
  },
): Promise<Address> {
  const { file, found, say } = on
  const accused = await findAccused(court, found)
  const random = createRandom()
  const { address, view } = await openCase(
    { ...court, random, wallet: client },
    { accused, evidence: found.hash, amount: CLAIMED },
  )
  say(`   case ${address.toString()}: ${ton(view.frozen)} TON of the stake are frozen`)
  const { network } = market
  const keystore = await openRoleKeys({ home, network, role: DEPLOYER })
  const ruling = { uphold: true, loss: found.lossAtMost }
  const votes = await Promise.all(
    ARBITERS.map((place) => {
      const key = keystore.key('arbiter', `${place}`)
      return signVote(court, address, ruling, key, { file })
    }),
  )
  const judged = await bearVerdict({ ...court, wallet: client }, address, votes)
  say(`   ${votes.length} arbiters uphold it; the loser may appeal for three days, and does not`)
  await advance(market, judged.deadlineS - (await court.chain.now()) + 1)
  const ended = await concludeCase({ ...court, wallet: client }, address)
  say(`   ${ended.state}: ${ton(view.frozen)} TON slashed, ${ton(ruling.loss)} to the client,`)
  say('   the rest burned; the bond is back')
  return address
}

async function exits(home: string, market: DevMarket, say: (line: string) => void): Promise<void> {
  const { network } = market
  await market.market.closeChannel()
  await market.market.close()
  await market.gateway?.stop()
  for (const { role } of market.providers) await role.stop()
  await market.scheduler.role.stop()
  const roles = [
    { role: 'provider-1', kind: 'provider' },
    { role: 'scheduler', kind: 'scheduler' },
  ] as const
  const { unbondingS } = market.scheduler.ports.directory.current().stakes
  for (const round of ['asked', 'paid out']) {
    for (const place of roles) {
      const exit = await openExit({ home, network, ...place })
      try {
        const { againAtS } = await exit.run()
        say(`   ${place.role}: ${round}${againAtS === undefined ? ', everything is out' : ''}`)
      } finally {
        await exit.close()
      }
    }
    if (round === 'asked') await advance(market, unbondingS)
  }
  const { connect } = await import('../../client/index.ts')
  const client = await connect({ network, home, profile: 'gateway', openChannel: false })
  try {
    // Its own watch may have been quicker.
    await client.finishClose().catch((thrown: unknown) => {
      if (asMarketError(thrown).code !== 'no-channel') throw thrown
    })
  } finally {
    await client.close()
  }
  say('   client: its deposit is back')
}

async function sum(books: Books, say: (line: string) => void): Promise<boolean> {
  const { minted, balances, fees, inFlight } = await books.totals()
  const isWhole = minted === balances + fees + inFlight
  say(`   minted ${ton(minted)} = balances ${ton(balances)} + fees ${ton(fees)} TON:`)
  say(`   ${isWhole ? 'not one nanoTON missing' : 'SOMETHING IS MISSING'}`)
  return isWhole
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isWhole = await travel((line) => process.stdout.write(`${line}\n`))
  process.exit(isWhole ? 0 : 1)
}
