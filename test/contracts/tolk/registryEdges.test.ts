/**
 * The registry at the edges of its sums: the least value of each message to the nanoTON, what it
 * passes on, the flags of what it sends, the last second of a pause, the size it reports.
 * @module
 */
import { type Address, beginCell, type Message } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { itemConfigCell } from '../../../contracts/wrappers/itemConfig.ts'
import { REGISTRY_EXIT } from '../../../contracts/wrappers/Registry.ts'
import {
  applyBody,
  askCodeBody,
  enrolBody,
  pauseBody,
  prepareBody,
  unpauseBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import { forwardFee, gasFee, sizeOf } from '../../../node/chain/simulatedFees.ts'
import {
  codeOf,
  type RegistrySandbox,
  registrySandbox,
  type SomeCase,
} from '../../support/registrySandbox.ts'
import {
  DAY_S,
  type Outcome,
  outcomeAmong,
  sentTo,
  takeEverything,
  YEAR_S,
} from '../../support/sandboxChain.ts'

const PRICES = CHAIN_PRICES['sandbox-0.41']
/** Forwarding a message with one full cell beside its root. */
const FULL = forwardFee(PRICES, 1_023n, 1n)
// Gas that each contract on the way may use (fees.tolk, common/gas.tolk).
const ENROL = gasFee(PRICES, 28_000n) + FULL
const ASK_CODE = gasFee(PRICES, 28_000n)
const FREEZE = gasFee(PRICES, 20_000n) + 2n * FULL
const OPENED = gasFee(PRICES, 17_000n) + forwardFee(PRICES, 10_000n, 34n)
const OPEN_CASE = gasFee(PRICES, 15_000n) + FREEZE + OPENED
const CLOSE_CASE = gasFee(PRICES, 24_000n) + 3n * FULL

let s: RegistrySandbox
let about: SomeCase
beforeAll(async () => {
  s = await registrySandbox()
})
beforeEach(async () => {
  await s.reset()
  about = await s.caseAgainst(s.item('scheduler'))
  await takeEverything(s.blockchain, about.accused)
})

const settlement = { ticket: 1, release: TON, slash: TON, loss: TON }

describe('the least value', () => {
  const exact = async (least: bigint, send: (value: bigint) => Promise<Outcome>) => {
    expect((await send(least - 1n)).exit).toBe(REGISTRY_EXIT.tooLittleValue)
    expect((await send(least)).exit).toBe(0)
  }

  it('of an enrolment is for both ways', async () => {
    await exact(ENROL, (value) => s.enrol(s.item('gpu'), TON * 20n, value))
  })

  it('of asking for code is for both ways', async () => {
    const next = codeOf('next')
    await s.own(prepareBody('scheduler', next.hash().toString('hex')))
    s.elapse(30 * DAY_S)
    await s.own(applyBody('scheduler', next))
    const body = askCodeBody(itemConfigCell(s.item('scheduler')), 0)
    await exact(ASK_CODE, (value) => s.send(about.accused, body, value))
  })

  it('of a case is for the item, the case, and the item’s answer to the case', async () => {
    await exact(OPEN_CASE, (value) => s.openCase(about, TON, 5n * TON, value))
  })

  it('of the end of a case is for what the item pays', async () => {
    await exact(CLOSE_CASE, (value) => s.closeCase(about, settlement, value))
  })
})

describe('what is passed on', () => {
  it('to an accused item is what freezing costs, to the case all the rest', async () => {
    const before = await s.balance()
    const outcome = await s.openCase(about, TON, 5n * TON, TON)
    const forwarding = (address: Address): bigint => {
      const body = [...outcome.tx!.outMessages.values()].find(to(address))!.body
      const { bits, cells } = sizeOf([body])
      // Either body stands in a cell of its own.
      return forwardFee(PRICES, bits, cells)
    }
    expect(sentTo(outcome, about.accused)).toBe(FREEZE - forwarding(about.accused))
    const passed = TON - gasFee(PRICES, outcome.gas) - FREEZE
    expect(sentTo(outcome, about.address)).toBe(passed - forwarding(about.address))
    expect(await s.balance()).toBe(before)
  })

  it('may come back where something hangs on it, and may not where nothing does', async () => {
    const enrolled = await s.enrol(s.item('gpu'))
    const opened = await s.openCase(about)
    const closed = await s.closeCase(about, settlement)
    expect([enrolled, opened, closed].flatMap(bounces)).toEqual([true, true, true, true])
    const updated = await s.update()
    expect(bounces(updated)).toEqual([false])
    expect(sentTo(updated, s.owner.address)).toBeGreaterThan(0n)
  })

  it('and comes back is not counted as a refused place, unless it was one', async () => {
    const ghost = await s.caseAgainst(s.item('gpu', 'nobody'))
    const { transactions } = await s.openCase(ghost)
    const [, back] = transactions.filter(({ address }) => address === accountOf(s.address))
    expect(outcomeAmong([back!], s.address).exit).toBe(0)
    expect((await s.view()).lost).toBe(0)
  })
})

describe('the last second', () => {
  it('of a pause is paused, the next is not', async () => {
    await s.send(s.guardian.address, pauseBody())
    const paused = s.blockchain.snapshot()
    for (const [afterS, exit, enrolled] of [
      [14 * DAY_S - 1, 0, REGISTRY_EXIT.paused],
      [14 * DAY_S, REGISTRY_EXIT.notPaused, 0],
    ] as const) {
      await s.blockchain.loadFrom(paused)
      s.elapse(afterS)
      expect((await s.enrol(s.item('gpu'))).exit).toBe(enrolled)
      expect((await s.send(s.owner.address, unpauseBody())).exit).toBe(exit)
    }
  })

  it('before a second pause of a guardian who never paused may be the first second', async () => {
    expect((await s.send(s.guardian.address, pauseBody())).exit).toBe(0)
    expect((await s.view()).pausedUntilS).toBe(s.blockchain.now! + 14 * DAY_S)
  })
})

describe('what it answers', () => {
  it('about code that nobody prepared is zero', async () => {
    const { stackReader } = await s.blockchain.runGetMethod(s.address, 'get_registry')
    stackReader.skip(10)
    expect([stackReader.readBigNumber(), stackReader.readBigNumber()]).toEqual([0n, 0n])
  })

  it('about versions that cannot be is nothing', async () => {
    const asked = async (version: bigint) => {
      const args = [{ type: 'int', value: version } as const]
      const { stackReader } = await s.blockchain.runGetMethod(s.address, 'get_parameters', args)
      return stackReader.readCellOpt()
    }
    for (const version of [-1n, 2n, 1n << 32n, (1n << 32n) - 1n, 1n << 200n]) {
      expect(await asked(version)).toBeNull()
    }
    expect((await asked(0n))?.equals((await asked(1n))!)).toBe(true)
  })

  it('about its rent is the chain’s formula, on code, data and an account', async () => {
    const { cells, bits, rentOfYear, reserve } = await s.solvency()
    const { accountState } = await s.blockchain.getContract(s.address)
    if (accountState?.type !== 'active') throw new Error('not active')
    const [data, code] = [accountState.state.data!, accountState.state.code!].map((one) =>
      sizeOf([one]),
    )
    expect(BigInt(cells)).toBe(data!.cells + code!.cells + 1n)
    expect(BigInt(bits)).toBe(data!.bits + code!.bits + 512n)
    const rent = (seconds: number): bigint => {
      const scaled = (BigInt(cells) * 500n + BigInt(bits)) * BigInt(seconds)
      return (scaled + 65_535n) / 65_536n
    }
    expect([rentOfYear, reserve]).toEqual([rent(YEAR_S), rent(5 * YEAR_S)])
  })

  it('about code of a kind is the first, or the newest', async () => {
    const code = async (kind: bigint, first: boolean) => {
      const flag = { type: 'int', value: first ? -1n : 0n } as const
      const args = [{ type: 'int', value: kind } as const, flag]
      const { stackReader } = await s.blockchain.runGetMethod(s.address, 'get_code', args)
      return stackReader.readCell().hash().toString('hex')
    }
    const next = codeOf('next')
    await s.own(prepareBody('scheduler', next.hash().toString('hex')))
    s.elapse(30 * DAY_S)
    await s.own(applyBody('scheduler', next))
    expect(await code(2n, false)).toBe(next.hash().toString('hex'))
    expect(await code(2n, true)).toBe(s.config.codes.scheduler.hash().toString('hex'))
    await expect(code(4n, true)).rejects.toThrow('724')
  })
})

it('reads an enrolment whole: what follows it is refused', async () => {
  const item = s.item('gpu')
  const body = enrolBody(itemConfigCell(item), 50n * TON)
  const config = beginCell().storeSlice(itemConfigCell(item).beginParse()).storeBit(true).endCell()
  await takeEverything(s.blockchain, s.addressOf(item))
  expect((await s.send(s.addressOf(item), enrolBody(config, 50n * TON), TON)).exit).toBe(9)
  expect((await s.send(s.addressOf(item), body, TON)).exit).toBe(0)
})

function to(address: Address): (message: Message) => boolean {
  return ({ info }) => info.type === 'internal' && info.dest.equals(address)
}

/** Whether each message of the registry's transaction would bounce, in order. */
function bounces({ tx }: Outcome): boolean[] {
  const all = [...(tx?.outMessages.values() ?? [])]
  return all.map(({ info }) => info.type === 'internal' && info.bounce)
}

function accountOf({ hash }: Address): bigint {
  return BigInt(`0x${hash.toString('hex')}`)
}
