/**
 * A hostile scheduler in the loop: for each thing that it can swap, the real client notices before
 * it has sealed or paid anything, tells its owner exactly, and tells the other side nothing.
 * Hardware is played (its verifiers have tests of their own); binding, policy, records, accounts
 * and the whole client are real.
 * @module
 */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Market } from '../../client/types.ts'
import {
  type Claims,
  encodeEvidence,
  gpuNonce,
  reportData,
} from '../../contracts/attest/document.ts'
import type { HardwarePolicy } from '../../contracts/attest/hardwarePolicy.ts'
import { VERIFIERS } from '../../contracts/attest/verify.ts'
import { toHex, utf8 } from '../../contracts/base/bytes.ts'
import type { ErrorCode, MarketError } from '../../contracts/base/errors.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import { TIER_MEANING } from '../../contracts/base/tier.ts'
import {
  CPU,
  GPU,
  type Machine,
  MEASUREMENTS,
  PLAYED_VERIFIERS,
  playedEvidence,
  playedGpu,
  playedQuote,
} from '../contracts/attest/hardware.ts'
import type { Served } from './playedJob.ts'
import { playMarket } from './playedMarket.ts'
import { type Forgery, freshAt, NETWORK_ID, type PlacedMessage } from './playedPlacement.ts'

const REQUEST = { model: 'm', messages: [{ role: 'user' as const, content: 'a secret' }] }
const LIMIT_MS = 120_000
const OTHER = new Uint8Array(32).fill(9)
/** `JobMessage { abort {} }`: field 12, no bytes. */
const EMPTY_ABORT = '6200'

/** What the client of these tests accepts: one board, one GPU, one image, for most of a day. */
const HARDWARE: Partial<HardwarePolicy> = {
  measurements: MEASUREMENTS,
  vendors: ['intel-tdx', 'nvidia'],
  platforms: [CPU, GPU].map(({ platformId }) => toHex(platformId)),
  maxAgeS: 86_000,
}

const asGpu = (claims: Claims): Claims => ({ ...claims, tier: 'gpu-tee', compute: 'gpu' })
/** The same, of an older block of this chain. */
const aged = (claims: Claims, s: number) => ({ ...claims, ...freshAt(claims.freshAtS - s) })
const gpu = (claims: Claims, args = {}) => playedEvidence(asGpu(claims), { gpu: true, ...args })

let world: Awaited<ReturnType<typeof playMarket>>
let market: Market
/** What an honest placement of another job looked like. */
let earlier: PlacedMessage

