/**
 * `chrysalis evidence` as a stranger uses it: files in, an answer in words and an exit code out.
 *
 * Real evidence comes from the folder that `VECTORS_DIR` names; those tests are skipped where it is
 * absent. What is refused, and why, is tried one by one in `test/contracts/attest/inspect.test.ts`.
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openJournal } from '../../client/journal.ts'
import type { Claims } from '../../contracts/attest/document.ts'
import { makeOpenEvidence } from '../../contracts/attest/open.ts'
import { type Bytes, toBase64, toHex, utf8 } from '../../contracts/base/bytes.ts'
import { sha256, signingKey } from '../../contracts/base/signing.ts'
import { simulatedBlock } from '../../node/chain/simulated.ts'
import { openSqliteStore } from '../../node/store/sqliteStore.ts'
import { playMarket } from '../client/playedMarket.ts'
import { BLOCK_MS } from '../client/playedPlacement.ts'
import { openProcesses, type Processes } from '../support/marketProcesses.ts'

const VECTORS = resolve(process.env.VECTORS_DIR ?? '../shared/vectors')
const PRESENT = existsSync(VECTORS)
if (!PRESENT) console.warn(`skipped: ${VECTORS} is absent, VECTORS_DIR names the folder of vectors`)

const KEY = signingKey(sha256(utf8('a provider')))
const AT_S = 1_795_000_000
const CLAIMS: Claims = {
  identity: KEY.publicKey,
  network: 77,
  tier: 'open',
  compute: 'cpu',
  modelHash: sha256(utf8('a model')),
  backendHash: new Uint8Array(32),
  gpuEvidenceHash: new Uint8Array(32),
  freshSeqno: 1,
  freshBlock: new Uint8Array(32),
  freshAtS: AT_S,
}
const NETWORK = {
  id: 77,
  name: 'played',
  toncenter: 'http://127.0.0.1:9/api/v2/jsonRPC',
  schedulers: [],
  providers: [toHex(KEY.publicKey)],
  development: true,
}

let processes: Processes
beforeAll(async () => {
  processes = await openProcesses()
})
afterAll(() => processes?.end())

const file = async (name: string, content: Bytes | string): Promise<string> => {
  const path = join(processes.home, name)
  await writeFile(path, content)
  return path
}
const vector = (name: string): string => join(VECTORS, name)
const verify = (...args: string[]) => processes.run(['evidence', 'verify', ...args])

/** The refusal that a run printed as JSON, with its exit code. */
async function refusalOf(...args: string[]): Promise<{ exit: number | null; code: string }> {
  const { exit, out } = await verify(...args, '--json')
  const { ok, error } = JSON.parse(out)
  expect(ok).toBe(false)
  expect(error.action).toMatch(/^[A-Z].*\.$/)
  return { exit, code: error.code }
}

describe.skipIf(!PRESENT)('real evidence', () => {
  const quote = ['tdx/tdx_quote', 'tdx/tdx_quote_collateral.json'].map(vector)

  it('of TDX is verified at its time, in words, and says what it leaves open', async () => {
    const at = '2025-07-04T00:00:00Z'
    const { exit, out } = await verify(quote[0]!, '--collateral', quote[1]!, '--at', at)
    expect([exit, out.split('\n')[0]]).toEqual([0, 'verified: an Intel TDX quote'])
    expect(out).toMatch(/\n {2}updates +UpToDate\n/)
    expect(out).toContain('\n  holds until  2025-07-19T')
    const [proved, open] = out.split('\nNOT proved:\n')
    expect(proved).toContain('\nproved:\n  an Intel processor keeps the memory of this machine')
    expect(open).toContain('to whom it answers')
  })

  it('of TDX is refused today: its collateral has ended', async () => {
    expect(await refusalOf(...quote)).toEqual({ exit: 5, code: 'evidence-expired' })
  })

  it('of SEV-SNP finds its chain in a folder; a machine in debug mode is refused', async () => {
    const folder = ['--collateral', vector('sev-snp')]
    const { out } = await verify(...folder, vector('sev-snp/dstack_snp_report.bin'), '--json')
    expect(JSON.parse(out)).toMatchObject({ ok: true, verified: true, form: 'sev-snp' })
    const debug = vector('sev-snp/gsg_attestation.bin')
    expect(await refusalOf(debug, ...folder)).toEqual({ exit: 5, code: 'evidence-debug' })
  })

  it('of eight GPUs answers the nonce that was named', async () => {
    const nonce = '4760e30534a0621357d458b1a7936551b5dc4cd1e69718adf7ed9fb0252a537e'
    const list = vector('nvidia/ppcie_gpu_evidence.json')
    const { exit, out } = await verify(list, '--nonce', nonce)
    expect([exit, out]).toEqual([0, expect.stringContaining('8 different GPUs')])
  })
})

