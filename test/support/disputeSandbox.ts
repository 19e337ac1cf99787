/**
 * A case in the TVM sandbox, for tests and the gas table: wallets in the places of registry, item
 * and parties, arbiters with keys, messages by name. What registry and item say is said for them,
 * so that a test may let them say anything; the real ones are tried in `disputeMarket.test.ts`.
 * @module
 */
import { Address, type Cell, TupleReader } from '@ton/core'
import type { Blockchain, SandboxContract, TreasuryContract } from '@ton/sandbox'
import { type Bytes, toHex, utf8 } from '../../contracts/base/bytes.ts'
import type { DisputeRules } from '../../contracts/base/marketParameters.ts'
import { type SigningKey, sha256, signingKey } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import { type Verdict, verdict } from '../../contracts/wire/records/verdict.ts'
import {
  type CaseConfig,
  type CaseView,
  caseAddress,
  caseStateInit,
  parseCaseView,
  type Ruling,
  verdictOn,
} from '../../contracts/wrappers/Dispute.ts'
import {
  appealBody,
  caseOpenedBody,
  concludeBody,
  DISPUTE_VALUE,
  frozenBody,
  openBody,
  type Vote,
  verdictBody,
} from '../../contracts/wrappers/disputeMessages.ts'
import { encodeDisputeRules } from '../../contracts/wrappers/parameters.ts'
import { type ContractLab, contractLab } from './contractLab.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  outcomeOf,
  START_S,
  TEST_NETWORK,
  type TestBlockchainOptions,
  testBlockchain,
} from './sandboxChain.ts'

export const BOND = 2n * TON
export const AMOUNT = 100n * TON
export const EVIDENCE = sha256(utf8('two statements'))
/** What the registry and the item send along. */
const ANSWER_VALUE = 30_000_000n

export interface Solvency {
  readonly balance: bigint
  readonly owed: bigint
  readonly spare: bigint
}

export interface DisputeSandbox {
  readonly blockchain: Blockchain
  readonly registry: SandboxContract<TreasuryContract>
  readonly item: SandboxContract<TreasuryContract>
  readonly challenger: SandboxContract<TreasuryContract>
  readonly owner: SandboxContract<TreasuryContract>
  readonly stranger: SandboxContract<TreasuryContract>
  readonly arbiters: readonly SigningKey[]
  readonly rules: DisputeRules
  readonly config: CaseConfig
  readonly address: Address
  readonly lab: ContractLab
  open(change?: OpenChange): Promise<Outcome>
  opened(change?: {
    from?: Address
    untilS?: number
    accused?: Address
    rules?: Cell
    value?: bigint
  }): Promise<Outcome>
  frozen(amount?: bigint, from?: Address, value?: bigint): Promise<Outcome>
  /** The verdict of these arbiters, by place, as the case stands. */
  verdict(
    ruling: Ruling,
    signers?: readonly number[],
    change?: Partial<Verdict>,
    value?: bigint,
  ): Promise<Outcome>
  vote(statement: Verdict, arbiter: number): Vote
  appeal(from?: Address, value?: bigint): Promise<Outcome>
  conclude(value?: bigint, from?: Address): Promise<Outcome>
  /** Opened, and this much frozen. */
  tried(frozen?: bigint): Promise<void>
  internal(from: Address, value: bigint, body: Cell, bounce?: boolean): Promise<Outcome>
  view(): Promise<CaseView>
  solvency(): Promise<Solvency>
  balance(of?: Address): Promise<bigint>
  elapse(seconds: number): void
}

interface OpenChange {
  readonly from?: Address
  readonly amount?: bigint
  readonly value?: bigint
  readonly evidence?: Bytes
}

export interface DisputeSandboxOptions extends TestBlockchainOptions {
  readonly blockchain?: Blockchain
  readonly config?: Partial<CaseConfig>
  readonly rules?: Partial<DisputeRules>
  /** How many arbiters there are; 5 where nothing is said. */
  readonly arbiters?: number
  /** Accounts of arbiters that are not strangers', by place: a party, for instance. */
  readonly accounts?: ReadonlyMap<number, 'challenger' | 'owner'>
}

