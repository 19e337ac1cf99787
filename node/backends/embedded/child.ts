/**
 * The engine process: llama.cpp behind typed messages. `engine.ts` forks it; nothing imports it.
 *
 * One model, one context, one sequence for each place, one thread (two on a busy two-core machine
 * were a thousand times slower). A job's sequence is thrown away with the job, so that nothing of
 * one client's prompt is ever reused for another and cached prompt tokens are always 0.
 * @module
 */
import './lockdown.ts'
import { randomInt } from 'node:crypto'
import {
  type ChatHistoryItem,
  type ChatWrapper,
  getLlama,
  type LlamaContext,
  LlamaLogLevel,
  type LlamaModel,
  resolveChatWrapper,
  type Token,
} from 'node-llama-cpp'
import { LIMITS } from '../../../contracts/base/limits.ts'
import type { BackendMessage, TokenChance, TokenLogprob } from '../backend.ts'
import { createStopFilter } from '../stopText.ts'
import type { EngineJob, FromEngine, ToEngine } from './messages.ts'

interface Engine {
  readonly model: LlamaModel
  readonly context: LlamaContext
  readonly wrapper: ChatWrapper
}

/** A running job as the message loop sees it. */
interface Running {
  upTo: number
  aborted: boolean
  wake: () => void
}

/** A token, with the whole distribution at its place where that was asked for. */
interface Evaluated {
  readonly token: Token
  readonly probabilities?: Map<Token, number>
}

/** Tokens of one character that byte fallback may spread over several. */
const UTF8_BYTES = 4
/** Earlier tokens that decide whether the next one starts with a space. */
const LOOK_BACK = 16

const running = new Map<number, Running>()
let engine: Engine | undefined

process.on('disconnect', () => process.exit(0))
process.on('message', (message: ToEngine) => {
  if (message.type === 'load') void load(message.modelPath, message.places)
  else if (message.type === 'run') void serve(message)
  else {
    const job = running.get(message.job)
    if (!job) return // it ended meanwhile
    if (message.type === 'grant') job.upTo = message.upTo
    else job.aborted = true
    job.wake()
  }
})

function tell(message: FromEngine): void {
  process.send?.(message)
}

async function load(modelPath: string, places: number): Promise<void> {
  try {
    const llama = await getLlama({
      build: 'never',
      skipDownload: true,
      gpu: false,
      maxThreads: 1,
      logLevel: LlamaLogLevel.disabled, // its log would hold text
    })
    const model = await llama.loadModel({ modelPath })
    const contextSize = model.trainContextSize ?? 512
    const context = await model.createContext({ contextSize, sequences: places, threads: 1 })
    const wrapper = resolveChatWrapper(model)
    if (!wrapper) throw new Error('the model has no chat template')
    engine = { model, context, wrapper }
    tell({ type: 'ready', contextTokens: contextSize })
  } catch (thrown) {
    tell({ type: 'failed', detail: thrown instanceof Error ? thrown.message : 'unknown' })
  }
}

async function serve(job: EngineJob): Promise<void> {
  const state: Running = { upTo: job.upTo, aborted: false, wake: () => {} }
  running.set(job.job, state)
  try {
    if (!engine) throw new Error('not loaded')
    tell(await generate(engine, job, state))
  } catch (thrown) {
    // The class only: a message could quote the prompt.
    const detail = thrown instanceof Error ? thrown.constructor.name : 'unknown'
    tell({ type: 'broken', job: job.job, detail })
  } finally {
    running.delete(job.job)
  }
}

