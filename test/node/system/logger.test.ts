/**
 * What a log line holds, and what it never does.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { createLogger, type LoggerOptions } from '../../../node/system/logger.ts'

function capture(options: LoggerOptions = {}) {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  return { lines, logger: createLogger({ ...options, stream }) }
}

describe('logger', () => {
  it('writes one JSON object a line, with level, time, facts and message', () => {
    const { lines, logger } = capture()
    logger.child({ role: 'provider' }).info({ slots: 2, amount: 5n }, 'ready')
    expect(lines).toHaveLength(1)
    const line = JSON.parse(lines[0]!)
    expect(line).toMatchObject({ level: 'info', role: 'provider', slots: 2, amount: '5' })
    expect(line.msg).toBe('ready')
    expect(Number.isNaN(Date.parse(line.time))).toBe(false)
  })

  it('never writes a prompt, an answer, a key or bytes, however deep or in an error', () => {
    const { lines, logger } = capture({ level: 'debug' })
    const secret = 'S3CRET'
    const facts = {
      prompt: secret,
      messages: [{ content: secret }],
      job: { answer: secret, deep: [{ apiKey: secret, secretKey: secret }] },
      headers: { authorization: secret },
      voucherSeed: secret,
      bytes: new TextEncoder().encode(secret),
      error: new MarketError('internal', {}, { cause: { passphrase: secret } }),
    }
    logger.debug(facts, 'one')
    logger.warn(facts, 'two')
    logger.error({ error: facts.error }, 'three')
    logger.child(facts).info({}, 'four')
    expect(lines).toHaveLength(4)
    expect(lines.join()).not.toContain(secret)
    expect(lines[0]).toContain('[6 bytes]')
    expect(lines.join()).not.toContain(Buffer.from(secret).toString('hex'))
  })

  it('is bounded, and keeps what is not secret', () => {
    const { lines, logger } = capture()
    const loop: Record<string, unknown> = { publicKey: 'shown', tokens: 12 }
    loop.self = loop
    logger.info({ loop, long: 'x'.repeat(100_000) }, 'bounded')
    expect(lines[0]!.length).toBeLessThan(5_000)
    expect(JSON.parse(lines[0]!).loop).toMatchObject({ publicKey: 'shown', tokens: 12 })
  })

  it('writes at its level and above', () => {
    const { lines, logger } = capture({ level: 'warn' })
    logger.debug({}, 'no')
    logger.info({}, 'no')
    logger.warn({}, 'yes')
    logger.error({}, 'yes')
    expect(lines).toHaveLength(2)
  })

  it('writes a file that only its owner reads', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chrysalis-log-'))
    const file = join(folder, 'logs', 'node.log')
    createLogger({ file }).info({ n: 1 }, 'hello')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ n: 1, msg: 'hello' })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    rmSync(folder, { recursive: true })
  })
})
