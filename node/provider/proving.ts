/**
 * What a provider proves of the models that it is about to serve: before it offers any, and when
 * somebody wants to see it.
 * @module
 */
import type { Bytes } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { type Tier, tierAtLeast } from '../../contracts/base/tier.ts'
import type { Backend } from '../backends/backend.ts'
import { type Attest, BACKEND, backendHash } from './evidence.ts'

/**
 * Above `open` nothing is offered that could not be proved: without the hardware the provider stops
 * here, and its backend with it.
 */
export async function proveFirst(attest: Attest, backend: Backend, tier: Tier): Promise<void> {
  if (!tierAtLeast(tier, 'cpu-tee')) return
  try {
    for (const { id, weightsHash } of backend.models) {
      await attest(weightsHash, backendHash(BACKEND, id), tier)
    }
  } catch (error) {
    await backend.stop()
    throw error
  }
}

/** Evidence of now about the first model. Throws `no-model` where the backend has none. */
export async function proveNow(
  attest: Attest,
  backend: Backend,
  tier: Tier,
): Promise<{ readonly model: string; readonly evidence: Bytes }> {
  const [model] = backend.models
  if (!model) throw new MarketError('no-model', { model: 'any' })
  const { evidence } = await attest(model.weightsHash, backendHash(BACKEND, model.id), tier)
  return { model: model.id, evidence }
}
