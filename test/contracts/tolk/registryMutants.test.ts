/**
 * What mutants of the registry showed to be unwatched: what every message gives back, places that
 * cross, cases of two registries at once, and a chain that cannot carry what is to be sent
 * (`npm run mutate:tolk -- --contract registry`).
 * @module
 */
import { type Address, beginCell, type Cell, contractAddress, Dictionary } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { itemConfigCell } from '../../../contracts/wrappers/itemConfig.ts'
import { encodeParameters } from '../../../contracts/wrappers/parameters.ts'
import { REGISTRY_EXIT } from '../../../contracts/wrappers/Registry.ts'
import {
  acceptOwnerBody,
  applyBody,
  cancelUpgradeBody,
  enrolBody,
  pauseBody,
  prepareBody,
  REGISTRY_PROTOCOL,
  REGISTRY_VALUE,
  setGuardianBody,
  transferOwnerBody,
  unpauseBody,
  updateBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import { gasFee } from '../../../node/chain/simulatedFees.ts'
import { contractLab, interleave } from '../../support/contractLab.ts'
import {
  codeOf,
  type RegistrySandbox,
  registrySandbox,
  type SomeCase,
} from '../../support/registrySandbox.ts'
import {
  DAY_S,
  internalMessage,
  type Outcome,
  refuseEverything,
  sentTo,
  setParams,
} from '../../support/sandboxChain.ts'
import { someAddress, someParameters } from '../../support/someParameters.ts'

const PRICES = CHAIN_PRICES['sandbox-0.41']
const NEXT = codeOf('next')
const NEXT_HASH = NEXT.hash().toString('hex')

let s: RegistrySandbox
beforeAll(async () => {
  s = await registrySandbox()
})
beforeEach(() => s.reset())

describe('every message of a person', () => {
  const update = (): Cell => updateBody(encodeParameters(someParameters({ version: 2 })))
  const prepared = async (kind: 'registry' | 'gpu'): Promise<void> => {
    await s.own(prepareBody(kind, NEXT_HASH))
    s.elapse(30 * DAY_S)
  }
  const none = async (): Promise<void> => {}
  const paused = (): Promise<Outcome> => s.send(s.guardian.address, pauseBody())
  const offered = (): Promise<Outcome> => s.own(transferOwnerBody(s.stranger.address))
  type Row = [string, () => Promise<unknown>, 'owner' | 'guardian' | 'stranger', () => Cell]
  const messages: readonly Row[] = [
    ['an update', none, 'owner', update],
    ['preparing code', none, 'owner', () => prepareBody('registry', NEXT_HASH)],
    ['preparing code of a kind', none, 'owner', () => prepareBody('gpu', NEXT_HASH)],
    ['new code', () => prepared('registry'), 'owner', () => applyBody('registry', NEXT)],
    ['new code of a kind', () => prepared('gpu'), 'owner', () => applyBody('gpu', NEXT)],
    ['taking code back', () => prepared('gpu'), 'owner', () => cancelUpgradeBody('gpu')],
    ['another guardian', none, 'owner', () => setGuardianBody(s.stranger.address)],
    ['an offer', none, 'owner', () => transferOwnerBody(s.stranger.address)],
    ['accepting it', offered, 'stranger', acceptOwnerBody],
    ['a pause', none, 'guardian', pauseBody],
    ['its end', paused, 'guardian', unpauseBody],
  ]

  it.each(messages)('%s gives back, to the nanoTON, what its fees left', async (...row) => {
    const [, before, from, body] = row
    await before()
    const outcome = await s.send(s[from].address, body())
    const rest = REGISTRY_VALUE - gasFee(PRICES, outcome.gas) - PRICES.forward.lump
    expect(sentTo(outcome, s[from].address)).toBe(rest)
    const [sent] = [...outcome.tx!.outMessages.values()]
    expect(sent!.body.beginParse().loadUint(32)).toBe(REGISTRY_PROTOCOL.excess)
  })

  it('is carried out even where nothing is left to give back', async () => {
    const { gas } = await s.send(s.guardian.address, pauseBody())
    await s.reset()
    const outcome = await s.send(s.guardian.address, pauseBody(), gasFee(PRICES, gas) + 1n)
    expect(outcome.exit).toBe(0)
    expect(sentTo(outcome, s.guardian.address)).toBe(0n)
    expect((await s.view()).pausedUntilS).toBe(s.blockchain.now! + 14 * DAY_S)
  })
})

it('an item that asked twice and refuses the first place keeps the second', async () => {
  const item = s.item('provider')
  await refuseEverything(s.blockchain, s.addressOf(item))
  const ask = () => {
    const body = enrolBody(itemConfigCell(item), 50n * TON)
    return internalMessage(s.addressOf(item), s.address, TON / 10n, body)
  }
  // Both are enrolled before the first refusal comes back; the second place is then taken back too.
  const picks = [0, 1]
  await interleave(s.blockchain, [ask(), ask()], () => picks.shift() ?? 0)
  const { kinds, lost } = await s.view()
  expect({ count: kinds.provider.count, lost }).toEqual({ count: 1, lost: 1 })
  expect(kinds.provider.last?.equals(s.addressOf(item))).toBe(true)
})

it('a new guardian finds registration as if it had never been paused', async () => {
  await s.send(s.guardian.address, pauseBody())
  await s.own(setGuardianBody(s.stranger.address))
  expect((await s.view()).pausedUntilS).toBe(0)
})

it('code of a kind that there is not is refused for its kind, prepared or not', async () => {
  const apply = beginCell().storeUint(0x2c5a2009, 32).storeUint(0, 8).storeRef(NEXT).endCell()
  expect((await s.own(apply)).exit).toBe(REGISTRY_EXIT.kind)
})

it('an update is refused where an arbiter in it is none, or has something behind it', async () => {
  const good = encodeParameters(someParameters({ version: 2 }))
  const [stakes, disputes, lists] = good.refs
  const rules = disputes!.beginParse()
  const dict = Dictionary.Values.Cell()
  const arbiters = rules.preloadRef().beginParse().loadDictDirect(Dictionary.Keys.Uint(8), dict)
  const arbiter = arbiters.get(1)!
  const longer = beginCell().storeSlice(arbiter.beginParse()).storeBit(true).endCell()
  for (const [second, exit] of [
    [beginCell().endCell(), 9],
    [longer, 9],
    [arbiter, 0],
  ] as const) {
    arbiters.set(1, second)
    const changed = beginCell()
      .storeBits(disputes!.bits)
      .storeRef(beginCell().storeDictDirect(arbiters))
    const root = beginCell().storeBits(good.bits).storeRef(stakes!).storeRef(changed.endCell())
    expect((await s.own(updateBody(root.storeRef(lists!).endCell()))).exit).toBe(exit)
  }
})

describe('a case of two registries', () => {
  /** A case at its own address, whose own registry and whose item's are named apart. */
  const caseOf = (own: Address, accused: Address): SomeCase => {
    const challenger = someAddress('a challenger')
    const config = beginCell()
      .storeAddress(own)
      .storeUint(0, 128)
      .storeAddress(challenger)
      .storeRef(itemConfigCell({ ...s.item('provider'), registry: accused }))
      .endCell()
    const data = beginCell().storeUint(0, 8).storeRef(config).endCell()
    const address = contractAddress(0, { code: s.config.codes.dispute, data })
    return { config, address, accused: s.addressOf(s.item('provider')), challenger }
  }
  const settlement = { ticket: 1, release: TON, slash: TON, loss: TON }

  it('is believed by neither: the case must be of here, and what it accuses as well', async () => {
    const elsewhere = someAddress('another registry')
    for (const [own, accused, exit] of [
      [elsewhere, s.address, REGISTRY_EXIT.otherRegistry],
      [s.address, elsewhere, REGISTRY_EXIT.otherRegistry],
      [s.address, s.address, 0],
    ] as const) {
      expect((await s.openCase(caseOf(own, accused))).exit).toBe(exit)
      expect((await s.closeCase(caseOf(own, accused), settlement)).exit).toBe(exit)
    }
  })
})

describe('on a chain that carries only small messages', () => {
  const TOO_LARGE = 40
  /** A limit of cells and bits a message, configuration parameter 43. */
  const withLimit = async (bits: number, cells: number, run: () => Promise<void>) => {
    const limits = beginCell().storeUint(1, 8).storeUint(bits, 32).storeUint(cells, 32)
    limits.storeUint(1_000, 32).storeUint(512, 16).storeUint(65_535, 32).storeUint(512, 16)
    await contractLab(s.blockchain, s.address).undone(async () => {
      setParams(s.blockchain, { 43: limits.endCell() })
      await run()
    })
  }

  it.each([
    ['neither of its messages', 8, 1],
    ['what the item is told, but not the rules', 2_000, 3],
  ])('a case for which it carries %s goes back to its sender whole', async (_, bits, cells) => {
    const about = await s.caseAgainst(s.item('provider'))
    const before = await s.balance()
    await withLimit(bits, cells, async () => {
      const outcome = await s.openCase(about, TON, 5n * TON, TON)
      expect(outcome.exit).toBe(TOO_LARGE)
      expect(sentTo(outcome, about.accused)).toBe(0n)
      expect(sentTo(outcome, about.address)).toBeGreaterThan(TON - TON / 100n)
      expect(await s.balance()).toBe(before)
    })
  })
})
