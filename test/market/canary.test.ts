/**
 * Nobody but client and provider's model sees a prompt or an answer: a canary is sent through a
 * market of real processes that log everything they ever log, with all their traffic recorded, and
 * is then searched for in every file, log, status page and recorded byte, in what the machine shows
 * of its processes, in the memory of the scheduler, and in what a provider says when it breaks.
 *
 * Passing shows that nothing is leaked in these places and encodings; that sealed bytes cannot be
 * opened is shown in `test/contracts/seal`.
 * @module
 */

import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { networkOf } from '../support/marketBooks.ts'
import {
  LOCALNET,
  lastJson,
  openProcesses,
  type Processes,
  type Role,
  records,
  SCHEDULER,
  schedulerAt,
  startProvider,
  until,
  untilOffered,
} from '../support/marketProcesses.ts'
import {
  begin,
  chunkOf,
  event,
  type ModelServer,
  startModelServer,
} from '../support/modelServer.ts'
import { servedBy } from '../support/pacedServer.ts'
import { descendants, inMemory, shownOf } from '../support/processScan.ts'
import { encodingsOf, filesIn, foundIn, type Recorder, startRecorder } from '../support/recorder.ts'

/** Quotes and letters beyond ASCII, so that each encoding of it is another text. */
const CANARY = 'canary-6f1d0c "sings" für Zoë'

let processes: Processes
let server: ModelServer
let roles: Record<string, Role>
let memoryOfGateway: ReturnType<typeof inMemory>
let towardsProviders: Recorder
let towardsClients: Recorder
/**
 * Characters of a message that the model server refuses, and words of one that it answers slowly.
 */
const LONG = 50_000
const MANY = 100

/** The part of it that has one form in memory whatever the encoding of the rest. */
const NEEDLE = 'canary-6f1d0c'
const LINUX = process.platform === 'linux'
/** Ways to break with a prompt in flight (`test/support/crashOnPrompt.ts`). */
const CRASHES = ['exception', 'parse']
const CRASH_ON_PROMPT = new URL('../support/crashOnPrompt.ts', import.meta.url).href

/** What the client was given, where the canary belongs. */
const answers: string[] = []

beforeAll(async () => {
  processes = await openProcesses({ CHRYSALIS_LOG: 'debug', CHRYSALIS_DEBUG: '1' })
  server = await startModelServer(echo)
  await processes.start(LOCALNET)
  const scheduler = await processes.start(SCHEDULER)
  const [address] = scheduler.first.addresses as string[]
  const port = Number(/\/tcp\/(\d+)/.exec(address ?? '')?.[1])
  towardsProviders = await startRecorder(port)
  towardsClients = await startRecorder(port)
  await announce(scheduler, towardsProviders.port)
  const provider = await startProvider(processes, ['--tick', '40', ...servedBy(server)])
  await untilOffered(scheduler, 1)
  await announce(scheduler, towardsClients.port)
  roles = { scheduler, provider }
})
afterAll(async () => {
  await processes?.end()
  towardsProviders?.close()
  towardsClients?.close()
  await server?.close()
})

/** Answers with the last message, word by word; quotes a long one back in its refusal. */
async function echo(
  response: ServerResponse,
  { messages }: Record<string, unknown>,
): Promise<void> {
  const said = String(records(messages).at(-1)?.content)
  if (said.length > LONG) {
    const message = `maximum context length exceeded by: ${said}`
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { message } }))
    return
  }
  begin(response)
  const words = said.split(/(?<= )/)
  for (const [at, word] of words.entries()) {
    response.write(chunkOf({ content: word }, at + 1))
    if (words.length > MANY) await new Promise((resolve) => setTimeout(resolve, 20))
    if (response.destroyed) return
  }
  response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }))
  response.end('data: [DONE]\n\n')
}

/** Whoever reads network.json from now on dials the scheduler at another port. */
async function announce(scheduler: Role, port: number): Promise<void> {
  const network = await networkOf(processes.home)
  const schedulers = [schedulerAt(scheduler, port)]
  const file = join(processes.home, 'localnet', 'network.json')
  await writeFile(file, JSON.stringify({ ...network, schedulers }))
}

/** What the gateway says to bodies that it does not take, each with the canary in it. */
async function refusedTexts(url: string, key: string): Promise<string[]> {
  const content = CANARY
  const good = { model: 'words', messages: [{ role: 'user', content }] }
  const bodies = [
    `{"messages":[{"content":"${NEEDLE}`,
    `${NEEDLE}`,
    JSON.stringify({ ...good, temperature: CANARY }),
    JSON.stringify({ ...good, messages: [{ role: CANARY, content }] }),
    JSON.stringify({ ...good, messages: [{ role: 'user', content: [CANARY] }] }),
    JSON.stringify({ ...good, messages: CANARY }),
    JSON.stringify({ ...good, chrysalis: { maxTick: 1 } }),
    JSON.stringify({ ...good, messages: [{ role: 'user', content: content.repeat(90_000) }] }),
  ]
  return Promise.all(
    bodies.map(async (body) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const post = { method: 'POST', headers, body }
      const response = await fetch(`${url}/chat/completions`, post)
      expect(response.status).toBeGreaterThanOrEqual(400)
      return response.text()
    }),
  )
}

