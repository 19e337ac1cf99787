/**
 * Job streams at the provider: a lease is checked and accepted or refused, an accepted one runs.
 * @module
 */
import { toHex } from '../../contracts/base/bytes.ts'
import { asMarketError, MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { FrameStream } from '../../contracts/base/ports.ts'
import { receiptFile } from '../../contracts/money/receiptFile.ts'
import { JobMessageSchema, type SignedLease } from '../../contracts/wire/generated/chrysalis_pb.ts'
import { toRefused } from '../../contracts/wire/messages.ts'
import { accept, recordBytes, recordHash, signRecord } from '../../contracts/wire/records.ts'
import { messageStream } from '../net/messageStream.ts'
import type { PayeeAccount, PayeeBook } from '../settlement/payeeBook.ts'
import type { ReceiptBook } from '../settlement/receiptBook.ts'
import { type AcceptedLease, type CheckedLease, checkLease } from './accepting.ts'
import { type Attested, backendHash, type MadeTier } from './evidence.ts'
import { type IssuedReceipt, type RunnerDeps, runJob } from './jobRunner.ts'
import type { Slots } from './slots.ts'

export interface JobsDeps extends RunnerDeps {
  readonly networkId: number
  readonly slots: Slots
  readonly book: PayeeBook
  readonly receipts: ReceiptBook
  attest(modelHash: Uint8Array, backendHash: Uint8Array, tier: MadeTier): Promise<Attested>
  /** Identity of the scheduler behind a greeted peer. Throws where it is none. */
  schedulerOf(peer: string): Uint8Array
}

export interface Jobs {
  serve(raw: FrameStream): Promise<void>
  /** Jobs that ended with a receipt since the start. */
  finished(): number
  idle(): Promise<void>
}

/** The job protocol of a provider. */
export function createJobs(deps: JobsDeps): Jobs {
  const open = new Set<Promise<void>>()
  const seen = new Set<string>()
  let finished = 0

  const serve = async (raw: FrameStream): Promise<void> => {
    const stream = messageStream(JobMessageSchema, raw, deps.clock)
    const scheduler = deps.schedulerOf(raw.peer)
    let release = () => {}
    try {
      const first = await stream.next(LIMITS.helloMs)
      if (first?.kind.case !== 'lease') throw new MarketError('bad-frame', { expected: 'lease' })
      const signed = first.kind.value
      const checked = check(signed, scheduler)
      const account = payer(signed, raw.peer)
      release = takePlace(checked, toHex(scheduler))
      const { accepted, proof } = await acceptLease(checked)
      await stream.send({ kind: { case: 'accepted', value: proof } })
      await runJob(deps, stream, accepted, account, (issued) =>
        issue(issued, signed, proof, account),
      )
      // Ended without a receipt: what was granted returns to credit.
      await account.finish(checked.jobId, 0n)
    } catch (thrown) {
      const error = asMarketError(thrown)
      deps.logger.info({ peer: raw.peer, code: error.code }, 'lease refused')
      const refused = { kind: { case: 'refused' as const, value: toRefused(error) } }
      await stream.send(refused).catch(() => undefined)
      await stream.close().catch(() => undefined)
    } finally {
      release()
    }
  }

  const check = (signed: SignedLease, scheduler: Uint8Array): CheckedLease => {
    const checked = checkLease(signed, {
      network: deps.networkId,
      identity: deps.identity.publicKey,
      slots: deps.slots.all,
      scheduler,
      nowS: Math.floor(deps.clock.nowMs() / 1000),
    })
    const lease = toHex(checked.leaseHash)
    if (seen.has(lease)) throw new MarketError('duplicate-job', { job: checked.jobId })
    seen.add(lease)
    if (seen.size > LIMITS.rememberedJobs) seen.delete(seen.values().next().value!)
    return checked
  }

  /** No lease without an open account on the channel that pays for it. */
  const payer = (signed: SignedLease, peer: string): PayeeAccount => {
    const live = deps.book.live(signed.channel)
    if (!live || live.peer !== peer)
      throw new MarketError('no-channel', { channel: signed.channel })
    return live.account
  }

  const takePlace = ({ slot }: CheckedLease, scheduler: string): (() => void) => {
    const name = deps.slots.all.find((each) => each.model === slot.model)!.name
    if (!deps.slots.take(name, scheduler)) throw new MarketError('busy', { model: slot.model })
    return () => deps.slots.free(name, scheduler)
  }

  const acceptLease = async (checked: CheckedLease) => {
    const { lease, leaseHash, jobId, slot } = checked
    const tier = slot.tier as MadeTier
    const backend = backendHash('chrysalis', slot.model)
    const attested = await deps.attest(slot.modelHash, backend, tier)
    const cell = accept.encode({
      network: deps.networkId,
      leaseHash,
      epochKeyHash: attested.epochHash,
      evidenceDigest: attested.digest,
      expiryS: lease.expiryS,
    })
    const accepted: AcceptedLease = {
      lease,
      jobId,
      model: slot.model,
      tier,
      epoch: attested.epoch,
      binding: {
        network: deps.networkId,
        leaseHash,
        acceptHash: recordHash(cell),
        minTier: lease.minTier,
        evidenceDigest: attested.digest,
      },
    }
    const proof = {
      record: recordBytes(cell),
      signature: signRecord(cell, deps.identity),
      epochKey: attested.epochRecord,
      epochSignature: attested.epochSignature,
      evidence: attested.evidence,
    }
    return { accepted, proof }
  }

  type Proof = Awaited<ReturnType<typeof acceptLease>>['proof']

  /** The receipt is durable, in the books too, before the scheduler hears of it. */
  const issue = async (
    issued: IssuedReceipt,
    lease: SignedLease,
    proof: Proof,
    account: PayeeAccount,
  ): Promise<void> => {
    const file = receiptFile({
      receipt: issued.record,
      lease: lease.record,
      accept: proof.record,
      epochKey: proof.epochKey,
      evidence: proof.evidence,
      signatures: {
        lease: lease.signature,
        accept: proof.signature,
        epochKey: proof.epochSignature,
        receipt: issued.signature,
      },
    })
    await deps.receipts.keep(issued.jobId, file)
    await account.finish(issued.jobId, issued.charge, issued.hash)
    finished++
  }

  return {
    serve(raw) {
      const running = serve(raw).finally(() => open.delete(running))
      open.add(running)
      return running
    },
    finished: () => finished,
    idle: async () => {
      await Promise.all(open)
    },
  }
}
