/**
 * Nobody but client and provider's model sees a prompt or an answer: a canary is sent through a
 * market of real processes that log everything they ever log, with all their traffic recorded, and
 * is then searched for in every file, log, status page and recorded byte.
 *
 * Passing shows that nothing is leaked in these places and encodings; that sealed bytes cannot be
 * opened is shown in `test/contracts/seal`.
 * @module
 */

import { writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { networkOf } from '../support/marketBooks.ts'
import {
  lastJson,
  openProcesses,
  type Processes,
  type Role,
  records,
  SCHEDULER,
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
import { encodingsOf, filesIn, foundIn, type Recorder, startRecorder } from '../support/recorder.ts'

/** Quotes and letters beyond ASCII, so that each encoding of it is another text. */
const CANARY = 'canary-6f1d0c "sings" für Zoë'

let processes: Processes
let server: ModelServer
let roles: Record<string, Role>
let towardsProviders: Recorder
let towardsClients: Recorder
/**
 * Characters of a message that the model server refuses, and words of one that it answers slowly.
 */
const LONG = 50_000
const MANY = 100

/** What the client was given, where the canary belongs. */
const answers: string[] = []

beforeAll(async () => {
  processes = await openProcesses({ CHRYSALIS_LOG: 'debug', CHRYSALIS_DEBUG: '1' })
  server = await startModelServer(echo)
  await processes.start(['localnet', 'start', '--port', '0'])
  const scheduler = await processes.start(SCHEDULER)
  const [address] = scheduler.first.addresses as string[]
  const port = Number(/\/tcp\/(\d+)/.exec(address ?? '')?.[1])
  towardsProviders = await startRecorder(port)
  towardsClients = await startRecorder(port)
  await announce(towardsProviders.port)
  const provider = await startProvider(processes, ['--tick', '40', ...servedBy(server)])
  await untilOffered(scheduler, 1)
  await announce(towardsClients.port)
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
async function announce(port: number): Promise<void> {
  const network = await networkOf(processes.home)
  const schedulers = network.schedulers.map((each) => ({
    ...each,
    addresses: each.addresses.map((address) => address.replace(/\/tcp\/\d+/, `/tcp/${port}`)),
  }))
  const file = join(processes.home, 'localnet', 'network.json')
  await writeFile(file, JSON.stringify({ ...network, schedulers }))
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

  it('reached the model and came back', () => {
    expect(server.requests.length).toBeGreaterThanOrEqual(5)
    for (const { body } of server.requests) expect(JSON.stringify(body.messages)).toContain('Zoë')
    expect(answers).toHaveLength(4)
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
