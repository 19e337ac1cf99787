/**
 * The embedded engine as a backend: llama.cpp in a process of its own, for small models.
 *
 * Text and counts leave here only as they are paid for: the engine computes a few tokens ahead
 * (`LIMITS.engineAheadTokens`), and what was not delivered is not counted.
 * @module
 */
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import {
  askToContinue,
  type Backend,
  type BackendModel,
  type BackendPiece,
  type BackendRequest,
  checkRequest,
  type FinishReason,
  neverStarted,
  type TokenLogprob,
} from '../backend.ts'
import { createPlaces } from '../places.ts'
import { type Confinement, describeConfinement } from './confinement.ts'
import { type SupervisorOptions, supervise } from './supervisor.ts'
import type { WorkerJob } from './worker.ts'

export interface EmbeddedOptions extends SupervisorOptions {
  /** Name under which the model is offered. */
  readonly modelId: string
  /** Label it as a demonstration. Default: false. */
  readonly demo?: boolean
  /** Id of a tokenizer that counts as this model does. */
  readonly tokenizer?: string
}

/** An engine that is up: its process, how long its model took to load, what it is held to. */
export interface Engine {
  readonly pid: number
  readonly loadMs: number
  readonly confinement: Confinement
}

/** A backend whose engine process can be named, so that an owner can see and measure it. */
export interface EmbeddedBackend extends Backend {
  /** The engine process; undefined while it is down. */
  engine(): Promise<Engine | undefined>
}

/**
 * Starts an engine on a GGUF file whose SHA-256 is `expectedHash`. Throws `bad-config`,
 * `bad-model`, `engine-failed`.
 *
 * @example
 * const backend = await startEmbedded({ ...TINY_CHAT, places: 2, clock, logger })
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedBackend> {
  if (!(options.places >= 1 && options.places <= LIMITS.enginePlaces)) {
    throw new MarketError('bad-config', { setting: 'places', most: LIMITS.enginePlaces })
  }
  const supervisor = await supervise(options)
  const places = createPlaces(options.places)
  const first = await supervisor.worker(new AbortController().signal)
  if (!first) throw new MarketError('engine-failed', { detail: 'down' })
  const model: BackendModel = {
    id: options.modelId,
    weightsHash: options.expectedHash,
    contextTokens: first.contextTokens,
    places: options.places,
    demo: options.demo ?? false,
    tokenizer: options.tokenizer,
  }
  const models = [model]

  async function* run(request: BackendRequest, signal: AbortSignal): AsyncGenerator<BackendPiece> {
    checkRequest(request, models)
    const release = await places.take(signal)
    if (!release) return yield neverStarted
    let job: WorkerJob | undefined
    try {
      const worker = await supervisor.worker(signal)
      if (!worker) return yield neverStarted
      job = worker.begin(engineJob(request))
      yield* converse(job, request, signal)
    } finally {
      job?.close()
      // The reader goes on at once; the place is free when the engine has let go of it.
      void (job?.settled ?? Promise.resolve()).then(release)
    }
  }

  return {
    models,
    run,
    about: () => describeConfinement(supervisor.confinement()),
    async engine() {
      const worker = await supervisor.worker(AbortSignal.timeout(0)).catch(() => undefined)
      if (!worker) return undefined
      const { pid, loadMs, confinement } = worker
      return { pid, loadMs, confinement }
    },
    async stop() {
      places.close(new MarketError('backend-failed', { engine: 'stopped' }))
      await supervisor.stop()
    },
  }
}

/** Messages of the engine to pieces, each only once it is paid for. */
async function* converse(
  job: WorkerJob,
  request: BackendRequest,
  signal: AbortSignal,
): AsyncGenerator<BackendPiece> {
  const usage = { prompt: 0, cachedPrompt: 0, completion: 0, reasoning: 0 }
  const end = (finishReason: FinishReason): BackendPiece => ({
    type: 'end',
    finishReason,
    usage: { ...usage },
  })
  const chances: TokenLogprob[] = [] // of tokens that have no text yet
  for (;;) {
    const message = await job.take(signal)
    if (!message) return yield end('aborted')
    if (message.type === 'broken') {
      throw new MarketError('backend-failed', { engine: message.detail })
    }
    if (message.type === 'too-long') {
      const { prompt, context } = message
      throw new MarketError('prompt-too-long', { promptTokens: prompt, contextTokens: context })
    }
    if (message.type === 'done') {
      const completionTokens = usage.completion
      if (chances.length > 0) yield { type: 'text', text: '', completionTokens, logprobs: chances }
      return yield end(message.finish)
    }
    if (message.type === 'prompt') {
      usage.prompt = message.tokens
      yield { type: 'prompt', prompt: message.tokens, cachedPrompt: 0 }
      continue
    }
    const { completion, text } = message
    const answer = await askToContinue(request, completion, usage.completion, signal)
    if (answer !== 'yes') return yield end(answer)
    usage.completion = completion
    chances.push(...(message.logprobs ?? []))
    if (text) {
      const logprobs = chances.length > 0 ? chances.splice(0) : undefined
      yield { type: 'text', text, completionTokens: completion, logprobs }
    }
    job.grant(completion + LIMITS.engineAheadTokens)
  }
}

function engineJob(request: BackendRequest) {
  const { messages, maxTokens, temperature, topP, seed, stop, topLogprobs } = request
  return {
    messages: messages.reveal().map(({ role, content }) => ({ role, content })),
    maxTokens,
    temperature: temperature ?? 0,
    topP: topP ?? 1,
    seed,
    stop: stop ?? [],
    topLogprobs: topLogprobs ?? 0,
  }
}
