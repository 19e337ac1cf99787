/**
 * toncenter's `getTokenData`: what a contract is found to be by its getters (TEP-62, TEP-74).
 *
 * Each kind is tried in turn. A wallet must be the one its jetton computes for the owner, an item
 * the one its collection computes for the index: anybody may claim to belong to another's token.
 * @module
 */
import {
  type Address,
  beginCell,
  type Cell,
  getMethodId,
  type TupleItem,
  TupleReader,
} from '@ton/core'
import { MarketError } from '../../contracts/base/errors.ts'
import { accountAt } from './accountMethods.ts'
import { notToken } from './failures.ts'
import type { Ledger } from './ledger.ts'
import type { MethodTable } from './methods.ts'
import * as read from './params.ts'
import { type TokenContent, tokenContent } from './tokenContent.ts'

export function tokenMethods(ledger: Ledger): MethodTable {
  return {
    getTokenData: async (params) => {
      const address = read.address(params)
      accountAt(ledger, params) // refuses a block at which its state is not known
      for (const kind of [jettonMaster, jettonWallet, nftCollection, nftItem]) {
        const found = await kind((at, method, stack) => run(ledger, at, method, stack), address)
        if (found) return found
      }
      throw notToken(address.toString())
    },
  }
}

/** Runs a getter; undefined where it fails. */
type Run = (
  address: Address,
  method: string,
  stack?: TupleItem[],
) => Promise<TupleReader | undefined>

async function run(
  ledger: Ledger,
  address: Address,
  method: string,
  stack: TupleItem[] = [],
): Promise<TupleReader | undefined> {
  try {
    const result = await ledger.get(address, getMethodId(method), stack)
    return result.exitCode === 0 ? new TupleReader(result.stack) : undefined
  } catch (thrown) {
    if (thrown instanceof MarketError && thrown.code !== 'bad-input') throw thrown
    return undefined // a result that cannot be read is of no token
  }
}

/** What `read` makes of the stack; undefined where the stack is another. */
function reading<T>(
  stack: TupleReader | undefined,
  read: (stack: TupleReader) => T,
): T | undefined {
  if (!stack) return undefined
  try {
    return read(stack)
  } catch {
    return undefined // another contract's getter of the same name
  }
}

async function jettonMaster(run: Run, address: Address): Promise<object | undefined> {
  return reading(await run(address, 'get_jetton_data'), (stack) => {
    const total_supply = stack.readBigNumber().toString()
    const mintable = stack.readBigNumber() !== 0n
    const admin = stack.readAddressOpt()
    const jetton_content = contentOf(stack.readCell())
    return {
      ...token('jettonMasterData', 'jetton_master', address),
      total_supply,
      mintable,
      ...(admin && { admin_address: admin.toString() }),
      jetton_content,
      jetton_wallet_code: boc(stack.readCell()),
    }
  })
}

async function jettonWallet(run: Run, address: Address): Promise<object | undefined> {
  const wallet = reading(await run(address, 'get_wallet_data'), (stack) => ({
    balance: stack.readBigNumber(),
    owner: stack.readAddress(),
    jetton: stack.readAddress(),
    code: stack.readCell(),
  }))
  if (!wallet) return undefined
  const argument: TupleItem = { type: 'slice', cell: addressCell(wallet.owner) }
  const computed = await addressFrom(run, wallet.jetton, 'get_wallet_address', argument)
  if (!computed?.equals(address)) return undefined
  const claimed = reading(await run(address, 'is_claimed'), (stack) => stack.readBigNumber())
  return {
    ...token('jettonWalletData', 'jetton_wallet', address),
    balance: wallet.balance.toString(),
    owner: wallet.owner.toString(),
    jetton: wallet.jetton.toString(),
    ...(claimed !== undefined && { mintless_is_claimed: claimed !== 0n }),
    jetton_wallet_code: boc(wallet.code),
  }
}

async function nftCollection(run: Run, address: Address): Promise<object | undefined> {
  return reading(await run(address, 'get_collection_data'), (stack) => {
    const next_item_index = stack.readBigNumber().toString()
    const collection_content = contentOf(stack.readCell())
    const owner = stack.readAddressOpt()
    return {
      ...token('nftCollectionData', 'nft_collection', address),
      next_item_index,
      ...(owner && { owner_address: owner.toString() }),
      collection_content,
    }
  })
}

async function nftItem(run: Run, address: Address): Promise<object | undefined> {
  const item = reading(await run(address, 'get_nft_data'), (stack) => ({
    init: stack.readBigNumber() !== 0n,
    index: stack.readBigNumber(),
    collection: stack.readAddressOpt(),
    owner: stack.readAddressOpt(),
    content: stack.readCell(),
  }))
  const content = item && (await itemContent(run, address, item))
  if (!item || !content) return undefined
  return {
    ...token('nftItemData', 'nft_item', address),
    init: item.init,
    index: item.index.toString(),
    ...(item.collection && { collection_address: item.collection.toString() }),
    ...(item.owner && { owner_address: item.owner.toString() }),
    content,
  }
}

/** Its own content, or what its collection makes of it; undefined where that disowns it. */
async function itemContent(
  run: Run,
  address: Address,
  item: { index: bigint; collection: Address | null; content: Cell },
): Promise<TokenContent | undefined> {
  if (!item.collection) return tokenContent(item.content)
  const index: TupleItem = { type: 'int', value: item.index }
  const computed = await addressFrom(run, item.collection, 'get_nft_address_by_index', index)
  if (!computed?.equals(address)) return undefined
  const stack: TupleItem[] = [index, { type: 'cell', cell: item.content }]
  const full = await run(item.collection, 'get_nft_content', stack)
  return reading(full, (result) => tokenContent(result.readCell()))
}

async function addressFrom(
  run: Run,
  contract: Address,
  method: string,
  argument: TupleItem,
): Promise<Address | undefined> {
  return reading(await run(contract, method, [argument]), (stack) => stack.readAddress())
}

/** Throws where the content is not of TEP-64: the contract is then no token. */
function contentOf(cell: Cell): TokenContent {
  const content = tokenContent(cell)
  if (!content) throw new MarketError('bad-input', { field: 'content', expected: 'TEP-64' })
  return content
}

function token(type: string, contract_type: string, address: Address): object {
  return { '@type': `ext.tokens.${type}`, address: address.toString(), contract_type }
}

function addressCell(address: Address): Cell {
  return beginCell().storeAddress(address).endCell()
}

function boc(cell: Cell): string {
  return cell.toBoc().toString('base64')
}
