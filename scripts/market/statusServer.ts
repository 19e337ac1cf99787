/**
 * Status and metrics of a serving role over HTTP: `/status` as JSON, `/metrics` for Prometheus, and
 * for a scheduler the dashboard at `/`.
 *
 * Loopback only. Nothing here names a client, a prompt or a secret.
 * @module
 */
import type { MarketError } from '../../contracts/base/errors.ts'
import type { NetworkConfig } from '../../contracts/base/network.ts'
import type { Chain, Clock, Logger } from '../../contracts/base/ports.ts'
import {
  registerDashboard,
  registerStatus,
  type StatusSource,
} from '../../node/http/dashboard/routes.ts'
import { createHttpServer, type HttpServer } from '../../node/http/server.ts'
import type { ProviderStatus } from '../../node/provider/provider.ts'
import type { SchedulerStatus } from '../../node/scheduler/scheduler.ts'
import { type Metrics, providerMetrics, schedulerMetrics } from './metrics.ts'
import { schedulerView, watchChain } from './schedulerView.ts'

export interface StatusPlace {
  readonly clock: Clock
  readonly logger: Logger
  /** 0 for any. */
  readonly port: number
}

export interface StatusServer {
  readonly url: string
  stop(): Promise<void>
}

/** The scheduler's status, metrics and dashboard. Throws `port-in-use`. */
export async function serveSchedulerStatus(
  place: StatusPlace & {
    readonly chain: Pick<Chain, 'lastBlock'>
    readonly network: NetworkConfig
  },
  status: () => SchedulerStatus,
): Promise<StatusServer> {
  const look = watchChain(place.chain, place.clock)
  const view = async () => schedulerView(status(), place.network, await look())
  const figures = async () => ({ chain: await look(), status: status() })
  return serve(place, await schedulerMetrics(), figures, (server) => {
    registerDashboard(server.app, view)
  })
}

/** A provider's status and metrics. Throws `port-in-use`. */
export async function serveProviderStatus(
  place: StatusPlace,
  status: () => ProviderStatus,
): Promise<StatusServer> {
  const source: StatusSource = status
  return serve(
    place,
    await providerMetrics(),
    async () => status(),
    (server) => {
      registerStatus(server.app, source)
    },
  )
}

async function serve<Figures>(
  { clock, logger, port }: StatusPlace,
  metrics: Metrics<Figures>,
  figures: () => Promise<Figures>,
  addRoutes: (server: HttpServer) => void,
): Promise<StatusServer> {
  const shape = (error: MarketError) => ({
    status: error.status,
    body: { ok: false, error: error.report() },
  })
  const server = await createHttpServer({ clock, logger, shape })
  addRoutes(server)
  server.app.get('/metrics', async (_, reply) => {
    reply.type(metrics.contentType)
    return metrics.text(await figures())
  })
  const { url } = await server.listen(port)
  return { url, stop: () => server.stop() }
}
