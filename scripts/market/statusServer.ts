/**
 * Status and metrics of a serving role over HTTP: `/status` as JSON, `/metrics` for Prometheus.
 *
 * Loopback only. Nothing here names a client, a prompt or a key.
 * @module
 */
import type { Clock, Logger } from '../../contracts/base/ports.ts'
import { createHttpServer } from '../../node/http/server.ts'
import { toJson } from '../cli/output.ts'

export interface StatusOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly port: number
  readonly status: () => object
}

/** Starts the server. Throws `port-in-use`. */
export async function serveStatus(
  options: StatusOptions,
): Promise<{ url: string; stop(): Promise<void> }> {
  const { clock, logger } = options
  const { Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  const figures = new Gauge({
    name: 'chrysalis_figure',
    help: 'Numbers of the role status, by name; amounts in nanoTON.',
    labelNames: ['name'],
    registers: [registry],
  })
  const shape = (error: { status: number; report(): object }) => ({
    status: error.status,
    body: { ok: false, error: error.report() },
  })
  const server = await createHttpServer({ clock, logger, shape })
  server.app.get('/status', async (_, reply) => {
    reply.type('application/json')
    return toJson(options.status())
  })
  server.app.get('/metrics', async (_, reply) => {
    for (const [name, value] of Object.entries(options.status())) {
      const number = Array.isArray(value) ? value.length : value
      if (typeof number === 'number' || typeof number === 'bigint') {
        figures.set({ name }, Number(number))
      }
    }
    reply.type(registry.contentType)
    return registry.metrics()
  })
  const { url } = await server.listen(options.port)
  return { url, stop: () => server.stop() }
}