describe("the market's own document", () => {
  const at = ['--at', String(AT_S + 60)]

  it('is judged by the network that is named, and by none where none is', async () => {
    const network = await file('network.json', JSON.stringify(NETWORK))
    const open = await file('open.json', makeOpenEvidence(CLAIMS, KEY))
    const { exit, out } = await verify(open, '--network', network, ...at)
    expect(exit).toBe(0)
    expect(out).toContain('measurements judged by no list: none is named')
    expect(out).toContain(
      "tier         open: a registered key and nothing more: this computer's owner",
    )
    expect(out).toMatch(/NOT proved:\n.*this computer's owner can/s)
    expect(out).toMatch(/NOT proved:\n.*that it is fresh: .* not looked up on a chain/s)
    expect(await refusalOf(open, ...at)).toEqual({ exit: 5, code: 'evidence-measurement' })
  })

  it('of a provider is shown from the newest receipt, and verified again', async () => {
    const world = await playMarket('evidence show')
    const market = await world.client()
    const job = market.submit({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
    const { receipt, receiptHash, provider } = await world.clock.settle(job.result(), 60_000)
    const folder = join(processes.home, 'played', 'client')
    await mkdir(folder, { recursive: true })
    const store = openSqliteStore(join(folder, 'store.db'))
    const journal = openJournal(store)
    await journal.begin(job.id, { atMs: 0, model: 'm' })
    await journal.end(job.id, { state: 'done' }, { hash: receiptHash, file: receipt })
    await store.close()

    const endpoint = await blockServer(NETWORK.id)
    const show = async (toncenter: string, ...more: string[]) => {
      const network = await file('network.json', JSON.stringify({ ...NETWORK, toncenter }))
      const args = ['--network', network, '--at', String(AT_S + 100), ...more]
      return processes.run(['evidence', 'show', provider.slice(0, 8), ...args])
    }
    const { exit, out } = await show(endpoint.url)
    expect(exit).toBe(0)
    expect(out).toContain(`provider ${provider}, as shown with receipt ${receiptHash.slice(0, 16)}`)
    expect(out).toContain('tier         simulated: simulated evidence for development')
    expect(out).toMatch(/\nproved:\n.*it was made after block \d+ of this network/s)

    const offline = await show('http://127.0.0.1:9', '--offline')
    expect(offline.out).toMatch(/\nNOT proved:\n.*that it is fresh/s)
    endpoint.networkId = NETWORK.id + 1
    const [invented, unknown] = [await show(endpoint.url), await show('http://127.0.0.1:9')]
    expect([invented.exit, invented.error]).toEqual([5, expect.stringContaining('block')])
    expect([unknown.exit, unknown.error]).toEqual([6, expect.stringContaining('--offline')])
    await endpoint.stop()
  })
})

/** An endpoint that has the blocks of a simulated chain, of `networkId`. */
async function blockServer(networkId: number) {
  const served = { networkId, url: '', stop: async () => {} }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { method, params } = JSON.parse(Buffer.concat(parts).toString())
      const answer = answerOf(method, params, served.networkId)
      response.writeHead(answer ? 200 : 404)
      response.end(JSON.stringify({ ok: answer !== undefined, result: answer }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  served.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  served.stop = () => new Promise((resolve) => server.close(() => resolve()))
  return served
}

function answerOf(method: string, { seqno }: { seqno?: number }, networkId: number) {
  const block = simulatedBlock({ networkId, blockMs: BLOCK_MS }, seqno ?? AT_S + 60)
  const id = { workchain: -1, seqno: block.seqno, root_hash: toBase64(block.hash) }
  if (method === 'getBlockHeader') return { id, gen_utime: block.atS }
  if (method === 'getAddressInformation') return { block_id: id, sync_utime: block.atS }
  return undefined
}

describe('what is no evidence', () => {
  it('is refused by name: no such file, no known form, no time', async () => {
    const text = await file('text', 'hello')
    const runs = await Promise.all([
      refusalOf(join(processes.home, 'absent')),
      refusalOf(text, '--at', 'yesterday'),
      refusalOf(text),
    ])
    expect(runs.map(({ exit, code }) => [exit, code])).toEqual([
      [2, 'bad-input'],
      [2, 'bad-input'],
      [5, 'evidence-kind'],
    ])
  })
})
