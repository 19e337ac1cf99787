/**
 * Tokens of Tolk, with their places: enough to change a source without touching what is inside
 * comments and strings. Used by `mutants.ts`.
 * @module
 */

/** One token of a source; `text` is `source.slice(start, end)`. */
export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'sign'
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Longest first. Generics are told from comparisons by the space around the latter. */
const SIGNS = [
  ...['<<=', '>>=', '<=>'],
  ...['=>', '->', '==', '!=', '<=', '>=', '&&', '||', '<<', '>>'],
  ...['+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '~/', '^/'],
]
const SPACE = /\s+/y
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const STRING = /"""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"/y
const NUMBER = /0x[0-9a-fA-F_]+|0b[01_]+|[0-9][0-9_]*/y
const WORD = /[A-Za-z_$@][A-Za-z0-9_$]*|`[^`]+`/y

/** All tokens of a source, in order. Throws on a comment or a string that does not end. */
export function lex(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < source.length) {
    const blank = match(SPACE, source, at) ?? match(COMMENT, source, at)
    if (blank !== undefined) {
      at += blank.length
      continue
    }
    const token = tokenAt(source, at)
    tokens.push(token)
    at = token.end
  }
  return tokens
}

function tokenAt(source: string, start: number): Token {
  const of = (kind: Token['kind'], text: string): Token => {
    return { kind, text, start, end: start + text.length }
  }
  const string = match(STRING, source, start)
  if (string !== undefined) return of('string', string)
  const number = match(NUMBER, source, start)
  if (number !== undefined) return of('number', number)
  const word = match(WORD, source, start)
  if (word !== undefined) return of('word', word)
  if (source[start] === '"' || source.startsWith('/*', start)) {
    throw new Error(`no end of what begins at ${start}: ${source.slice(start, start + 20)}`)
  }
  const sign = SIGNS.find((each) => source.startsWith(each, start)) ?? source[start]!
  return of('sign', sign)
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}
