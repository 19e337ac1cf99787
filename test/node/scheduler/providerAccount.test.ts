/**
 * The scheduler's paid account with a provider heals by itself: opened again when it ends, opened
 * anew when a grant's receipt never came, given up where such receipts cost too much.
 * @module
 */
import { Address } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { exposureLimit, type PayerState, startPayer } from '../../../contracts/money/payer.ts'
import {
  type AccountNeeds,
  keepAccount,
  noLosses,
} from '../../../node/scheduler/providerAccount.ts'
import type { PayerAccount } from '../../../node/settlement/payerAccount.ts'
import { createSeededRandom } from '../../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'
import { keptLogger } from '../../support/quietLogger.ts'

/** An account whose openings and books are in the test's hand. */
async function play(options: { failures?: number; deposit?: bigint } = {}) {
  const clock = createSimulatedClock({ startMs: 0 })
  const said: boolean[] = []
  const { deposit = 1_000_000n } = options
  const losses = noLosses()
  const game = {
    clock,
    said,
    opened: 0,
    closed: 0,
    topUps: 0,
    failures: options.failures ?? 0,
    end: (_: MarketError): void => undefined,
    /** What an opening does to the books: it settles what the provider shows. */
    onOpen: (): void => undefined,
    books: startPayer({ network: 1, channel: '0:00', deposit }) as PayerState,
  }
  const account: PayerAccount = {
    channel: new Address(0, Buffer.alloc(32)),
    state: () => game.books,
    grant: async () => undefined,
    delivered: () => undefined,
    settle: async () => undefined,
    refresh: async () => undefined,
    close: async () => void game.closed++,
  }
  const needs: AccountNeeds = {
    clock,
    random: createSeededRandom('kept'),
    logger: keptLogger(),
    peer: 'peer',
    losses,
    open: async (onEnd) => {
      if (game.failures-- > 0) throw new MarketError('unreachable')
      game.opened++
      game.onOpen()
      game.end = onEnd
      return account
    },
    topUp: async () => {
      game.topUps++
      game.books = { ...game.books, deposit: game.books.deposit + deposit }
    },
    onPayable: (payable) => said.push(payable),
  }
  const kept = keepAccount(needs)
  await clock.advance(0)
  /** What the next opening settles. */
  const settleAtOpening = (amount: bigint) => {
    game.onOpen = () => {
      const spent = game.books.spent + amount
      game.books = { ...game.books, cumulative: spent, spent }
      game.onOpen = () => undefined
    }
  }
  /** The provider hangs up and comes back: another account over the same books. */
  const comeBack = async (before: { stop(): Promise<void> }) => {
    await before.stop()
    await clock.advance(0)
    const next = keepAccount(needs)
    await clock.advance(0)
    return next
  }
  return { ...game, game, kept, settleAtOpening, comeBack }
}

