/**
 * The rough handling that every contract must survive, for its tests.
 *
 * `contractLab`: too little gas, too little value, years of silence, a frozen account, spam;
 * `interleave` steps several messages in any order; `modelRun` plays random acts on a contract
 * beside its model. All of it runs in the TVM of `@ton/sandbox`, in process; the chain itself and
 * its messages are `sandboxChain.ts`.
 *
 * @example
 * const blockchain = await testBlockchain()
 * const lab = contractLab(blockchain, address) // of a contract deployed on it
 * const exits = await lab.atEveryValue((value) => s.claim(value), { upTo: 10_000_000n })
 * expect(await lab.spam(bodies)).toEqual({ accepted: 0, cost: 0n })
 * const before = await lab.state()
 * await lab.freeze()
 * await lab.unfreeze(stranger.address)
 * expect(await lab.state()).toBe(before)
 * @module
 */
import {
  type Address,
  beginCell,
  type Cell,
  external,
  type Message,
  type StateInit,
} from '@ton/core'
import { type Blockchain, type BlockchainTransaction, EmulationError } from '@ton/sandbox'
import fc from 'fast-check'
import {
  internalMessage,
  type Outcome,
  outcomeOf,
  paramsOf,
  START_S,
  setParams,
  YEAR_S,
} from './sandboxChain.ts'

/** Size of an account on chain, by which it pays rent. */
export interface StateSize {
  readonly cells: bigint
  readonly bits: bigint
}

/** Rough handling of one contract. Snapshots are of the whole chain. */
export interface ContractLab {
  elapse(seconds: number): void
  balance(): Promise<bigint>
  /** Hash of code and data together: equal where a message changed neither. */
  state(): Promise<string>
  status(): Promise<'active' | 'frozen' | 'uninit' | 'none'>
  /** Cells and bits on chain. Strangers' messages must not make more cells. */
  size(): Promise<StateSize>
  /** Runs, gives the result, and puts the chain back as it was. */
  undone<T>(run: () => Promise<T>): Promise<T>
  /**
   * Runs with a compute phase that may use `gas` units at most (`limit`), or may use that much
   * before accepting an external message (`credit`). The limits hold for every account.
   */
  atGas<T>(gas: { limit?: bigint; credit?: bigint }, run: () => Promise<T>): Promise<T>
  /**
   * Sends the same message with every value from 0 to `upTo` in `steps` steps, each on the same
   * chain. What failed must have changed nothing: it throws where code or data differ then. What
   * succeeded is shown to `whole`, which looks whether the message did all that it should.
   */
  atEveryValue(
    run: (value: bigint) => Promise<Outcome>,
    sweep: {
      readonly upTo: bigint
      readonly steps?: number
      readonly whole?: (outcome: Outcome, value: bigint) => Promise<void> | void
    },
  ): Promise<ReadonlyMap<number, { readonly from: bigint; readonly to: bigint }>>
  /** Sends external messages: how many were accepted, and what they cost the contract. */
  spam(bodies: Iterable<Cell>): Promise<{ readonly accepted: number; readonly cost: bigint }>
  /**
   * Takes the balance away, as rent does in time, and waits until the debt freezes the account.
   * Gives the seconds that the debt took to grow.
   */
  freeze(): Promise<number>
  /** Brings a frozen account back by its own state, as anyone can, with `value` attached. */
  unfreeze(from: Address, value?: bigint, body?: Cell): Promise<Outcome>
}

/** A laboratory for the contract at `address`. */
export function contractLab(blockchain: Blockchain, address: Address): ContractLab {
  const contract = () => blockchain.getContract(address)
  let frozen: StateInit | undefined
  const lab: ContractLab = {
    elapse(seconds) {
      blockchain.now = (blockchain.now ?? START_S) + seconds
    },
    balance: async () => (await contract()).balance,
    state: async () => {
      const init = activeState(await contract())
      return init ? `${hashOf(init.code)} ${hashOf(init.data)}` : lab.status()
    },
    status: async () => {
      const type = (await contract()).accountState?.type
      return type === undefined ? 'none' : type
    },
    async size() {
      const used = (await contract()).account.account?.storageStats.used
      return { cells: used?.cells ?? 0n, bits: used?.bits ?? 0n }
    },
    async undone(run) {
      const before = blockchain.snapshot()
      const { config } = blockchain
      try {
        return await run()
      } finally {
        await blockchain.loadFrom(before)
        blockchain.setConfig(config)
      }
    },
    async atGas(gas, run) {
      const { config } = blockchain
      setParams(blockchain, { 21: withLimits(paramsOf(blockchain).get(21)!, gas) })
      try {
        return await run()
      } finally {
        blockchain.setConfig(config)
      }
    },
    atEveryValue: (run, sweep) => sweepValues(lab, run, sweep),
    async spam(bodies) {
      const before = await lab.balance()
      let accepted = 0
      for (const body of bodies) {
        const outcome = await outcomeOf(blockchain, address, external({ to: address, body }))
        if (outcome.tx) accepted++
      }
      return { accepted, cost: before - (await lab.balance()) }
    },
    async freeze() {
      const account = await contract()
      frozen = activeState(account)
      account.balance = 0n
      return starve(blockchain, lab, address)
    },
    unfreeze(from, value = 2_000_000_000n, body = beginCell().endCell()) {
      const message = internalMessage(from, address, value, body, { bounce: false, init: frozen })
      return outcomeOf(blockchain, address, message)
    },
  }
  return lab
}

