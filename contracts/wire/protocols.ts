/**
 * The protocol table: names on the wire and the version both sides must share.
 * @module
 */

/** Version of the messages in `chrysalis.proto`. A peer with another one is refused by name. */
export const WIRE_VERSION = 1

export const PROTOCOLS = {
  /** One message each way: who I am, which network, which version. */
  hello: '/chrysalis/hello/1',
  /** Provider to scheduler, long-lived: what I serve now. */
  offer: '/chrysalis/offer/1',
  /** One stream a job. */
  job: '/chrysalis/job/1',
  /** Payer to payee, one per channel: vouchers in order. */
  account: '/chrysalis/account/1',
} as const
