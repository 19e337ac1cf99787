/**
 * The demonstration model that comes with the package: where it is and what it hashes to.
 *
 * Surfaces label it a demo: it answers questions from a small closed world and nothing else
 * (`models/tiny-chat/MODEL_CARD.md`).
 * @module
 */
import { fileURLToPath } from 'node:url'
import { fromHex } from '../../contracts/base/bytes.ts'

/** Arguments of `startEmbedded` that name the demo model. */
export const TINY_CHAT = {
  modelId: 'tiny-chat',
  modelPath: fileURLToPath(new URL('./models/tiny-chat/tiny-chat-q8_0.gguf', import.meta.url)),
  /** SHA-256 of the file, as in its card. */
  expectedHash: fromHex('622409c74574a55ffbe08c658f1d37fd6d04eb1cf78a32d21e5cb2d57ba57930', 32),
  tokenizer: 'tiny-chat-spm-2048',
  demo: true,
} as const