async function sweepValues(
  lab: ContractLab,
  run: (value: bigint) => Promise<Outcome>,
  { upTo, steps = 100, whole }: Parameters<ContractLab['atEveryValue']>[1],
): Promise<Map<number, { from: bigint; to: bigint }>> {
  const before = await lab.state()
  const seen = new Map<number, { from: bigint; to: bigint }>()
  for (let step = 0n; step <= BigInt(steps); step++) {
    const value = (upTo * step) / BigInt(steps)
    await lab.undone(async () => {
      const outcome = await run(value)
      const { exit } = outcome
      if (exit === 0) await whole?.(outcome, value)
      else if ((await lab.state()) !== before) {
        throw new Error(`${value} nanoTON: exit ${exit}, and yet the state changed`)
      }
      seen.set(exit, { from: seen.get(exit)?.from ?? value, to: value })
    })
  }
  return seen
}

/** One nanoTON a year: every transaction takes the rent that is due. Time ends in 2106. */
async function starve(blockchain: Blockchain, lab: ContractLab, to: Address): Promise<number> {
  const began = blockchain.now ?? START_S
  const nobody = await blockchain.treasury('a passer-by')
  const touch = internalMessage(nobody.address, to, 1n, beginCell().endCell(), { bounce: false })
  for (let year = 0; year < 75 && (await lab.status()) === 'active'; year++) {
    lab.elapse(YEAR_S)
    await blockchain.sendMessage(touch)
  }
  if ((await lab.status()) !== 'frozen') throw new Error(`the account is ${await lab.status()}`)
  return (blockchain.now ?? began) - began
}

function activeState({
  accountState,
}: {
  accountState?: { type: string; state?: StateInit }
}): StateInit | undefined {
  return accountState?.type === 'active' ? accountState.state : undefined
}

function hashOf(cell: Cell | null | undefined): string {
  return cell ? cell.hash().toString('hex') : 'none'
}

/** Configuration parameter 21 (block.tlb: GasLimitsPrices) with other limits. */
function withLimits(param: Cell, gas: { limit?: bigint; credit?: bigint }): Cell {
  const old = param.beginParse()
  const head = old.loadBits(8 + 64 + 64 + 8 + 64)
  const limit = old.loadUintBig(64)
  const special = old.loadUintBig(64)
  const credit = old.loadUintBig(64)
  const cell = beginCell().storeBits(head)
  for (const value of [gas.limit ?? limit, special, gas.credit ?? credit]) cell.storeUint(value, 64)
  return cell.storeSlice(old).endCell()
}

/**
 * Runs several messages and all that they cause, one transaction at a time. `pick` says which of
 * the `alive` cascades goes next, as a chain that is busy elsewhere might. Within one cascade the
 * order stays, as it does on chain between two accounts.
 *
 * @example
 * const done = await interleave(blockchain, [claim, close], (alive) => seeded.below(alive))
 */
export async function interleave(
  blockchain: Blockchain,
  messages: readonly Message[],
  pick: (alive: number) => number,
): Promise<readonly (readonly BlockchainTransaction[])[]> {
  const done: BlockchainTransaction[][] = messages.map(() => [])
  const alive = []
  for (const [index, message] of messages.entries()) {
    const steps = await blockchain.sendMessageIter(message, { allowParallel: true })
    alive.push({ index, steps })
  }
  while (alive.length > 0) {
    const at = pick(alive.length)
    const { index, steps } = alive[at]!
    const next = await nextOf(steps)
    if (next) done[index]!.push(next)
    else alive.splice(at, 1)
  }
  return done
}

async function nextOf(
  steps: AsyncIterator<BlockchainTransaction>,
): Promise<BlockchainTransaction | undefined> {
  try {
    const { value, done } = await steps.next()
    return done ? undefined : value
  } catch (error) {
    // An external message that was not accepted: no transaction, and nothing after it.
    if (error instanceof EmulationError) return undefined
    throw error
  }
}

/** One random act: what is done to the contract and to its model, and its words in a report. */
export interface Act<World> {
  readonly text: string
  play(world: World): Promise<void>
}

/**
 * Plays random sequences of acts, each on a world of its own, and compares after every act. A world
 * holds the contract and its model; an act does the same to both; `equal` throws where they differ.
 * What fails is shrunk to few acts, and the report has the seed.
 *
 * @example
 * const topUp = fc.bigInt(0n, TON).map((amount) => ({
 *   text: `top up ${amount}`,
 *   play: async ({ model, real }) =>
 *     expect(model.topUp(amount)).toBe((await real.topUp(amount)).exit),
 * }))
 * await modelRun({ world, acts: [topUp, claim], equal, seed: 1, runs: 20, length: 30 })
 */
export async function modelRun<World>(options: {
  readonly world: () => Promise<World>
  readonly acts: readonly fc.Arbitrary<Act<World>>[]
  readonly equal: (world: World) => Promise<void>
  readonly seed: number
  readonly runs: number
  /** Acts in a sequence, at most. */
  readonly length: number
}): Promise<void> {
  const { world, acts, equal, seed, runs, length } = options
  const commands = acts.map((each) =>
    each.map(
      ({ text, play }): fc.AsyncCommand<object, World> => ({
        check: () => true,
        toString: () => text,
        async run(_, real) {
          await play(real)
          await equal(real)
        },
      }),
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: length, size: 'max' }), (sequence) =>
      fc.asyncModelRun(async () => ({ model: {}, real: await world() }), sequence),
    ),
    { seed, numRuns: runs, endOnFailure: false },
  )
}
