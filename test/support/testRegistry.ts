/**
 * A registry for the tests of items: `testRegistry.tolk` compiled here, and its messages.
 * @module
 */
import { readFileSync } from 'node:fs'
import { type Address, beginCell, Cell, contractAddress } from '@ton/core'
import { type Blockchain, createShardAccount } from '@ton/sandbox'
import { runTolkCompiler } from '@ton/tolk-js'
import { TON } from '../../contracts/base/units.ts'

/** What the registry is to do. */
export interface RegistryMemory {
  /** Throws at every enrolment. */
  readonly refuses?: boolean
  /** Takes enrolments and questions, and does not answer. */
  readonly silent?: boolean
  readonly count?: number
  readonly last?: Address
  readonly unbondingS?: number
  readonly version?: number
  /** Code for whoever asks; where there is none, asking fails. */
  readonly code?: Cell
}

const CODE = await compile()

/** A registry on this chain, with some TON. */
export async function testRegistry(
  blockchain: Blockchain,
  memory: RegistryMemory,
): Promise<Address> {
  const data = memoryCell(memory)
  const address = contractAddress(0, { code: CODE, data })
  const account = createShardAccount({ address, code: CODE, data, balance: TON })
  await blockchain.setShardAccount(address, account)
  return address
}

export function becomeBody(memory: RegistryMemory): Cell {
  return beginCell().storeUint(1, 32).storeRef(memoryCell(memory)).endCell()
}

export function enrolledBody(unbondingS: number, index = 1, previous: Address | null = null): Cell {
  return beginCell()
    .storeUint(0x2c5a2011, 32)
    .storeAddress(previous)
    .storeUint(index, 32)
    .storeUint(unbondingS, 32)
    .endCell()
}

export function newCodeBody(version: number, code: Cell): Cell {
  return beginCell().storeUint(0x2c5a2012, 32).storeUint(version, 16).storeRef(code).endCell()
}

export function freezeBody(to: Address, amount: bigint, untilS: number, bonds = 1): Cell {
  return beginCell()
    .storeUint(0x2c5a2013, 32)
    .storeAddress(to)
    .storeCoins(amount)
    .storeUint(untilS, 32)
    .storeUint(bonds, 16)
    .endCell()
}

export function settleBody(end: {
  readonly case: Address
  readonly challenger: Address
  readonly ticket: number
  readonly release: bigint
  readonly slash?: bigint
  readonly loss?: bigint
}): Cell {
  return beginCell()
    .storeUint(0x2c5a2014, 32)
    .storeAddress(end.case)
    .storeAddress(end.challenger)
    .storeUint(end.ticket, 32)
    .storeCoins(end.release)
    .storeCoins(end.slash ?? 0n)
    .storeCoins(end.loss ?? 0n)
    .endCell()
}

function memoryCell(memory: RegistryMemory): Cell {
  return beginCell()
    .storeBit(memory.refuses ?? false)
    .storeBit(memory.silent ?? false)
    .storeUint(memory.count ?? 0, 32)
    .storeAddress(memory.last ?? null)
    .storeUint(memory.unbondingS ?? 0, 32)
    .storeUint(memory.version ?? 0, 16)
    .storeMaybeRef(memory.code)
    .endCell()
}

async function compile(): Promise<Cell> {
  const result = await runTolkCompiler({
    entrypointFileName: 'support/testRegistry.tolk',
    fsReadCallback: (path) => {
      const from = path.startsWith('support/') ? '../' : '../../contracts/tolk/'
      return readFileSync(new URL(`${from}${path}`, import.meta.url), 'utf8')
    },
  })
  if (result.status === 'error') throw new Error(result.message)
  return Cell.fromBase64(result.codeBoc64)
}