describe('jobs with a canary in prompt and answer', () => {
  it('by the command', async () => {
    for (const more of [['--json'], ['--system', `Mind the ${CANARY}.`]]) {
      const { exit, out, error } = await processes.run(['run', CANARY, ...more])
      expect(exit, error).toBe(0)
      answers.push(more[0] === '--json' ? String(records([lastJson(out).job])[0]?.text) : out)
    }
  })

  it('by the gateway, whole and streamed', async () => {
    const gateway = await processes.start(['gateway', 'start', '--port', '0'])
    const { url, apiKey } = gateway.first
    const openai = new OpenAI({ baseURL: String(url), apiKey: String(apiKey), maxRetries: 0 })
    const body = { model: 'words', messages: [{ role: 'user' as const, content: CANARY }] }
    const { choices } = await openai.chat.completions.create(body)
    answers.push(choices[0]?.message.content ?? '')
    let streamed = ''
    for await (const chunk of await openai.chat.completions.create({ ...body, stream: true })) {
      streamed += chunk.choices[0]?.delta.content ?? ''
    }
    answers.push(streamed)
    await expect(openai.chat.completions.create({ ...body, n: 2 })).rejects.toThrow()
    const texts = await refusedTexts(String(url), String(apiKey))
    for (const text of texts) expect(foundIn(Buffer.from(text), NEEDLE)).toEqual([])
    if (LINUX) memoryOfGateway = inMemory(gateway.pid, NEEDLE)

    // Cut off in the middle of an answer, by the death of the gateway.
    const content = `${CANARY} `.repeat(MANY)
    const messages = [{ role: 'user' as const, content }]
    const cut = await openai.chat.completions.create({ ...body, messages, stream: true })
    const died = (async () => {
      for await (const _ of cut) await gateway.stop('SIGKILL')
    })()
    await expect(died).rejects.toThrow()
  })

  it('that are refused: by price, by the context, by an option', async () => {
    const long = `${CANARY} `.repeat(LONG / CANARY.length)
    for (const args of [
      ['run', CANARY, '--max-tick', '3'],
      ['run', '-'],
      ['run', CANARY, '--model', 'nobody-has-it'],
    ]) {
      const input = args[1] === '-' ? long : undefined
      const { exit, out, error } = await processes.run(args, { input })
      expect([args, exit]).toEqual([args, args[1] === '-' ? 2 : 3])
      expect(foundIn(Buffer.from(out + error), CANARY)).toEqual([])
    }
  })

  it.skipIf(!LINUX)('are in no arguments and no environment while they run', async () => {
    const before = server.requests.length
    const running = processes.run(['run', `${CANARY} `.repeat(MANY)])
    await until('it reached the model', () => server.requests.length > before, 60_000)
    const pids = descendants(process.pid)
    expect(pids).toEqual(expect.arrayContaining([roles.scheduler!.pid, roles.provider!.pid]))
    for (const pid of pids) {
      const { cmdline, environ } = shownOf(pid)
      expect([foundIn(cmdline, NEEDLE), foundIn(environ, NEEDLE)]).toEqual([[], []])
    }
    const titles = pids.map((pid) => shownOf(pid).cmdline.toString().replaceAll('\0', ' ').trim())
    expect(titles.filter((title) => title === 'chrysalis').length).toBeGreaterThanOrEqual(3)
    expect((await running).exit).toBe(0)
  })

  it.each(CRASHES)('survive a provider that breaks on them: %s', async (crash) => {
    const env = { NODE_OPTIONS: `--import ${CRASH_ON_PROMPT}`, CRASH: crash }
    const name = ['--role', `crash-${crash}`, '--tick', '20']
    const start = ['provider', 'start', '--status-port', '0', ...name, ...servedBy(server)]
    const broken = await processes.start(start, env)
    await untilOffered(roles.scheduler!, 2)
    const { exit, out, error } = await processes.run(['run', CANARY])
    expect(exit, error).toBe(0)
    answers.push(out)
    await until('it ended', () => !broken.alive())
    expect(await broken.stop()).toBe(7)
    expect(broken.log()).toMatch(/\nfatal: \w/)
    expect(foundIn(Buffer.from(broken.log()), NEEDLE)).toEqual([])
  })

  it('reached the model and came back', () => {
    expect(server.requests.length).toBeGreaterThanOrEqual(5)
    for (const { body } of server.requests) expect(JSON.stringify(body.messages)).toContain('Zoë')
    expect(answers).toHaveLength(4 + CRASHES.length)
    for (const answer of answers) expect(answer).toContain(CANARY)
  })
})

