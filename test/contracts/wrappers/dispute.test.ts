/**
 * The case in TypeScript and in Tolk: the same codes, tags and constants; the verdict as a record.
 * @module
 */
import { readFileSync } from 'node:fs'
import { Address, beginCell } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../contracts/base/bytes.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import { parseTon } from '../../../contracts/base/units.ts'
import { type Verdict, verdict } from '../../../contracts/wire/records/verdict.ts'
import { parseRecord, recordBytes } from '../../../contracts/wire/records.ts'
import {
  caseAddress,
  caseStateInit,
  DISPUTE_ANSWER_S,
  DISPUTE_CLOSE_VALUE,
  DISPUTE_CODE,
  DISPUTE_CODE_HASH,
  DISPUTE_EXIT,
  DISPUTE_FLOOR,
} from '../../../contracts/wrappers/Dispute.ts'
import {
  CASE_PROTOCOL,
  DISPUTE_OP,
  DISPUTE_OUT,
  DISPUTE_VALUE,
  openBody,
} from '../../../contracts/wrappers/disputeMessages.ts'
import { committedGas } from '../../bench/gasTable.ts'

const tolk = (file: string): string =>
  readFileSync(new URL(`../../../contracts/tolk/${file}.tolk`, import.meta.url), 'utf8')
const VERDICT_TAG = Number.parseInt(
  Buffer.from(sha256(utf8('chrysalis verdict 1')).subarray(0, 4)).toString('hex'),
  16,
)
const someone = new Address(0, Buffer.alloc(32, 1))
const A_VERDICT: Verdict = {
  ...{ network: -777, case: someone, evidence: sha256(utf8('e')), openedAtS: 1_795_305_600 },
  ...{ round: 1, uphold: true, loss: 5n },
}

describe('the case in TypeScript and in Tolk', () => {
  it('pins the code by its hash', () => {
    expect(DISPUTE_CODE.hash().toString('hex')).toBe(DISPUTE_CODE_HASH)
  })

  it('has the same exit codes', () => {
    const found = [...tolk('dispute/errors').matchAll(/const ERROR_(\w+) = (\w+)/g)]
    const codes = found.map(([, name, code]) => [camel(name!), Number(code)])
    expect(Object.fromEntries(codes)).toEqual(DISPUTE_EXIT)
  })

  it('has the same message tags', () => {
    expect(tags(tolk('dispute/messages'))).toEqual({
      ...DISPUTE_OP,
      ...DISPUTE_OUT,
      verdictStatement: VERDICT_TAG,
    })
    expect(tags(tolk('common/protocol'))).toMatchObject(CASE_PROTOCOL)
  })

  it('has the same amounts and times', () => {
    const fees = tolk('dispute/fees')
    const value = (name: string): string =>
      new RegExp(`const ${name} = (?:ton\\(")?([\\d.]+)`).exec(fees)![1]!
    expect(parseTon(value('FLOOR'))).toBe(DISPUTE_FLOOR)
    expect(parseTon(value('CLOSE_VALUE'))).toBe(DISPUTE_CLOSE_VALUE)
    expect(parseTon(value('OPEN_COSTS'))).toBe(DISPUTE_VALUE.open)
    expect(parseTon(value('APPEAL_COSTS'))).toBe(DISPUTE_VALUE.appeal)
    expect(Number(value('ANSWER_S'))).toBe(DISPUTE_ANSWER_S)
    const parts = ['FLOOR', 'RENT_RESERVE', 'ASK_VALUE', 'CLOSE_VALUE'].map((name) =>
      parseTon(value(name)),
    )
    const gas = committedGas().dispute!
    const bound = Number(/GAS_CONCLUDE = (\d+)/.exec(fees)![1])
    for (const name of ['conclude', 'concludeDismissed', 'concludeAgain']) {
      expect(gas[name]).toBeLessThanOrEqual(bound)
    }
    // What is left is for gas.
    expect(DISPUTE_VALUE.open - parts.reduce((a, b) => a + b)).toBe(parseTon('0.03'))
  })
})

describe('an address of a case', () => {
  const config = {
    registry: someone,
    nonce: new Uint8Array(16),
    challenger: new Address(0, Buffer.alloc(32, 2)),
    accused: {
      ...{ kind: 'gpu' as const, key: new Uint8Array(32).fill(3) },
      owner: new Address(0, Buffer.alloc(32, 4)),
    },
  }

  it('differs with everything that it is made of', () => {
    const addresses = [
      config,
      { ...config, registry: new Address(0, Buffer.alloc(32, 9)) },
      { ...config, nonce: new Uint8Array(16).fill(1) },
      { ...config, challenger: someone },
      { ...config, accused: { ...config.accused, kind: 'provider' as const } },
      { ...config, accused: { ...config.accused, key: new Uint8Array(32) } },
      { ...config, accused: { ...config.accused, owner: someone } },
    ].map((each) => caseAddress(each).toRawString())
    expect(new Set(addresses).size).toBe(addresses.length)
  })

  it('is of a case that was never opened', () => {
    expect(caseStateInit(config).data!.beginParse().loadUint(8)).toBe(0)
    expect(() => caseStateInit({ ...config, nonce: new Uint8Array(15) })).toThrow()
    expect(() => openBody(new Uint8Array(31), 1n)).toThrow()
    expect(() => openBody(new Uint8Array(32), -1n)).toThrow()
  })
})

describe('a verdict as a record', () => {
  it('comes back as it was', () => {
    const cell = parseRecord(recordBytes(verdict.encode(A_VERDICT)))
    const back = verdict.decode(cell, -777)
    expect({ ...back, case: back.case.toString() }).toEqual({
      ...A_VERDICT,
      case: someone.toString(),
    })
  })

  it('is refused out of its bounds, on another network, and in another form', () => {
    expect(() => verdict.encode({ ...A_VERDICT, round: 3 })).toThrow()
    expect(() => verdict.encode({ ...A_VERDICT, uphold: false })).toThrow()
    expect(() => verdict.encode({ ...A_VERDICT, openedAtS: -1 })).toThrow()
    expect(() => verdict.decode(verdict.encode(A_VERDICT), -3)).toThrow()
    const longer = beginCell().storeSlice(verdict.encode(A_VERDICT).beginParse()).storeBit(0)
    expect(() => verdict.decode(longer.endCell())).toThrow()
  })
})

function tags(source: string): Record<string, number> {
  const found = [...source.matchAll(/struct \((0x\w+)\) (\w+)/g)]
  return Object.fromEntries(
    found.map(([, tag, name]) => [name![0]!.toLowerCase() + name!.slice(1), Number(tag)]),
  )
}

function camel(upper: string): string {
  return upper.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
