/**
 * Before a request is open, every failure is the same to whoever watches the wire: the same bytes,
 * a tick after the request whatever was found, no receipt, the place given back, the same log.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { type Bytes, concat, toHex } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { clientStatement, requestInfo } from '../../../contracts/seal/binding.ts'
import { TICK_MS } from '../../../contracts/seal/pacer.ts'
import { pad } from '../../../contracts/seal/padding.ts'
import { hpkeSuite, publicKeyOf } from '../../../contracts/seal/suite.ts'
import { encodeRequest } from '../../../contracts/wire/request.ts'
import type { AcceptedLease } from '../../../node/provider/accepting.ts'
import { CLIENT_JOB_KEY, createRunnerWorld, EPOCH_LIFE_S, sealFor } from './runnerWorld.ts'

type World = ReturnType<typeof createRunnerWorld>
type Make = (world: World, accepted: AcceptedLease) => Promise<Bytes>

const body = encodeRequest({ messages: [{ role: 'user', content: 'hi' }], maxTokens: 4 })
const good: Make = async (world, accepted) => (await sealFor(world, accepted)).sealed
const flipped = (at: number): Make => {
  return async (world, accepted) => {
    const sealed = await good(world, accepted)
    sealed[at < 0 ? sealed.length + at : at]! ^= 1
    return sealed
  }
}

/** A request sealed by hand, with parts to get wrong: all of it decrypts. */
const sealedByHand =
  (wrong: { padded?: Bytes; signer?: typeof CLIENT_JOB_KEY; signed?: Bytes }): Make =>
  async ({ kem, epoch }, { binding }) => {
    const info = requestInfo(binding)
    const key = publicKeyOf(epoch.kemPublicKey)
    const { encapsulatedSecret: enc, ctx } = await hpkeSuite(kem).SetupSender(key, { info })
    const responsePublicKey = kem.generateKeyPair().publicKey
    const padded = wrong.padded ?? pad(body)
    const signed = { enc, info, responsePublicKey, padded: wrong.signed ?? padded }
    const signature = (wrong.signer ?? CLIENT_JOB_KEY).sign(
      clientStatement(binding.network, signed),
    )
    const flag = Uint8Array.of(1)
    const plaintext = concat(responsePublicKey, signature, padded)
    return concat(enc, flag, await ctx.Seal(plaintext, flag))
  }

const other = sha256(body)
const CAUSES: [string, Make][] = [
  [
    'another epoch key',
    async (world, accepted) => {
      const epochPublicKey = world.kem.generateKeyPair().publicKey
      return (await sealFor(world, accepted, { epochPublicKey })).sealed
    },
  ],
  [
    'another lease',
    async (world, accepted) => {
      const binding = { ...accepted.binding, leaseHash: other }
      return (await sealFor(world, accepted, { binding })).sealed
    },
  ],
  [
    'an epoch that is over',
    async (world, accepted) => {
      const sealed = await good(world, accepted)
      await world.clock.advance((EPOCH_LIFE_S + LIMITS.epochGraceS + 1) * 1_000)
      return sealed
    },
  ],
  [
    'a lease that was opened before',
    async (world, accepted) => {
      const sealed = await good(world, accepted)
      const leaseHash = toHex(accepted.binding.leaseHash)
      world.epochs.live[0]!.opened.add(leaseHash)
      return sealed
    },
  ],
  ['garbage', async () => new Uint8Array(4_465).fill(7)],
  ['next to nothing', async () => Uint8Array.of(1)],
  ['a truncated request', async (world, accepted) => (await good(world, accepted)).slice(0, -1)],
  ['an altered encapsulation', flipped(5)],
  [
    'an X25519 point of low order',
    async (world, accepted) => {
      return (await good(world, accepted)).fill(0, 1_088, 1_120)
    },
  ],
  ['an altered ciphertext', flipped(2_000)],
  ['an altered tag', flipped(-1)],
  ['an altered flag', flipped(1_120)],
  ['bad padding', sealedByHand({ padded: concat(pad(body), new Uint8Array(128)) })],
  ['a bit in the padding', sealedByHand({ padded: pad(body).fill(1, -1) })],
  ['the signature of another', sealedByHand({ signer: signingKey(other) })],
  ['a swapped body', sealedByHand({ signed: pad(other) })],
]

/** Sends it under a fresh job of a fresh world; what left, and how long after. */
async function refusalOf(make: Make, workMs = 0) {
  const world = createRunnerWorld({ workMs })
  const accepted = world.accept('one')
  const sealed = await make(world, accepted)
  const job = world.job(accepted)
  const sentMs = world.clock.monotonicMs()
  job.send(sealed)
  await world.clock.settle(job.served, 60_000)
  return {
    left: job.left.map(({ atMs, bytes }) => ({ afterMs: atMs - sentMs, bytes: toHex(bytes) })),
    done: job.done,
    log: world.logger.lines.map(({ level, message, facts }) => ({ level, message, facts })),
  }
}

describe('a request that does not open', () => {
  it.each(CAUSES)('for %s is refused in the same bytes at the same time', async (_, make) => {
    const refusal = await refusalOf(make)
    expect(refusal.left.map(({ afterMs }) => afterMs)).toEqual([TICK_MS])
    expect(Buffer.from(refusal.left[0]!.bytes, 'hex').includes('cannot-open')).toBe(true)
    expect(refusal.done).toEqual(['place'])
    expect(refusal).toEqual(await refusalOf(CAUSES[0]![1]))
  })

  it.each(CAUSES.slice(0, 5))(
    'for %s, after work that takes time, not a moment later',
    async (_, make) => {
      // The work before the refusal takes 60 ms here, on the same clock: it must not show.
      const refusal = await refusalOf(make, 60)
      expect(refusal.left.map(({ afterMs }) => afterMs)).toEqual([TICK_MS])
    },
  )

  it('is not every request: the same by hand, with nothing wrong, is answered', async () => {
    const world = createRunnerWorld()
    const accepted = world.accept('one')
    const job = world.job(accepted)
    job.send(await sealedByHand({})(world, accepted))
    await world.clock.settle(job.served, 60_000)
    expect(job.done).toEqual(['place', 'receipt'])
    expect(job.frames().length).toBeGreaterThan(1)
  })
})
