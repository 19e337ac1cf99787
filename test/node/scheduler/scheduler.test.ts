/**
 * The scheduler as a real role against hostile or careless peers: each is refused with its typed
 * code, nothing is lost, and nobody is paid for nothing.
 * @module
 */
import { Address } from '@ton/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../../../client/client.ts'
import { evidenceDigest } from '../../../contracts/attest/document.ts'
import { makeSimulatedEvidence } from '../../../contracts/attest/simulated.ts'
import { toHex } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { TON } from '../../../contracts/base/units.ts'
import { NO_USAGE } from '../../../contracts/money/price.ts'
import { nativeKem } from '../../../contracts/seal/kem.ts'
import { HelloSchema, OfferMessageSchema } from '../../../contracts/wire/generated/chrysalis_pb.ts'
import { PROTOCOLS } from '../../../contracts/wire/protocols.ts'
import {
  accept,
  epochKey,
  lease,
  parseRecord,
  receipt,
  recordBytes,
  recordHash,
  signRecord,
} from '../../../contracts/wire/records.ts'
import { greet } from '../../../node/net/hello.ts'
import { messageStream } from '../../../node/net/messageStream.ts'
import { channelAddress } from '../../../node/settlement/channelKind.ts'
import { openPayerAccount } from '../../../node/settlement/payerAccount.ts'
import { WORLD_NETWORK } from '../../../scripts/market/world/parties.ts'
import {
  createRoleWorld,
  type HandClient,
  type JobStream,
  MODEL,
  nextOf,
  refusalOf,
  worldBlock,
} from '../../support/roleWorld.ts'

const code = (error: string) => expect.objectContaining({ code: error })

describe('a peer', () => {
  it('that has not said hello is served nothing', async () => {
    const world = createRoleWorld('no hello')
    await world.run(world.scheduler.start())
    const { transport, clock } = world.machine('stranger').boot()
    const peer = await world.run(transport.dial(world.at.addresses))
    for (const protocol of [PROTOCOLS.account, PROTOCOLS.job, PROTOCOLS.offer]) {
      const raw = await world.run(transport.open(peer, protocol))
      const stream = messageStream(OfferMessageSchema, raw, clock)
      await expect(world.run(stream.next())).rejects.toThrow()
    }
  })

  it.each([
    ['another network', 'wrong-network', { networkId: WORLD_NETWORK - 1, role: 'client' as const }],
    ['no binding', 'bad-signature', { networkId: WORLD_NETWORK, role: 'provider' as const }],
  ])('of %s is refused by name', async (_, expected, own) => {
    const world = createRoleWorld('hello')
    await world.run(world.scheduler.start())
    const ports = world.machine('stranger').boot()
    const peer = await world.run(ports.transport.dial(world.at.addresses))
    await expect(world.run(greet(ports, peer, own))).rejects.toThrow(code(expected))
  })

  it('of another version is refused by name', async () => {
    const world = createRoleWorld('version')
    await world.run(world.scheduler.start())
    const { transport, clock } = world.machine('stranger').boot()
    const peer = await world.run(transport.dial(world.at.addresses))
    const raw = await world.run(transport.open(peer, PROTOCOLS.hello))
    const stream = messageStream(HelloSchema, raw, clock)
    await world.run(stream.send({ version: 99, network: WORLD_NETWORK, role: 'client' }))
    const answer = await world.run(stream.next())
    expect(answer?.refused?.code).toBe('version-mismatch')
  })
})