describe('an account with a provider', () => {
  it('is opened, opened again after an end, and after failures with growing waits', async () => {
    const { game, kept, clock, said } = await play({ failures: 1 })
    expect(game.opened).toBe(0)
    await expect(kept.opened).rejects.toMatchObject({ code: 'unreachable' })
    await clock.advance(2 * LIMITS.reconnectMinMs)
    expect(game.opened).toBe(1)
    expect(said.at(-1)).toBe(true)
    game.end(new MarketError('unreachable'))
    await clock.advance(0)
    expect(said.at(-1)).toBe(false)
    expect(kept.current()).toBeUndefined()
    await clock.advance(2 * LIMITS.reconnectMinMs)
    expect(game.opened).toBe(2)
    await kept.stop()
    await clock.advance(LIMITS.reconnectMaxMs)
    expect(game.opened).toBe(2)
    expect(clock.pending).toBe(0)
  })

  it('is opened anew when a receipt never came, once no leg uses it', async () => {
    const { game, kept, clock } = await play()
    const [one, two] = [kept.current()!.enter(), kept.current()!.enter()]
    one({ stuck: true })
    one({ stuck: true })
    await clock.advance(100)
    expect(game.opened).toBe(1)
    two({ stuck: false })
    await clock.advance(100)
    expect(game).toMatchObject({ opened: 2, closed: 1 })
    await kept.stop()
  })

  it('gives no new job while too many grants await a receipt', async () => {
    const { kept, said, clock, game } = await play()
    const busy = kept.current()!.enter()
    for (let i = 0; i < LIMITS.stuckJobs; i++) kept.current()!.enter()({ stuck: true })
    expect(said.at(-1)).toBe(false)
    busy({ stuck: false })
    await clock.advance(100)
    expect(game.opened).toBe(2)
    expect(said.at(-1)).toBe(true)
    await kept.stop()
  })

  it('ends for good where receipts without a client cost more than is allowed', async () => {
    const { game, kept, clock, said } = await play()
    const limit = exposureLimit(game.books)
    const loseAtOpening = async (amount: bigint) => {
      game.onOpen = () => {
        const spent = game.books.spent + amount
        game.books = { ...game.books, cumulative: spent, spent }
      }
      kept.current()!.enter()({ stuck: true })
      await clock.advance(100)
    }
    await loseAtOpening(limit)
    expect(kept.current()).toBeDefined()
    await loseAtOpening(1n)
    expect(kept.current()).toBeUndefined()
    expect(said.at(-1)).toBe(false)
    await clock.advance(10 * LIMITS.reconnectMaxMs)
    expect(game.opened).toBe(3)
    expect(clock.pending).toBe(0)
  })

  it('is not forgiven what it cost by hanging up and coming back', async () => {
    const { game, kept, clock, settleAtOpening, comeBack } = await play()
    const limit = exposureLimit(game.books)
    settleAtOpening(limit)
    const second = await comeBack(kept)
    expect(second.current()).toBeDefined()
    settleAtOpening(1n)
    const third = await comeBack(second)
    expect(third.current()).toBeUndefined()
    await expect(third.opened).rejects.toMatchObject({ code: 'exposure' })
    const fourth = await comeBack(third)
    expect(fourth.current()).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  it('waits for the legs under way before it calls what an opening settled a loss', async () => {
    const { game, kept, said, settleAtOpening, comeBack } = await play()
    const cost = exposureLimit(game.books) + 1n
    const paid = kept.current()!.enter()
    settleAtOpening(cost)
    const second = await comeBack(kept)
    expect(second.current()).toBeDefined()
    expect(said.at(-1)).toBe(false) // no new job meanwhile
    paid({ stuck: true, lost: -cost }) // its client has paid, the account could not be told
    expect(said.at(-1)).toBe(true)
    const unpaid = second.current()!.enter()
    settleAtOpening(cost)
    const third = await comeBack(second)
    expect(third.current()).toBeDefined()
    unpaid({ stuck: true }) // nobody has paid
    expect(third.current()).toBeUndefined()
    expect(said.at(-1)).toBe(false)
  })

  it('counts receipts of abandoned attempts', async () => {
    const { game, kept } = await play()
    const limit = exposureLimit(game.books)
    kept.current()!.enter()({ stuck: false, lost: limit })
    expect(kept.current()).toBeDefined()
    kept.current()!.enter()({ stuck: false, lost: 1n })
    expect(kept.current()).toBeUndefined()
  })

  it('has no capacity for what it cannot grant, and is topped up before it is empty', async () => {
    const { game, kept, said, clock } = await play()
    kept.current()!.short(exposureLimit(game.books) + 1n)
    expect(said.at(-1)).toBe(false)
    kept.current()!.short(exposureLimit(game.books))
    expect(said.at(-1)).toBe(true)
    game.books = { ...game.books, cumulative: 760_000n, spent: 760_000n }
    kept.current()!.enter()({ stuck: false })
    await clock.advance(10)
    expect(game.topUps).toBe(1)
    await kept.stop()
  })
})
