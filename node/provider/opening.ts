/**
 * Opening a sealed request: once per lease, with the epoch key that the accept named.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { asMarketError, type MarketError } from '../../contracts/base/errors.ts'
import type { Clock, Kem } from '../../contracts/base/ports.ts'
import { type Epochs, takeEpochKey } from '../../contracts/seal/epoch.ts'
import { openRequest } from '../../contracts/seal/request.ts'
import type { ResponseSealer } from '../../contracts/seal/response.ts'
import { type JobRequest, parseRequest } from '../../contracts/wire/request.ts'
import type { AcceptedLease } from './accepting.ts'

/** What was in the seal. A request that is none can still be answered: sealed, to its client. */
export interface OpenedRequest {
  readonly response: ResponseSealer
  readonly request?: JobRequest
  readonly error?: MarketError
  /** Tokens that the prompt takes at least, before the model has counted it. */
  readonly expectedPrompt: number
}

/** Characters of a prompt that are one token at most, by common tokenizers. */
const CHARACTERS_PER_TOKEN = 4

/** Opens a sealed request. Throws where the seal does not open: the caller tells nobody why. */
export async function openSealed(
  deps: { readonly kem: Kem; readonly epochs: Epochs; readonly clock: Clock },
  { binding, epoch, lease }: AcceptedLease,
  sealed: Bytes,
): Promise<OpenedRequest> {
  const { kem, epochs, clock } = deps
  const nowS = Math.floor(clock.nowMs() / 1000)
  const epochSecretKey = takeEpochKey(epochs, epoch, binding.leaseHash, nowS)
  const clientJobPublicKey = lease.clientJobKey
  const opened = await openRequest({ kem, epochSecretKey, binding, clientJobPublicKey, sealed })
  const { response } = opened
  try {
    const request = parseRequest(opened.request)
    const characters = request.messages.reduce((sum, { content }) => sum + content.length, 0)
    return { response, request, expectedPrompt: Math.ceil(characters / CHARACTERS_PER_TOKEN) }
  } catch (error) {
    return { response, error: asMarketError(error), expectedPrompt: 0 }
  }
}
