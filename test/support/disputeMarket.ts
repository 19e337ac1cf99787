/**
 * Cases among the real contracts: a registry, providers with stakes, challengers, arbiters, in the
 * TVM sandbox. Nothing is played; every coin is accounted for.
 * @module
 */
import { Address, TupleReader } from '@ton/core'
import type { Blockchain, BlockchainTransaction } from '@ton/sandbox'
import { toHex, utf8 } from '../../contracts/base/bytes.ts'
import type { DisputeRules } from '../../contracts/base/marketParameters.ts'
import { type SigningKey, sha256, signingKey } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import {
  type ItemView,
  itemAddress,
  itemStateInit,
  parseItemView,
} from '../../contracts/wrappers/bondedItem.ts'
import {
  type CaseConfig,
  type CaseView,
  caseAddress,
  caseStateInit,
  DISPUTE_CODE,
  parseCaseView,
  type Ruling,
  verdictHash,
  verdictOn,
} from '../../contracts/wrappers/Dispute.ts'
import {
  appealBody,
  concludeBody,
  DISPUTE_VALUE,
  openBody,
  verdictBody,
} from '../../contracts/wrappers/disputeMessages.ts'
import {
  ITEM_VALUE,
  registerBody,
  unbondBody,
  withdrawBody,
} from '../../contracts/wrappers/itemMessages.ts'
import { interleave } from './contractLab.ts'
import { FIRST_CODE, profileOf } from './itemSandbox.ts'
import { type RegistrySandbox, registrySandbox } from './registrySandbox.ts'
import { DAY_S, internalMessage, type Outcome, outcomeAmong, TEST_NETWORK } from './sandboxChain.ts'
import { someParameters } from './someParameters.ts'

export const MARKET_RULES = { verdictS: 3 * DAY_S, appealS: DAY_S, leastBond: TON, threshold: 2 }
const NOBODY = new Address(0, Buffer.alloc(32))

export interface DisputeMarket {
  readonly blockchain: Blockchain
  readonly registry: RegistrySandbox
  readonly owner: Address
  readonly item: Address
  /** Challengers by number. */
  readonly challengers: readonly Address[]
  readonly rules: DisputeRules
  configOf(challenger: number, nonce: number): CaseConfig
  send(from: Address, to: Address, value: bigint, ...rest: Rest): Promise<Outcome>
  open(config: CaseConfig, amount: bigint, bond?: bigint): Promise<Outcome>
  /** Several messages at once; `pick` says whose next transaction comes next. */
  together(posts: readonly Post[], pick: (alive: number) => number): Promise<void>
  opening(config: CaseConfig, amount: bigint, bond?: bigint): Post
  verdict(of: Address, ruling: Ruling, signers?: readonly number[]): Promise<Outcome>
  appeal(of: Address, from: Address, bond: bigint): Promise<Outcome>
  conclude(of: Address, value?: bigint): Promise<Outcome>
  unbond(amount: bigint): Promise<Outcome>
  withdraw(): Promise<Outcome>
  caseView(of: Address): Promise<CaseView>
  itemView(): Promise<ItemView>
  burned(): Promise<bigint>
  elapse(seconds: number): void
  /**
   * What is in all accounts that were ever touched, plus all fees, less all that was put in: 0,
   * to the nanoTON, as long as no coin is made or lost.
   */
  imbalance(): Promise<bigint>
  /** Begins to count anew: the chain was put back to where it was. */
  forget(): void
}

/** A message that is not sent yet. */
export interface Post {
  readonly to: Address
  readonly message: ReturnType<typeof internalMessage>
  readonly value: bigint
}

type Rest = [
  body: Parameters<typeof internalMessage>[3],
  options?: Parameters<typeof internalMessage>[4],
]

