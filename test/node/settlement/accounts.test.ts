/**
 * Both ends of a channel's account over the simulated network: forged and excessive vouchers are
 * refused by name, a second stream and a second copy are, losses and restarts heal, and nothing is
 * acknowledged that is not on disk.
 * @module
 */
import { beforeEach, describe, expect, it } from 'vitest'
import type { MarketError } from '../../../contracts/base/errors.ts'
import { TON } from '../../../contracts/base/units.ts'
import { payerCredit } from '../../../contracts/money/payer.ts'
import { encodeVoucher, signVoucher } from '../../../contracts/money/voucher.ts'
import { AccountMessageSchema } from '../../../contracts/wire/generated/chrysalis_pb.ts'
import { PROTOCOLS } from '../../../contracts/wire/protocols.ts'
import { recordBytes } from '../../../contracts/wire/records.ts'
import { channelAddress } from '../../../contracts/wrappers/Channel.ts'
import { greet } from '../../../node/net/hello.ts'
import { messageStream } from '../../../node/net/messageStream.ts'
import { openMessage } from '../../../node/settlement/accountWire.ts'
import { openChannel } from '../../../node/settlement/channels.ts'
import { failStop } from '../../../node/settlement/guards.ts'
import { headroomOf, openPayerAccount } from '../../../node/settlement/payerAccount.ts'
import { createSimulatedDisk, createSimulatedStore } from '../../../node/store/simulatedStore.ts'
import { createSimulatedClock } from '../../../node/system/simulatedClock.ts'
import { createRoleWorld, type HandClient } from '../../support/roleWorld.ts'

const JOB = 'ab'.repeat(16)
const code = (name: string) => expect.objectContaining({ code: name })

let world: ReturnType<typeof createRoleWorld>
let client: HandClient
const books = () => world.scheduler.role()!.status().clientChannels[0]!

beforeEach(async () => {
  world = createRoleWorld('accounts')
  await world.run(world.scheduler.start())
  client = await world.client('client')
})

/** An account stream by hand on the client's channel, opened. */
async function rawAccount() {
  await world.run(client.account.close())
  await world.clock.advance(100)
  const { transport, options, config } = client
  const raw = await world.run(transport.open(options.peer, PROTOCOLS.account))
  const stream = messageStream(AccountMessageSchema, raw, world.clock)
  const value = openMessage(config, options.voucherKey, transport.peerKey, options.peer)
  await world.run(stream.send({ kind: { case: 'open', value } }))
  const opened = await world.run(stream.next())
  expect(opened?.kind.case).toBe('opened')
  return stream
}

/** A payment with a voucher of `cumulative`, as any key would sign it. */
function payment(cumulative: bigint, change: { key?: typeof client.options.voucherKey } = {}) {
  const { config, options } = client
  const key = change.key ?? options.voucherKey
  const receiptsHash = new Uint8Array(32)
  const voucher = {
    network: config.network,
    channel: channelAddress(config),
    cumulative,
    receiptsHash,
  }
  return {
    sequence: 1n,
    jobId: new Uint8Array(16).fill(1),
    amount: cumulative.toString(),
    voucher: recordBytes(encodeVoucher(voucher)),
    signature: signVoucher(voucher, key),
  }
}

describe('a payee refuses', () => {
  const answerTo = async (value: ReturnType<typeof payment>) => {
    const stream = await rawAccount()
    await world.run(stream.send({ kind: { case: 'pay', value } }))
    const answer = (await world.run(stream.next()))?.kind
    return answer?.case === 'refused' ? answer.value.code : answer?.case
  }

  it('nothing of an honest payment', async () => {
    expect(await answerTo(payment(1_000n))).toBe('ack')
    expect(books().cumulative).toBe(1_000n)
  })

  it('a voucher that another key has signed', async () => {
    const key = world.machine('forger').keystore.key('voucher')
    expect(await answerTo(payment(1_000n, { key }))).toBe('bad-voucher')
    expect(books().cumulative).toBe(0n)
  })

  it('a voucher above the deposit, until the deposit is there', async () => {
    expect(await answerTo(payment(TON + 1n))).toBe('bad-voucher')
    expect(books()).toMatchObject({ cumulative: 0n, deposit: TON })
    await world.run(openChannel({ ...client.needs, ...walletOf() }, client.config, 2n * TON))
    expect(await answerTo(payment(TON + 1n))).toBe('ack')
  })

  it('an amount that its voucher does not cover, and a number out of order', async () => {
    expect(await answerTo({ ...payment(10n), amount: '11' })).toBe('bad-voucher')
    expect(await answerTo({ ...payment(10n), sequence: 3n })).toBe('bad-voucher')
    expect(books().cumulative).toBe(0n)
  })

  it('an account opening signed for another connection', async () => {
    await world.run(client.account.close())
    const { transport, needs } = client
    const thief = world.machine('thief').boot()
    const peer = await world.run(thief.transport.dial(world.at.addresses))
    const raw = await world.run(transport.open(peer, PROTOCOLS.account))
    const stream = messageStream(AccountMessageSchema, raw, needs.clock)
    const { config, options } = client
    const value = openMessage(config, options.voucherKey, thief.transport.peerKey, peer)
    await world.run(stream.send({ kind: { case: 'open', value } }))
    const answer = await world.run(stream.next())
    expect(answer?.kind).toMatchObject({ case: 'refused', value: { code: 'bad-signature' } })
  })
})

