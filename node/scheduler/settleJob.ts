/**
 * Settling a job that ended with a receipt: the client's books first, then the client is told, then
 * the provider is paid, whatever became of the client.
 * @module
 */
import { asMarketError } from '../../contracts/base/errors.ts'
import type { Logger } from '../../contracts/base/ports.ts'
import type { Finished } from '../../contracts/wire/generated/chrysalis_pb.ts'
import type { PayeeAccount } from '../settlement/payeeAccount.ts'
import type { ReceiptBook } from '../settlement/receiptBook.ts'
import type { Leg } from './leg.ts'
import type { CheckedReceipt } from './legRecords.ts'

export interface SettleJob {
  readonly jobId: string
  readonly account: PayeeAccount
  readonly leg: Leg
  readonly receipts: ReceiptBook
  readonly logger: Logger
}

type Message = {
  readonly case: 'finished'
  readonly value: { readonly receipt: Uint8Array; readonly signature: Uint8Array }
}

/**
 * Charges the client what the receipt says, durably, and tells it. Resolves when that is done; the
 * provider is paid when the client has countersigned, or has had its time to.
 */
export async function settleJob(
  job: SettleJob,
  finished: Pick<Finished, 'receipt' | 'signature'>,
  tell: (message: Message) => Promise<unknown>,
): Promise<void> {
  const { jobId, account, leg, receipts } = job
  const whole: Finished = { $typeName: 'chrysalis.v1.Finished', ...finished }
  const checked = leg.check(whole)
  const { cost, fee } = checked.receipt
  try {
    await receipts.keep(jobId, leg.receiptFile(whole))
    await account.finish(jobId, cost + fee, checked.hash)
  } catch (error) {
    // The provider has worked within its grant; what the client's books say is our concern.
    payProvider(job, checked, Promise.resolve(undefined))
    await account.finish(jobId, 0n)
    throw error
  }
  payProvider(job, checked, receipts.awaitCountersignature(jobId))
  await tell({ case: 'finished', value: finished })
}

function payProvider(
  { jobId, leg, logger }: SettleJob,
  checked: CheckedReceipt,
  countersigned: Promise<Uint8Array | undefined>,
): void {
  countersigned
    .then((clientSignature) => leg.pay(checked, clientSignature))
    .catch((error) => {
      logger.info({ job: jobId, code: asMarketError(error).code }, 'provider not settled yet')
    })
}
