/**
 * `chrysalis receipt verify F`: checks a receipt file alone, offline, and says what it does not
 * prove.
 * @module
 */
import type { Command } from 'commander'
import type { KeptReceipt } from '../../client/types.ts'
import type { JudgedEvidence } from '../../contracts/attest/receiptEvidence.ts'
import { integerOption, networkIdOption } from './options.ts'
import { type CommonOptions, printResult, runVerb } from './output.ts'

interface VerifyOptions extends CommonOptions {
  readonly networkId?: number
  readonly at?: number
}

export function register(receipt: Command): void {
  receipt
    .command('verify')
    .description(
      'Verify a receipt file offline: exit 0 only where every signature and sum holds, and the ' +
        'evidence in it supported the job at its time.',
    )
    .argument('<file>', 'a receipt file (JSON)')
    .option('--network-id <n>', 'refuse a receipt of another network', networkIdOption)
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
    .option('--json', 'print a failure as JSON; a receipt file is JSON anyway')
    .addHelpText('after', '\nExamples:\n  chrysalis receipt show 3fa9 > receipt.json\n')
    .action((hash: string, options: CommonOptions) => runVerb(options, () => show(hash, options)))
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const { readFile } = await import('node:fs/promises')
  const { CATALOGUE, isErrorCode, MarketError } = await import('../../contracts/base/errors.ts')
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
  const receipt = parseReceiptFile(json)
  const verdict = verifyReceipt(receipt, {
    network: options.networkId,
    atS: options.at,
  })
  if (!verdict.ok) {
    const { code = '', message } = verdict.failed ?? {}
    // Whatever is wrong with it, the receipt proves nothing: one family of exit codes.
    const proved = isErrorCode(code) && CATALOGUE[code].exit === 5 ? code : 'bad-receipt'
    throw new MarketError(proved, { file, found: message })
  }
  const { judgeReceiptEvidence } = await import('../../contracts/attest/receiptEvidence.ts')
  const evidence = await judgeReceiptEvidence(receipt)
  printResult(options, { ...verdict, ok: true, ...(evidence && { evidence }) }, [
    'verified',
    ...Object.entries(verdict.fields).map(([name, value]) => `  ${name}: ${value}`),
    ...(evidence ? describeEvidence(evidence) : []),
    'proved:',
    ...verdict.proved.map((line) => `  ${line}`),
    'NOT proved:',
    ...verdict.notProved.map((line) => `  ${line}`),
  ])
}

function describeEvidence({ kind, tier, atS, proved, notProved }: JudgedEvidence): string[] {
  return [
    `evidence of kind ${kind}, judged at ${new Date(atS * 1_000).toISOString()}: ${tier}`,
    ...proved.map((line) => `  proved: ${line}`),
    ...notProved.map((line) => `  NOT proved: ${line}`),
  ]
}

async function list(options: CommonOptions): Promise<void> {
  const hashes = (await keptReceipts(options)).map(({ hash }) => hash)
  printResult(options, { receipts: hashes }, hashes.length > 0 ? hashes : ['no receipts yet'])
}

async function show(hash: string, options: CommonOptions): Promise<void> {
  const { MarketError } = await import('../../contracts/base/errors.ts')
  const kept = (await keptReceipts(options)).filter((each) => each.hash.startsWith(hash))
  const [found] = kept
  if (!found || kept.length > 1) {
    throw new MarketError('not-found', { receipt: hash.slice(0, 64), matches: kept.length })
  }
  process.stdout.write(`${JSON.stringify(found.file, null, 2)}\n`)
}

/** Read from the client's own store: receipts are there when no network is. */
async function keptReceipts(options: CommonOptions): Promise<KeptReceipt[]> {
  const { existsSync } = await import('node:fs')
  const { join } = await import('node:path')
  const { openJournal } = await import('../../client/journal.ts')
  const { homeFolder, readNetwork, roleFolder } = await import('../../node/system/home.ts')
  const { openSqliteStore } = await import('../../node/store/sqliteStore.ts')
  const home = options.home ?? homeFolder(process.env)
  const network = await readNetwork(options.network ?? 'localnet', home)
  const file = join(roleFolder(home, network.name, 'client'), 'store.db')
  if (!existsSync(file)) return []
  const store = openSqliteStore(file)
  try {
    const journal = openJournal(store)
    const kept: KeptReceipt[] = []
    for (;;) {
      const page = journal.receipts({ after: kept.at(-1)?.hash })
      if (page.length === 0) return kept
      kept.push(...page)
    }
  } finally {
    await store.close()
  }
}
