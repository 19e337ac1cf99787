/**
 * One connection of the client to one scheduler: dialled and greeted; then, where jobs are to be
 * paid, with a funded channel and an open account.
 *
 * What is on offer can be asked over the first part alone: nothing is spent for a look.
 * @module
 */
import { assetKey } from '../contracts/base/assets.ts'
import { type Bytes, fromHex, toHex } from '../contracts/base/bytes.ts'
import { MarketError } from '../contracts/base/errors.ts'
import { LIMITS } from '../contracts/base/limits.ts'
import type { NetworkConfig, SchedulerAddress } from '../contracts/base/network.ts'
import type { Directory, Transport } from '../contracts/base/ports.ts'
import type { Asset } from '../contracts/base/terms.ts'
import { TIERS } from '../contracts/base/tier.ts'
import { tickPrice } from '../contracts/money/price.ts'
import {
  JobMessageSchema,
  type ModelOnOffer,
  OfferMessageSchema,
} from '../contracts/wire/generated/chrysalis_pb.ts'
import { PROTOCOLS } from '../contracts/wire/protocols.ts'
import { greet, type PeerHello } from '../node/net/hello.ts'
import { messageStream } from '../node/net/messageStream.ts'
import { openPayerAccount } from '../node/settlement/payerAccount.ts'
import { type ChannelNeeds, channelTo, type OwnChannel } from './channel.ts'
import type { JobLine } from './runTypes.ts'
import { type ShownOffers, shownOffers } from './shownOffers.ts'
import type { OfferedModel } from './types.ts'

export interface LineNeeds extends ChannelNeeds {
  readonly network: NetworkConfig
  readonly directory: Directory
  readonly transport: Transport
  /** What jobs are paid in, and the first deposit, in its base units. */
  readonly asset: Asset
  readonly deposit: bigint
  /** False: no channel is opened by itself; only one that stands is used. */
  readonly mayOpen?: boolean
  /** Highest fee of a scheduler, parts per 10,000. */
  readonly maxFee: number
  /** Puts what a deposit takes into the wallet where the network gives it for nothing. */
  fundDeposit(needed: bigint): Promise<void>
}

/** A scheduler that has been greeted. */
export interface GreetedLine {
  readonly peer: string
  readonly scheduler: { readonly identity: Bytes; readonly fee: number }
  /** Close delay of the channel, or the least that the scheduler accepts. */
  readonly closeDelayS: number
  models(signal?: AbortSignal): Promise<readonly OfferedModel[]>
  readonly shown: ShownOffers
}

/** A live connection with its account. */
export interface ConnectedLine extends GreetedLine, JobLine {
  readonly channel: OwnChannel
}

type Hello = ReturnType<typeof checkScheduler>

/** A greeted scheduler and what it said, for `openAccount`. */
export type Greeted = GreetedLine & { readonly named: SchedulerAddress; readonly hello: Hello }

/** Dials and greets. Throws `unreachable`, `bad-signature`, `bad-lease` (its fee), `timeout`. */
export async function greetScheduler(
  needs: LineNeeds,
  named: SchedulerAddress,
  signal: AbortSignal,
): Promise<Greeted> {
  const { transport, network } = needs
  const peer = await transport.dial(named.addresses, signal)
  try {
    const own = { networkId: network.id, role: 'client' as const }
    const hello = checkScheduler(await greet(needs, peer, own, signal), named, needs)
    const { terms, server } = hello
    const { shown, remember } = shownOffers()
    return {
      peer,
      shown,
      named,
      hello,
      scheduler: { identity: server.identity, fee: terms.fee },
      closeDelayS: terms.minCloseDelayS,
      models: async (listSignal) => remember(await listModels(needs, peer, listSignal)),
    }
  } catch (error) {
    await transport.hangUp(peer).catch(() => undefined)
    throw error
  }
}

/** Finds or opens the channel and opens its account. Where that fails the connection ends. */
export async function openAccount(
  needs: LineNeeds,
  greeted: Greeted,
  signal: AbortSignal,
): Promise<ConnectedLine> {
  const { transport, network, deposit, mayOpen } = needs
  const { peer, named, hello } = greeted
  const { terms, server } = hello
  try {
    const payee = {
      identity: named.identity,
      wallet: server.wallet,
      closeDelayS: terms.minCloseDelayS,
    }
    const fund = (needed: bigint) => needs.fundDeposit(needed)
    const options = { networkId: network.id, asset: needs.asset, deposit, mayOpen, fund }
    const channel = await channelTo(needs, payee, options, signal)
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
    const { scheduler, models, shown } = greeted
    return {
      peer,
      scheduler,
      models,
      shown,
      closeDelayS: channel.config.closeDelayS,
      channel,
      account,
      openJob: async (jobSignal) =>
        messageStream(
          JobMessageSchema,
          await transport.open(peer, PROTOCOLS.job, jobSignal),
          needs.clock,
        ),
    }
  } catch (error) {
    await transport.hangUp(peer).catch(() => undefined)
    throw error
  }
}

/** The peer must be the scheduler that is named, take the asset, at a fee that the policy bears. */
function checkScheduler(
  hello: PeerHello,
  named: SchedulerAddress,
  { maxFee, asset }: Pick<LineNeeds, 'maxFee' | 'asset'>,
) {
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
  if (asset !== 'ton' && !terms.assets?.includes(assetKey(asset))) {
    throw new MarketError('bad-asset', { asset: assetKey(asset), scheduler: named.identity })
  }
  return { server, terms }
}

async function listModels(
  { transport, clock, asset }: LineNeeds,
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
  const { models } = answer.kind.value
  return models.filter(isIn(asset)).slice(0, LIMITS.networkItems).map(offeredIn(asset))
}

function isIn(asset: Asset): (model: ModelOnOffer) => boolean {
  return (model) => (model.asset || 'ton') === assetKey(asset)
}

function offeredIn(asset: Asset): (model: ModelOnOffer) => OfferedModel {
  return (model) => ({
    model: model.model,
    modelHash: hex(model.modelHash),
    lowestTick: model.lowestTick,
    price: tickPrice(model.lowestTick, asset),
    places: model.places,
    providers: model.providers,
    tiers: TIERS.filter((tier) => model.tiers.includes(tier)),
    contextTokens: model.contextTokens,
    demo: model.demo,
  })
}

function hex(hash: Bytes): string {
  return toHex(fromHex(toHex(hash), 32))
}
