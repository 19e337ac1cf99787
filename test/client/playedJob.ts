/**
 * Jobs of the played market: one peer that is scheduler and provider in one, following a script.
 *
 * Accounts, seal and records are the real modules; what is played is who says what. Used by
 * `playedMarket.ts`.
 * @module
 */
import { lesser } from '../../client/payAhead.ts'
import { type Bytes, fromHex, toHex } from '../../contracts/base/bytes.ts'
import type { FrameStream } from '../../contracts/base/ports.ts'
import { affordable, billed, cost, feeOn, type TokenUsage } from '../../contracts/money/price.ts'
import type { seededKem } from '../../contracts/seal/kemSeeded.ts'
import { encodePiece, fillContent, type Piece, USED_BYTES } from '../../contracts/seal/pieces.ts'
import { openRequest } from '../../contracts/seal/request.ts'
import {
  type JobMessage,
  JobMessageSchema,
  OfferMessageSchema,
} from '../../contracts/wire/generated/chrysalis_pb.ts'
import {
  type Lease,
  type Receipt,
  receipt,
  recordBytes,
  recordHash,
  signRecord,
} from '../../contracts/wire/records.ts'
import { parseRequest } from '../../contracts/wire/request.ts'
import { type JobSpec, parseSubmit } from '../../contracts/wire/submit.ts'
import { type MessageStream, messageStream } from '../../node/net/messageStream.ts'
import type { openPayeeBook, PayeeAccount } from '../../node/settlement/payeeBook.ts'
import type { createSimulatedClock } from '../../node/system/simulatedClock.ts'
import {
  type Forgery,
  type Keys,
  MODEL_HASH,
  NETWORK_ID,
  place,
  providerFor,
  TICK,
} from './playedPlacement.ts'

export { FEE, MODEL_HASH, NETWORK_ID, simulatedEvidence, TICK } from './playedPlacement.ts'

type JobStream = MessageStream<typeof JobMessageSchema>

/** What the client says on a job stream, in order; `aborted` is seen without reading. */
interface Inbox {
  readonly aborted: boolean
  next(): Promise<JobMessage['kind'] | undefined>
}

/** What the played peer does, by attempt; each has an honest default. */
export interface Script {
  /** What a hostile scheduler changes in the placement. */
  readonly forge?: Forgery
  /** Changes the receipt before it is signed. */
  readonly receipt?: (receipt: Receipt) => Receipt
  /** The answer, one piece a frame. */
  readonly pieces?: (attempt: number) => readonly Piece[]
  /** After this many frames of an attempt the provider is lost. */
  readonly loseAfter?: (attempt: number) => number | undefined
  /** After this many frames the whole connection dies. */
  readonly dieAfter?: number
  /** Works without being paid for it: to see what the client pays on its own. */
  readonly ignoreMoney?: boolean
  /** Time before each frame. */
  readonly paceMs?: number
  /** Says that the job must wait first. */
  readonly queued?: boolean
}

export function textPiece(text: string, completionTokens: number): Piece {
  return { type: 'text', text, completionTokens, reasoningTokens: 0 }
}

export const HONEST: readonly Piece[] = [
  { type: 'usage', usage: { prompt: 20, cachedPrompt: 0, completion: 0, reasoning: 0 } },
  textPiece('Hello', 1),
  textPiece(' world', 2),
  { type: 'end', finishReason: 'stop' },
]

/** What the peer has seen of its clients. */
export interface Served {
  jobs: number
  /** Messages of the requests that it could open, as JSON. */
  readonly requests: string[]
  /** For each job what its client said after the submit, byte for byte. */
  readonly heard: Bytes[][]
  /** When placements went out, and when aborts came in. */
  readonly placedMs: number[]
  readonly abortedMs: number[]
}

export type PlayedPeer = {
  readonly clock: ReturnType<typeof createSimulatedClock>
  readonly kem: ReturnType<typeof seededKem>
  readonly keys: Keys
  readonly book: Awaited<ReturnType<typeof openPayeeBook>>
  readonly served: Served
  readonly live: { script: Script }
  readonly hangUp: (peer: string) => Promise<void>
}

