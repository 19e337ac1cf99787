/**
 * `chrysalis receipt verify F`: checks a receipt file alone, offline, and says what it does not prove.
 * @module
 */
import type { Command } from 'commander'
import { integerOption } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'

interface VerifyOptions extends CommonOptions {
  readonly networkId?: string
  readonly at?: number
}

export function register(program: Command): void {
  const receipt = program.command('receipt').description('Receipts of jobs.')
  receipt
    .command('verify')
    .description('Verify a receipt file offline: exit 0 only where every signature and sum holds.')
    .argument('<file>', 'a receipt file (JSON)')
    .option('--network-id <n>', 'refuse a receipt of another network')
    .option(
      '--at <seconds>',
      'time to judge at, Unix seconds (default: the receipt’s own)',
      integerOption,
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExamples:\n  chrysalis receipt verify receipt.json\n')
    .action((file: string, options: VerifyOptions) => runVerb(options, () => verify(file, options)))
  receipt
    .command('list')
    .description('List the receipts that this client keeps.')
    .option('--network <name|file>', 'network by name or network.json (default: the localnet)')
    .option('--home <folder>', 'where keys and stores are (default: $CHRYSALIS_HOME, else XDG)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExamples:\n  chrysalis receipt list --json\n')
    .action((options: CommonOptions) => runVerb(options, () => list(options)))
  receipt
    .command('show')
    .description('Print a kept receipt as a receipt file.')
    .argument('<hash>', 'hash of the receipt, or its beginning')
    .option('--network <name|file>', 'network by name or network.json (default: the localnet)')
    .option('--home <folder>', 'where keys and stores are (default: $CHRYSALIS_HOME, else XDG)')
    .addHelpText('after', '\nExamples:\n  chrysalis receipt show 3fa9 > receipt.json\n')
    .action((hash: string, options: CommonOptions) => runVerb(options, () => show(hash, options)))
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const { readFile } = await import('node:fs/promises')
  const { isErrorCode, MarketError } = await import('../../contracts/base/errors.ts')
  const { LIMITS } = await import('../../contracts/base/limits.ts')
  const { parseReceiptFile, verifyReceipt } = await import('../../contracts/money/receipt.ts')
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new MarketError('bad-input', { file, reason: 'not readable' }, { cause })
  })
  if (text.length > LIMITS.receiptFileBytes) throw new MarketError('too-large', { file })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new MarketError('bad-receipt', { file, expected: 'JSON' }, { cause })
  }
  const network = options.networkId === undefined ? undefined : Number(options.networkId)
  const verdict = verifyReceipt(parseReceiptFile(json), { network, atS: options.at })
  if (!verdict.ok) {
    const code =
      verdict.failed && isErrorCode(verdict.failed.code) ? verdict.failed.code : undefined
    throw new MarketError(code ?? 'bad-receipt', { file, found: verdict.failed?.message })
  }
  printResult(options, { ...verdict, ok: true }, [
    'verified',
    ...Object.entries(verdict.fields).map(([name, value]) => `  ${name}: ${value}`),
    'proved:',
    ...verdict.proved.map((line) => `  ${line}`),
    'NOT proved:',
    ...verdict.notProved.map((line) => `  ${line}`),
  ])
}

async function list(options: CommonOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  await using market = await connect({ network: options.network ?? 'localnet', home: options.home })
  const kept = await market.receipts()
  const hashes = kept.map(({ hash }) => hash)
  printResult(options, { receipts: hashes }, hashes.length > 0 ? hashes : ['no receipts yet'])
}

async function show(hash: string, options: CommonOptions): Promise<void> {
  const { connect } = await import('../../client/index.ts')
  const { MarketError } = await import('../../contracts/base/errors.ts')
  await using market = await connect({ network: options.network ?? 'localnet', home: options.home })
  const kept = (await market.receipts()).filter((each) => each.hash.startsWith(hash))
  const [found] = kept
  if (!found || kept.length > 1) {
    throw new MarketError('not-found', { receipt: hash.slice(0, 64), matches: kept.length })
  }
  process.stdout.write(`${JSON.stringify(found.file, null, 2)}\n`)
}