describe('a client', () => {
  let world: ReturnType<typeof createRoleWorld>
  let client: HandClient
  beforeEach(async () => {
    world = createRoleWorld('client', { tokenMs: 20, answerTokens: () => 400 })
    const provider = world.provider('provider-1')
    await world.run(world.scheduler.start())
    await world.run(provider.start())
    await world.listed()
    client = await world.client('client')
  })
  const submit = (change = {}) => world.run(client.submit(change))
  const refused = async (change = {}) => world.run(refusalOf(await submit(change)))

  it('with a forged or short-lived channel gets no account', async () => {
    const short = await world.client('short', { closeDelayS: 60, account: false })
    const open = (change: object) =>
      world.run(openPayerAccount(short.needs, { ...short.options, ...change }))
    await expect(open({})).rejects.toThrow(code('bad-channel'))
    const stranger = world.machine('stranger').keystore.key('voucher')
    await expect(open({ voucherKey: stranger })).rejects.toThrow(code('bad-signature'))
  })

  it('of a jetton that the scheduler does not list gets no account', async () => {
    const { config } = client.options
    const { chain } = client.needs
    // A payer whose own chain tells it that such a channel stands: the scheduler refuses it unseen.
    const own = channelAddress(config)
    const lying = Object.create(chain, {
      getter: { value: (_: Address, method: string) => chain.getter(own, method) },
    })
    const fake = { ...config, minter: new Address(0, Buffer.alloc(32, 7)) }
    const needs = { ...client.needs, chain: lying }
    const opening = openPayerAccount(needs, { ...client.options, config: fake })
    await expect(world.run(opening)).rejects.toThrow(code('bad-asset'))
  })

  it('may not open a second live account on its channel', async () => {
    const again = openPayerAccount(client.needs, client.options)
    await expect(world.run(again)).rejects.toThrow(code('account-in-use'))
  })

  it.each([
    ['an unknown model', 'no-model', { model: 'nobody-has-it' }],
    ['a price cap below every offer', 'price', { maxTick: 3 }],
    ['a tier that nobody proves', 'requirements', { minTier: 'gpu-tee' as const }],
    ['a malformed name', 'bad-input', { model: '../etc' }],
    ['a first window above its deposit', 'no-funds', { promptTokens: 500_000 }],
  ])('asking for %s is refused', async (_, expected, change) => {
    expect(await refused(change)).toBe(expected)
  })

  it('is told the lowest tick that would do', async () => {
    const kind = await world.run(nextOf(await submit({ maxTick: 3 })))
    expect(kind).toMatchObject({ case: 'refused', value: { facts: { lowestTick: '80' } } })
  })

  it('waits where no place is free, and is refused where the queue is full', async () => {
    const small = createRoleWorld('full', { tokenMs: 20, answerTokens: () => 400 }, 1)
    await small.run(small.scheduler.start())
    await small.run(small.provider('provider-1').start())
    await small.listed()
    const own = await small.client('client')
    const told: string[] = []
    for (let i = 0; i < 4; i++) {
      const stream = await small.run(own.submit())
      const kind = await small.run(nextOf(stream))
      told.push(kind.case === 'refused' ? kind.value.code : String(kind.case))
    }
    // A newcomer is trusted with one place, whatever it declares.
    expect(told).toEqual(['placed', 'queued', 'queue-full', 'queue-full'])
  })

  it('may use a job id once, and hold no more jobs than the limit', async () => {
    const jobId = 'ab'.repeat(16)
    await submit({ jobId, model: 'unknown' })
    expect(await refused({ jobId })).toBe('duplicate-job')
    for (let i = 0; i < LIMITS.jobsPerChannel; i++) await submit()
    expect(await refused()).toBe('too-many-jobs')
  })

  it('that sends something else than a submit is refused', async () => {
    const raw = await world.run(client.transport.open(client.options.peer, PROTOCOLS.job))
    await raw.send(new Uint8Array([255, 255, 255]))
    const { frames } = raw
    const answer = async () => {
      for await (const frame of frames) return frame
      return undefined
    }
    await expect(world.run(answer())).rejects.toThrow()
  })

  it('that never uses its lease pays nothing, and its place comes back', async () => {
    const stream = await submit()
    expect((await world.run(nextOf(stream))).case).toBe('placed')
    expect(await world.run(refusalOf(stream))).toBe('timeout')
    await world.clock.advance(6_000)
    const [books] = world.scheduler.role()!.status().clientChannels
    expect(books).toMatchObject({ cumulative: 0n, spent: 0n })
    expect(world.scheduler.role()!.status().openJobs).toBe(0)
  })

  it('whose grant comes when its job is over gets it back as credit', async () => {
    await world.run(client.account.grant('ef'.repeat(16), 5_000n))
    await world.run(client.account.close())
    await world.clock.advance(2_000)
    const again = await world.run(openPayerAccount(client.needs, client.options))
    expect(again.state()).toMatchObject({ cumulative: 5_000n, spent: 0n })
    expect(again.state().jobs.size).toBe(0)
  })
})

