/**
 * Runs `chrysalis audit model` (`audit.ts`): connects both sides, says the verdict.
 * @module
 */
import type { AuditReport, Side } from '../../node/audit/auditModel.ts'
import type { Backend } from '../../node/backends/backend.ts'
import { type CommonOptions, printResult, say } from './output.ts'

export interface AuditModelOptions extends Pick<CommonOptions, 'json'> {
  readonly backendUrl: string
  readonly referenceUrl?: string
  readonly model: string
  readonly referenceModel?: string
  readonly prompts?: string
  readonly probes: number
  readonly tolerance?: number
  readonly seed?: number
}

/** Exit codes beside those of errors: a failed check is 5, as everything that was not proved. */
const EXIT = { same: 0, different: 5, undecided: 3 } as const

/** Runs an audit and sets the exit code. */
export async function runAudit(options: AuditModelOptions): Promise<void> {
  const { auditModel } = await import('../../node/audit/auditModel.ts')
  const { probesFor, probesFrom } = await import('../../node/audit/probes.ts')
  const seed = options.seed ?? (await randomSeed())
  const suspect = await served(options.backendUrl, options.model, 'CHRYSALIS_BACKEND_KEY')
  const own = options.referenceModel ?? options.model
  const reference = await (options.referenceUrl === undefined
    ? embedded(own)
    : served(options.referenceUrl, own, 'CHRYSALIS_REFERENCE_KEY'))
  try {
    const { prompts, probes: maxProbes, tolerance } = options
    const probes = prompts
      ? probesFrom(await linesOf(prompts), seed)
      : probesFor(options.model, seed)
    const onProbe = (count: number, decision: string) => {
      if (count % 10 === 0) say(`${count} probes: ${decision}`)
    }
    const report = await auditModel({ suspect, reference, probes, maxProbes, tolerance, onProbe })
    printResult(options, { ...report, model: options.model, seed }, lines(report, seed))
    process.exitCode = EXIT[report.verdict]
  } finally {
    await suspect.backend.stop()
    await reference.backend.stop()
  }
}

function lines({ verdict, probes, text, logprobs, errors }: AuditReport, seed: number): string[] {
  const test = (name: string, { observations, deviations, decision }: AuditReport['text']) =>
    `${name.padEnd(10)} ${decision}: ${deviations} of ${observations} answers deviate`
  return [
    `verdict    ${verdict}, after ${probes} probes (seed ${seed})`,
    test('text', text),
    ...(logprobs
      ? [`${test('logprobs', logprobs)}, mean distance ${logprobs.meanDistance.toFixed(4)}`]
      : ['logprobs   not named by both servers: texts alone were compared']),
    `wrong      with a probability of at most ${errors.falselyDifferent.toFixed(5)} (different),`,
    `           ${errors.falselySame.toFixed(5)} (same), where the rates of node/audit hold`,
    'Deterrence, not proof: a server that recognises probes can answer those honestly.',
  ]
}

async function served(baseUrl: string, model: string, keyName: string): Promise<Side> {
  const { connectOpenAi } = await import('../../node/backends/openai.ts')
  const { secret } = await import('../../contracts/base/secret.ts')
  const key = process.env[keyName]
  const models = [{ id: model, weightsHash: new Uint8Array(32), contextTokens: 1, places: 1 }]
  const apiKey = key ? secret('API key', key) : undefined
  return { backend: connectOpenAi({ baseUrl, apiKey, models, ...(await ports()) }), model }
}

/** The demo model of this package, as the reference of audits of it. */
async function embedded(model: string): Promise<Side> {
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { TINY_CHAT } = await import('../../node/backends/tinyChat.ts')
  if (model !== TINY_CHAT.modelId) {
    const expected = `--reference-url, for any model but ${TINY_CHAT.modelId}`
    throw new MarketError('bad-input', { field: 'reference-url', expected })
  }
  const { startEmbedded } = await import('../../node/backends/embedded/embedded.ts')
  const backend: Backend = await startEmbedded({ ...TINY_CHAT, places: 1, ...(await ports()) })
  return { backend, model }
}

async function ports() {
  const { createClock } = await import('../../node/system/clock.ts')
  const { createLogger } = await import('../../node/system/logger.ts')
  return { clock: createClock(), logger: createLogger({ level: 'error' }) }
}

async function randomSeed(): Promise<number> {
  const { createRandom } = await import('../../node/system/random.ts')
  const [a = 0, b = 0, c = 0, d = 0] = createRandom().bytes(4)
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

async function linesOf(path: string): Promise<string[]> {
  const { readFile } = await import('node:fs/promises')
  const { MarketError } = await import('../../contracts/base/errors.ts')
  try {
    return (await readFile(path, 'utf8')).split('\n')
  } catch (cause) {
    throw new MarketError('bad-input', { field: 'prompts', expected: 'a readable file' }, { cause })
  }
}
