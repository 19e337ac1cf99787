/**
 * The declarations of a Tolk source and where statements begin in them. Used by `mutants.ts`.
 * @module
 */
import type { Token } from './lex.ts'

/** A function, a constant, or a struct with its prefix. */
export interface Scope {
  readonly kind: 'fun' | 'const' | 'struct'
  readonly name: string
  readonly start: number
  readonly end: number
  /** Indices of the tokens with which statements begin. */
  readonly statements: ReadonlySet<number>
}

/** Declarations of a source in order. What is in none (imports, types) is nobody's to change. */
export function scopes(tokens: readonly Token[]): Scope[] {
  const found: Scope[] = []
  for (let at = 0; at < tokens.length; at++) {
    const { text, start } = tokens[at]!
    if (text !== 'fun' && text !== 'const' && text !== 'struct') continue
    const last =
      text === 'fun'
        ? bodyEnd(tokens, at)
        : text === 'const'
          ? lineEnd(tokens, at)
          : braceEnd(tokens, at)
    const statements = text === 'fun' ? statementsBetween(tokens, at, last) : new Set<number>()
    const end = tokens[last]!.end
    found.push({ kind: text, name: nameAfter(tokens, at), start, end, statements })
    at = last
  }
  return found
}

/** `fun Storage.load(` is `Storage.load`, `struct (0x01) TopUp` is `TopUp`. */
function nameAfter(tokens: readonly Token[], at: number): string {
  let i = at + 1
  if (tokens[i]!.text === '(') while (tokens[i - 1]!.text !== ')') i++
  let name = tokens[i]!.text
  while (tokens[i + 1]?.text === '.') {
    name += `.${tokens[i + 2]!.text}`
    i += 2
  }
  return name
}

/** Index of the last token of a function: the brace of its body, or the word of its `asm`. */
function bodyEnd(tokens: readonly Token[], at: number): number {
  for (let i = at + 1; i < tokens.length; i++) {
    if (tokens[i]!.text === '{') return closing(tokens, i)
    if (tokens[i]!.text === 'asm') return i + 1
  }
  return tokens.length - 1
}

function braceEnd(tokens: readonly Token[], at: number): number {
  const open = tokens.findIndex(({ text }, i) => i > at && text === '{')
  return closing(tokens, open)
}

/** A constant ends before the next declaration. */
function lineEnd(tokens: readonly Token[], at: number): number {
  const next = tokens.findIndex(
    ({ text }, i) => i > at && /^(?:fun|get|const|struct|type|enum|import|global|@\w+)$/.test(text),
  )
  return (next < 0 ? tokens.length : next) - 1
}

/** Index of the brace that closes the one at `open`. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]!.text === '{') depth++
    if (tokens[i]!.text === '}' && --depth === 0) return i
  }
  throw new Error(`no end of the block that begins at ${tokens[open]!.start}`)
}

/** A statement begins after a block's opening or closing brace, and after a semicolon. */
function statementsBetween(tokens: readonly Token[], from: number, to: number): Set<number> {
  const begins = new Set<number>()
  const blocks: boolean[] = []
  for (let i = from; i < to; i++) {
    const { text } = tokens[i]!
    let starts = text === ';'
    if (text === '{') {
      // The first brace is the function's; an object's stands after a name or a comma.
      const block = blocks.length === 0 || /^(?:\)|else|do|try|catch|=>)$/.test(tokens[i - 1]!.text)
      blocks.push(block)
      starts = block
    }
    if (text === '}') starts = blocks.pop() ?? false
    if (starts && tokens[i + 1]!.text !== '}') begins.add(i + 1)
  }
  return begins
}