describe('a provider', () => {
  const play = async (seed: string, serve: (stream: JobStream, world: Played) => Promise<void>) => {
    const world = createRoleWorld(seed)
    await world.run(world.scheduler.start())
    const played: Played = { clientPays: async () => undefined }
    const hand = await world.handProvider('hostile', (stream) => serve(stream, played))
    played.identity = hand.identity
    expect(await world.run(hand.offer())).toBe('listed')
    const client = await world.client('client')
    return { world, hand, client, played }
  }
  interface Played {
    identity?: Awaited<ReturnType<ReturnType<typeof createRoleWorld>['handProvider']>>['identity']
    clientPays: () => Promise<void>
  }

  /** Accepts as a provider does; `proves`: the model that its evidence is about. */
  const acceptOf = async (
    stream: JobStream,
    { identity }: Played,
    { forge = false, proves }: { forge?: boolean; proves?: Uint8Array } = {},
  ) => {
    const first = await nextOf(stream)
    if (first.case !== 'lease') throw new Error('no lease')
    const cell = parseRecord(first.value.record)
    const terms = lease.decode(cell, WORLD_NETWORK)
    const nowS = terms.expiryS - LIMITS.leaseMs / 1000
    const { seqno, hash, atS } = worldBlock(nowS - 60)
    const claims = {
      identity: identity!.publicKey,
      network: WORLD_NETWORK,
      tier: 'simulated' as const,
      compute: 'cpu' as const,
      modelHash: proves ?? terms.modelHash,
      backendHash: new Uint8Array(32),
      gpuEvidenceHash: new Uint8Array(32),
      freshSeqno: seqno,
      freshBlock: hash,
      freshAtS: atS,
    }
    const notAfterS = nowS + 3_600
    const evidence = makeSimulatedEvidence({ claims, deviceKey: identity!, notAfterS })
    const epoch = epochKey.encode({
      network: WORLD_NETWORK,
      epoch: 1,
      notBeforeS: nowS,
      notAfterS: nowS + 900,
      kemPublicKey: nativeKem().generateKeyPair().publicKey,
    })
    const record = accept.encode({
      network: WORLD_NETWORK,
      leaseHash: forge ? new Uint8Array(32) : recordHash(cell),
      epochKeyHash: recordHash(epoch),
      evidenceDigest: evidenceDigest(evidence),
      expiryS: terms.expiryS,
    })
    const value = {
      record: recordBytes(record),
      signature: signRecord(record, identity!),
      epochKey: recordBytes(epoch),
      epochSignature: signRecord(epoch, identity!),
      evidence,
    }
    await stream.send({ kind: { case: 'accepted', value } })
    return { terms, leaseHash: recordHash(cell) }
  }

  it.each([
    ['a tick that does not exist', { tick: 200 }],
    ['a name that is a path', { model: '../m' }],
  ])('that offers %s is told so', async (_, change) => {
    const { world, hand } = await play('offer', async () => undefined)
    expect(await world.run(hand.offer({ slot: 'other', ...change }))).toBe('bad-input')
  })

  it('that answers with a forged accept is replaced, and nobody pays', async () => {
    const { world, client } = await play('accept', async (stream, played) => {
      await acceptOf(stream, played, { forge: true })
    })
    const stream = await world.run(client.submit())
    expect(await world.run(refusalOf(stream))).toBe('no-provider')
    expect(client.account.state().cumulative).toBe(0n)
  })

  it('that is silent after its accept is lost to the client, which pays nothing', async () => {
    const { world, client } = await play('silent', async (stream, played) => {
      await acceptOf(stream, played)
      for await (const _ of stream);
    })
    const spec = client.spec()
    const stream = await world.run(client.submit({ jobId: spec.jobId }))
    expect((await world.run(nextOf(stream))).case).toBe('placed')
    await world.run(client.account.grant(spec.jobId, 4_000_000n))
    await world.run(stream.send({ kind: { case: 'request', value: { bytes: new Uint8Array(9) } } }))
    const lost = await world.run(nextOf(stream))
    expect(lost).toMatchObject({ case: 'lost', value: { code: 'stalled', mayRetry: true } })
    await world.clock.advance(10_000)
    const [books] = world.scheduler.role()!.status().clientChannels
    expect(books!.spent).toBe(0n)
    expect(world.scheduler.role()!.status().openJobs).toBe(0)
  })

  it.each([
    ['does not cover its offer is refused by the client', new Uint8Array(32), 'evidence-binding'],
    ['covers its offer is trusted, and paid ahead', undefined, 'no-provider'],
  ])('whose evidence %s', async (_, proves, expected) => {
    const { world, hand } = await play('evidence', async (stream, played) => {
      await acceptOf(stream, played, { proves })
      await nextOf(stream) // the sealed request, or that the client has left
      stream.abort(new Error('that was all to be seen'))
    })
    const network = {
      id: WORLD_NETWORK,
      name: 'simulated',
      toncenter: 'http://simulated.invalid/',
      schedulers: [world.at],
      providers: [toHex(hand.identity.publicKey)],
      development: true,
    }
    const ports = world.machine('real client').boot()
    const options = { network, deposit: TON, ports, env: {}, home: '/nowhere' }
    const market = await world.run(connect(options))
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const job = market.submit({ model: MODEL, messages, maxTokens: 8, minTier: 'simulated' })
    const failed = world.run(job.result()).catch((error: unknown) => error)
    expect(await failed).toMatchObject({ code: expected })
    const { channel } = await world.run(market.balance())
    expect(channel.spent).toBe(0n)
    expect(channel.signed > 0n).toBe(proves === undefined)
    await world.run(market.close())
  })

  type Change = (cost: bigint) => object
  const lie =
    (change: Change, forged?: Uint8Array) => async (stream: JobStream, played: Played) => {
      const { terms, leaseHash } = await acceptOf(stream, played)
      await nextOf(stream)
      const billed = { ...NO_USAGE, prompt: 64 }
      await stream.send({
        kind: { case: 'frames', value: { frames: [new Uint8Array(8)], billed } },
      })
      const record = receipt.encode({
        network: WORLD_NETWORK,
        leaseHash,
        billed,
        cost: 3n,
        fee: 1n,
        modelHash: terms.modelHash,
        tier: 'simulated',
        outcome: 'completed',
        startS: 1,
        endS: 2,
        transcriptHash: new Uint8Array(32),
        ...change(3n),
      })
      const signature = forged ?? signRecord(record, played.identity!)
      const value = { receipt: recordBytes(record), signature }
      await stream.send({ kind: { case: 'finished', value } })
    }

  it.each<[string, string, Change, Uint8Array?]>([
    ['says another cost than its billing', 'bad-receipt', () => ({ cost: 999n })],
    ['is for another lease', 'bad-receipt', () => ({ leaseHash: new Uint8Array(32).fill(1) })],
    ['is for another model', 'bad-receipt', () => ({ modelHash: new Uint8Array(32).fill(1) })],
    [
      'bills more than its frames have said',
      'bad-receipt',
      () => ({ billed: { ...NO_USAGE, prompt: 6400 } }),
    ],
    ['has a forged signature', 'bad-signature', () => ({}), new Uint8Array(64).fill(7)],
  ])('whose receipt %s is not paid', async (_, expected, change, forged) => {
    const { world, client, hand } = await play('receipt', lie(change, forged))
    const spec = client.spec()
    const stream = await world.run(client.submit({ jobId: spec.jobId }))
    expect((await world.run(nextOf(stream))).case).toBe('placed')
    await world.run(client.account.grant(spec.jobId, 4_000_000n))
    await world.run(stream.send({ kind: { case: 'request', value: { bytes: new Uint8Array(9) } } }))
    expect((await world.run(nextOf(stream))).case).toBe('frames')
    const lost = await world.run(nextOf(stream))
    expect(lost).toMatchObject({ case: 'lost', value: { code: expected, mayRetry: false } })
    await world.clock.advance(5_000)
    expect(world.scheduler.role()!.status().clientChannels[0]!.spent).toBe(0n)
    expect(hand.book.all()[0]!.state().spent).toBe(0n)
  })
})
