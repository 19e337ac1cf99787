/**
 * The compiled timelock in the sandbox: what waits, who may queue, execute and cancel, what comes
 * back, and rough handling.
 * @module
 */
import { type Address, beginCell } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import type { Operation } from '../../../contracts/wrappers/operation.ts'
import {
  executeBody,
  queueBody,
  setDelayBody,
  TIMELOCK_EXIT,
  TIMELOCK_OP,
  TIMELOCK_QUEUE,
  TIMELOCK_RESERVE,
  TIMELOCK_VALUE,
  topUpTimelockBody,
} from '../../../contracts/wrappers/Timelock.ts'
import { contractLab, interleave } from '../../support/contractLab.ts'
import { type GovernanceSandbox, governanceSandbox } from '../../support/governanceSandbox.ts'
import {
  DAY_S,
  internalMessage,
  refuseEverything,
  START_S,
  sentTo,
  takeEverything,
  YEAR_S,
} from '../../support/sandboxChain.ts'
import { someAddress } from '../../support/someParameters.ts'

const TARGET = someAddress('a target')
const DELAY_S = 2 * DAY_S
const GRACE_S = 14 * DAY_S

let g: GovernanceSandbox
beforeAll(async () => {
  // Nothing above the reserve: whoever executes pays.
  g = await governanceSandbox({ funds: TIMELOCK_RESERVE })
})
beforeEach(async () => {
  await g.reset()
  await takeEverything(g.blockchain, TARGET)
})

const operation = (change: Partial<Operation> = {}): Operation => ({
  ...{ to: TARGET, value: TON, body: beginCell().storeUint(7, 32).endCell() },
  ...change,
})
const put = async (id: bigint, change?: Partial<Operation>): Promise<void> => {
  expect((await g.queue(id, operation(change))).exit).toBe(0)
}

describe('queueing', () => {
  it('is for the multisig alone', async () => {
    const queued = { id: 1n, etaS: START_S + DELAY_S, operation: operation() }
    for (const from of [g.helper.address, g.timelock, TARGET]) {
      const { exit } = await g.send(g.timelock, queueBody(queued), TON, from)
      expect(exit).toBe(TIMELOCK_EXIT.notMultisig)
    }
    const outcome = await g.queue(1n, operation())
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, g.multisig)).toBeGreaterThan(TIMELOCK_VALUE - 4_000_000n)
    const [waiting] = await g.waiting()
    expect(waiting).toMatchObject({ id: 1n, etaS: queued.etaS, operation: { value: TON } })
    expect(waiting?.operation.to.equals(TARGET)).toBe(true)
    expect(waiting?.operation.body.equals(operation().body)).toBe(true)
  })

  it('is at least the delay ahead, and at most sixty days more', async () => {
    const now = g.now()
    for (const [etaS, exit] of [
      [now + DELAY_S - 1, TIMELOCK_EXIT.eta],
      [now + DELAY_S + 60 * DAY_S + 1, TIMELOCK_EXIT.eta],
      [0, TIMELOCK_EXIT.eta],
      [0xffff_ffff, TIMELOCK_EXIT.eta],
      [now + DELAY_S, 0],
    ] as const) {
      expect((await g.queue(1n, operation(), etaS)).exit).toBe(exit)
    }
    expect((await g.queue(2n, operation(), now + DELAY_S + 60 * DAY_S)).exit).toBe(0)
  })

  it('takes each number once, for ever, and only upwards', async () => {
    await put(5n)
    for (const id of [5n, 4n, 0n]) {
      expect((await g.queue(id, operation())).exit).toBe(TIMELOCK_EXIT.oldId)
    }
    await g.cancel(5n)
    expect((await g.queue(5n, operation())).exit).toBe(TIMELOCK_EXIT.oldId)
    await put(6n)
    g.elapse(DELAY_S)
    expect((await g.execute(6n)).exit).toBe(0)
    expect((await g.queue(6n, operation())).exit).toBe(TIMELOCK_EXIT.oldId)
    expect((await g.timelockView()).lastId).toBe(6n)
  })

  it('of more than thirty-two is refused until one is done or cancelled', async () => {
    for (let id = 1n; id <= BigInt(TIMELOCK_QUEUE); id++) await put(id)
    expect((await g.queue(33n, operation())).exit).toBe(TIMELOCK_EXIT.full)
    expect(await g.waiting()).toHaveLength(TIMELOCK_QUEUE)
    const { reserve } = await rent()
    expect(reserve).toBeLessThan(TIMELOCK_RESERVE)
    await g.cancel(17n)
    await put(33n)
    g.elapse(DELAY_S)
    await g.execute(1n)
    await put(34n)
    expect((await g.queue(35n, operation())).exit).toBe(TIMELOCK_EXIT.full)
  })

  it('of what is no message is refused', async () => {
    const body = beginCell().storeUint(TIMELOCK_OP.queue, 32).storeUint(1, 64)
    body.storeUint(START_S + DELAY_S, 32).storeRef(beginCell().storeUint(1, 8).endCell())
    expect((await g.send(g.timelock, body.endCell(), TON, g.multisig)).exit).toBe(9)
  })
})

