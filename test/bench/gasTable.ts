/**
 * What a contract says about its gas, and all of it together.
 *
 * Every contract has a file of its own, `test/bench/gas/<contract>.ts`, that exports `gas`: a
 * `ContractGas`. Nothing else need be told: the files of that folder are the list. `npm run
 * bench:gas` prints them, `test/contracts/tolk/gas.test.ts` holds them to `test/bench/gas.json`.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Outcome } from '../support/sandboxChain.ts'

/** Gas units by message. */
export type Gas = Readonly<Record<string, number>>

/** One contract's measurement. */
export interface ContractGas {
  /** Gas of every message that the contract takes, the refused and the bounced included. */
  measure(): Promise<Gas>
  /** Most gas that the design allows, by message. */
  readonly atMost?: Gas
  /** What a published contract pays for the same operation, by message. */
  readonly baseline?: Readonly<Record<string, { readonly gas: number; readonly of: string }>>
  /** Gas where there are `n` of something. It must be the same for every `n`. */
  readonly among?: readonly Growth[]
}

/** A measurement beside `n` others of their kind: providers, GPUs, clients, channels. */
export interface Growth {
  /** What there are `n` of, in the plural. */
  readonly of: string
  measure(n: number): Promise<Gas>
}

/** `test/bench/gas.json`: gas by contract and message. */
export type GasTable = Readonly<Record<string, Gas>>

const FOLDER = new URL('gas/', import.meta.url)
/** The committed table. */
export const GAS_JSON = new URL('gas.json', import.meta.url)

/** Every contract's measurement, by name, in alphabetical order. */
export async function allContractGas(): Promise<ReadonlyMap<string, ContractGas>> {
  const all = new Map<string, ContractGas>()
  for (const file of readdirSync(FOLDER).sort()) {
    const { gas }: { gas: ContractGas } = await import(new URL(file, FOLDER).href)
    all.set(file.replace(/\.ts$/, ''), gas)
  }
  return all
}

/** The committed table. */
export function committedGas(): GasTable {
  return JSON.parse(readFileSync(GAS_JSON, 'utf8'))
}

/** Gas of outcomes that must all have succeeded. Throws where one has not. */
export function figures(outcomes: Readonly<Record<string, Outcome>>): Gas {
  const rows = Object.entries(outcomes).map(([name, { exit, gas }]) => {
    if (exit !== 0) throw new Error(`${name} ended with exit code ${exit}`)
    return [name, Number(gas)] as const
  })
  return Object.fromEntries(rows)
}
