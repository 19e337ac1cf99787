/**
 * A scheduler and providers as real roles over the simulated network, clock, disk and chain, with
 * hands to play the other side of any protocol: a client, or a provider, that says what a test
 * wants. Nothing fails by itself here; the seeded world is `scripts/market/world`.
 * @module
 */
import { toHex } from '../../contracts/base/bytes.ts'
import type { FrameStream, Kem, Transport } from '../../contracts/base/ports.ts'
import type { SigningKey } from '../../contracts/base/signing.ts'
import { TON } from '../../contracts/base/units.ts'
import { DEFAULT_PARAMETERS } from '../../contracts/money/price.ts'
import { sealRequest } from '../../contracts/seal/request.ts'
import type { ResponseOpener } from '../../contracts/seal/response.ts'
import {
  type JobMessage,
  JobMessageSchema,
  OfferMessageSchema,
  type Placed,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import { PROTOCOLS } from '../../contracts/wire/protocols.ts'
import { accept, epochKey, lease, parseRecord, recordHash } from '../../contracts/wire/records.ts'
import { encodeRequest, type JobRequest } from '../../contracts/wire/request.ts'
import { type JobSpec, toSubmit } from '../../contracts/wire/submit.ts'
import type { Backend } from '../../node/backends/backend.ts'
import { type SimulatedOptions, startSimulated } from '../../node/backends/simulated.ts'
import { createSimulatedChain, simulatedBlock } from '../../node/chain/simulated.ts'
import { greet, signBinding } from '../../node/net/hello.ts'
import { type MessageStream, messageStream } from '../../node/net/messageStream.ts'
import { createSimulatedNetwork } from '../../node/net/simulatedNetwork.ts'
import { newChannelConfig, openChannel } from '../../node/settlement/channels.ts'
import { openPayeeBook } from '../../node/settlement/payeeBook.ts'
import { openPayerAccount, type PayerAccount } from '../../node/settlement/payerAccount.ts'
import { createSeededRandom } from '../../node/system/seededRandom.ts'
import { createSimulatedClock } from '../../node/system/simulatedClock.ts'
import { createMachine } from '../../scripts/market/world/machine.ts'
import {
  identityOf,
  providerParty,
  schedulerParty,
  WORLD_NETWORK,
} from '../../scripts/market/world/parties.ts'
import { keptLogger } from './quietLogger.ts'

export const MODEL = 'words'
export const TICK = 80
const START_MS = 1_795_000_000_000
const BLOCK_MS = 500

/** The first block of a second, as the chain of this world has it. */
export const worldBlock = (atS: number) =>
  simulatedBlock({ networkId: WORLD_NETWORK, blockMs: BLOCK_MS }, (atS * 1_000) / BLOCK_MS)

export type Proving = Parameters<typeof providerParty>[1]['proving']
export type JobStream = MessageStream<typeof JobMessageSchema>

/** Builds a world; nobody runs in it yet. */
export function createRoleWorld(
  seed: string,
  backend: Partial<SimulatedOptions> = {},
  queueLimit?: number,
) {
  const random = createSeededRandom(seed)
  const clock = createSimulatedClock({ startMs: START_MS })
  const network = createSimulatedNetwork({ clock, random: random.fork('net'), latencyMs: 5 })
  const ton = createSimulatedChain({ clock, networkId: WORLD_NETWORK, blockMs: BLOCK_MS })
  const logger = keptLogger()
  const needs = {
    clock,
    random,
    network,
    chain: ton.chain(),
    logger,
    watch: <T>(_: string, store: T) => store,
    onLost: () => undefined,
  }
  const machine = (name: string) => {
    const made = createMachine(needs, name)
    ton.faucet(ton.wallet(made.keystore.key('wallet')).address, 20n * TON)
    return made
  }
  const own = machine('scheduler')
  const addresses = network.transport(own.keystore.secret('peer').reveal()).addresses()
  const at = { identity: identityOf(own.keystore), addresses }
  const scheduler = schedulerParty(own, 1, queueLimit)
  const run = <T>(promise: Promise<T>, limitMs = 120_000) => clock.settle(promise, limitMs)
  const tokensAtMs: number[] = []
  const models = [{ id: MODEL, places: 2 }]
  const provider = (name: string, tick = TICK, proving?: Proving) =>
    providerParty(machine(name), {
      tick,
      proving,
      scheduler: at,
      backend: (ownClock) =>
        timed(startSimulated({ models, clock: ownClock, seed: 1, ...backend }), () =>
          tokensAtMs.push(clock.monotonicMs()),
        ),
    })
  const parties = { machine, scheduler, provider, at, tokensAtMs }
  const world = { clock, network, ton, logger, run, random, ...parties }
  return {
    ...world,
    /** A client by hand: greeted, with a funded channel and, unless told otherwise, an account. */
    client: (name: string, change?: HandOptions) => run(handClient(world, name, change)),
    /** A provider by hand: greeted, its account served; `offer` announces, jobs come to `serve`. */
    handProvider: (name: string, serve: (stream: JobStream) => Promise<void>) =>
      run(handProvider(world, name, serve)),
    /** Runs until the provider's slot can be sold. */
    listed: () =>
      clock.runUntil(
        () =>
          scheduler
            .role()
            ?.status()
            .providers.some((each) => each.payable) ?? false,
        60_000,
      ),
  }
}

type World = Omit<ReturnType<typeof createRoleWorld>, 'client' | 'handProvider' | 'listed'>

export interface HandOptions {
  readonly closeDelayS?: number
  readonly account?: boolean
}

export interface HandClient {
  readonly transport: Transport
  readonly account: PayerAccount
  readonly config: ReturnType<typeof newChannelConfig>
  readonly needs: Parameters<typeof openPayerAccount>[0]
  readonly options: Parameters<typeof openPayerAccount>[1]
  readonly jobKey: SigningKey
  readonly kem: Kem
  spec(change?: Partial<JobSpec>): JobSpec
  /** Opens a job stream and submits. */
  submit(change?: Partial<JobSpec>): Promise<JobStream>
}

async function handClient(
  world: World,
  name: string,
  change: HandOptions = {},
): Promise<HandClient> {
  const { random, at } = world
  const ports = world.machine(name).boot()
  const { transport, keystore, clock } = ports
  const peer = await transport.dial(at.addresses)
  const hello = await greet(ports, peer, { networkId: WORLD_NETWORK, role: 'client' })
  const voucherKey = keystore.key('voucher', name)
  const config = newChannelConfig(random, {
    payer: ports.wallet.address,
    payee: hello.server!.wallet,
    voucherKey: voucherKey.publicKey,
    closeDelayS: change.closeDelayS ?? hello.terms!.minCloseDelayS,
    network: WORLD_NETWORK,
  })
  await openChannel(ports, config, TON)
  const needs = { ...ports, networkId: WORLD_NETWORK }
  const payeeIdentity = hello.server!.identity
  const options = { peer, payeeIdentity, config, voucherKey, maxExposure: TON / 2n }
  const account =
    change.account === false
      ? (undefined as unknown as PayerAccount)
      : await openPayerAccount(needs, options)
  const spec = (asked: Partial<JobSpec> = {}): JobSpec => ({
    jobId: toHex(random.bytes(16)),
    channel: account.channel,
    clientJobKey: keystore.key('job', name).publicKey,
    model: MODEL,
    maxTick: 95,
    promptTokens: 64,
    maxTokens: 64,
    minTier: 'simulated',
    regions: [],
    gpus: [],
    minMemoryGiB: 0,
    exclude: [],
    tags: [],
    speedWeight: 0,
    priority: 0,
    deadlineMs: 5_000,
    ...asked,
  })
  const submit = async (asked?: Partial<JobSpec>) => {
    const raw = await transport.open(peer, PROTOCOLS.job)
    const stream = messageStream(JobMessageSchema, raw, clock)
    await stream.send({ kind: { case: 'submit', value: toSubmit(spec(asked)) } })
    return stream
  }
  const jobKey = keystore.key('job', name)
  return { transport, account, config, needs, options, spec, submit, jobKey, kem: ports.kem }
}

async function handProvider(
  world: World,
  name: string,
  serve: (stream: JobStream) => Promise<void>,
) {
  const { at } = world
  const ports = world.machine(name).boot()
  const { transport, keystore, clock } = ports
  const identity = keystore.key('identity')
  const keys = { identity, peer: keystore.key('peer'), wallet: keystore.key('wallet') }
  const expiryS = START_MS / 1000 + 86_400
  const role = 'provider' as const
  const binding = signBinding({ networkId: WORLD_NETWORK, role, ...keys, expiryS })
  const book = await openPayeeBook(ports, {
    networkId: WORLD_NETWORK,
    identity,
    payee: ports.wallet.address,
    minCloseDelayS: 86_400,
    countersigned: () => true,
  })
  await transport.handle(PROTOCOLS.account, book.serve)
  await transport.handle(PROTOCOLS.job, (raw: FrameStream) =>
    serve(messageStream(JobMessageSchema, raw, clock)),
  )
  const peer = await transport.dial(at.addresses)
  await greet(ports, peer, { networkId: WORLD_NETWORK, role, binding })
  const stream = messageStream(
    OfferMessageSchema,
    await transport.open(peer, PROTOCOLS.offer),
    clock,
  )
  const { multipliers, steps, window } = DEFAULT_PARAMETERS
  const offer = async (change: object = {}) => {
    const value = {
      slot: 's',
      model: MODEL,
      modelHash: new Uint8Array(32).fill(9),
      tick: 10,
      capacity: 2,
      tier: 'simulated',
      contextTokens: 512,
      multipliers,
      steps: { ...steps, reasoning: 0 },
      window,
      ...change,
    }
    await stream.send({ kind: { case: 'offer', value } })
    const answer = await stream.next()
    return answer?.kind.case === 'result' ? answer.kind.value.code : 'nothing'
  }
  return { ports, identity, book, offer, stream }
}

/** Tells of each piece of text that a backend makes. */
function timed(backend: Backend, onToken: () => void): Backend {
  return {
    models: backend.models,
    stop: () => backend.stop(),
    async *run(request, signal) {
      for await (const piece of backend.run(request, signal)) {
        if (piece.type === 'text') onToken()
        yield piece
      }
    },
  }
}

/** Seals a request to what was placed, as a client does, without asking whether to trust it. */
export async function sealTo(
  placed: Placed,
  clientJobKey: SigningKey,
  kem: Kem,
  request: JobRequest,
): Promise<{ sealed: Uint8Array; response: ResponseOpener }> {
  const { lease: signed, accepted } = placed
  const leaseCell = parseRecord(signed!.record)
  const acceptCell = parseRecord(accepted!.record)
  const epoch = epochKey.decode(parseRecord(accepted!.epochKey), WORLD_NETWORK)
  const terms = lease.decode(leaseCell, WORLD_NETWORK)
  const binding = {
    network: WORLD_NETWORK,
    leaseHash: recordHash(leaseCell),
    acceptHash: recordHash(acceptCell),
    minTier: terms.minTier,
    evidenceDigest: accept.decode(acceptCell, WORLD_NETWORK).evidenceDigest,
  }
  const body = encodeRequest(request)
  const epochPublicKey = epoch.kemPublicKey
  return sealRequest({ kem, epochPublicKey, binding, clientJobKey, request: body })
}

/** The next message of a job stream as its case and value. */
export async function nextOf(stream: JobStream): Promise<JobMessage['kind']> {
  const message = await stream.next(60_000)
  return message?.kind ?? { case: undefined }
}

/** The code of the refusal that comes next; the case of what came instead otherwise. */
export async function refusalOf(stream: JobStream): Promise<string> {
  const kind = await nextOf(stream)
  return kind.case === 'refused' ? kind.value.code : `${kind.case}`
}
