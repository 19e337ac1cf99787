/**
 * The tokenizer of the demo model; a module of its own, so that only who needs it loads it.
 * @module
 */
import { sentencePieceTokenizer } from './tokenizer.ts'
import vocabulary from './vocabularies/tinyChat.json' with { type: 'json' }

/** Counts as the demo model does. Its vocabulary is exported from the model file by script. */
export const tinyChatTokenizer = sentencePieceTokenizer(vocabulary)
