/**
 * Everything that the command and the SDK refuse: each with its code, what to do about it, and its
 * exit code; with `--json` always as `{"ok":false,"error":{"code","message","action"}}`.
 * @module
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, type JobRequest, type Market } from '../../client/index.ts'
import { networkOf } from '../support/marketBooks.ts'
import {
  openProcesses,
  PROVIDERS,
  type Processes,
  type Role,
  type RunningMarket,
  schedulerAt,
  startMarket,
} from '../support/marketProcesses.ts'

const PROMPT = 'What is the capital of Peru?'
const LONG = { role: 'user', content: 'word '.repeat(3_000) } as const
const LOCKED_MS = 5_000
/** A port on which something else listens. */
let busy: Server
let busyPort: string

let market: RunningMarket
let processes: Processes
let gateway: Role

beforeAll(async () => {
  processes = await openProcesses()
  market = await startMarket(processes, PROVIDERS.slice(0, 1))
  gateway = await processes.start(['gateway', 'start', '--port', '0'])
  busy = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => busy.once('listening', resolve))
  const address = busy.address()
  busyPort = String(typeof address === 'object' && address ? address.port : 0)
})
afterAll(async () => {
  busy?.close()
  await processes?.end()
})

interface Refusal {
  readonly exit: number
  readonly code: string
  readonly message?: RegExp
  readonly env?: Record<string, string>
}

/** Runs a verb with --json and checks the whole of what it says; gives the time it took. */
async function refused(args: readonly string[], expected: Refusal): Promise<number> {
  const { exit, code, message = /\S/, env } = expected
  const ran = await processes.run([...args, '--json'], { env })
  const lines = ran.out.trim().split('\n')
  expect(lines, `${args.join(' ')}: ${ran.error}`).toHaveLength(1)
  expect([args, JSON.parse(lines[0] ?? '')]).toStrictEqual([
    args,
    {
      ok: false,
      error: {
        code,
        message: expect.stringMatching(message),
        action: expect.stringMatching(/^[A-Z].*\.$/),
      },
    },
  ])
  expect([args, ran.exit]).toEqual([args, exit])
  return ran.tookMs
}

describe('what the market refuses a job for', () => {
  it('a price cap too low: the lowest tick that would do is told', () =>
    refused(['run', PROMPT, '--max-tick', '3'], {
      exit: 3,
      code: 'price',
      message: /lowestTick 40/,
    }))

  it('for a person the same in words, on standard error only', async () => {
    const { exit, out, error } = await processes.run(['run', PROMPT, '--max-tick', '3'])
    expect([exit, out]).toEqual([3, ''])
    expect(error).toMatch(/error: No provider .*lowestTick 40/)
    expect(error).toMatch(/code: +price\n +action: Raise the price cap/)
  })
})

