/**
 * The bounds that the contract sets to profiles, at their edges: what it takes is small, and made
 * of bytes. What it cannot check, the readers do (`test/contracts/wrappers/item.test.ts`).
 * @module
 */
import { type Address, type Builder, beginCell, Cell } from '@ton/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { ITEM_EXIT } from '../../../contracts/wrappers/bondedItem.ts'
import { type ContractLab, contractLab } from '../../support/contractLab.ts'
import { type ItemSandbox, itemSandbox, largestProfile } from '../../support/itemSandbox.ts'
import { DAY_S } from '../../support/sandboxChain.ts'

const bytes = (n: number): Builder => beginCell().storeBuffer(Buffer.alloc(n, 'x'))

/** A chain of cells of 127 bytes. */
function chain(cells: number): Cell {
  let next = bytes(127).endCell()
  for (let i = 1; i < cells; i++) next = bytes(127).storeRef(next).endCell()
  return next
}

/** What a heartbeat with this profile ends with. */
async function exitOf(lab: ContractLab, s: ItemSandbox, profile: Cell): Promise<number> {
  return lab.undone(async () => (await s.heartbeat(profile)).exit)
}

describe('a scheduler’s addresses', () => {
  let s: ItemSandbox
  let lab: ContractLab
  beforeAll(async () => {
    s = await itemSandbox({ kind: 'scheduler' })
    lab = contractLab(s.blockchain, s.address)
    await s.register()
  }, 60_000)
  const with_ = (addresses: Cell): Cell =>
    beginCell().storeUint(0, 512).storeUint(200, 16).storeRef(addresses).endCell()

  it('are at most nine cells of bytes in a row', async () => {
    for (const cells of [1, 2, 9]) expect(await exitOf(lab, s, with_(chain(cells)))).toBe(0)
    expect(await exitOf(lab, s, with_(Cell.EMPTY))).toBe(0)
    expect(await exitOf(lab, s, largestProfile())).toBe(0)
    const wrong = [
      chain(10),
      chain(20),
      bytes(3).storeUint(0, 7).endCell(),
      bytes(3).storeRef(bytes(3).storeBit(0)).endCell(),
      bytes(3).storeRef(chain(1)).storeRef(chain(1)).endCell(),
    ]
    for (const each of wrong) expect(await exitOf(lab, s, with_(each))).toBe(ITEM_EXIT.badProfile)
  })

  it('stand in a profile of exactly this shape', async () => {
    const whole = with_(chain(1)).asBuilder()
    expect(await exitOf(lab, s, whole.storeBit(0).endCell())).toBe(9)
    expect(await exitOf(lab, s, with_(chain(1)).asBuilder().storeRef(chain(1)).endCell())).toBe(9)
    expect(await exitOf(lab, s, beginCell().storeUint(0, 528).endCell())).toBe(9)
  })
})

describe('a GPU’s model', () => {
  let s: ItemSandbox
  let lab: ContractLab
  let provider: Address
  beforeAll(async () => {
    s = await itemSandbox({ kind: 'gpu' })
    lab = contractLab(s.blockchain, s.address)
    provider = s.stranger.address
    await s.register()
    s.elapse(7 * DAY_S)
  }, 60_000)
  const with_ = (model: Cell, tier = 2): Cell =>
    beginCell()
      .storeAddress(provider)
      .storeUint(1, 256)
      .storeUint(tier, 8)
      .storeRef(model)
      .endCell()

  it('is one cell of 1 to 127 bytes', async () => {
    for (const n of [1, 126, 127]) {
      expect(await exitOf(lab, s, with_(bytes(n).endCell()))).toBe(0)
    }
    const wrong = [
      Cell.EMPTY,
      bytes(3).storeBit(1).endCell(),
      bytes(3).storeRef(chain(1)).endCell(),
    ]
    for (const each of wrong) expect(await exitOf(lab, s, with_(each))).toBe(ITEM_EXIT.badProfile)
  })

  it('stands beside a tier that is one', async () => {
    for (const tier of [0, 3]) expect(await exitOf(lab, s, with_(chain(1), tier))).toBe(0)
    for (const tier of [4, 255]) {
      expect(await exitOf(lab, s, with_(chain(1), tier))).toBe(ITEM_EXIT.badProfile)
    }
  })
})
