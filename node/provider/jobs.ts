/**
 * Job streams at the provider: a lease is checked and accepted or refused, an accepted one runs.
 * @module
 */
import { sameAsset } from '../../contracts/base/assets.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Directory, FrameStream, Store, Wallet } from '../../contracts/base/ports.ts'
import { JobMessageSchema, type SignedLease } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import { type MessageStream, messageStream } from '../net/messageStream.ts'
import { assetOfChannel } from '../settlement/channelKind.ts'
import type { PayeeAccount, PayeeBook } from '../settlement/payeeBook.ts'
import type { ReceiptBook } from '../settlement/receiptBook.ts'
import { type CheckedLease, checkLease } from './accepting.ts'
import { type Attest, BACKEND, backendHash } from './evidence.ts'
import { type RunnerDeps, runJob } from './jobRunner.ts'
import { createLeaseBook, type LeaseBook } from './leases.ts'
import { fileOf, signAccept } from './receipt.ts'
import type { Slots } from './slots.ts'

export interface JobsDeps extends RunnerDeps {
  readonly networkId: number
  readonly store: Store
  readonly slots: Slots
  readonly book: Pick<PayeeBook, 'live'>
  readonly receipts: ReceiptBook
  readonly attest: Attest
  readonly directory: Directory
  readonly wallet: Pick<Wallet, 'address'>
  /** Identity of the scheduler behind a greeted peer. Throws where it is none. */
  schedulerOf(peer: string): Uint8Array
}

export interface Jobs {
  serve(raw: FrameStream): Promise<void>
  /** Whether a job of a channel is being worked on. */
  isOpen(channel: string, jobId: string): boolean
  /** Jobs that ended with a receipt since the start. */
  finished(): number
  idle(): Promise<void>
}

/** The job protocol of a provider. */
export function createJobs(deps: JobsDeps): Jobs {
  const jobs = new JobBook(deps)
  const open = new Set<Promise<void>>()
  return {
    serve(raw) {
      const running = jobs.serve(raw).finally(() => open.delete(running))
      open.add(running)
      return running
    },
    isOpen: (channel, jobId) => jobs.open.has(keyOf(channel, jobId)),
    finished: () => jobs.finished,
    idle: async () => {
      await Promise.all(open)
    },
  }
}

type Stream = MessageStream<typeof JobMessageSchema>

class JobBook {
  /** Jobs worked on, by channel and id: a grant pays for one run of a job, never for two. */
  readonly open = new Set<string>()
  finished = 0
  private readonly deps: JobsDeps
  /** One lease is one attempt: those on their way to disk, and those there. */
  private readonly taking = new Set<string>()
  private readonly leases: LeaseBook

  constructor(deps: JobsDeps) {
    this.deps = deps
    this.leases = createLeaseBook(deps)
  }

  async serve(raw: FrameStream): Promise<void> {
    const scheduler = this.deps.schedulerOf(raw.peer)
    const stream = messageStream(JobMessageSchema, raw, this.deps.clock)
    try {
      const first = await stream.next(LIMITS.helloMs)
      if (first?.kind.case !== 'lease') throw new MarketError('bad-frame', { expected: 'lease' })
      await this.serveLease(stream, first.kind.value, scheduler)
    } catch (thrown) {
      const error = asMarketError(thrown)
      this.deps.logger.info({ peer: raw.peer, code: error.code }, 'lease refused')
      const refused = { kind: { case: 'refused' as const, value: toRefused(error) } }
      await stream.send(refused).catch(() => undefined)
      await stream.close().catch(() => undefined)
    }
  }

  private async serveLease(
    stream: Stream,
    signed: SignedLease,
    scheduler: Uint8Array,
  ): Promise<void> {
    const checked = await this.check(signed, scheduler)
    const account = this.payer(signed, checked, stream.peer)
    const key = keyOf(account.channel, checked.jobId)
    if (this.open.has(key)) throw new MarketError('duplicate-job', { job: checked.jobId })
    const freePlace = this.takePlace(checked, toHex(scheduler))
    this.open.add(key)
    let released = false
    const release = () => {
      if (!released) freePlace()
      released = true
    }
    try {
      await this.run(stream, signed, checked, account, release)
    } finally {
      release()
      this.open.delete(key)
      // Ended without a receipt: what was granted returns to credit.
      await account.finish(checked.jobId, 0n)
    }
  }

  private async run(
    stream: Stream,
    signed: SignedLease,
    checked: CheckedLease,
    account: PayeeAccount,
    release: () => void,
  ): Promise<void> {
    const { attest, identity, receipts, wallet } = this.deps
    const { slot } = checked
    const backend = backendHash(BACKEND, slot.model)
    const [attested] = await Promise.all([
      attest(slot.modelHash, backend, slot.tier),
      this.leases.keep(toHex(checked.leaseHash), checked.lease.expiryS),
    ])
    const { accepted, proof } = signAccept(checked, attested, identity, wallet.address)
    await stream.send({ kind: { case: 'accepted', value: proof } })
    await runJob(this.deps, stream, {
      accepted,
      account,
      release,
      // The receipt is durable, in the books too, before the scheduler hears of it.
      issue: async (issued) => {
        await receipts.keep(issued.jobId, fileOf(issued, signed, proof))
        await account.finish(issued.jobId, issued.charge, issued.hash)
        this.finished++
      },
    })
  }

  private async check(signed: SignedLease, scheduler: Uint8Array): Promise<CheckedLease> {
    const { networkId: network, identity, slots, clock, directory } = this.deps
    const checked = await checkLease(signed, {
      network,
      identity: identity.publicKey,
      slots: slots.all,
      scheduler,
      nowS: Math.floor(clock.nowMs() / 1000),
      version: (version) => directory.version(version),
    })
    const lease = toHex(checked.leaseHash)
    if (this.taking.has(lease) || this.leases.has(lease)) {
      throw new MarketError('duplicate-job', { job: checked.jobId })
    }
    this.taking.add(lease)
    if (this.taking.size > LIMITS.rememberedJobs) {
      this.taking.delete(this.taking.values().next().value!)
    }
    return checked
  }

  /** No lease without an open account on the channel that pays for it. */
  private payer({ channel }: SignedLease, { lease }: CheckedLease, peer: string): PayeeAccount {
    const live = this.deps.book.live(channel)
    if (live?.peer !== peer) throw new MarketError('no-channel', { channel: channel.slice(0, 128) })
    if (live.account.state().status !== 'open') throw new MarketError('channel-closing', {})
    if (!sameAsset(assetOfChannel(live.account.config), lease.asset)) {
      throw new MarketError('bad-lease', { field: 'asset' })
    }
    return live.account
  }

  private takePlace({ slot }: CheckedLease, scheduler: string): () => void {
    const { slots } = this.deps
    const name = slots.all.find((each) => each.model === slot.model)!.name
    if (!slots.take(name, scheduler)) throw new MarketError('busy', { model: slot.model })
    return () => slots.free(name, scheduler)
  }
}

function keyOf(channel: string, jobId: string): string {
  return `${channel}/${jobId}`
}
