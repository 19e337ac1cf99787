/**
 * A simulated backend: words drawn by seed, timed by the clock port, failing on request.
 *
 * It is the twin of the real backends for worlds that must replay exactly. It runs no model: its
 * models are marked `demo` and their weights hash is the hash of a label that says so.
 * @module
 */
import { utf8 } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import { sha256 } from '../../contracts/base/signing.ts'
import {
  askToContinue,
  type Backend,
  type BackendModel,
  type BackendPiece,
  type BackendRequest,
  checkRequest,
  type FinishReason,
  neverStarted,
} from './backend.ts'
import { createModelPlaces } from './places.ts'
import { createStopFilter } from './stopText.ts'

/** What goes wrong with one run. */
export interface Fault {
  /** Says nothing more after so many tokens, until it is aborted. */
  readonly stallAfter?: number
  /** Breaks off with `backend-failed` after so many tokens. */
  readonly dieAfter?: number
  /** Times as slow as the others. */
  readonly slowdown?: number
}

export interface SimulatedOptions {
  readonly models: readonly {
    readonly id: string
    readonly places: number
    readonly contextTokens?: number
  }[]
  readonly clock: Clock
  readonly seed: number
  /** Duration of one prompt token and one completion token, in milliseconds. */
  readonly promptTokenMs?: number
  readonly tokenMs?: number
  /** Natural length of an answer in tokens; default: 8 to 71, by seed and messages. */
  readonly answerTokens?: (request: BackendRequest) => number
  /** Asked once a run, in the order in which runs get a place, counted from 0. */
  readonly fault?: (run: number, request: BackendRequest) => Fault | undefined
}

const WORDS = [
  ...['amber', 'birch', 'cloud', 'delta', 'ember', 'field', 'grove', 'harbor', 'island'],
  ...['jungle', 'kettle', 'lantern', 'meadow', 'north', 'ocean', 'pebble', 'quiet', 'river'],
  ...['silver', 'timber', 'upland', 'valley', 'willow', 'yarrow', 'zephyr'],
]
const CONTEXT_TOKENS = 4_096

/**
 * Starts a simulation. One word is one token, for prompts too; temperature has no effect.
 *
 * @example
 * const backend = startSimulated({ models: [{ id: 'sim', places: 4 }], clock, seed: 7 })
 */
export function startSimulated(options: SimulatedOptions): Backend {
  const models = options.models.map(describe)
  const places = createModelPlaces(models)
  let runs = 0

  async function* run(request: BackendRequest, signal: AbortSignal): AsyncGenerator<BackendPiece> {
    const model = checkRequest(request, models)
    const release = await places.take(model.id, signal)
    if (!release) return yield neverStarted
    try {
      const fault = options.fault?.(runs++, request) ?? {}
      const wait = (ms: number) =>
        pause(options.clock, ms * (fault.slowdown ?? 1), signal, places.stopping)
      yield* answer({ options, model, request, fault, wait }, signal)
    } finally {
      release()
    }
  }

  return { models, run, stop: places.stop }
}

/** One run of the simulation. */
interface Run {
  readonly options: SimulatedOptions
  readonly model: BackendModel
  readonly request: BackendRequest
  readonly fault: Fault
  /** Waits; false where the job was aborted. */
  readonly wait: (ms: number) => Promise<boolean>
}

async function* answer(run: Run, signal: AbortSignal): AsyncGenerator<BackendPiece> {
  const { options, model, request, fault, wait } = run
  const { promptTokenMs = 0.1, tokenMs = 2 } = options
  const usage = { prompt: 0, cachedPrompt: 0, completion: 0, reasoning: 0 }
  const end = (finishReason: FinishReason): BackendPiece => ({
    type: 'end',
    finishReason,
    usage: { ...usage },
  })
  const prompt = request.messages.reveal().reduce((sum, { content }) => sum + words(content), 0)
  if (prompt >= model.contextTokens) {
    const facts = { promptTokens: prompt, contextTokens: model.contextTokens }
    throw new MarketError('prompt-too-long', facts)
  }
  if (!(await wait(prompt * promptTokenMs))) return yield end('aborted')
  usage.prompt = prompt
  yield { type: 'prompt', prompt, cachedPrompt: 0 }

  const filter = createStopFilter(request.stop ?? [])
  const whole = answerOf(options, request)
  const most = Math.min(request.maxTokens, model.contextTokens - prompt)
  for (let count = 1; count <= Math.min(most, whole.length); count++) {
    if (count - 1 === fault.dieAfter) throw new MarketError('backend-failed', { simulated: true })
    const stalls = count - 1 === fault.stallAfter
    if (!(await wait(stalls ? Number.POSITIVE_INFINITY : tokenMs))) return yield end('aborted')
    const may = await askToContinue(request, count, usage.completion, signal)
    if (may !== 'yes') return yield end(may)
    usage.completion = count
    const { text, stopped } = filter.push(whole[count - 1] ?? '')
    if (text) yield { type: 'text', text, completionTokens: count }
    if (stopped) return yield end('stop')
  }
  const rest = filter.flush()
  if (rest) yield { type: 'text', text: rest, completionTokens: usage.completion }
  yield end(most < whole.length ? 'length' : 'stop')
}

function describe(model: SimulatedOptions['models'][number]): BackendModel {
  return {
    id: model.id,
    weightsHash: sha256(utf8(`simulated model, no weights: ${model.id}`)),
    contextTokens: model.contextTokens ?? CONTEXT_TOKENS,
    places: model.places,
    demo: true,
    tokenizer: 'simulated-words',
  }
}

/** The answer's tokens: a function of seed and messages only. */
function answerOf(options: SimulatedOptions, request: BackendRequest): string[] {
  const said = request.messages.reveal()
  const text = said.map(({ role, content }) => `${role}\n${content}`).join('\n')
  const digest = sha256(utf8(`${options.seed} ${request.seed ?? 0} ${request.model}\n${text}`))
  let state = new DataView(digest.buffer).getUint32(0)
  const length = options.answerTokens?.(request) ?? 8 + (digest[4]! % 64)
  return Array.from({ length }, (_, index) => {
    // A linear congruence, whose low bits repeat: the word comes from the high ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const word = WORDS[(state >>> 16) % WORDS.length] ?? ''
    return index === 0 ? word : ` ${word}`
  })
}

/** False where the job's signal came first. Throws what the backend was stopped with. */
async function pause(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  stopping: AbortSignal,
): Promise<boolean> {
  const either = AbortSignal.any([signal, stopping])
  try {
    if (Number.isFinite(ms)) await clock.sleep(ms, either)
    else await forever(either)
    return true
  } catch (thrown) {
    if (signal.aborted) return false
    throw stopping.aborted ? asMarketError(stopping.reason, 'backend-failed') : thrown
  }
}

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

function words(text: string): number {
  return text.split(/\s+/).filter(Boolean).length
}
