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
import { parseRequest } from '../../contracts/wire/request.ts'
import { type BackendRequest, prompt } from '../backends/backend.ts'
import type { AcceptedLease } from './accepting.ts'

/** A request as the backend takes it: its prompt is a secret from the moment it is parsed. */
export type Readable = Omit<BackendRequest, 'model' | 'mayContinue'>

/** What was in the seal. A request that is none can still be answered: sealed, to its client. */
export interface OpenedRequest {
  readonly response: ResponseSealer
  readonly request?: Readable
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
  const epochSecretKey = takeEpochKey(epochs, epoch, binding.leaseHash, nowS).reveal()
  const clientJobPublicKey = lease.clientJobKey
  const opened = await openRequest({ kem, epochSecretKey, binding, clientJobPublicKey, sealed })
  const { response } = opened
  try {
    const request = parseRequest(opened.request)
    const characters = request.messages.reduce((sum, { content }) => sum + content.length, 0)
    const expectedPrompt = Math.ceil(characters / CHARACTERS_PER_TOKEN)
    return { response, request: { ...request, messages: prompt(request.messages) }, expectedPrompt }
  } catch (error) {
    return { response, error: asMarketError(error), expectedPrompt: 0 }
  } finally {
    opened.request.fill(0) // what was parsed from it cannot be erased; this can
  }
}
