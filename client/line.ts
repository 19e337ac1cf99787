/**
 * The client's line to the market: one connection to a scheduler, kept alive.
 *
 * The first scheduler of the network that answers is used, one with a known channel before others,
 * so that no second deposit is made without need. A lost connection is made again in the background
 * with full jitter; a job submitted meanwhile tries at once. After its channel was closed on
 * purpose the line is retired: it never opens another by itself.
 * @module
 */
import { asMarketError, MarketError } from '../contracts/base/errors.ts'
import type { SchedulerAddress } from '../contracts/base/network.ts'
import { backoffMs } from '../node/net/reconnect.ts'
import { knowsChannel } from './channel.ts'
import {
  type ConnectedLine,
  type Greeted,
  type GreetedLine,
  greetScheduler,
  type LineNeeds,
  openAccount,
} from './dial.ts'

/** Keeps one connection alive. */
export class SchedulerLine {
  readonly #needs: LineNeeds
  readonly #stop = new AbortController()
  readonly #stopWatching: () => void
  #line: ConnectedLine | undefined
  #greeted: Greeted | undefined
  #connecting: Promise<ConnectedLine> | undefined
  #greeting: Promise<Greeted> | undefined
  #retired = false

  constructor(needs: LineNeeds) {
    this.#needs = needs
    this.#stopWatching = needs.transport.onGone((peer) => {
      if (peer === this.#greeted?.peer) this.#greeted = undefined
      if (peer !== this.#line?.peer) return
      this.#line = undefined
      void this.#reconnect()
    })
  }

  /** The connection with its account, where it stands now. */
  get open(): ConnectedLine | undefined {
    return this.#line
  }

  /** True after `retire`: jobs are refused. */
  get retired(): boolean {
    return this.#retired
  }

  /** The connection, made now where there is none. Throws what the last scheduler tried threw. */
  current(): Promise<ConnectedLine> {
    if (this.#stop.signal.aborted) return Promise.reject(new MarketError('aborted'))
    if (this.#line) return Promise.resolve(this.#line)
    if (this.#retired) return Promise.reject(retiredError())
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  /** A scheduler to ask, with or without an account. Throws what the last one tried threw. */
  async greeted(): Promise<GreetedLine> {
    if (this.#stop.signal.aborted) throw new MarketError('aborted')
    await this.#connecting?.catch(() => undefined)
    const known = this.#line ?? this.#greeted
    if (known) return known
    this.#greeting ??= this.#tryEach((scheduler) => this.#greet(scheduler)).finally(() => {
      this.#greeting = undefined
    })
    return this.#greeting
  }

  /** No more jobs, and no other channel, over this line; false undoes it. */
  retire(retired = true): void {
    this.#retired = retired
  }

  /** Ends the connection. The channel stays. */
  async close(): Promise<void> {
    this.#stop.abort(new MarketError('aborted'))
    this.#stopWatching()
    await this.#connecting?.catch(() => undefined)
    await this.#greeting?.catch(() => undefined)
    const [line, greeted] = [this.#line, this.#greeted]
    this.#line = undefined
    this.#greeted = undefined
    await line?.account.close()
    const peer = line?.peer ?? greeted?.peer
    if (peer !== undefined) await this.#needs.transport.hangUp(peer)
  }

  async #connect(): Promise<ConnectedLine> {
    await this.#greeting?.catch(() => undefined)
    return this.#tryEach(async (scheduler) => {
      const known = this.#greeted?.named.identity === scheduler.identity && this.#greeted
      const greeted = known || (await this.#greet(scheduler))
      this.#greeted = undefined // it becomes the line, or ends
      this.#line = await openAccount(this.#needs, greeted, this.#stop.signal)
      return this.#line
    })
  }

  async #greet(scheduler: SchedulerAddress): Promise<Greeted> {
    this.#greeted = await greetScheduler(this.#needs, scheduler, this.#stop.signal)
    return this.#greeted
  }

  async #tryEach<T>(attempt: (scheduler: SchedulerAddress) => Promise<T>): Promise<T> {
    const { directory, store, logger, asset } = this.#needs
    const known = ({ identity }: SchedulerAddress) => Number(knowsChannel(store, identity, asset))
    const schedulers = await directory.schedulers(this.#stop.signal)
    let last = new MarketError('unreachable', { schedulers: schedulers.length })
    for (const scheduler of schedulers.toSorted((a, b) => known(b) - known(a))) {
      try {
        return await attempt(scheduler)
      } catch (error) {
        last = asMarketError(error)
        logger.warn({ scheduler: scheduler.identity, code: last.code }, 'scheduler not usable')
      }
    }
    throw last
  }

  async #reconnect(): Promise<void> {
    const { clock, random, logger } = this.#needs
    const wanted = () => !this.#line && !this.#retired && !this.#stop.signal.aborted
    for (let failures = 1; wanted(); failures++) {
      try {
        await clock.sleep(backoffMs(failures, random), this.#stop.signal)
        if (wanted()) await this.current()
      } catch (error) {
        logger.debug({ code: asMarketError(error).code, failures }, 'still not connected')
      }
    }
  }
}

/** What a job is told once its channel was closed on purpose. */
export function retiredError(): MarketError {
  const action =
    'Connect again to open another channel; the closing one still pays what was signed.'
  return new MarketError('channel-closing', {}, { action })
}
