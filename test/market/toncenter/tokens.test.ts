/**
 * `getTokenData`: jettons, their wallets, collections and items, with content on and off chain.
 * @module
 */
import { Address, beginCell, type Cell, Dictionary, toNano } from '@ton/core'
import { JettonMaster, TonClient } from '@ton/ton'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { tokenContent } from '../../../node/localnet/tokenContent.ts'
import { compiled, deployable, offChain, onChain } from '../../support/toncenterContracts.ts'
import { misshapen } from '../../support/toncenterShapes.ts'
import { type ToncenterWorld, toncenterWorld } from '../../support/toncenterWorld.ts'

const owner = new Address(0, Buffer.alloc(32, 0x55))
const stranger = new Address(0, Buffer.alloc(32, 0x56))
const snake = (text: string) => beginCell().storeUint(0, 8).storeStringTail(text).endCell()

let world: ToncenterWorld
let client: TonClient
let code: Record<'jetton' | 'wallet' | 'collection' | 'item', Cell>

beforeAll(async () => {
  world = await toncenterWorld()
  client = new TonClient({ endpoint: world.endpoint })
  code = {
    jetton: await compiled('JETTON'),
    wallet: await compiled('JETTON_WALLET'),
    collection: await compiled('COLLECTION'),
    item: await compiled('ITEM'),
  }
})
afterAll(async () => {
  await world?.stop()
})

const tokenOf = async (address: Address) => {
  const found = await world.result('getTokenData', { address: address.toString() })
  expect(misshapen(found)).toEqual([])
  return found
}
const refusal = async (address: Address) => {
  const { status, body } = await world.ask('getTokenData', { address: address.toString() })
  return { status, error: body.error }
}
async function deployed(of: Cell, data: Cell) {
  const contract = deployable(of, data)
  await world.deploy(contract, toNano(1))
  return contract.address
}

function jettonData(admin: Address | null, content: Cell, mintable = true): Cell {
  return beginCell()
    .storeCoins(1_000)
    .storeBit(mintable)
    .storeAddress(admin)
    .storeRef(content)
    .storeRef(code.wallet)
    .endCell()
}

function walletData(jetton: Address, balance: number): Cell {
  return beginCell()
    .storeCoins(balance)
    .storeAddress(owner)
    .storeAddress(jetton)
    .storeRef(code.wallet)
    .endCell()
}

function itemData(index: number, collection: Address | null, content: Cell): Cell {
  const data = beginCell().storeUint(index, 64).storeAddress(collection).storeAddress(owner)
  return data.storeRef(content).endCell()
}

describe('a jetton', () => {
  it('tells its content on chain', async () => {
    const content = onChain({ name: snake('Play money'), symbol: snake('PLAY'), other: snake('x') })
    const jetton = await deployed(code.jetton, jettonData(owner, content))
    expect(await tokenOf(jetton)).toEqual({
      '@type': 'ext.tokens.jettonMasterData',
      address: jetton.toString(),
      contract_type: 'jetton_master',
      total_supply: '1000',
      mintable: true,
      admin_address: owner.toString(),
      jetton_content: { type: 'onchain', data: { name: 'Play money', symbol: 'PLAY' } },
      jetton_wallet_code: code.wallet.toBoc().toString('base64'),
    })
    // The same by the getters that @ton/ton calls.
    const data = await client.open(JettonMaster.create(jetton)).getJettonData()
    expect(data).toMatchObject({ totalSupply: 1_000n, mintable: true })
  })

  it('tells its content off chain; nobody may administer it', async () => {
    const uri = `https://example.org/${'long/'.repeat(60)}jetton.json`
    const jetton = await deployed(code.jetton, jettonData(null, offChain(uri), false))
    const found = await tokenOf(jetton)
    expect(found.jetton_content).toEqual({ type: 'offchain', data: uri })
    expect(found.mintable).toBe(false)
    expect(found).not.toHaveProperty('admin_address')
  })

  it('has wallets: those that it computes, and no others', async () => {
    const content = offChain('https://example.org/j.json')
    const jetton = await deployed(code.jetton, jettonData(owner, content))
    const wallet = await deployed(code.wallet, walletData(jetton, 250))
    const opened = client.open(JettonMaster.create(jetton))
    expect((await opened.getWalletAddress(owner)).equals(wallet)).toBe(true)
    expect(await tokenOf(wallet)).toEqual({
      '@type': 'ext.tokens.jettonWalletData',
      address: wallet.toString(),
      contract_type: 'jetton_wallet',
      balance: '250',
      owner: owner.toString(),
      jetton: jetton.toString(),
      jetton_wallet_code: code.wallet.toBoc().toString('base64'),
    })
    const forged = await deployed(code.wallet, walletData(jetton, 1_000_000))
    const error = expect.stringContaining('is not Jetton or NFT')
    expect(await refusal(forged)).toEqual({ status: 409, error })
  })
})