export async function listModels(raw: FrameStream, { clock }: PlayedPeer): Promise<void> {
  const stream = messageStream(OfferMessageSchema, raw, clock)
  await stream.next()
  const model = {
    model: 'm',
    modelHash: MODEL_HASH,
    lowestTick: TICK,
    places: 1,
    providers: 1,
    tiers: ['simulated'],
    contextTokens: 512,
    demo: true,
  }
  await stream.send({ kind: { case: 'models', value: { models: [model] } } })
  await stream.close()
}

export async function playJob(raw: FrameStream, peer: PlayedPeer): Promise<void> {
  const heard: Bytes[] = []
  peer.served.heard.push(heard)
  const stream = messageStream(JobMessageSchema, overheard(raw, heard), peer.clock)
  const first = await stream.next()
  if (first?.kind.case !== 'submit') return
  peer.served.jobs++
  const spec = parseSubmit(first.kind.value)
  if (peer.live.script.queued) await stream.send({ kind: { case: 'queued', value: { ahead: 1 } } })
  const inbox = openInbox(stream, peer)
  for (let attempt = 1; attempt <= 3; attempt++) {
    const ended = await playAttempt(stream, inbox, spec, attempt, peer)
    if (ended) break
    const answer = await inbox.next()
    if (answer?.case !== 'again') break
  }
  await stream.close().catch(() => undefined)
}

/** The same stream; what comes after the first frame is kept. */
function overheard(raw: FrameStream, heard: Bytes[]): FrameStream {
  async function* frames() {
    let first = true
    for await (const frame of raw.frames) {
      if (!first) heard.push(frame)
      first = false
      yield frame
    }
  }
  return {
    ...{ peer: raw.peer, protocol: raw.protocol, frames: frames() },
    get queuedBytes() {
      return raw.queuedBytes
    },
    send: (frame) => raw.send(frame),
    close: () => raw.close(),
    abort: (reason) => raw.abort(reason),
  }
}

function openInbox(stream: JobStream, peer: PlayedPeer): Inbox {
  const inbox = { aborted: false, queue: [] as JobMessage['kind'][], ended: false }
  let wake: () => void = () => undefined
  const pump = async () => {
    for await (const { kind } of stream) {
      if (kind.case === 'abort') {
        inbox.aborted = true
        peer.served.abortedMs.push(peer.clock.monotonicMs())
      }
      inbox.queue.push(kind)
      wake()
    }
  }
  const end = () => {
    inbox.aborted = true
    inbox.ended = true
    wake()
  }
  void pump().then(end, end)
  return {
    get aborted() {
      return inbox.aborted
    },
    async next() {
      while (inbox.queue.length === 0 && !inbox.ended) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return inbox.queue.shift()
    },
  }
}

