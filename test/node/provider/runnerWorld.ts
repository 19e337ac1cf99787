/**
 * One job stream at a provider, without the roles round it: the real runner, epochs and sealing on
 * simulated time, and the other end's hands on the stream, which a test may stall.
 * @module
 */
import { type Bytes, toHex, utf8 } from '../../../contracts/base/bytes.ts'
import type { Kem } from '../../../contracts/base/ports.ts'
import { sha256, signingKey } from '../../../contracts/base/signing.ts'
import { createEpochs, currentEpoch, type Epoch } from '../../../contracts/seal/epoch.ts'
import { nativeKem } from '../../../contracts/seal/kem.ts'
import { sealRequest } from '../../../contracts/seal/request.ts'
import {
  type JobMessage,
  JobMessageSchema,
} from '../../../contracts/wire/generated/chrysalis_pb.ts'
import { decodeMessage, encodeMessage } from '../../../contracts/wire/messages.ts'
import { encodeRequest } from '../../../contracts/wire/request.ts'
import type { Backend } from '../../../node/backends/backend.ts'
import { startSimulated } from '../../../node/backends/simulated.ts'
import { encodeFrames } from '../../../node/net/framing.ts'
import type { MessageStream } from '../../../node/net/messageStream.ts'
import type { AcceptedLease } from '../../../node/provider/accepting.ts'
import { runJob } from '../../../node/provider/jobRunner.ts'
import type { PayeeAccount } from '../../../node/settlement/payeeBook.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'
import { LEASE } from '../../contracts/wire/recordSamples.ts'
import { keptLogger } from '../../support/quietLogger.ts'

const START_MS = 1_795_000_000_000
export const MODEL = 'words'
export const CLIENT_JOB_KEY = signingKey(sha256(utf8('client job key')))
export const EPOCH_LIFE_S = 600

/** A message as it left: when, on simulated time, and its bytes with their framing. */
export interface Left {
  readonly atMs: number
  readonly bytes: Bytes
  readonly message: JobMessage
}

/** A provider with one epoch; jobs run in it one by one. */
export function createRunnerWorld(
  options: {
    tokenMs?: number
    answerTokens?: number
    /** Each token has this text, instead of a word. */
    text?: string
    /** What a decapsulation takes, on the same clock. */
    workMs?: number
  } = {},
) {
  const simulatedClock = createSimulatedClock({ startMs: START_MS })
  let workedMs = 0
  const monotonicMs = () => simulatedClock.monotonicMs() + workedMs
  const clock = { ...simulatedClock, monotonicMs }
  const native = nativeKem()
  const kem: Kem = {
    ...native,
    decapsulate(secretKey, enc) {
      workedMs += options.workMs ?? 0
      return native.decapsulate(secretKey, enc)
    },
  }
  const epochs = createEpochs(EPOCH_LIFE_S)
  const epoch = currentEpoch(epochs, START_MS / 1000, kem)
  const logger = keptLogger()
  const { tokenMs = 20, answerTokens = 100 } = options
  const simulated = startSimulated({
    models: [{ id: MODEL, places: 4 }],
    clock,
    seed: 1,
    tokenMs,
    answerTokens: () => answerTokens,
  })
  let tokens = 0
  const backend: Backend = {
    ...simulated,
    async *run(request, signal) {
      for await (const piece of simulated.run(request, signal)) {
        if (piece.type !== 'text') yield piece
        else {
          tokens++
          yield { ...piece, text: options.text ?? piece.text }
        }
      }
    },
  }
  const identity = signingKey(sha256(utf8('identity')))
  const deps = { clock, logger, kem, identity, backend, epochs }

  /** A job under an accepted lease; `send` hands its sealed request to the provider. */
  const job = (accepted: AcceptedLease) => {
    const hands = createHands(clock.monotonicMs)
    const done: string[] = []
    const served = runJob(deps, hands.stream, {
      accepted,
      account: richAccount,
      issue: async () => void done.push('receipt'),
      release: () => done.push('place'),
    })
    const send = (bytes: Bytes) => hands.give({ kind: { case: 'request', value: { bytes } } })
    return { ...hands, send, served, done }
  }
  const accept = (name: string) => acceptedAs(name, epoch)
  return { clock, kem, epochs, epoch, logger, accept, job, tokens: () => tokens }
}

