/**
 * The scheduler's dashboard: one static page that reads `/status`, and the headers that keep it so.
 *
 * The page comes from this folder and asks for nothing from elsewhere; the policy below lets it run
 * its own script, read its own server and do nothing else (W3C Content Security Policy 3, Trusted
 * Types). Who may call is decided by `createHttpServer`: this machine only.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** Gives the figures to show; amounts are bigint or decimal strings of nanoTON. */
export type StatusSource = () => object | Promise<object>

/** What the page may do: all it does is listed, everything else is refused by the browser. */
export const PAGE_POLICY = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self'`,
  `img-src 'self'`,
  `connect-src 'self'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
  `require-trusted-types-for 'script'`,
].join('; ')

/** The files of the page. No name may be that of a compiled source in `dist`. */
export const PAGES = [
  { path: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { path: '/page.css', file: 'page.css', type: 'text/css; charset=utf-8' },
  { path: '/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
  { path: '/icon.svg', file: 'icon.svg', type: 'image/svg+xml' },
] as const

/**
 * Adds the page at `/`, what it loads, and `/status`. Before `listen`.
 *
 * @example
 * registerDashboard(server.app, () => ({ openJobs: 0, waiting: 0 }))
 */
export function registerDashboard(app: FastifyInstance, status: StatusSource): void {
  for (const { path, file, type } of PAGES) {
    const body = readFileSync(new URL(file, import.meta.url), 'utf8')
    app.get(path, async (_, reply) => guarded(reply).type(type).send(body))
  }
  registerStatus(app, status)
}

/** Adds `/status`: the figures as JSON, amounts as decimal strings. */
export function registerStatus(app: FastifyInstance, status: StatusSource): void {
  app.get('/status', async (_, reply) => {
    const body = JSON.stringify(await status(), (_key, value) =>
      typeof value === 'bigint' ? value.toString() : value,
    )
    return guarded(reply).type('application/json').send(body)
  })
}

/** No other page may frame, embed or sniff what is served here, and no cache may keep it. */
function guarded(reply: FastifyReply): FastifyReply {
  return reply.headers({
    'content-security-policy': PAGE_POLICY,
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  })
}