/** Runs a job and gives its last message, after its sequence is free again. */
async function generate(on: Engine, job: EngineJob, state: Running): Promise<FromEngine> {
  const context = on.context.contextSize
  const bytes = job.messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
  if (bytes > context * LIMITS.promptBytesPerToken) {
    const prompt = Math.ceil(bytes / LIMITS.promptBytesPerToken) // a lower bound; counting is work
    return { type: 'too-long', job: job.job, prompt, context }
  }
  const prompt = promptTokens(on, job.messages)
  if (prompt.length >= context) {
    return { type: 'too-long', job: job.job, prompt: prompt.length, context }
  }
  tell({ type: 'prompt', job: job.job, tokens: prompt.length })
  const sequence = on.context.getSequence()
  try {
    const most = Math.min(job.maxTokens, context - prompt.length)
    const options = {
      temperature: job.temperature,
      topP: job.topP,
      topK: 0,
      seed: job.seed ?? randomInt(2 ** 32), // the library's own default changes once a second
      yieldEogToken: true,
    }
    const tokens =
      job.topLogprobs > 0
        ? sequence.evaluateWithMetadata(prompt, { probabilities: true }, options)
        : plainTokens(sequence.evaluate(prompt, options))
    return await stream(on, job, state, tokens, most)
  } finally {
    await sequence.dispose() // asynchronous: a place reported free before would not be
  }
}

async function stream(
  on: Engine,
  job: EngineJob,
  state: Running,
  tokens: AsyncGenerator<Evaluated>,
  most: number,
): Promise<FromEngine> {
  const filter = createStopFilter(job.stop)
  const texts = detokenizer(on.model)
  let completion = 0
  const done = (finish: 'stop' | 'length' | 'aborted'): FromEngine => {
    const rest = finish === 'aborted' ? '' : filter.push(texts.flush()).text + filter.flush()
    if (rest) tell({ type: 'text', job: job.job, text: rest, completion })
    return { type: 'done', job: job.job, finish, completion }
  }
  for (;;) {
    while (completion >= state.upTo && !state.aborted) {
      await new Promise<void>((resolve) => {
        state.wake = resolve
      })
    }
    if (state.aborted) return done('aborted')
    const next = await tokens.next()
    if (state.aborted) return done('aborted')
    if (next.done || on.model.isEogToken(next.value.token)) return done('stop')
    completion++
    const { text, stopped } = filter.push(texts.push(next.value.token))
    const logprobs = logprobsOf(on.model, next.value, job.topLogprobs)
    tell({ type: 'text', job: job.job, text, completion, logprobs })
    if (stopped) return { type: 'done', job: job.job, finish: 'stop', completion }
    if (completion >= most) return done('length')
  }
}

async function* plainTokens(tokens: AsyncGenerator<Token>): AsyncGenerator<Evaluated> {
  for await (const token of tokens) yield { token }
}

/** The token's chance and the likeliest ones, as the model gave them, at temperature 0 too. */
function logprobsOf(
  model: LlamaModel,
  { token, probabilities }: Evaluated,
  most: number,
): TokenLogprob[] | undefined {
  if (!probabilities) return undefined
  const chance = (each: Token, p: number) => ({
    token: model.detokenize([each], true),
    logprob: Math.log(Math.max(p, Number.MIN_VALUE)),
  })
  const top: TokenChance[] = []
  for (const [each, p] of probabilities) {
    if (top.length === most) break // the whole vocabulary is there, likeliest first
    top.push(chance(each, p))
  }
  return [{ ...chance(token, probabilities.get(token) ?? 0), top }]
}

/** The tokens of the model's own chat template. Text never becomes a special token. */
function promptTokens(on: Engine, messages: readonly BackendMessage[]): Token[] {
  const chatHistory: ChatHistoryItem[] = messages.map(({ role, content }) =>
    role === 'assistant' ? { type: 'model', response: [content] } : { type: role, text: content },
  )
  chatHistory.push({ type: 'model', response: [] }) // where the answer begins
  return on.wrapper.generateContextState({ chatHistory }).contextText.tokenize(on.model.tokenizer)
}

/** Text of tokens one by one: spaces need the tokens before, characters may need several tokens. */
function detokenizer(model: LlamaModel): { push(token: Token): string; flush(): string } {
  const before: Token[] = []
  const pending: Token[] = []
  const flush = () => {
    const text = model.detokenize(pending, false, before)
    before.push(...pending.splice(0))
    before.splice(0, before.length - LOOK_BACK)
    return text
  }
  return {
    push(token) {
      pending.push(token)
      const partial = model.detokenize(pending, false, before).endsWith('\uFFFD')
      return partial && pending.length < UTF8_BYTES ? '' : flush()
    },
    flush,
  }
}
