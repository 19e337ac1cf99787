/**
 * `chrysalis match` as a process: its lines, its exit codes, long streams, a reader that leaves.
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, describe, expect, it } from 'vitest'

const COMMAND = join(import.meta.dirname, '../../scripts/cli/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'chrysalis-match-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Ran {
  readonly lines: readonly string[]
  readonly stderr: string
  readonly exit: number | null
}

/** Runs the verb with `input` on stdin. */
async function match(flags: readonly string[], input: Iterable<string> = []): Promise<Ran> {
  const child = spawn(process.execPath, [COMMAND, 'match', ...flags])
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (piece) => (stdout += piece))
  child.stderr.on('data', (piece) => (stderr += piece))
  child.stdin.on('error', () => {}) // the command may end before it has read everything
  Readable.from(input).pipe(child.stdin)
  const exit = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { lines: stdout.split('\n').slice(0, -1), stderr, exit }
}

const OFFER = '{"type":"offer","slot":"p1","model":"m","tick":40,"capacity":1,"serviceMs":120}\n'
const job = (id: string): string =>
  `{"type":"job","id":"${id}","tenant":"t","model":"m","expectedTokens":200,"minTier":null}\n`

describe('chrysalis match', () => {
  it('writes one decision a line, from a file and from stdin alike', async () => {
    const events = [OFFER, job('j1'), '\n', job('j2'), '{"type":"done","id":"j1"}']
    const file = join(folder, 'events.jsonl')
    writeFileSync(file, events.join(''))
    const fromFile = await match(['--events', file])
    expect(fromFile).toMatchObject({ exit: 0, stderr: '' })
    expect(fromFile.lines).toEqual([
      '{"job":"j1","slot":"p1","score":18610194000}',
      '{"job":"j2","queued":true}',
      '{"job":"j2","slot":"p1","score":18610194000}',
    ])
    expect(await match(['--events', '-'], events)).toEqual(fromFile)
  })

  it('answers each piece of input before the next comes', async () => {
    const child = spawn(process.execPath, [COMMAND, 'match', '--events', '-'])
    const answer = (): Promise<string> =>
      new Promise((resolve) => {
        child.stdout.once('data', (piece) => resolve(String(piece)))
        child.once('close', () => resolve('closed'))
      })
    child.stdin.write(OFFER + job('a'))
    expect(await answer()).toContain('"slot":"p1"')
    child.stdin.write(job('b'))
    expect(await answer()).toContain('"queued":true')
    child.stdin.end()
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
  })

  it.each([
    ['no JSON', '{"type":', 'line 3'],
    ['no event', '7', 'field event'],
    ['a bad field', '{"type":"load","slot":"p1","running":-1}', 'field running'],
    [
      'time that goes back',
      '{"type":"done","id":"x","at":1}\n{"type":"done","id":"x","at":0}',
      'at',
    ],
    ['a line too long', `{"type":"done","id":"${'x'.repeat(70_000)}"}`, '65536'],
  ])('%s: exit code 2, the line, and the decisions before it', async (_, bad, names) => {
    const { exit, lines, stderr } = await match(['--events', '-'], [OFFER, job('j'), bad, '\n'])
    expect(exit).toBe(2)
    expect(stderr).toMatch(/line [34]/)
    expect(stderr).toContain(names)
    expect(lines).toHaveLength(1)
  })

  it.each([
    [['--events', '/no/such/file'], 'events'],
    [['--events', '-', '--strategy', 'best'], 'strategy'],
    [['--events', '-', '--salt', 'x'], 'salt'],
    [['--events', '-', '--seed', '4294967296'], 'seed'],
    [['--events', '-', '--queue-limit', '-1'], 'queue-limit'],
  ])('refuses %j', async (flags, names) => {
    const { exit, stderr } = await match(flags)
    expect(exit).toBe(2)
    expect(stderr).toContain(names)
  })

  it('prints a failure as JSON where asked', async () => {
    const { lines, exit } = await match(['--events', '-', '--json'], ['{}\n'])
    expect(exit).toBe(2)
    const report = JSON.parse(lines[0]!)
    expect(report).toMatchObject({ ok: false, error: { code: 'bad-input' } })
  })

  it('takes a long stream in bounded memory, whoever reads slowly', async () => {
    function* events(): Generator<string> {
      yield OFFER
      for (let i = 0; i < 200_000; i++) yield `${job(`j${i}`)}{"type":"done","id":"j${i}"}\n`
    }
    const file = join(folder, 'long.jsonl')
    writeFileSync(file, [...events()].join(''))
    const small = ['--max-old-space-size=48', COMMAND, 'match', '--events', file]
    const child = spawn(process.execPath, small)
    child.stdout.pause()
    await new Promise((resolve) => setTimeout(resolve, 500)) // the pipe fills; nothing may pile up
    let lines = 0
    child.stdout.on('data', (piece: Buffer) => {
      for (const byte of piece) if (byte === 10) lines++
    })
    child.stdout.resume()
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
    expect(lines).toBe(200_000)
  })

  it('ends quietly when its reader leaves', async () => {
    const child = spawn(process.execPath, [COMMAND, 'match', '--events', '-'])
    let stderr = ''
    child.stderr.on('data', (piece) => (stderr += piece))
    child.stdin.on('error', () => {})
    child.stdin.write(OFFER + job('a'))
    await new Promise((resolve) => {
      child.stdout.once('data', resolve)
      child.once('close', resolve)
    })
    child.stdout.destroy()
    for (let i = 0; i < 100; i++) child.stdin.write(job(`b${i}`))
    child.stdin.end()
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
    expect(stderr).toBe('')
  })
})
