/**
 * A hostile scheduler in the loop: for each thing that it can swap, the real client notices before
 * it has sealed or paid anything, tells its owner exactly, and tells the other side nothing.
 *
 * Hardware is played (its verifiers have tests of their own); binding, policy, records, accounts
 * and the whole client are real.
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Market } from '../../client/types.ts'
import { type Claims, gpuNonce, reportData } from '../../contracts/attest/document.ts'
import { VERIFIERS } from '../../contracts/attest/verify.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import type { ErrorCode, MarketError } from '../../contracts/base/errors.ts'
import { TIER_MEANING } from '../../contracts/base/tier.ts'
import {
  MEASUREMENTS,
  PLAYED_VERIFIERS,
  playedEvidence,
  playedGpu,
  playedQuote,
} from '../contracts/attest/hardware.ts'
import type { Served } from './playedJob.ts'
import { playMarket } from './playedMarket.ts'
import type { Forgery, PlacedMessage } from './playedPlacement.ts'

const REQUEST = { model: 'm', messages: [{ role: 'user' as const, content: 'a secret' }] }
const LIMIT_MS = 120_000
const OTHER = new Uint8Array(32).fill(9)
const EMPTY_ABORT = '4200'

const asGpu = (claims: Claims): Claims => ({ ...claims, tier: 'gpu-tee', compute: 'gpu' })
const gpu = (claims: Claims, args = {}) => playedEvidence(asGpu(claims), { gpu: true, ...args })

let world: Awaited<ReturnType<typeof playMarket>>
let market: Market
/** What an honest placement of another job looked like. */
let earlier: PlacedMessage

beforeAll(async () => {
  world = await playMarket('hostile scheduler')
  market = await world.client({
    policy: { minTier: 'gpu-tee', hardware: { measurements: MEASUREMENTS }, models: {} },
    unsafeVerifiers: [...VERIFIERS.filter(({ kind }) => kind === 'simulated'), ...PLAYED_VERIFIERS],
  })
  const remember = (message: PlacedMessage) => {
    earlier = message
    return message
  }
  const result = await run({ swap: remember })
  expect(result).toMatchObject({ tier: 'gpu-tee', verified: true })
  expect(result).toMatchObject({ tierMeaning: TIER_MEANING['gpu-tee'] })
})

/** One job under a forgery: its result, or how it failed. */
function run(forge: Forgery): Promise<unknown> {
  world.live.script = { forge: { evidence: (claims) => gpu(claims), ...forge } }
  const job = market.submit({ ...REQUEST, maxTokens: 32 })
  return world.clock.settle(
    job.result().catch((error: unknown) => error),
    LIMIT_MS,
  )
}

/** Runs a job that has to fail, and shows that nothing but one empty abort has left the client. */
async function refused(forge: Forgery, code: ErrorCode): Promise<MarketError> {
  const before = JSON.stringify(books())
  const requests = world.served.requests.length
  const error = (await run(forge)) as MarketError
  expect(error).toMatchObject({ code })
  await world.clock.advance(1_000)
  expect(JSON.stringify(books())).toBe(before)
  expect(world.served.requests).toHaveLength(requests)
  expect(said(world.served)).toEqual([EMPTY_ABORT])
  return error
}

/** What the payee knows of the client's channel: no voucher, no grant without a change here. */
function books(): unknown {
  return world.served.accounts.map((account) => {
    const { cumulative, spent, sequence } = account.state()
    return { cumulative: `${cumulative}`, spent: `${spent}`, sequence: `${sequence}` }
  })
}

const said = ({ heard }: Served): string[] => (heard.at(-1) ?? []).map((frame) => toHex(frame))

