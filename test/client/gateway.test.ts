/**
 * What the gateway shows of a tier: header and body say what the client computed, before the first
 * word of a stream too, and each tier has its meaning beside it.
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, startGateway } from '../../client/gateway/gateway.ts'
import { createHandle } from '../../client/handle.ts'
import { type ServedBy, weakest } from '../../client/servedBy.ts'
import type { JobResult, Market } from '../../client/types.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { secret } from '../../contracts/base/secret.ts'
import { TIER_MEANING, TIERS, type Tier } from '../../contracts/base/tier.ts'
import { NO_USAGE } from '../../contracts/money/price.ts'
import { createClock } from '../../node/system/clock.ts'
import { silentLogger } from '../../node/system/logger.ts'

const PROVIDER = 'ab'.repeat(32)

function servedAt(tier: Tier): ServedBy {
  const evidence = { kind: 'k', proved: ['p'], notProved: ['n'], validUntilS: 1_900_000_000 }
  return { provider: PROVIDER, tier, tierMeaning: TIER_MEANING[tier], demo: false, evidence }
}

let gateway: Gateway
/** What the market answers with: a tier, or a refusal. */
let answer: Tier | MarketError

beforeAll(async () => {
  const submit = () => {
    const control = createHandle('0123456789abcdef0123456789abcdef')
    if (answer instanceof MarketError) control.fail(answer)
    else {
      const served = servedAt(answer)
      control.setServedBy(served)
      control.push({ text: 'Hello', completionTokens: 1 })
      control.finish({ ...served, ...RESULT } as JobResult)
    }
    return control.job
  }
  gateway = await startGateway({
    market: { submit } as unknown as Market,
    clock: createClock(),
    logger: silentLogger,
    port: 0,
    apiKey: secret('API key', 'key'),
  })
})
afterAll(() => gateway?.stop())

const RESULT = {
  text: 'Hello',
  reasoning: '',
  finishReason: 'stop',
  usage: NO_USAGE,
  cost: 1n,
  fee: 1n,
  receiptHash: 'cd'.repeat(32),
  verified: true,
}

const ask = (stream: boolean) =>
  fetch(`${gateway.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer key', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream }),
  })

describe.each(TIERS)('an answer at tier %s', (tier) => {
  const proof = { tier, tierMeaning: TIER_MEANING[tier], provider: PROVIDER, demo: false }
  const shown = (headers: Headers) => ({
    tier: headers.get('x-chrysalis-tier'),
    tierMeaning: headers.get('x-chrysalis-tier-meaning'),
    provider: headers.get('x-chrysalis-provider'),
    demo: headers.get('x-chrysalis-demo') === 'true',
  })

  it('says so in headers and in the body', async () => {
    answer = tier
    const response = await ask(false)
    expect(shown(response.headers)).toEqual(proof)
    const body = (await response.json()) as { chrysalis: object }
    expect(body.chrysalis).toMatchObject(proof)
  })

  it('says so before the first word of a stream', async () => {
    answer = tier
    const response = await ask(true)
    expect(shown(response.headers)).toEqual(proof)
    const [first, second] = (await response.text()).split('\n\n')
    expect(JSON.parse(first!.replace('data: ', ''))).toMatchObject({
      choices: [{ delta: { role: 'assistant' } }],
      chrysalis: proof,
    })
    expect(second).toContain('Hello')
    expect(second).not.toContain('chrysalis-')
  })
})

it('a refusal of evidence names its code and no tier', async () => {
  answer = new MarketError('evidence-tcb', { because: 'its state is OutOfDate' })
  for (const stream of [true, false]) {
    const response = await ask(stream)
    expect(response.status).toBe(403)
    expect(response.headers.get('x-chrysalis-tier')).toBeNull()
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    expect(error.code).toBe('evidence-tcb')
    expect(error.message).toContain('accept the named TCB state in your policy.')
  }
})

it('an answer in parts is worth what its weakest part is', () => {
  for (const first of TIERS) {
    for (const second of TIERS) {
      const least = TIERS[Math.min(TIERS.indexOf(first), TIERS.indexOf(second))]!
      const whole = weakest(servedAt(first), { ...servedAt(second), provider: 'last' })
      expect(whole).toMatchObject({ provider: 'last', tier: least })
      expect(whole.tierMeaning).toBe(TIER_MEANING[least])
    }
  }
  expect(weakest(undefined, servedAt('open'))).toEqual(servedAt('open'))
})