describe('a collection', () => {
  let collection: Address
  beforeAll(async () => {
    const data = beginCell()
      .storeUint(7, 64)
      .storeAddress(owner)
      .storeRef(offChain('https://example.org/collection.json'))
      .storeRef(code.item)
    collection = await deployed(code.collection, data.endCell())
  })

  it('tells its content, owner and next index', async () => {
    expect(await tokenOf(collection)).toEqual({
      '@type': 'ext.tokens.nftCollectionData',
      address: collection.toString(),
      contract_type: 'nft_collection',
      next_item_index: '7',
      owner_address: owner.toString(),
      collection_content: { type: 'offchain', data: 'https://example.org/collection.json' },
    })
  })

  it('completes the content of its items, and disowns others', async () => {
    const part = beginCell().storeBuffer(Buffer.from('item.json')).endCell()
    const item = await deployed(code.item, itemData(3, collection, part))
    expect(await tokenOf(item)).toEqual({
      '@type': 'ext.tokens.nftItemData',
      address: item.toString(),
      contract_type: 'nft_item',
      init: true,
      index: '3',
      collection_address: collection.toString(),
      owner_address: owner.toString(),
      content: { type: 'offchain', data: 'https://example.org/item.json' },
    })
    const other = beginCell().storeBuffer(Buffer.from('fake.json')).endCell()
    const forged = await deployed(code.item, itemData(3, collection, other))
    expect((await refusal(forged)).status).toBe(409)
  })

  it('is not needed by an item that has its own content', async () => {
    const item = await deployed(code.item, itemData(1, null, onChain({ name: snake('Alone') })))
    const found = await tokenOf(item)
    expect(found.content).toEqual({ type: 'onchain', data: { name: 'Alone' } })
    expect(found).not.toHaveProperty('collection_address')
  })
})

describe('what is no token', () => {
  it('is told as such', async () => {
    const probe = await deployed(await compiled('PROBE'), beginCell().endCell())
    for (const address of [probe, stranger]) expect((await refusal(address)).status).toBe(409)
    // A jetton by its getters whose content is nonsense.
    const nonsense = beginCell().storeUint(9, 8).endCell()
    const odd = await deployed(code.jetton, jettonData(owner, nonsense))
    expect((await refusal(odd)).status).toBe(409)
  })
})

describe('content', () => {
  const chunks = (parts: readonly string[]): Cell => {
    const dictionary = Dictionary.empty(Dictionary.Keys.Uint(32), Dictionary.Values.Cell())
    for (const [i, part] of parts.entries()) {
      dictionary.set(i, beginCell().storeBuffer(Buffer.from(part)).endCell())
    }
    return beginCell().storeUint(1, 8).storeDict(dictionary).endCell()
  }

  it('is read from a chain of cells and from numbered chunks', () => {
    const description = 'words '.repeat(200)
    const content = onChain({ description: snake(description), name: chunks(['Two ', 'parts']) })
    expect(tokenContent(content)).toEqual({
      type: 'onchain',
      data: { description, name: 'Two parts' },
    })
  })

  it('has pictures as base64, and text only where it is text', () => {
    const bytes = Buffer.from([0, 255, 1])
    const raw = beginCell().storeUint(0, 8).storeBuffer(bytes).endCell()
    const content = onChain({ image_data: raw, name: raw, symbol: beginCell().endCell() })
    expect(tokenContent(content)).toEqual({
      type: 'onchain',
      data: { image_data: bytes.toString('base64') },
    })
  })

  it('is cut where it is longer than what is told', () => {
    const long = onChain({ name: snake('x'.repeat(LIMITS.tokenContentBytes + 100)) })
    expect(tokenContent(long)).toEqual({
      type: 'onchain',
      data: { name: 'x'.repeat(LIMITS.tokenContentBytes) },
    })
  })

  it('of another layout is none', () => {
    expect(tokenContent(beginCell().endCell())).toBeUndefined()
    expect(tokenContent(beginCell().storeUint(2, 8).endCell())).toBeUndefined()
    expect(tokenContent(beginCell().storeUint(0, 8).storeBit(true).endCell())).toBeUndefined()
    const odd = beginCell().storeUint(1, 8).storeBit(true).endCell()
    expect(tokenContent(odd)).toBeUndefined()
  })
})