/** One attempt; false where the provider was lost and another may follow. */
async function playAttempt(
  stream: JobStream,
  inbox: Inbox,
  spec: JobSpec,
  attempt: number,
  peer: PlayedPeer,
): Promise<boolean> {
  const { clock, live, book, keys } = peer
  const { script } = live
  const placed = place(spec, attempt, peer, script.forge)
  peer.served.placedMs.push(clock.monotonicMs())
  await stream.send({ kind: { case: 'placed', value: { ...placed.message, attempt } } })
  const message = await inbox.next()
  if (message?.case !== 'request') return true
  const { request, response } = await openRequest({
    kem: peer.kem,
    epochSecretKey: placed.secretKey,
    binding: placed.binding,
    clientJobPublicKey: spec.clientJobKey,
    sealed: message.value.bytes,
  })
  peer.served.requests.push(JSON.stringify(parseRequest(request).messages))
  const account = book.live(spec.channel.toRawString())!.account
  const pieces = script.pieces?.(attempt) ?? HONEST
  const usage = { prompt: 0, cachedPrompt: 0, completion: 0, reasoning: 0 }
  const loseAfter = script.loseAfter?.(attempt)
  let outcome: Receipt['outcome'] = 'completed'
  for (const [at, piece] of pieces.entries()) {
    if (loseAfter === at) {
      const value = { attempt, code: 'unreachable', mayRetry: at === 0 && attempt < 3 }
      await stream.send({ kind: { case: 'lost', value } })
      return at > 0
    }
    for (let ms = 0; ms < (script.paceMs ?? 0) && !inbox.aborted; ms += 10) await clock.sleep(10)
    if (script.dieAfter === at) {
      await clock.sleep(50) // what was sent arrives first
      await peer.hangUp(stream.peer)
      return true
    }
    count(usage, piece)
    const waited = await untilPaid(account, spec, placed.lease, usage, script, clock)
    if (!waited || inbox.aborted) {
      outcome = inbox.aborted ? 'aborted' : 'unpaid'
      uncount(usage, piece)
      const end = { type: 'end', finishReason: inbox.aborted ? 'abort' : 'length' } as const
      await sendPiece(stream, response, end, true)
      break
    }
    await sendPiece(stream, response, piece, at === pieces.length - 1)
  }
  const signed = receiptOf(placed.lease, placed.leaseHash, usage, outcome, peer)
  const record = script.receipt?.({ ...signed, transcriptHash: response.transcriptHash() }) ?? {
    ...signed,
    transcriptHash: response.transcriptHash(),
  }
  const cell = receipt.encode(record)
  const granted = account.granted(toHex(fromHex(spec.jobId)))
  const due = record.cost + record.fee
  await account.finish(spec.jobId, lesser(due, granted), recordHash(cell))
  const value = { receipt: recordBytes(cell), signature: signRecord(cell, providerFor(spec, keys)) }
  await stream.send({ kind: { case: 'finished', value } })
  return true
}

async function sendPiece(
  stream: JobStream,
  response: { seal(content: Bytes, final: boolean): Bytes },
  piece: Piece,
  final: boolean,
): Promise<void> {
  const bytes = encodePiece(piece)
  const frames: Bytes[] = []
  for (let at = 0; at < bytes.length; at += USED_BYTES) {
    const last = final && at + USED_BYTES >= bytes.length
    frames.push(response.seal(fillContent(bytes.subarray(at, at + USED_BYTES)), last))
  }
  await stream.send({ kind: { case: 'frames', value: { frames } } })
}

type Counts = { -readonly [K in keyof TokenUsage]: number }

function count(usage: Counts, piece: Piece): void {
  if (piece.type === 'usage') Object.assign(usage, { ...piece.usage })
  else if ('completionTokens' in piece) {
    usage.completion += piece.completionTokens
    usage.reasoning += piece.reasoningTokens
  }
}

function uncount(usage: Counts, piece: Piece): void {
  if (!('completionTokens' in piece)) return
  usage.completion -= piece.completionTokens
  usage.reasoning -= piece.reasoningTokens
}

/** Waits until the client has paid for the usage; false after ten seconds. */
async function untilPaid(
  account: PayeeAccount,
  spec: JobSpec,
  terms: Lease,
  usage: TokenUsage,
  script: Script,
  clock: PlayedPeer['clock'],
): Promise<boolean> {
  for (let waitedMs = 0; waitedMs <= 10_000; waitedMs += 20) {
    const paid = affordable(account.granted(spec.jobId), usage, terms, true)
    if (script.ignoreMoney || paid >= usage.completion + usage.reasoning) return true
    await clock.sleep(20)
  }
  return false
}

function receiptOf(
  terms: Lease,
  leaseHash: Bytes,
  usage: TokenUsage,
  outcome: Receipt['outcome'],
  { clock }: PlayedPeer,
): Omit<Receipt, 'transcriptHash'> {
  const bill = billed(usage, terms.steps)
  const amount = cost(bill, terms)
  const nowS = Math.floor(clock.nowMs() / 1_000)
  return {
    network: NETWORK_ID,
    leaseHash,
    billed: bill,
    cost: amount,
    fee: feeOn(amount, terms),
    modelHash: terms.modelHash,
    tier: terms.minTier,
    outcome,
    startS: nowS,
    endS: nowS,
  }
}
