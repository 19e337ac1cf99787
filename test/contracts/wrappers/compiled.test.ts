/**
 * The committed artefacts are what their Tolk sources compile to, and the constants in TypeScript
 * are those in Tolk.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { Cell } from '@ton/core'
import { describe, expect, it } from 'vitest'
import { parseTon } from '../../../contracts/base/units.ts'
import { VOUCHER_TAG } from '../../../contracts/money/voucher.ts'
import {
  CHANNEL_CODE,
  CHANNEL_CODE_HASH,
  CHANNEL_EXIT,
  CHANNEL_FLOOR,
  CHANNEL_RENT_RESERVE,
} from '../../../contracts/wrappers/Channel.ts'
import { CHANNEL_OP, CHANNEL_OUT } from '../../../contracts/wrappers/channelMessages.ts'
import { CONTRACT_GAS } from '../../../node/chain/simulatedFees.ts'
import { artefactPath, CONTRACTS, compileContract } from '../../../scripts/compile.ts'

const tolk = (file: string): string =>
  readFileSync(new URL(`../../../contracts/tolk/channel/${file}.tolk`, import.meta.url), 'utf8')

describe('compiled contracts', () => {
  it.each(Object.keys(CONTRACTS))(
    '%s: the committed artefact is what its sources give',
    async (name) => {
      const committed = JSON.parse(readFileSync(artefactPath(name), 'utf8'))
      expect(await compileContract(name)).toEqual(committed)
      const code = Cell.fromBase64(committed.code)
      expect(code.hash().toString('hex')).toBe(committed.codeHash)
    },
  )

  it('are all listed: no artefact without sources', () => {
    const folder = new URL('../../../contracts/wrappers/compiled/', import.meta.url)
    const files = readdirSync(folder).map((file) => file.replace('.json', ''))
    expect(files.sort()).toEqual(Object.keys(CONTRACTS).sort())
  })

  it('refuse a name that is not listed', async () => {
    await expect(compileContract('no-such')).rejects.toMatchObject({ code: 'bad-input' })
  })
})

describe('the channel in TypeScript and in Tolk', () => {
  it('pins the code by its hash', () => {
    expect(CHANNEL_CODE.hash().toString('hex')).toBe(CHANNEL_CODE_HASH)
  })

  it('has the same exit codes', () => {
    const found = [...tolk('errors').matchAll(/const ERROR_(\w+) = (\w+)/g)].map(
      ([, name, code]) => [camel(name!), Number(code)],
    )
    expect(Object.fromEntries(found)).toEqual(CHANNEL_EXIT)
  })

  it('has the same message tags', () => {
    const found = [...tolk('messages').matchAll(/struct \((0x\w+)\) (\w+)/g)].map(
      ([, tag, name]) => [name![0]!.toLowerCase() + name!.slice(1), Number(tag)],
    )
    expect(Object.fromEntries(found)).toEqual({
      ...CHANNEL_OP,
      ...CHANNEL_OUT,
      voucher: VOUCHER_TAG,
    })
  })

  it('has the same reserves and gas constants', () => {
    const value = (name: string): string =>
      new RegExp(`const ${name} = (?:ton\\(")?([\\d.]+)`).exec(tolk('fees'))![1]!
    expect(parseTon(value('FLOOR'))).toBe(CHANNEL_FLOOR)
    expect(parseTon(value('RENT_RESERVE'))).toBe(CHANNEL_RENT_RESERVE)
    const gas = { claim: 'CLAIM', topUp: 'TOP_UP', close: 'CLOSE', bounce: 'BOUNCE' }
    const found = Object.entries(gas).map(([key, name]) => [key, BigInt(value(`GAS_${name}`))])
    expect(Object.fromEntries(found)).toEqual(CONTRACT_GAS)
  })
})

function camel(upper: string): string {
  return upper.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
