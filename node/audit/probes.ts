/**
 * The prompts of an audit, by seed: of the kind that users send, so that probes look like any job.
 *
 * Two kinds: what the demo model was made for, and everyday requests to a model of general use. An
 * auditor's own traffic is a better disguise than either: `probesFrom` takes its prompts. What
 * still tells a probe is its temperature of 0, and a seed that was known before it was used.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import type { BackendMessage } from '../backends/backend.ts'
import { TINY_CHAT } from '../backends/tinyChat.ts'
import { createSeededRandom, type SeededRandom } from '../system/seededRandom.ts'

export interface Probe {
  readonly messages: readonly BackendMessage[]
  readonly maxTokens: number
}

/** Lengths that requests ask for; long enough for answers to part, short enough to be cheap. */
const MAX_TOKENS = [64, 80, 96, 100, 120, 128]
/** Own prompts: a bound on the file, and on each of them. */
export const MAX_PROMPTS = 10_000

/** Endless probes for a model; the same seed gives the same ones. */
export function* probesFor(model: string, seed: number): Generator<Probe> {
  const draw = createSeededRandom(`probes of ${model} ${seed}`)
  const kinds = model === TINY_CHAT.modelId ? TINY_KINDS : GENERAL_KINDS
  for (;;) {
    const content = draw.pick(kinds)(draw)
    yield { messages: [{ role: 'user', content }], maxTokens: draw.pick(MAX_TOKENS) }
  }
}

/** Own prompts, in an order by seed, each once. Throws `bad-input` for none or too many. */
export function* probesFrom(prompts: readonly string[], seed: number): Generator<Probe> {
  const left = prompts.map((text) => text.trim()).filter(Boolean)
  if (left.length === 0 || left.length > MAX_PROMPTS) {
    throw new MarketError('bad-input', { field: 'prompts', most: MAX_PROMPTS })
  }
  const random = createSeededRandom(`own probes ${seed}`)
  while (left.length > 0) {
    const [content = ''] = left.splice(random.int(left.length), 1)
    const maxTokens = random.pick(MAX_TOKENS)
    yield { messages: [{ role: 'user', content }], maxTokens }
  }
}

const WORDS = [
  'garden',
  'river',
  'window',
  'castle',
  'bridge',
  'orange',
  'winter',
  'music',
  'letter',
]
const COUNTRIES = [
  'Peru',
  'Japan',
  'Kenya',
  'Norway',
  'Canada',
  'Egypt',
  'Chile',
  'India',
  'Poland',
]
const ANIMALS = ['fox', 'bear', 'rabbit', 'owl', 'mouse', 'wolf', 'cat', 'hedgehog', 'duck', 'frog']
const THINGS = ['lantern', 'bell', 'boat', 'key', 'kite', 'drum', 'map', 'coat', 'shell', 'mirror']
const LANGUAGES = ['French', 'German', 'Spanish', 'Russian', 'Italian']
const NAMES = ['Olga', 'Tom', 'Anna', 'Ben', 'Maria', 'Ivan', 'Lucy']

const story = (draw: SeededRandom) => {
  const about = `a ${draw.pick(ANIMALS)}${draw.int(2) ? ` and a ${draw.pick(THINGS)}` : ''}`
  return draw.pick([
    `Tell me a story about ${about}.`,
    `tell a short story about ${about}`,
    `Please write a story about ${about}.`,
    `Can you tell me a story with ${about} in it?`,
  ])
}

/** What the demo model's card says it can do, stories most often: their answers are longest. */
const TINY_KINDS: readonly ((draw: SeededRandom) => string)[] = [
  story,
  story,
  story,
  (draw) => `What is ${draw.int(90) + 10} + ${draw.int(90) + 10}?`,
  (draw) => `what's ${draw.int(12) + 1} times ${draw.int(12) + 1}`,
  (draw) => `What is the capital of ${draw.pick(COUNTRIES)}?`,
  (draw) => `Spell ${draw.pick(WORDS)}.`,
  (draw) => `How do you say ${draw.pick(WORDS)} in ${draw.pick(LANGUAGES)}?`,
  (draw) => `What is the opposite of ${draw.pick(['hot', 'early', 'dark', 'heavy', 'quiet'])}?`,
  (draw) => `Hello, I am ${draw.pick(NAMES)}. ${draw.pick(['How are you?', 'What can you do?'])}`,
  (draw) =>
    `${draw.pick(NAMES)} has ${draw.int(40) + 5} apples and gives away ${draw.int(5) + 1}. ` +
    'How many are left?',
]

const TOPICS = [
  ...['sleep', 'inflation', 'bicycles', 'photosynthesis', 'coffee', 'the moon', 'negotiation'],
  ...['knitting', 'volcanoes', 'budgets', 'chess', 'bread', 'public speaking', 'sailing'],
]

const GENERAL_KINDS: readonly ((draw: SeededRandom) => string)[] = [
  story,
  (draw) => `Explain ${draw.pick(TOPICS)} to a ${draw.pick(['child', 'beginner', 'colleague'])}.`,
  (draw) => `Give me ${draw.int(4) + 3} tips about ${draw.pick(TOPICS)}.`,
  (draw) => `Write a short email to ${draw.pick(NAMES)} about ${draw.pick(TOPICS)}.`,
  (draw) => `What are the pros and cons of ${draw.pick(TOPICS)}?`,
  (draw) => `Write a function in ${draw.pick(['Python', 'Go', 'Rust'])} that counts vowels.`,
  (draw) => `Summarise what is known about ${draw.pick(TOPICS)} in ${draw.int(3) + 2} sentences.`,
  (draw) =>
    `In ${draw.pick(LANGUAGES)}, please: my ${draw.pick(ANIMALS)} likes the ${draw.pick(WORDS)}.`,
]