/** A case that is not deployed yet: `open` deploys it. */
export async function disputeSandbox(options: DisputeSandboxOptions = {}): Promise<DisputeSandbox> {
  const blockchain = options.blockchain ?? (await testBlockchain(options))
  const [registry, item, challenger, owner, stranger] = await wallets(blockchain)
  const arbiters = Array.from({ length: options.arbiters ?? 5 }, (_, i) =>
    signingKey(sha256(utf8(`arbiter ${i}`))),
  )
  const accounts = { challenger: challenger.address, owner: owner.address }
  const rules: DisputeRules = {
    ...{ verdictS: 3 * DAY_S, appealS: DAY_S, leastBond: TON, threshold: 2 },
    arbiters: arbiters.map(({ publicKey }, i) => {
      const party = options.accounts?.get(i)
      const account = party ? accounts[party] : new Address(0, Buffer.from(publicKey))
      return { key: toHex(publicKey), account }
    }),
    ...options.rules,
  }
  const config: CaseConfig = {
    registry: registry.address,
    nonce: sha256(utf8('nonce')).subarray(0, 16),
    challenger: challenger.address,
    accused: { kind: 'provider', owner: owner.address },
    ...options.config,
  }
  const address = caseAddress(config)
  const send = (from: Address, value: bigint, body: Cell, bounce = true): Promise<Outcome> =>
    outcomeOf(blockchain, address, internalMessage(from, address, value, body, { bounce }))
  const read = async (method: string): Promise<TupleReader> =>
    new TupleReader((await blockchain.runGetMethod(address, method)).stack)
  const vote = (statement: Verdict, arbiter: number): Vote => {
    const key = arbiters[arbiter]!
    const signature = key.sign(new Uint8Array(verdict.encode(statement).hash()))
    return { arbiter, key: key.publicKey, signature }
  }
  const s: DisputeSandbox = {
    ...{ blockchain, registry, item, challenger, owner, stranger, arbiters, rules, config },
    ...{ address, vote, internal: send, lab: contractLab(blockchain, address) },
    open: ({ from = challenger.address, amount = AMOUNT, value, evidence = EVIDENCE } = {}) => {
      const message = internalMessage(
        from,
        address,
        value ?? BOND + DISPUTE_VALUE.open,
        openBody(evidence, amount),
        { init: caseStateInit(config) },
      )
      return outcomeOf(blockchain, address, message)
    },
    opened: (change = {}) => {
      const longestS = 2 * rules.verdictS + rules.appealS + DAY_S
      const untilS = change.untilS ?? (blockchain.now ?? START_S) + longestS
      const cell = change.rules ?? encodeDisputeRules(rules)
      const body = caseOpenedBody(change.accused ?? item.address, untilS, cell)
      return send(change.from ?? registry.address, change.value ?? ANSWER_VALUE, body)
    },
    frozen: (amount = AMOUNT, from = item.address, value = ANSWER_VALUE) =>
      send(from, value, frozenBody(amount, amount === 0n ? 0 : 7)),
    verdict: async (ruling, signers = [0, 1, 2], change = {}, value = DISPUTE_VALUE.verdict) => {
      const statement = verdictOn(TEST_NETWORK, address, await s.view(), ruling)
      const signed = { ...statement, ...change }
      const votes = signers.map((arbiter) => vote(signed, arbiter))
      return send(stranger.address, value, verdictBody(ruling.uphold, ruling.loss, votes))
    },
    appeal: (from = owner.address, value = BOND + DISPUTE_VALUE.appeal) =>
      send(from, value, appealBody()),
    conclude: (value = DISPUTE_VALUE.conclude, from = stranger.address) =>
      send(from, value, concludeBody()),
    tried: async (amount) => {
      await s.open()
      await s.opened()
      await s.frozen(amount)
    },
    view: async () => parseCaseView(await read('get_case')),
    solvency: async () => {
      const reader = await read('get_solvency')
      const next = (): bigint => reader.readBigNumber()
      return { balance: next(), owed: next(), spare: next() }
    },
    balance: async (of = address) => (await blockchain.getContract(of)).balance,
    elapse: (seconds) => {
      blockchain.now = (blockchain.now ?? START_S) + seconds
    },
  }
  return s
}

type Wallet = SandboxContract<TreasuryContract>

async function wallets(
  blockchain: Blockchain,
): Promise<readonly [Wallet, Wallet, Wallet, Wallet, Wallet]> {
  const named = (name: string): Promise<Wallet> => blockchain.treasury(name)
  return [
    await named('registry'),
    await named('item'),
    await named('challenger'),
    await named('owner'),
    await named('stranger'),
  ]
}