describe('what the SDK throws', () => {
  const request: JobRequest = {
    model: 'tiny-chat',
    messages: [{ role: 'user', content: PROMPT }],
    maxTokens: 32,
  }
  const open = (profile: string, deposit?: bigint): Promise<Market> =>
    connect({ network: 'localnet', home: processes.home, profile, deposit })

  it.each([
    ['a model that nobody serves', { model: 'gpt-9' }, 'no-model', 3, {}],
    ['a price cap too low', { maxTick: 3 }, 'price', 3, { lowestTick: '40' }],
    ['a tier that nobody proves', { minTier: 'gpu-tee' }, 'requirements', 3, { first: 'tier' }],
    ['a region where nobody is', { regions: ['moon'] }, 'requirements', 3, { first: 'regions' }],
    ['a prompt beyond the context', { messages: [LONG] }, 'prompt-too-long', 2, {}],
  ] as const)('%s: the code, what to do, and the fact that helps', async (...row) => {
    const [, more, code, exit, facts] = row
    await using market = await open('client')
    await expect(market.submit({ ...request, ...more }).result()).rejects.toMatchObject({
      code,
      exit,
      facts,
      action: expect.stringMatching(/\S/),
    })
    expect((await market.balance()).channel).toMatchObject({ spent: 0n })
  })

  it('a deposit too small for the job is no-funds, and nothing is spent', async () => {
    await using market = await open('poor', 1_000n)
    await expect(market.submit(request).result()).rejects.toMatchObject({
      code: 'no-funds',
      exit: 4,
      action: expect.stringMatching(/Top up/),
    })
    const { channel } = await market.balance()
    expect(channel).toMatchObject({ deposited: 1_000n, signed: 0n, spent: 0n })
  })

  it('a job id is spent once: repeated at once it is the same job, later a duplicate', async () => {
    const jobId = '0123456789abcdef0123456789abcdef'
    {
      await using market = await open('twice')
      const job = market.submit({ ...request, jobId })
      expect(market.submit({ ...request, jobId })).toBe(job)
      await job.result()
    }
    await using market = await open('twice')
    const { channel } = await market.balance()
    await expect(market.submit({ ...request, jobId }).result()).rejects.toMatchObject({
      code: 'duplicate-job',
      exit: 3,
    })
    expect((await market.balance()).channel.spent).toBe(channel.spent)
  })

  it('what is no request is bad input, before anything is sent', async () => {
    await using market = await open('careless')
    const wrong = [
      { maxTik: 3 },
      { messages: [] },
      { maxTokens: 65_537 },
      { maxTick: 96 },
      { jobId: 'x' },
      { exclude: ['nobody'] },
    ]
    for (const each of wrong) {
      const submit = () => market.submit({ ...request, ...each })
      expect(submit, JSON.stringify(each)).toThrow(expect.objectContaining({ code: 'bad-input' }))
    }
  })
})