describe('executing', () => {
  it('is for anyone, from the eta to the end of the grace', async () => {
    await put(1n)
    const queued = g.blockchain.snapshot()
    for (const [afterS, exit] of [
      [DELAY_S - 1, TIMELOCK_EXIT.tooEarly],
      [DELAY_S, 0],
      [DELAY_S + GRACE_S - 1, 0],
      [DELAY_S + GRACE_S, TIMELOCK_EXIT.tooLate],
      [10 * YEAR_S, TIMELOCK_EXIT.tooLate],
    ] as const) {
      await g.blockchain.loadFrom(queued)
      g.elapse(afterS)
      expect((await g.execute(1n)).exit).toBe(exit)
    }
  })

  it('sends exactly the value that was decided, once, and the rest back', async () => {
    await put(1n)
    g.elapse(DELAY_S)
    const before = await g.balance(g.timelock)
    const outcome = await g.execute(1n, 3n * TON)
    expect(sentTo(outcome, TARGET)).toBe(TON)
    expect(sentTo(outcome, g.helper.address)).toBeGreaterThan(2n * TON - 5_000_000n)
    expect(before - (await g.balance(g.timelock))).toBeLessThan(1_000_000n) // two days of rent
    expect((await g.execute(1n)).exit).toBe(TIMELOCK_EXIT.unknownId)
    expect(await g.timelockView()).toMatchObject({ executed: 1, failed: 0 })
  })

  it('with too little value does nothing, and the operation still waits', async () => {
    await put(1n)
    g.elapse(DELAY_S)
    const lab = contractLab(g.blockchain, g.timelock)
    const seen = await lab.atEveryValue((value) => g.execute(1n, value), {
      ...{ upTo: TON + 10_000_000n, steps: 12 },
      whole: (outcome) => expect(sentTo(outcome, TARGET)).toBe(TON),
    })
    expect(seen.get(TIMELOCK_EXIT.noFunds)).toBeDefined()
    expect(seen.get(0)).toBeDefined()
    expect((await g.execute(1n, TON - 1n)).exit).toBe(TIMELOCK_EXIT.noFunds)
    // From the value to the fees above it, sending fails: what was brought goes back.
    for (const value of [TON, TON + 2_000_000n]) {
      const before = await g.balance(g.timelock)
      const short = await g.execute(1n, value)
      expect(short.exit).toBe(37)
      expect(sentTo(short, g.helper.address)).toBeGreaterThan(TON - 5_000_000n)
      expect(await g.balance(g.timelock)).toBe(before)
    }
    expect(await g.waiting()).toHaveLength(1)
  })

  it('spends what is above the reserve first, and never the reserve', async () => {
    await g.send(g.timelock, topUpTimelockBody(), TON / 2n)
    await put(1n)
    g.elapse(DELAY_S)
    expect((await g.execute(1n, TON / 3n)).exit).toBe(TIMELOCK_EXIT.noFunds)
    const outcome = await g.execute(1n, TON)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, TARGET)).toBe(TON)
    expect(sentTo(outcome, g.helper.address)).toBeGreaterThan(TON / 2n - 10_000_000n)
    expect(await g.balance(g.timelock)).toBe(TIMELOCK_RESERVE)
  })

  it('in any order, of two that cross, does each once', async () => {
    await put(1n)
    await put(2n)
    g.elapse(DELAY_S)
    for (const first of [0, 1, 2]) {
      const undo = g.blockchain.snapshot()
      const message = (id: bigint) =>
        internalMessage(g.helper.address, g.timelock, 2n * TON, executeBody(id))
      const messages = [message(1n), message(2n), message(1n)]
      const done = await interleave(g.blockchain, messages, (alive) => first % alive)
      const sent = done.flat().filter(({ address }) => address === accountOf(TARGET))
      expect(sent).toHaveLength(2)
      expect(await g.timelockView()).toMatchObject({ executed: 2, failed: 0 })
      await g.blockchain.loadFrom(undo)
    }
  })
})

describe('an operation that its target refuses', () => {
  it('is shown, and its value is spent on the next', async () => {
    await refuseEverything(g.blockchain, TARGET)
    await put(1n)
    await put(2n)
    g.elapse(DELAY_S)
    const outcome = await g.execute(1n)
    expect(outcome.exit).toBe(0)
    const { failed, failure } = await g.timelockView()
    expect(failed).toBe(1)
    expect(failure).toMatchObject({ exitCode: 37, atS: g.now() })
    const sent = [...(outcome.tx?.outMessages.values() ?? [])].map(({ info }) =>
      info.type === 'internal' ? info.createdLt : 0n,
    )
    expect(sent).toContain(failure?.lt)
    expect(await g.balance(g.timelock)).toBeGreaterThan(TIMELOCK_RESERVE + TON - 5_000_000n)
    await takeEverything(g.blockchain, TARGET)
    expect((await g.execute(2n, TON / 10n)).exit).toBe(0)
    expect((await g.timelockView()).executed).toBe(2)
  })

  it('because nobody is there is shown as well', async () => {
    await put(1n, { to: someAddress('nobody') })
    g.elapse(DELAY_S)
    await g.execute(1n)
    expect(await g.timelockView()).toMatchObject({ executed: 1, failed: 1 })
  })
})

