/**
 * Small contracts that tests of a localnet's API look at: a probe whose getters give every type of
 * stack entry, a jetton, and a collection with items. All take any message.
 * @module
 */

import { createHash } from 'node:crypto'
import { beginCell, Cell, contractAddress, Dictionary, type StateInit } from '@ton/core'
import { runTolkCompiler } from '@ton/tolk-js'

const TAKES_ALL = `
import "@stdlib/gas-payments"
fun onInternalMessage(in: InMessage) {}
fun onBouncedMessage(in: InMessageBounced) {}
fun onExternalMessage(_: slice) { acceptExternalMessage(); }
`

/** Emits, bounces and forwards on demand; gives every type of entry; can be made to misbehave. */
const PROBE = `
import "@stdlib/gas-payments"
import "@stdlib/lisp-lists"
fun onInternalMessage(in: InMessage) { assert (in.body.isEmpty()) throw 77; }
fun onExternalMessage(body: slice) {
  acceptExternalMessage();
  if (body.isEmpty()) { return; }
  val kind = body.loadUint(8);
  if (kind == 3) {
    var value = emptyTuple();
    repeat (body.loadUint(32)) { value = wrapped(emptyTuple(), value); }
    return;
  }
  if (kind == 1) {
    val log = createExternalLogMessage({
      dest: createAddressNone(), body: beginCell().storeUint(9, 32),
    });
    log.send(SEND_MODE_REGULAR);
    return;
  }
  val to = body.loadAddress();
  val out = createMessage({
    bounce: BounceMode.Only256BitsOfBody, value: ton("0.05"), dest: to,
    body: beginCell().storeUint(5, 32),
  });
  out.send(SEND_MODE_PAY_FEES_SEPARATELY);
}
get fun numbers(): (int, int, bool) { return (-5, 1 << 200, true); }
get fun cells(): (cell, slice) {
  val inner = beginCell().storeUint(1, 3).storeRef(beginCell().storeUint(7, 8).endCell());
  return (inner.endCell(), beginCell().storeUint(0xabcd, 16).endCell().beginParse());
}
get fun nothing(): int? { return null; }
get fun pair(): [int, [int, slice]] {
  return [1, [2, beginCell().storeUint(3, 8).endCell().beginParse()]];
}
get fun list(): lisp_list<int> {
  var list: lisp_list<int> = [];
  list.prependHead(3); list.prependHead(2); list.prependHead(1);
  return list;
}
get fun build(): builder { return beginCell().storeUint(1, 8); }
get fun echo(value: int): int { return value; }
@pure fun emptyTuple(): [] asm "NIL";
@pure fun wrapped(value: [], inner: []): [] asm "PAIR";
get fun deep(depth: int): [] {
  var value = emptyTuple();
  repeat (depth) { value = wrapped(emptyTuple(), value); }
  return value;
}
@pure fun code(): int asm "<{ }> PUSHCONT";
get fun continuation(): int { return code(); }
get fun spin(): int { var i = 1; while (i > 0) { i += 1; } return i; }
get fun fails(): int { throw 91; }
`

const ADDRESS_OF = `
fun addressOf(code: cell, data: cell): address {
  val init = beginCell().storeUint(6, 5).storeRef(code).storeRef(data).endCell();
  return address.fromWorkchainAndHash(BASECHAIN, init.hash());
}
`

const JETTON = `
${TAKES_ALL}${ADDRESS_OF}
struct Storage { supply: coins mintable: bool admin: address? content: cell walletCode: cell }
struct WalletStorage { balance: coins owner: address jetton: address code: cell }
get fun get_jetton_data(): (int, bool, address?, cell, cell) {
  val st = Storage.fromCell(contract.getData());
  return (st.supply, st.mintable, st.admin, st.content, st.walletCode);
}
get fun get_wallet_address(owner: address): address {
  val st = Storage.fromCell(contract.getData());
  val wallet = WalletStorage {
    balance: 250, owner, jetton: contract.getAddress(), code: st.walletCode,
  };
  return addressOf(st.walletCode, wallet.toCell());
}
`

const JETTON_WALLET = `
${TAKES_ALL}
struct Storage { balance: coins owner: address jetton: address code: cell }
get fun get_wallet_data(): (int, address, address, cell) {
  val st = Storage.fromCell(contract.getData());
  return (st.balance, st.owner, st.jetton, st.code);
}
`

const COLLECTION = `
${TAKES_ALL}${ADDRESS_OF}
struct Storage { next: uint64 owner: address? content: cell itemCode: cell }
struct ItemStorage { index: uint64 collection: address? owner: address? content: cell }
get fun get_collection_data(): (int, cell, address?) {
  val st = Storage.fromCell(contract.getData());
  return (st.next, st.content, st.owner);
}
get fun get_nft_address_by_index(index: int): address {
  val st = Storage.fromCell(contract.getData());
  val item = ItemStorage {
    index, collection: contract.getAddress(), owner: st.owner,
    content: beginCell().storeUint(0x6974656d2e6a736f6e, 72).endCell(), // item.json
  };
  return addressOf(st.itemCode, item.toCell());
}
get fun get_nft_content(index: int, content: cell): cell {
  val prefix = 0x68747470733a2f2f6578616d706c652e6f72672f; // https://example.org/
  return beginCell().storeUint(1, 8).storeUint(prefix, 160).storeRef(content).endCell();
}
`

const ITEM = `
${TAKES_ALL}
struct Storage { index: uint64 collection: address? owner: address? content: cell }
get fun get_nft_data(): (bool, int, address?, address?, cell) {
  val st = Storage.fromCell(contract.getData());
  return (true, st.index, st.collection, st.owner, st.content);
}
`

const SOURCES = { PROBE, JETTON, JETTON_WALLET, COLLECTION, ITEM }
export type ContractName = keyof typeof SOURCES

/** Compiled code; half a second each. */
export async function compiled(name: ContractName): Promise<Cell> {
  const result = await runTolkCompiler({
    entrypointFileName: 'contract.tolk',
    fsReadCallback: () => SOURCES[name],
  })
  if (result.status === 'error') throw new Error(`${name}: ${result.message}`)
  return Cell.fromBase64(result.codeBoc64)
}

export function deployable(code: Cell, data: Cell = Cell.EMPTY) {
  const init: StateInit = { code, data }
  return { address: contractAddress(0, init), init }
}

/** Content off chain (TEP-64): the address of a document. */
export function offChain(uri: string): Cell {
  return beginCell().storeUint(1, 8).storeStringTail(uri).endCell()
}

/** Content on chain: values by name, each a cell that is made already. */
export function onChain(values: Readonly<Record<string, Cell>>): Cell {
  const dictionary = Dictionary.empty(Dictionary.Keys.BigUint(256), Dictionary.Values.Cell())
  for (const [name, value] of Object.entries(values)) {
    dictionary.set(BigInt(`0x${createHash('sha256').update(name).digest('hex')}`), value)
  }
  return beginCell().storeUint(0, 8).storeDict(dictionary).endCell()
}
