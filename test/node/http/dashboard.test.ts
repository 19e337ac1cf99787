/**
 * The dashboard's routes: what they serve, to whom, and under which policy.
 * @module
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { PAGES, registerDashboard } from '../../../node/http/dashboard/routes.ts'
import { createHttpServer, type HttpServer } from '../../../node/http/server.ts'
import { createClock } from '../../../node/system/clock.ts'
import { assets } from '../../../scripts/build.ts'
import { keptLogger } from '../../support/quietLogger.ts'
import { filesBelow } from '../../support/tree.ts'

const FOLDER = 'node/http/dashboard'
const HOST = { host: '127.0.0.1:18080' }

let server: HttpServer
let status: () => object | Promise<object>

beforeEach(async () => {
  status = () => ({ openJobs: 3, deposit: 2n ** 60n })
  server = await createHttpServer({
    clock: createClock(),
    logger: keptLogger(),
    shape: (error) => ({ status: error.status, body: { failed: error.code } }),
  })
  registerDashboard(server.app, () => status())
})
afterEach(() => server.stop())

const get = (url: string, headers: Record<string, string> = HOST) =>
  server.app.inject({ url, headers })
const policyOf = (header: unknown): Map<string, string> =>
  new Map(
    String(header)
      .split('; ')
      .map((rule) => [rule.slice(0, rule.indexOf(' ')), rule.slice(rule.indexOf(' ') + 1)]),
  )

describe('the page', () => {
  it.each(PAGES)('serves $path as $type', async ({ path, type }) => {
    const answer = await get(path)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe(type)
    expect(answer.body.length).toBeGreaterThan(100)
  })

  it.each([...PAGES.map((page) => page.path), '/status'])(
    'forbids everything but itself at %s',
    async (path) => {
      const { headers } = await get(path)
      const policy = policyOf(headers['content-security-policy'])
      expect(policy.get('default-src')).toBe(`'none'`)
      expect(policy.get('frame-ancestors')).toBe(`'none'`)
      expect(policy.get('base-uri')).toBe(`'none'`)
      expect(policy.get('form-action')).toBe(`'none'`)
      expect(policy.get('require-trusted-types-for')).toBe(`'script'`)
      for (const [name, sources] of policy) {
        if (name.endsWith('-src')) expect(sources).toMatch(/^'(?:self|none)'$/)
      }
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
      expect(headers['access-control-allow-origin']).toBeUndefined()
    },
  )

  it('has no inline script, style or handler, and loads only what this server serves', async () => {
    const html = (await get('/')).body
    const scripts = [...html.matchAll(/<script\b([^>]*)>([^<]*)<\/script>/g)]
    expect(scripts).toHaveLength(1)
    expect(scripts[0]![1]).toContain('src="/page.js"')
    expect(scripts[0]![2]).toBe('')
    expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:/i)
    const named = [...html.matchAll(/\b(?:src|href)="([^"]*)"/g)].map((match) => match[1]!)
    const served: string[] = [...PAGES.map((page) => page.path), '/status', '/metrics']
    expect(named.filter((path) => !served.includes(path))).toEqual([])
    expect(named).toContain('/page.js')
  })

  it('never makes markup of what it reads, and asks nobody else', async () => {
    const pages = await Promise.all(['/page.js', '/page.css'].map(async (path) => get(path)))
    const [script, style] = pages.map((page) => page.body)
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b/)
    expect(script).toContain('textContent')
    expect(`${script}${style}`).not.toMatch(/https?:|url\(|@import|WebSocket|EventSource/)
  })
})

describe('the status', () => {
  it('is JSON with exact amounts', async () => {
    const answer = await get('/status')
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(answer.json()).toEqual({ openJobs: 3, deposit: '1152921504606846976' })
  })

  it('may come late', async () => {
    status = async () => ({ openJobs: 4 })
    expect((await get('/status')).json()).toEqual({ openJobs: 4 })
  })

  it('fails as the surface says', async () => {
    status = () => {
      throw new MarketError('chain-unavailable')
    }
    expect((await get('/status')).json()).toEqual({ failed: 'chain-unavailable' })
  })
})

describe('a caller', () => {
  it.each(['/', '/page.js', '/status'])('that names another host is refused %s', async (path) => {
    const answer = await get(path, { host: 'market.example.org' })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toEqual({ failed: 'bad-host' })
  })

  it('from a page of elsewhere is refused', async () => {
    const answer = await get('/status', { ...HOST, origin: 'https://example.org' })
    expect(answer.json()).toEqual({ failed: 'bad-host' })
  })

  it.each(['/nothing', '/routes.ts', '/README.md', '/../server.ts', '/%2e%2e/server.ts', '//'])(
    'finds nothing at %s',
    async (path) => {
      const answer = await get(path)
      expect(answer.statusCode).toBe(404)
      expect(answer.json()).toEqual({ failed: 'not-found' })
    },
  )

  it('can only read', async () => {
    const answer = await server.app.inject({ method: 'POST', url: '/status', headers: HOST })
    expect(answer.statusCode).toBe(404)
  })
})

describe('the packed package', () => {
  it('holds the pages, under names that no compiled source has', () => {
    const packed = assets()
    for (const { file } of PAGES) expect(packed).toContain(`${FOLDER}/${file}`)
    const compiled = filesBelow('node', (path) => path.endsWith('.ts')).map((path) =>
      path.replace(/\.ts$/, '.js'),
    )
    expect(compiled).toContain(`${FOLDER}/routes.js`)
    expect(packed.filter((path) => compiled.includes(path))).toEqual([])
  })
})
