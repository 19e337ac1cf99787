/**
 * `chrysalis evidence verify|show`: what a machine can prove about itself, checked here and now by
 * nobody but this program.
 * @module
 */
import { type Command, InvalidArgumentError } from 'commander'
import type { HardwarePolicy, MeasurementList } from '../../contracts/attest/hardwarePolicy.ts'
import { addCommon } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'

interface VerifyOptions extends CommonOptions {
  readonly at?: number
  readonly collateral?: readonly string[]
  readonly nonce?: string
  readonly reportData?: string
  readonly measurement?: readonly string[]
  readonly acceptTcb?: readonly string[]
}

interface ShowOptions extends CommonOptions {
  readonly at?: number
  readonly offline?: boolean
}

export function register(evidence: Command): void {
  const verify = evidence
    .command('verify')
    .description(
      'Verify evidence offline: exit 0 only where it is verified. Takes raw TDX quotes and ' +
        "SEV-SNP reports (binary or hex), NVIDIA evidence and tokens, and the market's document.",
    )
    .argument('<file>', 'the evidence')
    .argument('[collateral...]', 'the same as --collateral')
    .option(
      '--at <time>',
      'judge at this time: ISO 8601, or Unix seconds (default: now)',
      timeOption,
    )
    .option('--collateral <path>', 'what the vendor publishes: files or folders', listOption)
    .option('--nonce <hex>', 'the nonce (32 bytes) that the GPU was asked with')
    .option('--report-data <hex>', 'the report data (64 bytes) that the machine was asked with')
    .option('--measurement <hex>', 'accept this software and no other', listOption)
    .option('--accept-tcb <state>', 'TDX states that will do (default: UpToDate)', listOption)
    .addHelpText(
      'after',
      `
Examples:
  chrysalis evidence verify quote.bin --collateral collateral.json --at 2025-07-04T00:00:00Z
  chrysalis evidence verify report.bin --collateral vcek.der --collateral ask_ark.pem
  chrysalis evidence verify gpu_evidence.json --nonce 64HEXDIGITS
  chrysalis evidence verify token.json --collateral nvidia_jwks.json
  chrysalis evidence verify evidence.json --network localnet

Collateral is told apart by what it holds, not by names: TDX collateral as JSON (as Intel's tools
write it); certificates and revocation lists in DER or PEM; the certificate table of an SEV-SNP
host; a key set (JWKS) of NVIDIA's service. A folder is searched, without those inside it.
Options that take a list are given once for each item. How fresh a document is cannot be seen
offline, and the answer says so: \`evidence show\` asks the chain.
`,
    )
    .action((file: string, more: string[], options: VerifyOptions) =>
      runVerb(options, () => verifyFile(file, more, options)),
    )
  addCommon(verify)
  const show = evidence
    .command('show')
    .description(
      'Show what a provider proved in the newest receipt kept here, verified again now, ' +
        'freshness by the chain included.',
    )
    .argument('<provider>', 'identity of the provider in hex, or its beginning')
    .option(
      '--at <time>',
      'judge at this time: ISO 8601, or Unix seconds (default: now)',
      timeOption,
    )
    .option('--offline', 'do not ask the chain how fresh it is and who is registered')
    .addHelpText(
      'after',
      '\nExamples:\n  chrysalis evidence show 3fa9\n  chrysalis evidence show 3fa9 --json\n',
    )
    .action((provider: string, options: ShowOptions) =>
      runVerb(options, () => showProvider(provider, options)),
    )
  addCommon(show)
}

async function verifyFile(
  file: string,
  more: readonly string[],
  options: VerifyOptions,
): Promise<void> {
  const { poolOf, readBounded } = await import('./evidenceFiles.ts')
  const { inspectEvidence } = await import('../../contracts/attest/inspect.ts')
  const { describeInspection, inspectionJson } = await import('./evidenceWords.ts')
  const { createClock } = await import('../../node/system/clock.ts')
  const bytes = await readBounded(file)
  const atMs = options.at ?? createClock().nowMs()
  const named = options.network === undefined ? undefined : await marketOf(options)
  const inspection = await inspectEvidence(
    bytes,
    await poolOf([...(options.collateral ?? []), ...more]),
    {
      atMs,
      expected: await expectedOf(options),
      measurements: options.measurement?.map((hash) => hash.toLowerCase()),
      tcb: options.acceptTcb ?? ['UpToDate'],
      market: named,
    },
  )
  const list = named && judgedBy(named.hardware)
  printResult(options, { ...inspectionJson(inspection, atMs), ...(list && { list }) }, [
    ...(list ? [`measurements judged by ${list}`] : []),
    ...describeInspection(inspection, atMs),
  ])
}