describe('what the command refuses to begin with', () => {
  it('a wrong option or argument', async () => {
    const wrong = [
      ['run', PROMPT, '--max-tick', 'high'],
      ['run', PROMPT, '--min-tier', 'secret'],
      ['run', PROMPT, '--surprise'],
      ['run'],
      ['sell'],
      ['scheduler', 'start', '--strategy', 'luck'],
      ['provider', 'start', '--tier', 'secret'],
      ['provider', 'start', '--compute', 'moon'],
      ['provider', 'start', '--role', '../other'],
      ['localnet', 'start', '--port', '65536'],
      ['receipt', 'verify', 'there-is-no-such-file'],
      ['govern', 'execute', 'abc'],
      ['govern', 'cancel', 'abc'],
      ['govern', 'cancel', '77'],
      ['govern', 'propose', 'delay', '7'],
      ['govern', 'propose', 'code', 'apply', 'x.json', '--of', 'nobody'],
    ]
    await Promise.all(wrong.map((args) => refused(args, { exit: 2, code: 'bad-input' })))
  })

  it('a confidential tier on a machine without the hardware: what is needed is said', async () => {
    for (const tier of ['cpu-tee', 'gpu-tee']) {
      const start = ['provider', 'start', '--role', 'tee', '--status-port', '0', '--tier', tier]
      const inside = ['--backend-url', 'http://127.0.0.1:9/v1', '--model', 'm']
      const weights = ['--weights-file', process.execPath, '--context-tokens', '512']
      await refused([...start, ...(tier === 'gpu-tee' ? [...inside, ...weights] : [])], {
        exit: 7,
        code: 'no-device',
        message: /needs start the provider inside an Intel TDX or AMD SEV-SNP guest/,
      })
    }
  })

  it('a network that is not known, or a file that is none', async () => {
    await refused(['models', '--network', 'nowhere'], { exit: 2, code: 'unknown-network' })
    const file = join(processes.home, 'broken.json')
    await writeFile(file, '{"id":1,"name":"x","toncentre":"http://127.0.0.1"}')
    await refused(['models', '--network', file], { exit: 2, code: 'bad-config' })
  })

  it('a chain, and a scheduler, that do not answer', async () => {
    const network = await networkOf(processes.home)
    const dead = { ...network, name: 'dead', toncenter: 'http://127.0.0.1:9/api/v2/jsonRPC' }
    const file = join(processes.home, 'dead.json')
    await writeFile(file, JSON.stringify(dead))
    await refused(['balance', '--network', file], { exit: 6, code: 'chain-unavailable' })
    const schedulers = [schedulerAt(market.scheduler, 9)]
    await writeFile(file, JSON.stringify({ ...network, name: 'dead', schedulers }))
    await refused(['balance', '--network', file], { exit: 6, code: 'unreachable' })
    await writeFile(file, JSON.stringify({ ...network, name: 'dead', id: network.id + 1 }))
    await refused(['balance', '--network', file], { exit: 2, code: 'wrong-network' })
  })

  it('real coins without consent, and a delay on a real network that is none', async () => {
    const { faucet: _, ...network } = await networkOf(processes.home)
    const file = join(processes.home, 'real.json')
    await writeFile(file, JSON.stringify({ ...network, name: 'real', development: false }))
    const env = { CHRYSALIS_PASSPHRASE: 'of this test' }
    const unasked = { exit: 2, code: 'bad-input', message: /missing --yes/, env }
    await refused(['govern', 'pause', '--network', file], unasked)
    const parameters = join(processes.home, 'parameters.json')
    await writeFile(parameters, (await processes.run(['market', '--chain', '--json'])).out)
    const deploy = ['deploy', '--network', file, '--parameters', parameters, '--delay', '0']
    await refused(deploy, { exit: 2, code: 'bad-input', message: /delayS 0, least 86400/, env })
  })

  it('a key file that others can read, or that the passphrase does not open', async () => {
    const key = join(processes.home, 'localnet', 'client', 'keys.json')
    const kept = await readFile(key, 'utf8')
    const env = { CHRYSALIS_PASSPHRASE: 'not this one' }
    await refused(['balance'], { exit: 2, code: 'key-file', message: /passphrase wrong/, env })
    await chmod(key, 0o644)
    await refused(['balance'], { exit: 2, code: 'key-file', message: /keys\.json/ })
    await chmod(key, 0o600)
    expect((await processes.run(['balance'])).exit).toBe(0)
    expect(await readFile(key, 'utf8')).toBe(kept)
  })

  it('a port that something else holds: the process says so and ends', async () => {
    const others = join(processes.home, 'others')
    await mkdir(others)
    for (const args of [
      ['localnet', 'start', '--port', busyPort, '--home', others],
      ['gateway', 'start', '--port', busyPort],
      ['provider', 'start', '--role', 'other', '--status-port', busyPort],
    ]) {
      if (args[0] === 'gateway') await gateway.stop()
      await refused(args, { exit: 7, code: 'port-in-use' })
    }
  })

  it('a scheduler on ports that something else holds', async () => {
    const network = await networkOf(processes.home)
    const home = join(processes.home, 'second')
    await mkdir(join(home, 'localnet'), { recursive: true })
    await writeFile(join(home, 'localnet', 'network.json'), JSON.stringify(network))
    const start = ['scheduler', 'start', '--home', home]
    const taken = { exit: 7, code: 'port-in-use' }
    await refused([...start, '--status-port', busyPort], taken)
    await refused([...start, '--status-port', '0', '--port', busyPort], taken)
  })

  it(`a second process in the same role's folder, within ${LOCKED_MS} ms`, async () => {
    const locked = { exit: 7, code: 'store-locked' }
    const scheduler = await refused(['scheduler', 'start', '--status-port', '0'], locked)
    const provider = ['provider', 'start', '--role', 'provider-1', '--status-port', '0']
    const second = await refused(provider, locked)
    console.info(`refusals: locked out in ${Math.round(scheduler)} and ${Math.round(second)} ms`)
    expect(Math.max(scheduler, second)).toBeLessThan(LOCKED_MS)
  })
})