function walletOf() {
  const { keystore } = client.needs as unknown as {
    keystore: ReturnType<typeof world.machine>['keystore']
  }
  return { wallet: world.ton.wallet(keystore.key('wallet')) }
}

describe('two openings at once', () => {
  it('leave one account, whose books are the ones that are served', async () => {
    await world.run(client.account.close())
    await world.clock.advance(100)
    const both = [1, 2].map(() => openPayerAccount(client.needs, client.options))
    const settled = await world.run(Promise.allSettled(both))
    const open = settled.filter((each) => each.status === 'fulfilled')
    expect(open).toHaveLength(1)
    const failed = settled.find((each) => each.status === 'rejected')
    expect(failed?.reason).toEqual(code('account-in-use'))
    const account = (open[0] as PromiseFulfilledResult<HandClient['account']>).value
    await world.run(account.grant(JOB, 700n))
    await world.clock.advance(100)
    expect(books().cumulative).toBe(700n)
  })
})

describe('a payer', () => {
  it('hears what a lost connection left undone when it opens again', async () => {
    await world.run(client.account.grant(JOB, 900n))
    world.network.cut(client.transport.peerId, client.options.peer)
    await expect(world.run(client.account.grant(JOB, 100n))).rejects.toThrow()
    await expect(world.run(client.account.grant(JOB, 100n))).rejects.toThrow(code('unreachable'))
    world.network.heal()
    const peer = await world.run(client.transport.dial(world.at.addresses))
    const hello = { networkId: client.config.network, role: 'client' as const }
    await world.run(greet(client.needs, peer, hello))
    // The first opening sends again what was lost; the scheduler has no such job, and ends it.
    const once = await world.run(openPayerAccount(client.needs, client.options))
    await world.clock.advance(100)
    await world.run(once.close())
    await world.clock.advance(100)
    const again = await world.run(openPayerAccount(client.needs, client.options))
    await world.clock.advance(100)
    const { cumulative, jobs } = again.state()
    expect(cumulative).toBe(books().cumulative)
    expect(jobs.size).toBe(0)
    expect(payerCredit(again.state())).toBe(cumulative)
  })

  it('keeps within its exposure, and says what it could still grant', async () => {
    const state = client.account.state()
    expect(headroomOf(state)).toBe(TON / 2n)
    await world.run(client.account.grant(JOB, 1_000n))
    expect(headroomOf(client.account.state())).toBe(TON / 2n - 1_000n)
    const over = client.account.grant(JOB, TON / 2n)
    await expect(world.run(over)).rejects.toThrow(code('exposure'))
    await world.run(client.account.settle(JOB, { charge: 0n }))
    expect(payerCredit(client.account.state())).toBe(1_000n)
    expect(headroomOf(client.account.state())).toBe(TON / 2n)
  })
})

describe('a failed disk', () => {
  it('is told once, and nothing is written any more', async () => {
    const clock = createSimulatedClock({ startMs: 0 })
    const disk = createSimulatedDisk({ clock })
    const faults: MarketError[] = []
    const store = failStop(createSimulatedStore(disk), (error) => faults.push(error))
    const change = [{ table: 't', key: 'k', value: new Uint8Array(1) }]
    await clock.settle(store.write(change), 1_000)
    disk.failNextCommit()
    const both = Promise.allSettled([store.write(change), store.write(change)])
    expect(await clock.settle(both, 1_000)).toMatchObject([
      { reason: { code: 'store-failed' } },
      { reason: { code: 'store-failed' } },
    ])
    await expect(store.write(change)).rejects.toThrow(code('store-failed'))
    expect(faults).toHaveLength(1)
  })

  it('is no fault where the store was closed in order', async () => {
    const clock = createSimulatedClock({ startMs: 0 })
    const faults: MarketError[] = []
    const store = failStop(createSimulatedStore(createSimulatedDisk({ clock })), (error) =>
      faults.push(error),
    )
    await clock.settle(store.close(), 1_000)
    const late = store.write([{ table: 't', key: 'k', value: new Uint8Array(1) }])
    await expect(late).rejects.toThrow(code('store-failed'))
    expect(faults).toEqual([])
  })
})
