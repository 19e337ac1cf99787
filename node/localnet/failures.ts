/**
 * What toncenter says when it cannot answer, in its own words and statuses (its C++ server, 2.1).
 *
 * 422 is a parameter, 404 a method or a transaction that is not there, 405 the wrong verb, 409 a
 * contract that is no token, 429 too many calls, 500 whatever a lite server refuses. Clients tell
 * these apart by status and look for words such as `cannot apply external message` in the text.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import type { ErrorShape } from '../http/server.ts'

/** Beside every answer; a real server tells there when and how it was made. */
export const EXTRA = { '@extra': 'localnet' }

const NOT_TAKEN = 'LITE_SERVER_UNKNOWN: cannot apply external message to current state'
const REFUSED = 'External message was not accepted\nCannot run message on account'

const refusal = (toncenter: number, text: string) =>
  new MarketError('not-found', { toncenter, text })

export const methodNotFound = () => refusal(404, 'method is not supported')

export const wrongVerb = (verb: string) => refusal(405, `unsupported http method: ${verb}`)

export const transactionNotFound = () => refusal(404, 'transaction was not found')

/** No block of this number, logical time or Unix time: forgotten, or not made yet. */
export const blockNotFound = (workchain: number, by: string) =>
  refusal(
    500,
    `LITE_SERVER_NOTREADY: cannot find block (${workchain},8000000000000000) ${by}: ` +
      'ltdb: block not found',
  )

/** The account has changed since; only its last state is kept. */
export const stateGone = (seqno: number) =>
  refusal(
    500,
    `LITE_SERVER_UNKNOWN: cannot load state for (-1,8000000000000000,${seqno}): ` +
      "state already gc'd",
  )

/** A list that starts at a logical time before every block that is kept. */
export const lookedBeforeBlocks = (account: string, lt: bigint) => {
  const [workchain, id = ''] = account.split(':')
  const block = `cannot find block (${workchain},${id.slice(0, 16)}) lt=${lt}: lt not in db`
  return refusal(
    500,
    `LITE_SERVER_UNKNOWN: cannot compute block with specified transaction: ${block}`,
  )
}

/** A list that starts at a logical time at which the account has no transaction. */
export const transactionNotInBlock = () =>
  refusal(
    500,
    'LITE_SERVER_UNKNOWN: cannot locate transaction in block with specified logical time',
  )

/** A list that starts at a transaction whose hash is another. */
export const transactionMismatch = () =>
  refusal(500, 'LITE_SERVER_UNKNOWN: transaction hash mismatch')

export const noParameter = (id: number) =>
  refusal(500, `LITE_SERVER_UNKNOWN: the configuration has no parameter ${id}`)

export const notToken = (address: string) =>
  refusal(409, `Smart contract ${address} is not Jetton or NFT`)

/** A method of toncenter that this network cannot serve truthfully. */
export const notServed = (because: string) => refusal(500, `LITE_SERVER_UNKNOWN: ${because}`)

/** A failure of a method as toncenter tells it. */
export const toncenterFailure: ErrorShape = (error) => {
  const { status, text } = told(error)
  return { status, body: { ok: false, error: text, code: status, ...EXTRA } }
}

function told({ code, facts, message, status }: MarketError): { status: number; text: string } {
  if (typeof facts.toncenter === 'number') {
    return { status: facts.toncenter, text: String(facts.text) }
  }
  switch (code) {
    case 'bad-input':
      return { status: 422, text: `failed to validate request: ${inputFault(facts)}` }
    case 'contract-failed':
      return { status: 500, text: refusedMessage(facts) }
    case 'limit-exceeded':
      return { status: 429, text: 'Ratelimit exceed' }
    default:
      return { status, text: message }
  }
}

function inputFault({ field, expected, detail }: MarketError['facts']): string {
  const parts = [field && `${field}:`, expected && `expected ${expected}`, detail]
  return parts.filter(Boolean).join(' ') || 'malformed'
}

function refusedMessage({ detail, exitCode }: MarketError['facts']): string {
  if (exitCode === undefined) return `${NOT_TAKEN} : ${detail}`
  return `${NOT_TAKEN} : ${REFUSED}: ${detail}:\nexitcode=${exitCode}, gas_used=0`
}
