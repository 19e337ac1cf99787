/**
 * A backend that is watched: whatever a provider of the world lets it compute must be paid for by
 * what the provider's books hold at that moment.
 * @module
 */
import type { Store } from '../../../contracts/base/ports.ts'
import { decodePayee } from '../../../contracts/money/accountCodec.ts'
import {
  billed,
  cost,
  DEFAULT_PARAMETERS,
  NO_USAGE,
  type TokenUsage,
} from '../../../contracts/money/price.ts'
import type { Backend, BackendPiece } from '../../../node/backends/backend.ts'
import { type Auditor, PAYEE_TABLE } from './audit.ts'

interface Run {
  usage: TokenUsage
  readonly signal: AbortSignal
}

/** `backend`, whose every token is compared with the grants in `store` at the price `tick`. */
export function watchedBackend(
  backend: Backend,
  at: { readonly store: Store; readonly tick: number; readonly name: string },
  auditor: Auditor,
): Backend {
  const live = new Set<Run>()
  const check = () => {
    const worked = [...live]
      .filter(({ signal }) => !signal.aborted)
      .reduce((sum, { usage }) => sum + costOf(usage, at.tick), 0n)
    const granted = grantedNow(at.store)
    if (worked > granted) auditor.note(`${at.name} worked for ${worked}, granted ${granted}`)
  }
  async function* run(...[request, signal]: Parameters<Backend['run']>) {
    const own: Run = { usage: NO_USAGE, signal }
    live.add(own)
    try {
      for await (const piece of backend.run(request, signal)) {
        own.usage = after(own.usage, piece)
        if (piece.type === 'end') live.delete(own)
        else check()
        yield piece
      }
    } finally {
      live.delete(own)
    }
  }
  return { models: backend.models, run, stop: () => backend.stop() }
}

function after(usage: TokenUsage, piece: BackendPiece): TokenUsage {
  if (piece.type === 'prompt') {
    return { ...usage, prompt: piece.prompt, cachedPrompt: piece.cachedPrompt }
  }
  return piece.type === 'text' ? { ...usage, completion: piece.completionTokens } : usage
}

function costOf(usage: TokenUsage, tick: number): bigint {
  const { multipliers, steps } = DEFAULT_PARAMETERS
  return cost(billed(usage, steps), { tick, multipliers })
}

function grantedNow(store: Store): bigint {
  let sum = 0n
  for (const [, value] of store.list(PAYEE_TABLE)) {
    for (const { granted } of decodePayee(value).jobs.values()) sum += granted
  }
  return sum
}