type World = ReturnType<typeof createRunnerWorld>

/** Seals a request as the client of `accepted` does; `change` gives it other terms or keys. */
export function sealFor(
  { kem, epoch }: Pick<World, 'kem' | 'epoch'>,
  accepted: AcceptedLease,
  change: { epochPublicKey?: Bytes; binding?: AcceptedLease['binding'] } = {},
) {
  const messages = [{ role: 'user' as const, content: 'a few words' }]
  return sealRequest({
    kem,
    epochPublicKey: change.epochPublicKey ?? epoch.kemPublicKey,
    binding: change.binding ?? accepted.binding,
    clientJobKey: CLIENT_JOB_KEY,
    request: encodeRequest({ messages, maxTokens: 4_000 }),
  })
}

function acceptedAs(name: string, epoch: Epoch): AcceptedLease {
  const jobId = sha256(utf8(`job ${name}`)).subarray(0, 16)
  const lease = {
    ...LEASE,
    jobId,
    clientJobKey: CLIENT_JOB_KEY.publicKey,
    minTier: 'open' as const,
  }
  return {
    lease,
    jobId: toHex(jobId),
    model: MODEL,
    tier: 'open',
    epoch: epoch.epoch,
    binding: {
      network: lease.network,
      leaseHash: sha256(utf8(`lease ${name}`)),
      acceptHash: sha256(utf8(`accept ${name}`)),
      minTier: 'open',
      evidenceDigest: sha256(utf8('evidence')),
    },
  }
}

/** An account that has been granted more than any job costs. */
const richAccount = {
  granted: () => 10n ** 15n,
  onGrant: () => () => undefined,
} as unknown as PayeeAccount

/** The other end of a job stream: what it gives, what it has seen, and a valve on its reading. */
function createHands(nowMs: () => number) {
  const left: Left[] = []
  const given: JobMessage[] = []
  let wake = Promise.withResolvers<void>()
  let ended = false
  let valve = Promise.resolve()
  let open: () => void = () => undefined
  const end = () => {
    ended = true
    wake.resolve()
  }
  async function* reading() {
    for (;;) {
      const next = given.shift()
      if (next) yield next
      else if (ended) return
      else {
        await wake.promise
        wake = Promise.withResolvers<void>()
      }
    }
  }
  const stream: MessageStream<typeof JobMessageSchema> = {
    peer: 'scheduler',
    async send(message) {
      const encoded = encodeMessage(JobMessageSchema, message)
      const seen = decodeMessage(JobMessageSchema, encoded)
      await valve // as a transport does: `send` resolves when there is room
      left.push({ atMs: nowMs(), bytes: encodeFrames([encoded]), message: seen })
    },
    next: () => Promise.reject(new Error('the runner iterates')),
    [Symbol.asyncIterator]: reading,
    close: async () => end(),
    abort: end,
  }
  return {
    stream,
    left,
    /** Sealed frames that have left, in order. */
    frames: () =>
      left.flatMap(({ message }) =>
        message.kind.case === 'frames' ? message.kind.value.frames : [],
      ),
    give(message: Parameters<typeof encodeMessage<typeof JobMessageSchema>>[1]) {
      given.push(decodeMessage(JobMessageSchema, encodeMessage(JobMessageSchema, message)))
      wake.resolve()
    },
    /** The reader stops reading: nothing leaves any more. */
    stall() {
      const held = Promise.withResolvers<void>()
      valve = held.promise
      open = held.resolve
    },
    resume: () => open(),
    hangUp: end,
  }
}
