/**
 * Which backend a provider serves: the embedded demo model, or any OpenAI-compatible server.
 * @module
 */
import { fromHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { secret } from '../../contracts/base/secret.ts'
import type { Backend } from '../../node/backends/backend.ts'
import { describeDevice } from '../../node/backends/device.ts'
import { startEmbedded } from '../../node/backends/embedded/embedded.ts'
import { connectOpenAi } from '../../node/backends/openai.ts'
import { TINY_CHAT } from '../../node/backends/tinyChat.ts'
import type { RolePorts } from './rolePorts.ts'

export interface BackendChoice {
  readonly places: number
  readonly backendUrl?: string
  readonly model?: string
  readonly weightsHash?: string
  readonly contextTokens?: number
}

/** How to start the chosen backend. Throws `bad-config` where a setting is missing. */
export function chooseBackend(
  choice: BackendChoice,
): (ports: Pick<RolePorts, 'clock' | 'logger'>) => Promise<Backend> {
  const { places, backendUrl } = choice
  if (backendUrl === undefined) return (ports) => startEmbedded({ ...TINY_CHAT, places, ...ports })
  const id = given('model', choice.model)
  const weightsHash = fromHex(given('weights-hash', choice.weightsHash), 32)
  const contextTokens = given('context-tokens', choice.contextTokens)
  const models = [{ id, weightsHash, contextTokens, places }]
  const key = process.env.CHRYSALIS_BACKEND_KEY
  const apiKey = key ? secret('API key', key) : undefined
  return async (ports) => connectOpenAi({ baseUrl: backendUrl, apiKey, models, ...ports })
}

/** The device that an offer names: the first GPU, else the CPU. */
export async function deviceOf(): Promise<{ gpu: string; memoryGiB: number }> {
  const device = await describeDevice()
  const memory = device.gpus[0]?.memoryGiB ?? device.memoryGiB
  return { gpu: device.class, memoryGiB: Math.floor(memory) }
}

function given<T>(setting: string, value: T | undefined): T {
  if (value === undefined) {
    throw new MarketError('bad-config', { setting, expected: 'a value, with --backend-url' })
  }
  return value
}
