/**
 * The client's connection to a scheduler: dialled, greeted, with a funded channel and an open
 * account.
 *
 * The first scheduler of the network that answers is used, one with a known channel before others,
 * so that no second deposit is made without need. A lost connection is made again in the background
 * with full jitter; a job submitted meanwhile tries at once.
 * @module
 */
import { type Bytes, fromHex, toHex } from '../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import type { NetworkConfig, SchedulerAddress } from '../contracts/base/network.ts'
import type { Transport } from '../contracts/base/ports.ts'
import { TIERS } from '../contracts/base/tier.ts'
import type { NanoTon } from '../contracts/base/units.ts'
import { tickPrice } from '../contracts/money/price.ts'
import {
  JobMessageSchema,
  type ModelOnOffer,
  OfferMessageSchema,
} from '../contracts/wire/generated/chrysalis_pb.ts'
import { PROTOCOLS } from '../contracts/wire/protocols.ts'
import { greet, type PeerHello } from '../node/net/hello.ts'
import { messageStream } from '../node/net/messageStream.ts'
import { backoffMs } from '../node/net/reconnect.ts'
import { openPayerAccount } from '../node/settlement/payerAccount.ts'
import { type ChannelNeeds, channelTo, knowsChannel, type OwnChannel } from './channel.ts'
import type { JobLine } from './runTypes.ts'
import type { OfferedModel } from './types.ts'

export interface LineNeeds extends ChannelNeeds {
  readonly network: NetworkConfig
  readonly transport: Transport
  readonly deposit: NanoTon
  /** Highest fee of a scheduler, parts per 10,000. */
  readonly maxFee: number
  /** Puts free coins into the wallet where the network has a faucet. */
  fund(needed: NanoTon): Promise<void>
}

/** A live connection. */
export interface ConnectedLine extends JobLine {
  readonly peer: string
  readonly channel: OwnChannel
  models(signal?: AbortSignal): Promise<readonly OfferedModel[]>
}

/** Keeps one connection alive. */
export class SchedulerLine {
  readonly #needs: LineNeeds
  readonly #stop = new AbortController()
  readonly #stopWatching: () => void
  #line: ConnectedLine | undefined
  #connecting: Promise<ConnectedLine> | undefined

  constructor(needs: LineNeeds) {
    this.#needs = needs
    this.#stopWatching = needs.transport.onGone((peer) => {
      if (peer !== this.#line?.peer) return
      this.#line = undefined
      void this.#reconnect()
    })
  }

  /** The connection, made now where there is none. Throws what the last scheduler tried threw. */
  current(): Promise<ConnectedLine> {
    if (this.#stop.signal.aborted) return Promise.reject(new MarketError('aborted'))
    if (this.#line) return Promise.resolve(this.#line)
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  /** Ends the connection. The channel stays. */
  async close(): Promise<void> {
    this.#stop.abort(new MarketError('aborted'))
    this.#stopWatching()
    await this.#connecting?.catch(() => undefined)
    const line = this.#line
    this.#line = undefined
    if (!line) return
    await line.account.close()
    await this.#needs.transport.hangUp(line.peer)
  }

  async #connect(): Promise<ConnectedLine> {
    const { network, store, logger } = this.#needs
    const known = ({ identity }: SchedulerAddress) => Number(knowsChannel(store, identity))
    let last = new MarketError('unreachable', { schedulers: network.schedulers.length })
    for (const scheduler of network.schedulers.toSorted((a, b) => known(b) - known(a))) {
      try {
        const line = await connectTo(this.#needs, scheduler, this.#stop.signal)
        this.#line = line
        return line
      } catch (error) {
        last = asMarketError(error)
        logger.warn({ scheduler: scheduler.identity, code: last.code }, 'scheduler not usable')
      }
    }
    throw last
  }

  async #reconnect(): Promise<void> {
    const { clock, random, logger } = this.#needs
    for (let failures = 1; !this.#line && !this.#stop.signal.aborted; failures++) {
      try {
        await clock.sleep(backoffMs(failures, random), this.#stop.signal)
        await this.current()
      } catch (error) {
        logger.debug({ code: asMarketError(error).code, failures }, 'still not connected')
      }
    }
  }
}

async function connectTo(
  needs: LineNeeds,
  scheduler: SchedulerAddress,
  signal: AbortSignal,
): Promise<ConnectedLine> {
  const { transport, network, deposit } = needs
  const peer = await transport.dial(scheduler.addresses, signal)
  try {
    const own = { networkId: network.id, role: 'client' as const }
    const hello = checkScheduler(await greet(needs, peer, own, signal), scheduler, needs.maxFee)
    const { terms, server } = hello
    const channel = await channelTo(
      needs,
      {
        identity: scheduler.identity,
        wallet: server.wallet,
        closeDelayS: terms.minCloseDelayS,
      },
      { networkId: network.id, deposit, fund: (needed) => needs.fund(needed) },
      signal,
    )
    const account = await openPayerAccount(
      { ...needs, networkId: network.id },
      {
        peer,
        payeeIdentity: server.identity,
        config: channel.config,
        voucherKey: channel.voucherKey,
        // Without its account a connection is of no use: end it, and the line is made again.
        onEnd: () => void transport.hangUp(peer).catch(() => undefined),
      },
    )
    return {
      peer,
      channel,
      account,
      scheduler: { identity: server.identity, fee: terms.fee },
      openJob: async (jobSignal) =>
        messageStream(
          JobMessageSchema,
          await transport.open(peer, PROTOCOLS.job, jobSignal),
          needs.clock,
        ),
      models: (listSignal) => listModels(needs, peer, listSignal),
    }
  } catch (error) {
    await transport.hangUp(peer).catch(() => undefined)
    throw error
  }
}

/** The peer must be the scheduler that network.json names, at a fee that the policy bears. */
function checkScheduler(hello: PeerHello, named: SchedulerAddress, maxFee: number) {
  const { server, terms } = hello
  if (hello.role !== 'scheduler' || !server || !terms) {
    throw new MarketError('bad-frame', { role: hello.role, expected: 'scheduler' })
  }
  if (toHex(server.identity) !== named.identity) {
    throw new MarketError('bad-signature', { record: 'binding', identity: toHex(server.identity) })
  }
  if (terms.fee > maxFee) {
    throw new MarketError('bad-lease', { field: 'fee', fee: terms.fee, most: maxFee })
  }
  return { server, terms }
}

async function listModels(
  { transport, clock }: LineNeeds,
  peer: string,
  signal?: AbortSignal,
): Promise<readonly OfferedModel[]> {
  const raw = await transport.open(peer, PROTOCOLS.offer, signal)
  const stream = messageStream(OfferMessageSchema, raw, clock)
  await stream.send({ kind: { case: 'list', value: {} } })
  const answer = await stream.next(LIMITS.helloMs)
  await stream.close().catch(() => undefined)
  if (answer?.kind.case !== 'models') {
    throw new MarketError('bad-frame', { expected: 'models' })
  }
  return answer.kind.value.models.slice(0, LIMITS.networkItems).map(offered)
}

function offered(model: ModelOnOffer): OfferedModel {
  return {
    model: model.model,
    modelHash: hex(model.modelHash),
    lowestTick: model.lowestTick,
    price: tickPrice(model.lowestTick),
    places: model.places,
    providers: model.providers,
    tiers: TIERS.filter((tier) => model.tiers.includes(tier)),
    contextTokens: model.contextTokens,
    demo: model.demo,
  }
}

function hex(hash: Bytes): string {
  return toHex(fromHex(toHex(hash), 32))
}
