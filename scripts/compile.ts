/**
 * `npm run compile:tolk`: compiles every contract to `contracts/wrappers/compiled/<name>.json`.
 *
 * The artefact holds the code as a bag of cells, its hash, and a hash of all the sources that went
 * in; a test compiles again and compares, so that a committed artefact cannot be stale.
 * @module
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { getTolkCompilerVersion, runTolkCompiler } from '@ton/tolk-js'
import { MarketError } from '../contracts/base/errors.ts'

/** A compiled contract as it is committed. */
export interface Artefact {
  readonly compiler: string
  /** Code, base64 of a bag of cells. */
  readonly code: string
  /** Representation hash of the code, lower-case hex. */
  readonly codeHash: string
  /** SHA-256 over names and texts of the sources, lower-case hex. */
  readonly sourceHash: string
}

/** Contracts by name: `contracts/tolk/<folder>/<entry>.tolk`. A new contract is added here. */
export const CONTRACTS: Readonly<Record<string, string>> = {
  channel: 'channel/channel.tolk',
  registry: 'registry/registry.tolk',
  timelock: 'governance/timelock.tolk',
  multisig: 'governance/multisig.tolk',
  dispute: 'dispute/dispute.tolk',
  gpu: 'items/gpu.tolk',
  jettonChannel: 'jettonChannel/jettonChannel.tolk',
  provider: 'items/provider.tolk',
  scheduler: 'items/scheduler.tolk',
  testJettonMinter: 'testJetton/testJettonMinter.tolk',
  testJettonWallet: 'testJetton/testJettonWallet.tolk',
}

const SOURCES = new URL('../contracts/tolk/', import.meta.url)
const COMPILED = new URL('../contracts/wrappers/compiled/', import.meta.url)

/**
 * Compiles one contract from the sources in the tree, each as `change` leaves it. Throws
 * `bad-input` with the compiler's words.
 *
 * @example
 * const { codeHash } = await compileContract('channel')
 */
export async function compileContract(
  name: string,
  change: (path: string, text: string) => string = (_, text) => text,
): Promise<Artefact> {
  const entrypointFileName = CONTRACTS[name]
  if (!entrypointFileName) throw new MarketError('bad-input', { contract: name })
  const read = new Map<string, string>()
  const result = await runTolkCompiler({
    entrypointFileName,
    fsReadCallback: (path) => {
      const text = change(path, readFileSync(new URL(path, SOURCES), 'utf8'))
      read.set(path, text)
      return text
    },
  })
  if (result.status === 'error') {
    throw new MarketError('bad-input', { contract: name, compiler: result.message })
  }
  return {
    compiler: `tolk ${await getTolkCompilerVersion()}`,
    code: result.codeBoc64,
    codeHash: result.codeHashHex.toLowerCase(),
    sourceHash: hashSources(read),
  }
}

/** Path of the committed artefact of a contract. */
export function artefactPath(name: string): URL {
  return new URL(`${name}.json`, COMPILED)
}

function hashSources(sources: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [path, text] of [...sources].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${path}\0${text}\0`)
  }
  return hash.digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of Object.keys(CONTRACTS)) {
    const artefact = await compileContract(name)
    writeFileSync(artefactPath(name), `${JSON.stringify(artefact, null, 2)}\n`)
    process.stderr.write(`${name}: ${artefact.codeHash}\n`)
  }
}