beforeAll(async () => {
  world = await playMarket('hostile scheduler')
  market = await world.client({
    policy: { minTier: 'gpu-tee', hardware: HARDWARE },
    unsafeVerifiers: [...VERIFIERS.filter(({ kind }) => kind === 'simulated'), ...PLAYED_VERIFIERS],
  })
  const remember = (message: PlacedMessage) => {
    earlier = message
    return message
  }
  const result = await run({ swap: remember })
  expect(result).toMatchObject({ tier: 'gpu-tee', verified: true })
  expect(result).toMatchObject({ tierMeaning: TIER_MEANING['gpu-tee'] })
  await world.clock.advance(1_000)
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
        evidence: (claims) => gpu(aged(claims, 85_800)),
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
          gpu(claims, { quote: playedQuote(reportData({ ...asGpu(claims), identity: OTHER })) }),
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
        evidence: (claims) => gpu(aged(claims, 90_000)),
      },
    ],
    [
      'evidence of yesterday, dated today',
      'evidence-block',
      { evidence: (claims) => gpu({ ...aged(claims, 90_000), freshAtS: claims.freshAtS }) },
    ],
    [
      'evidence of yesterday under the number of a block of today',
      'evidence-block',
      {
        evidence: (claims) =>
          gpu({ ...claims, freshBlock: freshAt(claims.freshAtS - 90_000).freshBlock }),
      },
    ],
    [
      'a block of another network',
      'evidence-block',
      { evidence: (claims) => gpu({ ...claims, ...freshAt(claims.freshAtS, NETWORK_ID + 1) }) },
    ],
    ['an invented block', 'evidence-block', { evidence: evidenceOf({ freshBlock: OTHER }) }],
    [
      'an invented block of the future',
      'evidence-block',
      { evidence: evidenceOf({ freshSeqno: 2 ** 32 - 1, freshBlock: OTHER }) },
    ],
    [
      'a block that is still to come',
      'evidence-unchecked',
      { evidence: (claims) => gpu(aged(claims, -10)) },
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

describe('the time of a refusal', () => {
  it.each<[string, Forgery, number]>([
    ['at the first check', { lease: (l) => ({ ...l, tick: 95 }) }, 0],
    ['at the last one', { evidence: (claims) => gpu(aged(claims, 86_100)) }, 0],
    [
      'at the last one, when a check took long',
      { evidence: (claims) => gpu(aged(claims, 86_100)) },
      300,
    ],
  ])('is the same %s', async (_, forge, slowMs) => {
    const client = await world.client({
      profile: `slow-${slowMs}`,
      policy: { minTier: 'gpu-tee', hardware: HARDWARE },
      unsafeVerifiers: PLAYED_VERIFIERS,
      registry: async () => {
        await world.clock.sleep(slowMs)
        return true
      },
    })
    world.live.script = { forge: { evidence: (claims) => gpu(claims), ...forge } }
    const job = client.submit({ ...REQUEST, maxTokens: 32 })
    const error = job.result().catch((thrown: unknown) => thrown)
    expect(await world.clock.settle(error, LIMIT_MS)).toBeInstanceOf(Error)
    await world.clock.advance(1_000)
    const { heard, placedMs } = world.served
    expect(said(world.served)).toEqual([EMPTY_ABORT])
    expect(heard.length).toBe(placedMs.length)
    await world.clock.settle(client.close(), LIMIT_MS)
    expect(Math.round((world.served.abortedMs.at(-1)! - placedMs.at(-1)!) / 10)).toBe(51)
  })
})

describe('the owner of the client reads why, the other side only that', () => {
  /** Evidence of a machine that says other things of itself. */
  const from = (machine: Machine) => (given: Claims) => {
    const nvidia = playedGpu(gpuNonce(asGpu(given)))
    const claims = { ...asGpu(given), gpuEvidenceHash: sha256(nvidia) }
    return gpu(given, { quote: playedQuote(reportData(claims), machine) })
  }
  const cpuOf = (kind: 'tdx' | 'sev-snp') => (claims: Claims) => playedEvidence(claims, { kind })
  const hex = (text: string) => toHex(sha256(utf8(text)))

  it.each<[ErrorCode, Forgery['evidence'], string, string]>([
    [
      'evidence-measurement',
      from({ image: 'theirs' }),
      'The machine runs software that is not on the accepted list. (because not on the list of ' +
        `accepted measurements, version 3, vendor intel-tdx, measurement ${hex('theirs')})`,
      'Choose another provider, or accept the named measurement in your policy.',
    ],
    [
      'evidence-tcb',
      from({ tcbStatus: 'OutOfDate' }),
      'The platform lacks security updates that your policy asks for. (because its state is ' +
        'OutOfDate, vendor intel-tdx, tcbStatus OutOfDate)',
      'Choose another provider, or accept the named TCB state in your policy.',
    ],
    [
      'evidence-platform',
      from({ board: 'theirs' }),
      'The machine is not one of those your policy allows. (because no machine of the policy, ' +
        `vendor intel-tdx, platform ${hex('theirs')})`,
      'Choose another provider, or add the named platform to your policy.',
    ],
    [
      'evidence-vendor',
      (claims) => gpu(claims, { kind: 'sev-snp' }),
      'The hardware is of a vendor that your policy does not accept. (because no vendor of the ' +
        'policy, vendor amd-snp)',
      'Choose another provider, or accept the named vendor in your policy.',
    ],
    [
      'evidence-age',
      (claims) => gpu(aged(claims, 86_100)),
      'The evidence is older than your policy takes. (because it is 86100 s old, most 86000)',
      'Choose another provider, or ask this one to collect its evidence again.',
    ],
    [
      'evidence-binding',
      (claims, { spare }) => gpu({ ...claims, identity: spare.publicKey }),
      'The evidence is genuine but says nothing about this provider: it is bound to other ' +
        'claims. (because it is about another provider than the one in the lease)',
      'Do not use this provider: it may be showing the evidence of another machine.',
    ],
    [
      'evidence-kind',
      (claims) => encodeEvidence({ kind: 'trustzone', claims, proof: {} }),
      'Nothing here can verify this kind of evidence. (because no verifier knows its kind, ' +
        'kind trustzone)',
      'Update this program, or choose another provider.',
    ],
    [
      'evidence-tier',
      (claims) => playedEvidence(asGpu(claims)),
      'The evidence proves less than the provider claims. (because it claims another tier than ' +
        'it proves, claimed gpu-tee, proved open)',
      'Do not use this provider: it says more of itself than it can show.',
    ],
    [
      'evidence-signature',
      (claims) => gpu(claims, { quote: utf8('forged') }),
      'A signature in the evidence is wrong: it was altered or forged. (because no played ' +
        'machine has signed it)',
      'Do not use this provider; keep the document if you want to show it.',
    ],
    [
      'tier-too-low',
      (claims) => cpuOf('tdx')({ ...claims, tier: 'open', compute: 'gpu' }),
      'The provider proves less than your policy asks. (tier open, asked gpu-tee)',
      `Choose another provider, or ask for "open" by name: ${TIER_MEANING.open}.`,
    ],
  ])('%s', async (code, evidence, message, action) => {
    const error = await refused({ evidence }, code)
    expect([error.message, error.action]).toEqual([message, action])
    expect(error.report()).not.toHaveProperty('cause')
  })
})
