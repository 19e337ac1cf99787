/**
 * One model from the offer to the receipt: weights hash in offer, claims, lease and receipt, and
 * the client that compares all four. Any one of them swapped is noticed; before the request is
 * sealed, nothing has been paid.
 * @module
 */
import { beforeEach, describe, expect, it } from 'vitest'
import type { ClientPolicy, Market } from '../../client/types.ts'
import { makeSimulatedEvidence } from '../../contracts/attest/simulated.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import { signingKey } from '../../contracts/base/signing.ts'
import type { Script } from './playedJob.ts'
import { playMarket } from './playedMarket.ts'
import { type Forgery, MODEL_HASH } from './playedPlacement.ts'

const OTHER = new Uint8Array(32).fill(9)
const REQUEST = { model: 'm', messages: [{ role: 'user' as const, content: 'Hi' }], maxTokens: 32 }
const KEY = signingKey(new Uint8Array(32).fill(3))

let world: Awaited<ReturnType<typeof playMarket>>
beforeEach(async () => {
  world = await playMarket('model hash')
})

const open = (policy: ClientPolicy = {}) => world.client({ policy })
const run = (market: Market, script: Script = {}): Promise<unknown> => {
  world.live.script = script
  const result = market.submit(REQUEST).result()
  return world.clock.settle(
    result.catch((error: unknown) => error),
    120_000,
  )
}
/** Lease and evidence agree on other weights: only what the client knows itself can tell. */
const swapped: Forgery = {
  lease: (lease) => ({ ...lease, modelHash: OTHER }),
  evidence: (claims) =>
    makeSimulatedEvidence({
      claims: { ...claims, modelHash: OTHER },
      deviceKey: KEY,
      notAfterS: claims.freshAtS + 3_600,
    }),
}
const unpaid = () => {
  expect(world.served.requests).toEqual([])
  for (const account of world.served.accounts) {
    expect(account.state()).toMatchObject({ cumulative: 0n, spent: 0n })
  }
}

describe('the weights of a model', () => {
  it('are the same in offer, claims, lease and receipt', async () => {
    const market = await open({ models: { m: toHex(MODEL_HASH) } })
    await world.clock.settle(market.models(), 10_000)
    expect(await run(market)).toMatchObject({ verified: true })
  })

  it('in the claims are those of the lease', async () => {
    const market = await open()
    const { evidence, lease } = swapped
    expect(await run(market, { forge: { evidence } })).toMatchObject({ code: 'evidence-binding' })
    expect(await run(market, { forge: { lease } })).toMatchObject({ code: 'evidence-binding' })
    unpaid()
  })

  it('in the lease are those that were shown on offer', async () => {
    const market = await open()
    await world.clock.settle(market.models(), 10_000)
    const error = await run(market, { forge: swapped })
    expect(error).toMatchObject({
      code: 'bad-model',
      facts: { model: 'm', hash: toHex(OTHER), shown: toHex(MODEL_HASH) },
      action: 'List the models again: what is on offer now is not what you were shown.',
    })
    unpaid()
    // Told once: a model that has really changed is not lost to whoever asks again.
    expect(await run(market, { forge: swapped })).toMatchObject({ verified: true })
  })

  it('in the lease are those that the policy names', async () => {
    const market = await open({ models: { m: toHex(MODEL_HASH) } })
    const error = await run(market, { forge: swapped })
    expect(error).toMatchObject({ code: 'bad-model', facts: { expected: toHex(MODEL_HASH) } })
    unpaid()
  })

  it('in the receipt are those of the lease: another one is no receipt', async () => {
    const market = await open()
    const receipt: Script['receipt'] = (signed) => ({ ...signed, modelHash: OTHER })
    const error = await run(market, { receipt })
    expect(error).toMatchObject({ code: 'bad-receipt' })
    expect(`${error}`).toContain('another model than was leased')
  })
})
