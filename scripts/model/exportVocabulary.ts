/**
 * Writes the vocabulary of a GGUF file with a SentencePiece BPE tokenizer for
 * `contracts/money/tokenizer.ts`.
 *
 * Usage: node scripts/model/exportVocabulary.ts FILE.gguf, with its output sent to
 * `contracts/money/vocabularies/tinyChat.json`.
 *
 * It refuses what that counter does not do: scores that are not the order of merging, a space put
 * in front of a text, missing bytes.
 * @module
 */
import { readGgufFileInfo } from 'node-llama-cpp'
import { MarketError } from '../../contracts/base/errors.ts'

/** Kinds of token in GGUF (`tokenizer.ggml.token_type`). */
const NORMAL = 1
const BYTE = 6

/** The vocabulary of a file as the JSON that is committed. */
export async function exportVocabulary(path: string, id: string): Promise<string> {
  const { metadata } = await readGgufFileInfo(path, { logWarnings: false })
  const { tokens, scores, token_type: types, add_space_prefix: prefix } = metadata.tokenizer.ggml
  if (!Array.isArray(tokens) || !scores || !types) throw unfit('no vocabulary in the file')
  if (metadata.tokenizer.ggml.model !== 'llama') throw unfit('not a SentencePiece vocabulary')
  if (prefix !== false) throw unfit('the tokenizer puts a space in front of a text')
  if (types.filter((type) => type === BYTE).length !== 256) throw unfit('bytes are missing')
  const normal = tokens.flatMap((piece, at) =>
    types[at] === NORMAL ? [{ piece: String(piece), score: scores[at] ?? 0 }] : [],
  )
  if (normal.some(({ score }, rank) => score !== -rank && !(rank === 0 && score === 0))) {
    throw unfit('the scores are not the order of merging')
  }
  if (normal.some(({ piece }) => piece.includes(' '))) throw unfit('a piece holds a space')
  return `${JSON.stringify({ id, pieces: normal.map(({ piece }) => piece).join(' ') }, null, 2)}\n`
}

function unfit(detail: string): MarketError {
  return new MarketError('bad-model', { detail })
}

if (import.meta.main) {
  const [path] = process.argv.slice(2)
  if (!path) throw new MarketError('bad-input', { expected: 'FILE.gguf' })
  process.stdout.write(await exportVocabulary(path, 'tiny-chat-spm-2048'))
}
