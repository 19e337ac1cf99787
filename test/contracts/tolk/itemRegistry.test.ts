/**
 * Items under the real registry: enrolment at the least value, refusals, the walk of the list, and
 * new code that brings another layout of the data.
 * @module
 */
import { type Address, beginCell, Cell, contractAddress } from '@ton/core'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_PRICES } from '../../../contracts/base/chainPrices.ts'
import { TON } from '../../../contracts/base/units.ts'
import { itemConfigCell } from '../../../contracts/wrappers/itemConfig.ts'
import {
  ITEM_FLOOR,
  ITEM_RENT_RESERVE,
  ITEM_VALUE,
} from '../../../contracts/wrappers/itemMessages.ts'
import { REGISTRY_EXIT, REGISTRY_TIMES } from '../../../contracts/wrappers/Registry.ts'
import {
  applyBody,
  enrolBody,
  pauseBody,
  prepareBody,
  unpauseBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import { priceParameters } from '../../../node/localnet/prices.ts'
import { compileContract } from '../../../scripts/compile.ts'
import { FIRST_CODE, type ItemSandbox, itemSandbox } from '../../support/itemSandbox.ts'
import { type RegistrySandbox, registrySandbox, SOME_CODES } from '../../support/registrySandbox.ts'
import { internalMessage, outcomeOf, sentTo, YEAR_S } from '../../support/sandboxChain.ts'

/** The least stake of a provider under `someParameters`. */
const LEAST = 50n * TON

let r: RegistrySandbox
beforeAll(async () => {
  r = await registrySandbox({ config: { codes: { ...SOME_CODES, ...FIRST_CODE } } })
}, 60_000)
beforeEach(() => r.reset())

const itemOf = (owner: string): Promise<ItemSandbox> =>
  itemSandbox({ blockchain: r.blockchain, registry: r.address, owner })

describe('enrolment', () => {
  it('works at every value that the item lets pass: neither contract runs out', async () => {
    const s = await itemOf('an owner')
    let [fails, works] = [LEAST, LEAST + ITEM_VALUE.register]
    while (works - fails > 50_000n) {
      const value = (fails + works) / 2n
      if ((await s.register(LEAST, value)).exit === 0) works = value
      else fails = value
      await r.reset()
    }
    await s.register(LEAST, works)
    expect(await s.facts()).toMatchObject({ status: 'enrolled', index: 1, unbondingS: 14 * 86_400 })
    expect(await s.balance()).toBeGreaterThanOrEqual(LEAST + ITEM_FLOOR + ITEM_RENT_RESERVE)
    expect((await r.view()).kinds.provider).toMatchObject({ count: 1 })
  })

  it('below the least stake, or while paused, leaves the owner its money', async () => {
    const s = await itemOf('an owner')
    await s.register(LEAST - 1n)
    expect((await s.view()).status).toBe('blank')
    await r.send(r.guardian.address, pauseBody())
    await s.register(LEAST)
    expect((await s.view()).status).toBe('blank')
    expect(await s.balance()).toBe(ITEM_FLOOR)
    await r.send(r.guardian.address, unpauseBody())
    await s.register(LEAST)
    expect((await s.view()).status).toBe('enrolled')
  })

  it('of an item whose state was preset is refused: it is elsewhere', async () => {
    const s = await itemOf('an owner')
    await s.register(LEAST)
    const account = (await r.blockchain.getContract(s.address)).accountState
    const data = account?.type === 'active' ? account.state.data! : Cell.EMPTY
    const forged = contractAddress(0, { code: FIRST_CODE.provider, data })
    for (const from of [forged, s.owner.address, r.stranger.address]) {
      const { exit } = await r.send(from, enrolBody(itemConfigCell(s.config), 1_000n * TON))
      expect(exit).toBe(REGISTRY_EXIT.notItem)
    }
    expect((await r.view()).kinds.provider.count).toBe(1)
  })
})

describe('at the prices of mainnet in August 2026', () => {
  it('an item lives for the same values, and its rent is a tenth', async () => {
    const params = priceParameters(CHAIN_PRICES['mainnet-2026-08'])
    const cheap = await registrySandbox({
      params,
      config: { codes: { ...SOME_CODES, ...FIRST_CODE } },
    })
    const s = await itemSandbox({ blockchain: cheap.blockchain, registry: cheap.address })
    await s.register(LEAST)
    expect((await s.heartbeat()).exit).toBe(0)
    s.elapse(5 * YEAR_S)
    expect((await s.unbond(LEAST)).exit).toBe(0)
    s.elapse(14 * 86_400)
    const out = await s.withdraw()
    expect(sentTo(out, s.owner.address)).toBeGreaterThan(LEAST + ITEM_RENT_RESERVE - TON / 50n)
    expect(await s.balance()).toBe(ITEM_FLOOR)
  })
})

describe('the list', () => {
  it('is walked from the newest to the first, the retired included', async () => {
    const items: ItemSandbox[] = []
    for (const owner of ['first', 'second', 'third', 'fourth']) {
      const s = await itemOf(owner)
      await s.register(LEAST)
      items.push(s)
    }
    await items[1]!.unbond(LEAST)
    items[1]!.elapse(14 * 86_400)
    expect((await items[1]!.withdraw()).exit).toBe(0)
    const walked: string[] = []
    let at: Address | undefined = (await r.view()).kinds.provider.last
    while (at) {
      walked.push(at.toString())
      const item = items.find(({ address }) => address.equals(at!))!
      at = (await item.view()).previous
    }
    expect(walked).toEqual(items.map(({ address }) => address.toString()).reverse())
  })
})

describe('new code of a kind', () => {
  it('reaches an item through the delay, and reads what the old code wrote', async () => {
    const s = await itemOf('an owner')
    await s.register(LEAST)
    await s.unbond(TON)
    const before = await s.facts()
    const next = Cell.fromBase64((await compileContract('provider', withAnotherLayout)).code)
    await r.own(prepareBody('provider', next.hash().toString('hex')))
    // Nothing newer yet: the registry refuses, and the item is as it was.
    await s.upgrade()
    expect(await s.facts()).toEqual(before)
    r.elapse(REGISTRY_TIMES.upgradeDelayS)
    expect((await r.own(applyBody('provider', next))).exit).toBe(0)
    expect((await s.upgrade()).exit).toBe(0)

    expect(await s.facts()).toEqual({ ...before, codeVersion: 1 })
    expect(await firstByte(s)).toBe(2)
    expect((await s.heartbeat()).exit).toBe(0)
    expect(await firstByte(s)).toBe(10)
    expect((await s.withdraw()).exit).toBe(0)
    expect(await s.facts()).toMatchObject({ stake: LEAST - TON, withdrawn: TON, codeVersion: 1 })
    expect((await s.upgrade()).exit).toBe(0)
    expect((await s.facts()).codeVersion).toBe(1)
  })

  it('is not taken by an item that never asks', async () => {
    const s = await itemOf('an owner')
    await s.register(LEAST)
    const body = beginCell()
      .storeUint(0x2c5a2012, 32)
      .storeUint(1, 16)
      .storeRef(Cell.EMPTY)
      .endCell()
    const told = internalMessage(r.address, s.address, TON, body)
    expect((await outcomeOf(r.blockchain, s.address, told)).exit).toBe(753)
  })
})

async function firstByte(s: ItemSandbox): Promise<number> {
  const { accountState } = await r.blockchain.getContract(s.address)
  const data = accountState?.type === 'active' ? accountState.state.data : undefined
  return data!.beginParse().loadUint(8)
}

/** The next version of the items' code, as README.md tells: a field more, and states from 8 up. */
function withAnotherLayout(path: string, text: string): string {
  if (path.endsWith('items/storage.tolk')) {
    return text
      .replace('const ENROLLED = 2', 'const ENROLLED = 10')
      .replace('listing: Cell<Listing>\n', 'listing: Cell<Listing>\n    more: uint32\n')
      .replace('unbondingS: 0 }.toCell(),\n', 'unbondingS: 0 }.toCell(),\n        more: 0,\n')
      .replace('fun Item.load(): Item {', `${MIGRATE}\nfun Item.load(): Item {\n    migrate();`)
  }
  if (path.endsWith('items/bonded.tolk')) {
    const first = '    val msg = lazy ItemMessage<P>.fromSlice(body);'
    return text.replace(first, `    migrate();\n${first}`)
  }
  // Readers know the states by the numbers that they always had.
  if (path.endsWith('items/view.tolk')) return text.replace('state: item.state', 'state: 2')
  return text
}

const MIGRATE = `
fun migrate() {
    val old = contract.getData().beginParse();
    if (old.preloadUint(8) == 2) {
        var rest = old;
        rest.skipBits(8);
        contract.setData(
            beginCell().storeUint(ENROLLED, 8).storeSlice(rest).storeUint(7, 32).endCell()
        );
    }
}
`
