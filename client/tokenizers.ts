/**
 * Which tokenizer counts the answers of a model: the one known for its weights, bytes otherwise.
 *
 * Loaded lazily: a vocabulary is only read by who needs it.
 * @module
 */
import { toHex } from '../contracts/base/bytes.ts'
import { bytesTokenizer, type Tokenizer } from '../contracts/money/tokenizer.ts'

/** Loaders by the SHA-256 of the weights, hex. */
const LOADERS: Readonly<Record<string, () => Promise<Tokenizer>>> = {
  '622409c74574a55ffbe08c658f1d37fd6d04eb1cf78a32d21e5cb2d57ba57930': async () =>
    (await import('../contracts/money/tinyChatTokenizer.ts')).tinyChatTokenizer,
}

/** The tokenizer for a model's answers. */
export async function tokenizerFor(modelHash: Uint8Array): Promise<Tokenizer> {
  const load = LOADERS[toHex(modelHash)]
  return load ? load() : bytesTokenizer
}