describe('the canary afterwards', () => {
  it('is in no file of any role: stores, their logs of changes, keys, receipts', async () => {
    const files = filesIn(processes.home)
    const names = files.map(([path]) => path.slice(processes.home.length))
    for (const name of ['scheduler', 'provider', 'client', 'gateway']) {
      expect(names).toContain(`/localnet/${name}/store.db`)
    }
    expect(names).toContain('/localnet/scheduler/store.db-wal')
    const found = files.filter(([, content]) => foundIn(content, CANARY).length > 0)
    expect(found.map(([path]) => path)).toEqual([])
    const bytes = files.reduce((sum, [, content]) => sum + content.length, 0)
    console.info(`canary: ${files.length} files, ${bytes} bytes searched`)
  })

  it('is in no status and no metrics', async () => {
    for (const role of [roles.scheduler!, roles.provider!]) {
      for (const path of ['status', 'metrics', '']) {
        const page = Buffer.from(await (await fetch(`${role.first.status}/${path}`)).arrayBuffer())
        expect(page.length).toBeGreaterThan(20)
        expect([path, foundIn(page, CANARY)]).toEqual([path, []])
      }
    }
  })

  it('is in no byte between client and scheduler, nor between scheduler and provider', () => {
    for (const recorder of [towardsClients, towardsProviders]) {
      const recorded = recorder.recorded()
      const bytes = recorded.reduce((sum, each) => sum + each.length, 0)
      console.info(`canary: ${recorded.length} directions, ${bytes} bytes recorded`)
      // Every sealed request alone is padded to 2 KiB.
      expect(bytes).toBeGreaterThan(5 * 2_048)
      for (const each of recorded) expect(foundIn(each, CANARY)).toEqual([])
    }
  })

  it.skipIf(!LINUX)('is in no memory of the scheduler: what a core file would hold', () => {
    const memory = inMemory(roles.scheduler!.pid, NEEDLE)
    if (!memory) return console.info('canary: this user may not read memory')
    console.info(`canary: ${memory.bytes} bytes of the scheduler's memory searched`)
    expect(memory.bytes).toBeGreaterThan(2 ** 24)
    expect(memory.found).toBe(0)
    // The control: the same search finds it where it belongs, in the client's own process.
    expect(memoryOfGateway?.found).toBeGreaterThan(0)
  })

  it('is in no log, at the level debug', async () => {
    await roles.scheduler?.stop('SIGKILL')
    await until('something is worth debugging', () => processes.logs().includes('"level":"debug"'))
    const logs = processes.logs()
    expect(logs).toContain('job admitted')
    expect(foundIn(Buffer.from(logs), CANARY)).toEqual([])
  })
})

describe('the search itself', () => {
  it('finds a planted canary in every encoding, wherever it begins', () => {
    for (const [name, bytes] of encodingsOf(CANARY)) {
      const planted = Buffer.concat([Buffer.alloc(1_001, 7), bytes, Buffer.alloc(77, 7)])
      expect(foundIn(planted, CANARY)).toContain(name)
    }
    for (const before of ['', 'a', 'ab', 'abc']) {
      const text = Buffer.from(`${before}${CANARY} and more`)
      const base64 = foundIn(Buffer.from(text.toString('base64')), CANARY)
      expect(base64.some((name) => name.startsWith('base64 at'))).toBe(true)
      const json = Buffer.from(JSON.stringify({ text: JSON.stringify({ before, CANARY }) }))
      expect(foundIn(json, CANARY)).toContain('json in json')
    }
    expect(foundIn(Buffer.from('canary-6f1d0c sings'), CANARY)).toEqual([])
  })

  it.skipIf(!LINUX)('finds one in the arguments and the environment of a process', async () => {
    const script = 'console.log(1); process.stdin.resume()'
    const child = spawn(process.execPath, ['-e', script, CANARY], { env: { SAID: CANARY } })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const { cmdline, environ } = shownOf(child.pid!)
    expect(foundIn(cmdline, CANARY)).toContain('utf8')
    expect(foundIn(environ, CANARY)).toContain('utf8')
    expect(descendants(process.pid)).toContain(child.pid)
    child.kill('SIGKILL')
  })

  it('finds one that a recorder forwarded in the clear, in pieces', async () => {
    const sink = createServer((socket) => socket.pipe(socket))
    await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
    const address = sink.address()
    const recorder = await startRecorder(typeof address === 'object' && address ? address.port : 0)
    const socket = connect(recorder.port, '127.0.0.1')
    for (const piece of [`x${CANARY.slice(0, 9)}`, `${CANARY.slice(9)}y`]) {
      socket.write(piece)
      await new Promise((resolve) => socket.once('data', resolve))
    }
    expect(recorder.recorded().map((each) => foundIn(each, CANARY))).toEqual([
      expect.arrayContaining(['utf8']),
      expect.arrayContaining(['utf8']),
    ])
    socket.destroy()
    recorder.close()
    sink.close()
  })

  it('finds one that a process has logged or written', async () => {
    const file = join(processes.home, 'planted')
    await writeFile(file, JSON.stringify({ prompt: CANARY }))
    const found = filesIn(processes.home).filter(([, each]) => foundIn(each, CANARY).length > 0)
    expect(found.map(([path]) => path)).toEqual([file])
  })
})