describe('a hostile scheduler is caught before anything is sealed or paid', () => {
  const quoteOf = (claims: Claims, machine?: string) => playedQuote(reportData(claims), machine)
  const evidenceOf = (change: Partial<Claims>) => (claims: Claims) => gpu({ ...claims, ...change })
  const accepted = (change: Partial<PlacedMessage['accepted']>) => ({
    swap: (message: PlacedMessage) => ({
      ...message,
      accepted: { ...message.accepted, ...change },
    }),
  })

  it.each<[string, ErrorCode, Forgery]>([
    ['its own epoch key', 'bad-signature', { by: ({ identity }) => ({ epoch: identity }) }],
    [
      'lease, accept and epoch key of its own',
      'bad-signature',
      {
        by: ({ identity }) => ({ accept: identity, epoch: identity }),
      },
    ],
    [
      'an epoch key that is over',
      'epoch-expired',
      { epoch: (e) => ({ ...e, notAfterS: e.notBeforeS }) },
    ],
    [
      'an epoch key that lives a day',
      'epoch-expired',
      { epoch: (e) => ({ ...e, notAfterS: e.notBeforeS + 86_400 }) },
    ],
    [
      'an epoch key that outlives the evidence',
      'evidence-outlived',
      {
        evidence: evidenceOf({}),
        epoch: (e) => ({ ...e, notAfterS: e.notBeforeS + 3_600 }),
      },
    ],
    [
      'another lease than was accepted',
      'bad-lease',
      { accept: (a) => ({ ...a, leaseHash: OTHER }) },
    ],
    ['a higher price', 'bad-lease', { lease: (l) => ({ ...l, tick: 95 }) }],
    ['a higher fee', 'bad-lease', { lease: (l) => ({ ...l, fee: l.fee + 1 }) }],
    ['another job', 'bad-lease', { lease: (l) => ({ ...l, jobId: OTHER.subarray(16) }) }],
    ['another attempt', 'bad-lease', { lease: (l) => ({ ...l, attempt: 2 }) }],
    ['another window', 'bad-lease', { lease: (l) => ({ ...l, window: 4_096 }) }],
    ['a lease without end', 'bad-lease', { lease: (l) => ({ ...l, expiryS: l.expiryS + 86_400 }) }],
    ['another network', 'wrong-network', { lease: (l) => ({ ...l, network: 78 }) }],
    [
      'another scheduler',
      'bad-lease',
      { lease: (l, { spare }) => ({ ...l, scheduler: spare.publicKey }) },
    ],
    [
      'its own client job key',
      'bad-lease',
      { lease: (l, { identity }) => ({ ...l, clientJobKey: identity.publicKey }) },
    ],
    ['a lower tier in the lease', 'tier-too-low', { lease: (l) => ({ ...l, minTier: 'open' }) }],
    [
      'another model in the lease',
      'evidence-binding',
      { lease: (l) => ({ ...l, modelHash: OTHER }) },
    ],
    [
      'another model in the evidence',
      'evidence-binding',
      { evidence: evidenceOf({ modelHash: OTHER }) },
    ],
    [
      'another provider in the lease',
      'bad-signature',
      { lease: (l, { spare }) => ({ ...l, provider: spare.publicKey }) },
    ],
    [
      'its own provider behind honest evidence',
      'evidence-binding',
      {
        lease: (l, { identity }) => ({ ...l, provider: identity.publicKey }),
        by: ({ identity }) => ({ accept: identity, epoch: identity }),
      },
    ],
    [
      'other evidence than was accepted',
      'evidence-binding',
      { accept: (a) => ({ ...a, evidenceDigest: OTHER }) },
    ],
    [
      'evidence of another provider',
      'evidence-binding',
      {
        evidence: (claims, { spare }) => gpu({ ...claims, identity: spare.publicKey }),
      },
    ],
    [
      'evidence of another machine, bound to its own claims',
      'evidence-binding',
      {
        evidence: (claims) =>
          gpu(claims, { quote: quoteOf({ ...asGpu(claims), identity: OTHER }, 'theirs') }),
      },
    ],
    [
      'the GPU of another machine',
      'evidence-binding',
      {
        evidence: (claims) =>
          gpu(claims, { gpuEvidence: playedGpu(gpuNonce({ ...asGpu(claims), identity: OTHER })) }),
      },
    ],
    [
      'evidence without its GPU',
      'evidence-tier',
      { evidence: (claims) => playedEvidence(asGpu(claims)) },
    ],
    [
      'evidence of a lower tier',
      'tier-too-low',
      {
        evidence: (claims) => playedEvidence({ ...claims, tier: 'cpu-tee', compute: 'cpu' }),
      },
    ],
    ['simulated evidence', 'tier-too-low', { evidence: undefined }],
    [
      'evidence of yesterday',
      'evidence-expired',
      {
        evidence: (claims) => gpu({ ...claims, freshAtS: claims.freshAtS - 90_000 }),
      },
    ],
    ['evidence that is none', 'evidence-malformed', accepted({ evidence: OTHER })],
    ['an accept without a signature', 'bad-signature', accepted({ signature: new Uint8Array(64) })],
  ])('%s: %s', async (_, code, forge) => {
    await refused(forge, code)
  })

  it('an accept, or a whole placement, of another job', async () => {
    const { record, signature } = earlier.accepted
    await refused(accepted({ record, signature }), 'bad-lease')
    await refused({ swap: () => earlier }, 'bad-lease')
    const { epochKey, epochSignature } = earlier.accepted
    await refused(accepted({ epochKey, epochSignature }), 'bad-lease')
    await refused(accepted({ evidence: earlier.accepted.evidence }), 'evidence-binding')
  })
})

describe('the owner of the client reads why', () => {
  it('for a tier with what accepting the lower one would mean', async () => {
    const evidence = (claims: Claims) => playedEvidence({ ...claims, tier: 'open', compute: 'gpu' })
    const error = await refused({ evidence }, 'tier-too-low')
    expect(error.message).toBe(
      'The provider proves less than your policy asks. (tier open, asked gpu-tee)',
    )
    expect(error.action).toContain("this computer's owner can read your prompt")
  })
})
