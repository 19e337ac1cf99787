/**
 * The market as separate processes: localnet, scheduler, two providers and a client, each started
 * by the command, over real TCP and a real localnet.
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  lastJson,
  openProcesses,
  type Processes,
  type RunningMarket,
  records,
  startMarket,
  statusOf,
} from '../support/marketProcesses.ts'

const PROMPT = 'What is the capital of Peru?'
const ANSWER = 'The capital of Peru is Lima.'
const HASH = /^[0-9a-f]{64}$/

let processes: Processes
let market: RunningMarket

beforeAll(async () => {
  const startMs = performance.now()
  processes = await openProcesses()
  market = await startMarket(processes)
  console.info(`processes: market up in ${Math.round(performance.now() - startMs)} ms`)
})
afterAll(() => processes?.end())

describe('chrysalis run', () => {
  it('streams the right answer, then price, provider, tier and receipt', async () => {
    const { exit, out, error, tookMs } = await processes.run(['run', PROMPT])
    expect(exit, error).toBe(0)
    const [text, ...rest] = out.split('\n')
    expect(text).toBe(ANSWER)
    expect(rest.join('\n')).toMatch(/cost +0\.0000\d+ TON .*fee/)
    expect(rest.join('\n')).toMatch(/tier +open: .*owner can read your prompt/)
    expect(rest.join('\n')).toMatch(/receipt +[0-9a-f]{64} \(verified\)/)
    expect(rest.join('\n')).toContain(cheapest())
    expect(error).toContain('demo model')
    console.info(`processes: one run as a process took ${Math.round(tookMs)} ms`)
  })

  it('gives the same as one object, the prompt read from standard input', async () => {
    const { exit, out, error } = await processes.run(['run', '-', '--json'], { input: PROMPT })
    expect(exit, error).toBe(0)
    expect(out.trim().split('\n')).toHaveLength(1)
    const { ok, job } = lastJson(out)
    expect(ok).toBe(true)
    expect(job).toMatchObject({
      model: 'tiny-chat',
      text: ANSWER,
      finishReason: 'stop',
      provider: cheapest(),
      tier: 'open',
      verified: true,
      attempts: 1,
      cost: expect.stringMatching(/^[1-9]\d*$/),
      receipt: expect.stringMatching(HASH),
    })
  })
})

describe('what a person asks the market', () => {
  it('models: price, places and both providers', async () => {
    const text = await ok(['models'])
    expect(text).toMatch(/tiny-chat \(demo\) +0\.\d+ TON +40 +8 +2 +open +512/)
    const { models } = lastJson(await ok(['models', '--json']))
    expect(models).toEqual([
      expect.objectContaining({ model: 'tiny-chat', lowestTick: 40, places: 8, providers: 2 }),
    ])
  })

  it('balance: what was spent is what the jobs cost, and nothing stays granted', async () => {
    const text = await ok(['balance'])
    expect(text).toMatch(/deposited 2 TON/)
    const { channel } = lastJson(await ok(['balance', '--json'])) as {
      channel: Record<string, string>
    }
    const { deposited, signed, spent, credit, free } = channel
    expect(BigInt(spent!)).toBeGreaterThan(0n)
    expect(BigInt(signed!)).toBe(BigInt(spent!) + BigInt(credit!))
    expect(BigInt(free!)).toBe(BigInt(deposited!) - BigInt(spent!))
    const { clientChannels } = await statusOf(market.scheduler)
    expect(records(clientChannels)).toEqual([
      expect.objectContaining({ deposit: deposited, cumulative: signed, spent }),
    ])
  })

  it('status: network, chain, scheduler, providers, model', async () => {
    const text = await ok(['status'])
    expect(text).toContain('model      tiny-chat: 8 places, 2 providers')
    const status = lastJson(await ok(['status', '--json']))
    expect(status).toMatchObject({
      network: { name: 'localnet', development: true },
      schedulers: [market.scheduler.first.identity],
      models: [{ model: 'tiny-chat', places: 8, providers: 2 }],
    })
    const identities = market.providers.map((each) => String(each.first.identity))
    expect((status.providers as string[]).toSorted()).toEqual(identities.toSorted())
  })

  it('what the provider of its job proved: registered, and fresh by the chain', async () => {
    const { receipts } = lastJson(await ok(['receipt', 'list', '--json']))
    const file = await shown(String((receipts as string[])[0]))
    const { fields } = lastJson(await ok(['receipt', 'verify', file, '--json']))
    const { provider } = fields as { provider: string }
    const asked = await ok(['evidence', 'show', provider])
    expect(asked).toMatch(/\nproved:.*the identity is registered.*after block.*NOT proved:/s)
    expect(asked).toContain("measurements judged by the registry's list")
    const offline = await ok(['evidence', 'show', provider, '--offline'])
    expect(offline).toMatch(/NOT proved:.*that the provider is registered.*that it is fresh/s)
  })

  it('status and metrics of every role over HTTP', async () => {
    for (const role of [market.scheduler, ...market.providers]) {
      expect(await statusOf(role)).toMatchObject({ identity: role.first.identity })
      const metrics = await (await fetch(`${role.first.status}/metrics`)).text()
      expect(metrics).toMatch(/^# TYPE chrysalis_\w+ gauge$/m)
      expect(metrics).toMatch(/^chrysalis_\w+(\{.*\})? \d+$/m)
    }
  })
})

/** Last in this file: it stops the market. */
describe('receipts, with the whole market stopped', () => {
  beforeAll(async () => {
    const { localnet, scheduler, providers } = market
    expect(await Promise.all(providers.map((each) => each.stop()))).toEqual([0, 0])
    expect(await scheduler.stop()).toBe(0)
    expect(await localnet.stop()).toBe(0)
  })

  it('are listed, shown, and verified with no network', async () => {
    const { receipts } = lastJson(await ok(['receipt', 'list', '--json']))
    expect(receipts).toEqual([expect.stringMatching(HASH), expect.stringMatching(HASH)])
    const file = await shown(String((receipts as string[])[0]))
    const text = await ok(['receipt', 'verify', file])
    expect(text).toMatch(/^verified/)
    expect(text).toContain('NOT proved:')
    const verdict = lastJson(await ok(['receipt', 'verify', file, '--json']))
    expect(verdict).toMatchObject({ ok: true, proved: expect.any(Array) })
    expect((verdict.notProved as string[]).length).toBeGreaterThan(0)
  })

  it('are refused with exit code 5 where one byte of any signed part is another', async () => {
    const { receipts } = lastJson(await ok(['receipt', 'list', '--json']))
    const kept = JSON.parse(await ok(['receipt', 'show', String((receipts as string[])[0])]))
    const { signatures } = kept
    const changed: [string, object][] = [
      ...['receipt', 'lease', 'accept', 'epochKey'].map((part): [string, object] => [
        part,
        { ...kept, [part]: flipLast(kept[part]) },
      ]),
      ...Object.keys(signatures).map((part): [string, object] => [
        `signature ${part}`,
        { ...kept, signatures: { ...signatures, [part]: flipLast(signatures[part]) } },
      ]),
    ]
    expect(changed.length).toBeGreaterThanOrEqual(8)
    const ran = await Promise.all(changed.map(([part, json]) => verifyChanged(part, json)))
    expect(ran).toEqual(changed.map(([part]) => [part, 5]))
  })

  it('of another network, or that are none, are refused with exit code 5', async () => {
    const { receipts } = lastJson(await ok(['receipt', 'list', '--json']))
    const file = await shown(String((receipts as string[])[0]))
    expect((await processes.run(['receipt', 'verify', file, '--network-id', '-3'])).exit).toBe(5)
    expect(await verifyChanged('nothing', {})).toEqual(['nothing', 5])
    const lost = await processes.run(['receipt', 'verify', join(processes.home, 'none'), '--json'])
    expect(lost.exit).toBe(2)
    expect(lastJson(lost.out)).toMatchObject({ error: { code: 'bad-input' } })
  })

  it('are not found by a wrong beginning', async () => {
    const { exit, out } = await processes.run(['receipt', 'show', 'zz', '--json'])
    expect(exit).toBe(2)
    expect(lastJson(out)).toMatchObject({ ok: false, error: { code: 'not-found' } })
  })
})

function cheapest(): string {
  return String(market.providers[0]?.first.identity)
}

async function ok(args: readonly string[]): Promise<string> {
  const { exit, out, error } = await processes.run(args)
  expect(exit, error + out).toBe(0)
  return out
}

async function shown(hash: string): Promise<string> {
  const file = join(processes.home, `${hash}.json`)
  await writeFile(file, await ok(['receipt', 'show', hash.slice(0, 12)]))
  return file
}

async function verifyChanged(part: string, json: object): Promise<[string, number | null]> {
  const file = join(processes.home, `${part.replace(' ', '-')}.json`)
  await writeFile(file, JSON.stringify(json))
  const { exit, error } = await processes.run(['receipt', 'verify', file])
  expect(error, part).toMatch(/action: \S/)
  return [part, exit]
}

/** The same bytes with the lowest bit of the last one changed: still base64, still as long. */
function flipLast(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[bytes.length - 1]! ^= 1
  return bytes.toString('base64')
}
