/**
 * What a model server has counted of a run, and what of it has been delivered.
 * @module
 */
import type { BackendPiece, BackendRequest, FinishReason } from './backend.ts'
import { createMeter, type Meter } from './openaiChunk.ts'

/** Bytes of prompt that count as one token where the server never counts it: about English. */
const BYTES_PER_TOKEN = 4

export interface Tally {
  readonly meter: Meter
  /** The prompt piece, the first time. */
  announce(): BackendPiece[]
  counted(): number
  delivered(): number
  deliver(): void
  end(finishReason: FinishReason): BackendPiece
}

/** A tally of one run; `separateCaches` as in `OpenAiOptions`. */
export function createTally(request: BackendRequest, separateCaches: boolean): Tally {
  const meter = createMeter()
  let announced = false
  let sent = { completion: 0, reasoning: 0 }
  const prompt = () => {
    const { tokens, cached } = meter.prompt ?? { tokens: estimatePrompt(request), cached: 0 }
    // A cache that clients share would tell one what another asked: then none of it is reported.
    const cachedPrompt = separateCaches && request.cacheScope ? cached : 0
    return { prompt: tokens - cachedPrompt, cachedPrompt }
  }
  return {
    meter,
    announce() {
      if (announced) return []
      announced = true
      return [{ type: 'prompt', ...prompt(), ...(meter.prompt ? {} : { estimated: true }) }]
    },
    counted: () => meter.completion + meter.reasoning,
    delivered: () => sent.completion + sent.reasoning,
    deliver() {
      sent = { completion: meter.completion, reasoning: meter.reasoning }
    },
    end(finishReason) {
      const counts = announced ? prompt() : { prompt: 0, cachedPrompt: 0 }
      return { type: 'end', finishReason, usage: { ...counts, ...sent } }
    },
  }
}

function estimatePrompt(request: BackendRequest): number {
  const messages = request.messages.reveal()
  const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
  return Math.ceil(bytes / BYTES_PER_TOKEN)
}
