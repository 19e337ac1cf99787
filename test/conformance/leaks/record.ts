/**
 * Records what the demo model answers on two topics, for the analysis of what traffic tells:
 *
 *   node test/conformance/leaks/record.ts
 *
 * Runs the embedded engine on a thousand prompts, 500 a topic, and writes `answers.tsv`: topic,
 * tokens of the prompt, bytes of each token of the answer as a digit in base 36. Text is not kept,
 * because nothing here reads it. `record.test.ts` repeats some and finds them equal.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Backend, prompt } from '../../../node/backends/backend.ts'
import { startEmbedded } from '../../../node/backends/embedded/embedded.ts'
import { TINY_CHAT } from '../../../node/backends/tinyChat.ts'
import { createClock } from '../../../node/system/clock.ts'
import { keptLogger } from '../../support/quietLogger.ts'

/** `trade`: what terms of this market mean. `tales`: short stories. */
export const TOPICS = ['trade', 'tales'] as const
export type Topic = (typeof TOPICS)[number]

/** One answer of the model: what shows of it if nothing is done against that. */
export interface Answer {
  readonly topic: Topic
  readonly promptTokens: number
  /** Bytes of text that each piece of the engine's stream had. */
  readonly tokenBytes: readonly number[]
}

export const ANSWERS_FILE = fileURLToPath(new URL('answers.tsv', import.meta.url))
export const ANSWERS_A_TOPIC = 500

const TERMS = (
  'blockchain;wallet;smart contract;private key;public key;signature;escrow;payment channel;' +
  'voucher;receipt;provider;client;scheduler;lease;job;queue;GPU;CPU;token;prompt;' +
  'language model;trusted execution environment;hash;peer;peer id;relay;bootstrap node;' +
  'settlement;nonce;replay attack;stake;benchmark;context window;deadline;auction;deposit;refund'
).split(';')
const HEROES = 'fox owl bear wolf rabbit mouse duck horse lion crow robot king wizard sailor baker'
const THINGS = 'lantern key boat map bell book candle clock drum feather kite ladder mirror ring'
const ASKING = {
  trade: ['What is a {}?', 'Explain a {}.', 'Why is a {} important?', 'Tell me more about a {}.'],
  tales: ['Tell me a story about {}.', 'Write a short story about {}.', 'Story: {}.'],
}

/** The `i`th prompt of a topic; the temperature makes each answer another. */
export function promptOf(topic: Topic, i: number): string {
  const phrasings = ASKING[topic]
  const phrasing = phrasings[i % phrasings.length]!
  if (topic === 'trade') return phrasing.replace('{}', TERMS[i % TERMS.length]!)
  const [heroes, things] = [HEROES.split(' '), THINGS.split(' ')]
  const about = `a ${heroes[i % heroes.length]} and a ${things[(7 * i) % things.length]}`
  return phrasing.replace('{}', about)
}

/** Asks the model; equal bytes for an equal question, since the seed is its number. */
export async function answer(backend: Backend, topic: Topic, i: number): Promise<Answer> {
  const content = promptOf(topic, i)
  const request = {
    model: TINY_CHAT.modelId,
    messages: prompt([{ role: 'user', content }]),
    maxTokens: 120,
    temperature: 0.8,
    seed: i,
  }
  const tokenBytes: number[] = []
  let promptTokens = 0
  for await (const piece of backend.run(request, new AbortController().signal)) {
    if (piece.type === 'prompt') promptTokens = piece.prompt + piece.cachedPrompt
    if (piece.type === 'text') tokenBytes.push(Buffer.byteLength(piece.text))
  }
  return { topic, promptTokens, tokenBytes }
}

/** The engine of the demo model. */
export function startModel() {
  return startEmbedded({ ...TINY_CHAT, places: 1, clock: createClock(), logger: keptLogger() })
}

/** The recorded answers, 500 a topic, `trade` first. */
export function readAnswers(): Answer[] {
  return readFileSync(ANSWERS_FILE, 'utf8').trimEnd().split('\n').map(fromLine)
}

function toLine({ topic, promptTokens, tokenBytes }: Answer): string {
  const digits = tokenBytes.map((bytes) => Math.min(bytes, 35).toString(36)).join('')
  return [topic, promptTokens, digits].join('\t')
}

function fromLine(line: string): Answer {
  const [name, promptTokens, digits = ''] = line.split('\t')
  const topic = TOPICS.find((each) => each === name)
  if (!topic) throw new Error(`${ANSWERS_FILE}: no topic ${name}`)
  const tokenBytes = [...digits].map((digit) => Number.parseInt(digit, 36))
  return { topic, promptTokens: Number(promptTokens), tokenBytes }
}

async function record(): Promise<void> {
  const backend = await startModel()
  const lines: string[] = []
  for (const topic of TOPICS) {
    for (let i = 0; i < ANSWERS_A_TOPIC; i++) {
      lines.push(toLine(await answer(backend, topic, i)))
    }
  }
  await backend.stop()
  writeFileSync(ANSWERS_FILE, `${lines.join('\n')}\n`)
}

if (import.meta.main) await record()