describe('cancelling', () => {
  it('is for the multisig, until it is executed, and for anyone once it is void', async () => {
    await put(1n)
    await put(2n)
    expect((await g.cancel(1n, g.helper.address)).exit).toBe(TIMELOCK_EXIT.notMultisig)
    expect((await g.cancel(1n)).exit).toBe(0)
    expect((await g.cancel(1n)).exit).toBe(TIMELOCK_EXIT.unknownId)
    g.elapse(DELAY_S + GRACE_S - 1)
    expect((await g.execute(1n)).exit).toBe(TIMELOCK_EXIT.unknownId)
    expect((await g.cancel(2n, g.helper.address)).exit).toBe(TIMELOCK_EXIT.notMultisig)
    g.elapse(1)
    expect((await g.cancel(2n, g.helper.address)).exit).toBe(0)
    expect(await g.waiting()).toEqual([])
  })
})

describe('the delay', () => {
  const change = async (id: bigint, delayS: number) => {
    await put(id, { to: g.timelock, value: TON / 10n, body: setDelayBody(delayS) })
    g.elapse((await g.timelockView()).delayS)
    expect((await g.execute(id)).exit).toBe(0)
    return g.timelockView()
  }

  it('is changed by the timelock itself only', async () => {
    for (const from of [g.multisig, g.helper.address, TARGET]) {
      const { exit } = await g.send(g.timelock, setDelayBody(DAY_S), TON, from)
      expect(exit).toBe(TIMELOCK_EXIT.notItself)
    }
    expect(await change(1n, 30 * DAY_S)).toMatchObject({ delayS: 30 * DAY_S, failed: 0 })
    expect((await g.queue(2n, operation(), g.now() + 2 * DAY_S)).exit).toBe(TIMELOCK_EXIT.eta)
    expect((await g.queue(2n, operation(), g.now() + 30 * DAY_S)).exit).toBe(0)
  })

  it.each([DAY_S - 1, 30 * DAY_S + 1, 0])('of %d seconds is refused', async (delayS) => {
    const view = await change(1n, delayS)
    expect(view).toMatchObject({ delayS: DELAY_S, failed: 1 })
    expect(view.failure?.exitCode).toBe(TIMELOCK_EXIT.delay)
  })
})

describe('handled roughly', () => {
  it('strangers change nothing and cost nothing', async () => {
    await put(1n)
    const lab = contractLab(g.blockchain, g.timelock)
    const before = await lab.state()
    const balance = await g.balance(g.timelock)
    const bodies = Object.values(TIMELOCK_OP)
      .filter((op) => op !== TIMELOCK_OP.topUp)
      .map((op) => beginCell().storeUint(op, 32).storeUint(1, 256).endCell())
    for (const body of [...bodies, beginCell().endCell()]) {
      expect((await g.send(g.timelock, body)).exit).not.toBe(0)
      const bounced = { bounced: true, bounce: false }
      const message = internalMessage(g.helper.address, g.timelock, TON / 50n, body, bounced)
      await g.blockchain.sendMessage(message)
    }
    expect(await lab.spam([...bodies, ...bodies])).toEqual({ accepted: 0, cost: 0n })
    expect(await lab.state()).toBe(before)
    expect(await g.balance(g.timelock)).toBeGreaterThanOrEqual(balance)
  })

  it('a debt of rent is paid by the next message, which works all the same', async () => {
    await put(1n)
    g.elapse(DELAY_S)
    const account = await g.blockchain.getContract(g.timelock)
    account.balance = 0n
    const outcome = await g.execute(1n, 2n * TON)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, TARGET)).toBe(TON)
    expect(await g.balance(g.timelock)).toBe(0n)
  })

  it('five years of silence, and frost, leave it as it was', async () => {
    for (let id = 1n; id <= BigInt(TIMELOCK_QUEUE); id++) await put(id)
    const lab = contractLab(g.blockchain, g.timelock)
    const before = await lab.state()
    g.elapse(5 * YEAR_S)
    expect((await g.execute(1n)).exit).toBe(TIMELOCK_EXIT.tooLate)
    expect(await g.balance(g.timelock)).toBeGreaterThan(0n)
    await lab.freeze()
    expect((await g.execute(1n)).exit).toBe(-2)
    expect((await lab.unfreeze(g.helper.address, TON, topUpTimelockBody())).exit).toBe(0)
    expect(await lab.state()).toBe(before)
    expect((await g.cancel(1n, g.helper.address)).exit).toBe(0)
  })
})

/** Five years of rent of what is stored now, at the dearest prices known. */
async function rent(): Promise<{ reserve: bigint }> {
  const { cells, bits } = await contractLab(g.blockchain, g.timelock).size()
  return { reserve: ((cells * 500n + bits) * BigInt(5 * YEAR_S)) / 65_536n }
}

function accountOf({ hash }: Address): bigint {
  return BigInt(`0x${hash.toString('hex')}`)
}
