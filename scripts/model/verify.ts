/**
 * Checks a GGUF of the demo model in the embedded engine: the same text as torch, samples, speed.
 *
 * Usage: node scripts/model/verify.ts FILE.gguf [TESTS]
 *
 * Where `evaluate.py` has left `data/predictions.jsonl`, its greedy texts are compared with the
 * engine's (at most TESTS of them, spread over all).
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Clock } from '../../contracts/base/ports.ts'
import {
  type Backend,
  type BackendMessage,
  type BackendPiece,
  prompt,
} from '../../node/backends/backend.ts'
import { startEmbedded } from '../../node/backends/embedded/embedded.ts'
import { hashFile } from '../../node/backends/embedded/supervisor.ts'
import { createClock } from '../../node/system/clock.ts'
import { createLogger } from '../../node/system/logger.ts'

/** A line of predictions.jsonl. */
interface Prediction {
  readonly skill: string
  readonly messages: BackendMessage[]
  readonly answer: string
  readonly output: string
  readonly passed: boolean
  readonly key?: string
  readonly must?: string[]
}

const MODEL = 'model-under-test'
const PREDICTIONS = new URL('data/predictions.jsonl', import.meta.url)
const LONG_ANSWERS = ['story', '(free form)']
const SAMPLES = [
  ['Hello!'],
  ['What is 37 + 45?'],
  ['Which is bigger, 45 or 54?'],
  ['Spell garden.'],
  ['What is book in Russian?'],
  ['What is a payment channel?'],
  ['Who won the cup in 1998?'],
  ['Tell me a story about a fox and a lantern.'],
  ['Hi, my name is Olga.', 'What is 9 + 4?', 'What is my name?', 'Say that again.'],
  ['What is the capital of Italy?', 'And of Spain?'],
]

interface Answer {
  readonly text: string
  readonly ended: boolean
  readonly tokens: number
}

async function answer(backend: Backend, messages: BackendMessage[], most: number): Promise<Answer> {
  let text = ''
  let last: BackendPiece | undefined
  const request = { model: MODEL, messages: prompt(messages), maxTokens: most, temperature: 0 }
  for await (const piece of backend.run(request, new AbortController().signal)) {
    if (piece.type === 'text') text += piece.text
    last = piece
  }
  if (last?.type !== 'end') throw new MarketError('backend-failed', { detail: 'no end' })
  return { text, ended: last.finishReason === 'stop', tokens: last.usage.completion }
}

async function compareWithTorch(backend: Backend, most: number): Promise<void> {
  const lines = readFileSync(PREDICTIONS, 'utf8').trim().split('\n')
  const stride = Math.max(1, Math.ceil(lines.length / most))
  const tests: Prediction[] = lines.filter((_, at) => at % stride === 0).map((l) => JSON.parse(l))
  let same = 0
  let passed = 0
  for (const test of tests) {
    const long = LONG_ANSWERS.includes(test.skill)
    const { text, ended } = await answer(backend, test.messages, long ? 130 : 60)
    if (text === test.output) same++
    if (ended && passes(test, text)) passed++
  }
  const torch = tests.filter((test) => test.passed).length
  console.log(`${same} of ${tests.length} texts equal torch's; passed: ${passed}, torch ${torch}`)
}

/** The rule of `evaluate.py`. */
function passes(test: Prediction, text: string): boolean {
  if (test.key !== undefined) return text.toLowerCase().includes(test.key)
  if (!test.must) return text === test.answer
  const sentences = text.split('.').length - 1
  return sentences >= 3 && sentences <= 5 && test.must.every((thing) => text.includes(thing))
}

async function printSamples(backend: Backend): Promise<void> {
  for (const questions of SAMPLES) {
    const messages: BackendMessage[] = []
    for (const content of questions) {
      messages.push({ role: 'user', content })
      const { text, ended } = await answer(backend, messages, 150)
      messages.push({ role: 'assistant', content: text })
      console.log(`Q: ${content}\nA: ${text}${ended ? '' : ' [cut]'}`)
    }
  }
}

async function printSpeed(backend: Backend, clock: Clock): Promise<void> {
  const content = 'Tell me a story about a bear and a bell.'
  const beganMs = clock.monotonicMs()
  let firstMs = 0
  let tokens = 0
  const request = { model: MODEL, messages: prompt([{ role: 'user', content }]), maxTokens: 300 }
  for await (const piece of backend.run(request, new AbortController().signal)) {
    if (piece.type !== 'text') continue
    firstMs ||= clock.monotonicMs()
    tokens = piece.completionTokens
  }
  const rate = ((tokens - 1) / (clock.monotonicMs() - firstMs)) * 1_000
  console.log(
    `first token after ${(firstMs - beganMs).toFixed(1)} ms, then ${rate.toFixed(0)} tokens/s`,
  )
}

const [modelPath, most = '100000'] = process.argv.slice(2)
if (!modelPath) throw new MarketError('bad-input', { expected: 'FILE.gguf' })
const clock = createClock()
const backend = await startEmbedded({
  modelId: MODEL,
  modelPath,
  expectedHash: await hashFile(modelPath),
  places: 1,
  clock,
  logger: createLogger({ level: 'warn' }),
})
if (existsSync(PREDICTIONS)) await compareWithTorch(backend, Number(most))
await printSamples(backend)
await printSpeed(backend, clock)
await backend.stop()
