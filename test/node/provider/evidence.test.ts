/**
 * What a provider shows of itself: made for its claims, renewed in time, verified before anybody is
 * offered anything; above `open` only what this machine's hardware signed.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { freshBlocks } from '../../../client/freshBlocks.ts'
import { verifyPlacement } from '../../../client/verifyPlacement.ts'
import { type Claims, parseEvidence } from '../../../contracts/attest/document.ts'
import { policyFor } from '../../../contracts/attest/policy.ts'
import { VERIFIERS } from '../../../contracts/attest/verify.ts'
import { type Bytes, utf8 } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { MarketParameters } from '../../../contracts/base/marketParameters.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { FIRST_PARAMETERS } from '../../../contracts/money/marketTerms.ts'
import { createEpochs } from '../../../contracts/seal/epoch.ts'
import { nativeKem } from '../../../contracts/seal/kem.ts'
import { createSimulatedChain } from '../../../node/chain/simulated.ts'
import { backendHash, type Collect, createEvidence } from '../../../node/provider/evidence.ts'
import { silentLogger } from '../../../node/system/logger.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'
import { WORLD_FEE, WORLD_NETWORK } from '../../../scripts/market/world/parties.ts'
import { MEASUREMENTS, PLAYED_VERIFIERS, playedEvidence } from '../../contracts/attest/hardware.ts'
import { createRoleWorld, nextOf, type Proving } from '../../support/roleWorld.ts'

const START_MS = 1_795_000_000_000
const MODEL = sha256(utf8('a model'))
const BACKEND = backendHash('chrysalis', 'm')
const NO_DEVICE = new MarketError('no-device', { because: 'there is none', needs: 'one' })

type Given = Parameters<Collect>[0]
const whole = (claims: Given): Claims => ({ ...claims, gpuEvidenceHash: new Uint8Array(32) })
const asCpu: Collect = async (claims) => playedEvidence(whole(claims))

function started(collect?: Collect) {
  const clock = createSimulatedClock({ startMs: START_MS })
  const ton = createSimulatedChain({ clock, networkId: 77, blockMs: 1_000 })
  const calls: Given[] = []
  const counted: Collect = (claims) => {
    calls.push(claims)
    return collect!(claims)
  }
  const attest = createEvidence({
    ...{ clock, chain: ton.chain(), logger: silentLogger, kem: nativeKem() },
    epochs: createEpochs(),
    networkId: 77,
    identity: signingKey(sha256(utf8('identity'))),
    deviceKey: signingKey(sha256(utf8('device'))),
    compute: 'cpu',
    ...(collect && { collect: counted }),
    unsafeVerifiers: PLAYED_VERIFIERS,
  })
  const run = <T>(promise: Promise<T>) => clock.settle(promise, 10_000)
  const together = (tier: Claims['tier'], count: number) =>
    run(Promise.all(Array.from({ length: count }, () => attest(MODEL, BACKEND, tier))))
  const make = async (tier: Claims['tier']) => (await together(tier, 1))[0]!
  return { clock, calls, together, make }
}

const claimsOf = ({ evidence }: { evidence: Bytes }) => parseEvidence(evidence).claims

describe('evidence of a provider', () => {
  it.each(['open', 'simulated', 'cpu-tee'] as const)('says what it is about: %s', async (tier) => {
    const made = await started(asCpu).make(tier)
    expect(claimsOf(made)).toMatchObject({
      ...{ tier, compute: 'cpu', network: 77, modelHash: MODEL, backendHash: BACKEND },
    })
    expect(made.digest).toEqual(sha256(made.evidence))
  })

  it('is kept for half of its life, then made anew with a newer block', async () => {
    const world = started(asCpu)
    const first = await world.make('cpu-tee')
    await world.clock.advance((LIMITS.evidenceLifeS / 2 - 60) * 1_000)
    expect((await world.make('cpu-tee')).digest).toEqual(first.digest)
    await world.clock.advance(120_000)
    // No lease waits for hardware: the one that finds it old gets the old, and starts the new.
    expect((await world.make('cpu-tee')).digest).toEqual(first.digest)
    await world.clock.advance(1_000)
    const second = await world.make('cpu-tee')
    expect(claimsOf(second).freshAtS).toBeGreaterThan(claimsOf(first).freshAtS)
    expect(world.calls).toHaveLength(2)
  })

  it('is collected once for jobs that come together', async () => {
    const world = started(asCpu)
    const [first, second] = await world.together('cpu-tee', 2)
    expect(first!.digest).toEqual(second!.digest)
    expect(world.calls).toHaveLength(1)
  })

  it('serves on while it is good where renewing fails, and not beyond', async () => {
    let broken = false
    const world = started(async (claims) => {
      if (broken) throw NO_DEVICE
      return asCpu(claims)
    })
    const first = await world.make('cpu-tee')
    broken = true
    await world.clock.advance((LIMITS.evidenceLifeS - 3_600) * 1_000)
    expect((await world.make('cpu-tee')).digest).toEqual(first.digest)
    await world.clock.advance(3_300_000)
    await expect(world.make('cpu-tee')).rejects.toBe(NO_DEVICE)
  })
})

describe('a confidential tier', () => {
  it('is not made without a collector, nor by one that finds no hardware', async () => {
    await expect(started().make('cpu-tee')).rejects.toMatchObject({ code: 'no-device' })
    const absent = started(() => Promise.reject(NO_DEVICE)).make('gpu-tee')
    await expect(absent).rejects.toBe(NO_DEVICE)
  })

  it.each<[string, string, Collect]>([
    [
      'a forged quote',
      'evidence-signature',
      async (claims) => playedEvidence(whole(claims), { quote: utf8('forged') }),
    ],
    [
      'evidence about another model',
      'evidence-binding',
      async (claims) => playedEvidence(whole({ ...claims, modelHash: BACKEND })),
    ],
    [
      'evidence about another key',
      'evidence-binding',
      async (claims) => playedEvidence(whole({ ...claims, identity: BACKEND })),
    ],
    [
      'less than the tier',
      'evidence-tier',
      async (claims) => playedEvidence(whole({ ...claims, compute: 'gpu' })),
    ],
    [
      'a lower tier',
      'unknown-provider',
      async (claims) => playedEvidence(whole({ ...claims, tier: 'open' })),
    ],
    ['no document', 'evidence-malformed', async () => utf8('{}')],
  ])('is not shown where a client would refuse it: %s', async (_, code, collect) => {
    await expect(started(collect).make('cpu-tee')).rejects.toMatchObject({ code })
  })
})

describe('a provider with roles around it', () => {
  const proving = (collect: Collect): Proving => ({
    ...{ tier: 'gpu-tee', compute: 'gpu', collect, unsafeVerifiers: PLAYED_VERIFIERS },
  })

  it('without the hardware does not start: nobody is offered anything', async () => {
    const world = createRoleWorld('no hardware')
    await world.run(world.scheduler.start())
    const provider = world.provider(
      'p',
      undefined,
      proving(() => Promise.reject(NO_DEVICE)),
    )
    await expect(world.run(provider.start())).rejects.toBe(NO_DEVICE)
    await world.clock.advance(30_000)
    const { providers, slots } = world.scheduler.role()!.status()
    expect([providers, slots]).toEqual([[], []])
  })

  it('serves at the tier that a client computes for itself', async () => {
    const world = createRoleWorld('hardware')
    await world.run(world.scheduler.start())
    const collect: Collect = async (claims) => playedEvidence(whole(claims), { gpu: true })
    const provider = world.provider('p', undefined, proving(collect))
    await world.run(provider.start())
    await world.listed()
    const client = await world.client('client')
    const spec = client.spec({ minTier: 'gpu-tee' })
    const stream = await world.run(client.submit(spec))
    const placed = await world.run(nextOf(stream))
    if (placed.case !== 'placed') throw new Error(`${placed.case} instead of a placement`)
    const policy = policyFor({ id: WORLD_NETWORK, development: true })
    const listed: MarketParameters = { ...FIRST_PARAMETERS, measurements: MEASUREMENTS }
    const check = (market = listed, verifiers = PLAYED_VERIFIERS) =>
      verifyPlacement(placed.value, {
        networkId: WORLD_NETWORK,
        policy: { ...policy, maxTick: 95, maxFee: 1_000, models: {} },
        directory: { version: async () => market },
        registry: () => false,
        blocks: freshBlocks({ chain: world.ton.chain(), clock: world.clock }),
        verifiers,
        scheduler: { identity: world.scheduler.role()!.identity, fee: WORLD_FEE },
        spec,
        clientJobKey: client.jobKey.publicKey,
        attempt: 1,
        nowMs: world.clock.nowMs(),
      })
    expect((await check()).verdict.tier).toBe('gpu-tee')
    const unlisted = check({ ...listed, measurements: FIRST_PARAMETERS.measurements })
    await expect(unlisted).rejects.toMatchObject({ code: 'evidence-measurement' })
    // To this version's own verifiers played hardware is none.
    await expect(check(listed, VERIFIERS)).rejects.toMatchObject({
      code: expect.stringMatching(/^evidence-/),
    })
  })
})
