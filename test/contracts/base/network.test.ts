/**
 * network.json is read strictly: each rule with a file that passes and one that does not.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseNetwork } from '../../../contracts/base/network.ts'

const IDENTITY = 'ab'.repeat(32)
const GOOD = {
  id: 77,
  name: 'localnet',
  toncenter: 'http://127.0.0.1:18081/api/v2/jsonRPC',
  schedulers: [{ identity: IDENTITY, addresses: ['/ip4/127.0.0.1/tcp/4001'] }],
  providers: [IDENTITY],
  measurements: { version: 3, list: [IDENTITY], leastTcb: { Milan: { snp: 23 } } },
  assets: [{ name: 'usdt-test', minter: `0:${'0a'.repeat(32)}`, decimals: 6 }],
  faucet: 'http://127.0.0.1:18081/control/faucet',
  development: true,
}
const paying = (change: object) => ({ ...GOOD, assets: [{ ...GOOD.assets[0], ...change }] })
const measuring = (change: object) => ({
  ...GOOD,
  measurements: { ...GOOD.measurements, ...change },
})

describe('parseNetwork', () => {
  it('reads a whole file and freezes it', () => {
    const network = parseNetwork(GOOD)
    expect(network).toEqual(GOOD)
    expect(Object.isFrozen(network)).toBe(true)
  })

  it('does without what is optional', () => {
    const { providers: _, faucet: __, measurements: ___, assets: ____, ...least } = GOOD
    expect(parseNetwork(least)).toEqual(least)
  })

  const wrong: [string, object | null | string][] = [
    ['no object', null],
    ['a list', [] as object],
    ['an unknown key', { ...GOOD, scheduler: [] }],
    [
      'an unknown key of a scheduler',
      { ...GOOD, schedulers: [{ ...GOOD.schedulers[0], port: 1 }] },
    ],
    ['an id that is no int32', { ...GOOD, id: 2 ** 31 }],
    ['an id as text', { ...GOOD, id: '77' }],
    ['a name that is a path', { ...GOOD, name: '../x' }],
    ['an endpoint that is no http URL', { ...GOOD, toncenter: 'file:///etc/passwd' }],
    [
      'a scheduler without address',
      { ...GOOD, schedulers: [{ identity: IDENTITY, addresses: [] }] },
    ],
    [
      'an address that is no multiaddr',
      { ...GOOD, schedulers: [{ identity: IDENTITY, addresses: ['host:1'] }] },
    ],
    ['an identity in capitals', { ...GOOD, providers: [IDENTITY.toUpperCase()] }],
    ['a short identity', { ...GOOD, providers: ['ab'] }],
    ['no word on development', { ...GOOD, development: undefined }],
    ['mainnet for development', { ...GOOD, id: -239 }],
    ['testnet for development', { ...GOOD, id: -3 }],
    ['a faucet on a real network', { ...GOOD, development: false }],
    ['an asset called ton', paying({ name: 'ton' })],
    ['an asset with capitals', paying({ name: 'USDT' })],
    ['an asset whose minter is no address', paying({ minter: 'usdt' })],
    ['an asset with other decimals than its prices', paying({ decimals: 9 })],
    ['an asset with an unknown key', paying({ symbol: 'x' })],
    ['measurements without a version', measuring({ version: undefined })],
    ['measurements with a version that is no count', measuring({ version: -1 })],
    ['a measurement that is no hash', measuring({ list: ['ab'] })],
    ['measurements with an unknown key', measuring({ tcb: [] })],
    ['a least version beyond a byte', measuring({ leastTcb: { Milan: { snp: 256 } } })],
    ['a prototype', JSON.parse(`{"__proto__":{},${JSON.stringify(GOOD).slice(1)}`)],
  ]
  it.each(wrong)('refuses %s', (_, json) => {
    expect(() => parseNetwork(json)).toThrow(expect.objectContaining({ code: 'bad-config' }))
  })

  it('accepts the public networks where they are not called development', () => {
    const { faucet: _, ...rest } = GOOD
    expect(parseNetwork({ ...rest, id: -239, development: false }).id).toBe(-239)
  })
})