async function showProvider(provider: string, options: ShowOptions): Promise<void> {
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { fromBase64 } = await import('../../contracts/base/bytes.ts')
  const { inspectEvidence } = await import('../../contracts/attest/inspect.ts')
  const { emptyPool } = await import('../../contracts/attest/pool.ts')
  const { describeInspection, inspectionJson } = await import('./evidenceWords.ts')
  const { evidenceOfProvider } = await import('./evidenceFiles.ts')
  const { createClock } = await import('../../node/system/clock.ts')
  const found = await evidenceOfProvider(provider.toLowerCase(), options)
  if (!found.evidence) throw new MarketError('not-found', { evidence: found.provider })
  const bytes = fromBase64(found.evidence)
  const { known, context, hardware } = await marketOf(options)
  const { askChain } = await import('./evidenceChain.ts')
  const chain = options.offline ? undefined : await askChain(bytes, known)
  const atMs = options.at ?? chain?.nowMs ?? createClock().nowMs()
  const inspection = await inspectEvidence(bytes, emptyPool(), {
    atMs,
    tcb: ['UpToDate'],
    market: {
      context: {
        ...context,
        ...(chain && { block: chain.block, isRegistered: () => chain.isRegistered }),
      },
      hardware: chain?.measurements ? { ...hardware, measurements: chain.measurements } : hardware,
    },
  })
  const list = judgedBy(hardware, chain?.measurements)
  const from = { provider: found.provider, receipt: found.receipt, endS: found.endS }
  printResult(options, { ...inspectionJson(inspection, atMs), from, list }, [
    `provider ${found.provider}, as shown with receipt ${found.receipt.slice(0, 16)}`,
    `measurements judged by ${list}`,
    ...describeInspection(inspection, atMs),
  ])
}

/** Which list judged, in words. */
function judgedBy({ listedBy, measurements }: HardwarePolicy, registry?: MeasurementList): string {
  if (registry) return `the registry's list, version ${registry.version}`
  if (listedBy === 'nobody') return 'no list: none is named'
  return `network.json's list, version ${measurements.version}: no registry was asked`
}

/** Whose registry and list of measurements judge a document: what network.json says. */
async function marketOf({ network = 'localnet', home }: CommonOptions) {
  const { homeFolder, readNetwork } = await import('../../node/system/home.ts')
  const { settleHardware } = await import('../../contracts/attest/hardwarePolicy.ts')
  const { toHex } = await import('../../contracts/base/bytes.ts')
  const known = await readNetwork(network, home ?? homeFolder(process.env))
  const providers = new Set(known.providers ?? [])
  return {
    known,
    context: {
      network: known.id,
      development: known.development,
      isRegistered: (identity: Uint8Array) =>
        known.registry === undefined ? providers.has(toHex(identity)) : ('unasked' as const),
    },
    hardware: settleHardware({}, known),
  }
}

async function expectedOf({ nonce, reportData }: VerifyOptions): Promise<Uint8Array | undefined> {
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const { fromHex } = await import('../../contracts/base/bytes.ts')
  const hex = (nonce ?? reportData)?.toLowerCase()
  if (hex === undefined) return undefined
  const field = nonce === undefined ? 'report-data' : 'nonce'
  const length = nonce === undefined ? 64 : 32
  if (nonce !== undefined && reportData !== undefined) {
    throw new MarketError('bad-input', { field, expected: 'either a nonce or report data' })
  }
  try {
    return fromHex(hex, length)
  } catch (cause) {
    throw new MarketError('bad-input', { field, expected: `${2 * length} hex digits` }, { cause })
  }
}

/** An option that may be given several times. */
function listOption(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** A time as milliseconds: ISO 8601 with its zone, or Unix seconds. */
function timeOption(text: string): number {
  const isSeconds = /^\d{1,11}$/.test(text)
  const isIso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
  const atMs = isSeconds ? Number(text) * 1_000 : isIso ? Date.parse(text) : Number.NaN
  if (!Number.isFinite(atMs)) {
    throw new InvalidArgumentError('a time is expected, like 2025-07-04T00:00:00Z or 1751587200')
  }
  return atMs
}