/** A market in which one provider has `stake` bonded. */
export async function disputeMarket(stake = 100n * TON): Promise<DisputeMarket> {
  const keys: readonly SigningKey[] = [0, 1, 2, 3, 4].map((i) =>
    signingKey(sha256(utf8(`arbiter ${i}`))),
  )
  const rules: DisputeRules = {
    ...MARKET_RULES,
    arbiters: keys.map(({ publicKey }) => ({
      key: toHex(publicKey),
      account: new Address(0, Buffer.from(publicKey)),
    })),
  }
  const parameters = someParameters({ disputes: rules })
  const codes = { ...FIRST_CODE, dispute: DISPUTE_CODE }
  const registry = await registrySandbox({ config: { codes, parameters } })
  const { blockchain } = registry
  const owner = (await blockchain.treasury('accused owner')).address
  const named = ['one', 'two', 'three'].map((name) => blockchain.treasury(`challenger ${name}`))
  const challengers = (await Promise.all(named)).map(({ address }) => address)
  const config = { registry: registry.address, kind: 'provider' as const, owner }
  const item = itemAddress(FIRST_CODE.provider, config)
  const books = await ledger(blockchain, [
    ...[registry.address, NOBODY, owner, item, ...challengers],
  ])
  const read = async (of: Address, method: string): Promise<TupleReader> =>
    new TupleReader((await blockchain.runGetMethod(of, method)).stack)
  const send: DisputeMarket['send'] = (from, to, value, body, options) =>
    books.run(to, internalMessage(from, to, value, body, options), value)
  const caseView = async (of: Address): Promise<CaseView> =>
    parseCaseView(await read(of, 'get_case'))
  const market: DisputeMarket = {
    ...{ blockchain, registry, owner, item, challengers, rules, send, caseView },
    configOf: (challenger, nonce) => ({
      registry: registry.address,
      nonce: sha256(utf8(`nonce ${nonce}`)).subarray(0, 16),
      challenger: challengers[challenger]!,
      accused: { kind: 'provider', owner },
    }),
    together: books.together,
    opening: (of, amount, bond = 2n * TON) => {
      const [to, value] = [caseAddress(of), bond + DISPUTE_VALUE.open]
      const body = openBody(sha256(utf8('evidence')), amount)
      const init = caseStateInit(of)
      return { to, value, message: internalMessage(of.challenger, to, value, body, { init }) }
    },
    open: (of, amount, bond) => {
      const { to, message, value } = market.opening(of, amount, bond)
      return books.run(to, message, value)
    },
    verdict: async (of, ruling, signers = [0, 1, 2]) => {
      const statement = verdictOn(TEST_NETWORK, of, await caseView(of), ruling)
      const votes = signers.map((arbiter) => {
        const { publicKey: key } = keys[arbiter]!
        return { arbiter, key, signature: keys[arbiter]!.sign(verdictHash(statement)) }
      })
      const body = verdictBody(ruling.uphold, ruling.loss, votes)
      return send(challengers[0]!, of, DISPUTE_VALUE.verdict, body)
    },
    appeal: (of, from, bond) => send(from, of, bond + DISPUTE_VALUE.appeal, appealBody()),
    conclude: (of, value = DISPUTE_VALUE.conclude) =>
      send(challengers[0]!, of, value, concludeBody()),
    unbond: (amount) => send(owner, item, ITEM_VALUE.unbond, unbondBody(amount)),
    withdraw: () => send(owner, item, ITEM_VALUE.withdraw, withdrawBody()),
    itemView: async () => parseItemView(await read(item, 'get_item')),
    burned: async () => (await blockchain.getContract(NOBODY)).balance,
    elapse: (seconds) => registry.elapse(seconds),
    imbalance: books.imbalance,
    forget: books.forget,
  }
  const body = registerBody(stake, profileOf('provider'))
  const init = itemStateInit(FIRST_CODE.provider, config)
  await send(owner, item, stake + ITEM_VALUE.register, body, { init })
  const enrolled = await market.itemView()
  if (enrolled.status !== 'enrolled') throw new Error(`the item is ${enrolled.status}`)
  books.mark()
  return market
}

/** Counts what goes in and what is lost to fees, and finds it again in the accounts. */
async function ledger(blockchain: Blockchain, known: readonly Address[]) {
  const accounts = new Map<bigint, Address>()
  let expected = 0n
  const join = async (address: Address): Promise<void> => {
    const id = BigInt(`0x${address.hash.toString('hex')}`)
    if (accounts.has(id)) return
    accounts.set(id, address)
    expected += (await blockchain.getContract(address)).balance
  }
  for (const address of known) await join(address)
  let start = { accounts: new Map(accounts), expected }
  return {
    /** What `forget` goes back to. */
    mark() {
      start = { accounts: new Map(accounts), expected }
    },
    forget() {
      accounts.clear()
      for (const [id, address] of start.accounts) accounts.set(id, address)
      expected = start.expected
    },
    async run(to: Address, message: ReturnType<typeof internalMessage>, value: bigint) {
      await join(to)
      const { transactions } = await blockchain.sendMessage(message)
      expected += value
      for (const tx of transactions) {
        // Whoever is not known here had nothing before.
        if (!accounts.has(tx.address)) accounts.set(tx.address, addressOf(tx.address))
        expected -= feesOf(tx)
      }
      return outcomeAmong(transactions, to)
    },
    async together(posts: readonly Post[], pick: (alive: number) => number) {
      for (const { to } of posts) await join(to)
      const messages = posts.map(({ message }) => message)
      const cascades = await interleave(blockchain, messages, pick)
      for (const { value } of posts) expected += value
      for (const tx of cascades.flat()) {
        if (!accounts.has(tx.address)) accounts.set(tx.address, addressOf(tx.address))
        expected -= feesOf(tx)
      }
    },
    async imbalance() {
      let held = 0n
      for (const address of accounts.values()) {
        held += (await blockchain.getContract(address)).balance
      }
      return held - expected
    },
  }
}

const addressOf = (id: bigint): Address =>
  new Address(0, Buffer.from(id.toString(16).padStart(64, '0'), 'hex'))

/** Fees of a transaction, and what its messages leave to those who forward them. */
function feesOf(tx: BlockchainTransaction): bigint {
  let fees = tx.totalFees.coins
  for (const { info } of tx.outMessages.values()) {
    if (info.type === 'internal') fees += info.forwardFee
  }
  return fees
}
