/**
 * Every small way to spoil a Tolk source: one change a mutant. If no test notices a mutant, a test
 * is missing, or the change changes nothing, which then must be explained (`explained/`).
 * @module
 */
import { lex, type Token } from './lex.ts'
import { type Scope, scopes } from './scopes.ts'

/** One change of one source. */
export interface Mutant {
  readonly file: string
  readonly operator: string
  readonly line: number
  /** Function or declaration around it. */
  readonly in: string
  /** The changed line or statement, in one line, before and after. */
  readonly was: string
  readonly now: string
  /** 1, or which of several changes with the same words it is. */
  readonly nth: number
  /** The whole source with the change made. */
  readonly source: string
}

/** A change before it has been given its words. */
interface Change {
  readonly operator: string
  readonly start: number
  readonly end: number
  readonly text: string
}

/** All mutants of a source, in the order of its text. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const tokens = lex(source)
  const around = scopes(tokens)
  const changes = tokens.flatMap((_, at) => changesAt(tokens, at, around, source))
  const seen = new Map<string, number>()
  return changes.map((change) => {
    const { operator, start, end, text } = change
    const changed = source.slice(0, start) + text + source.slice(end)
    const [from, to] = linesAround(source, start, end)
    const was = inOneLine(source.slice(from, to))
    const now = inOneLine(source.slice(from, start) + text + source.slice(end, to))
    const line = source.slice(0, start).split('\n').length
    const at =
      around.find((scope) => scope.start <= start && start < scope.end)?.name ?? 'top level'
    const key = `${at} ${was} ${now}`
    const nth = (seen.get(key) ?? 0) + 1
    seen.set(key, nth)
    return { file, operator, line, in: at, was, now, nth, source: changed }
  })
}

/** What names a mutant whatever lines are added above it. */
export function keyOf({ file, in: scope, was, now, nth }: Omit<Mutant, 'source' | 'line'>): string {
  return `${file} ${scope}: ${was} => ${now || 'nothing'}${nth > 1 ? ` (${nth})` : ''}`
}

const SWAPS: Readonly<Record<string, string>> = {
  ...{ '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==' },
  ...{ '+': '-', '-': '+', '+=': '-=', '-=': '+=', '*': '/', '/': '*' },
  ...{ '&': '|', '|': '&', '&&': '||', '||': '&&', '<<': '>>', '>>': '<<' },
}
const WORD_SWAPS: Readonly<Record<string, string>> = {
  ...{ min: 'max', max: 'min', true: 'false', false: 'true' },
  ...{ calculateForwardFee: 'calculateForwardFeeWithoutLumpPrice' },
  SEND_MODE_REGULAR: 'SEND_MODE_CARRY_ALL_REMAINING_MESSAGE_VALUE',
  SEND_MODE_CARRY_ALL_REMAINING_MESSAGE_VALUE: 'SEND_MODE_REGULAR',
  SEND_MODE_CARRY_ALL_BALANCE: 'SEND_MODE_CARRY_ALL_REMAINING_MESSAGE_VALUE',
  SEND_MODE_IGNORE_ERRORS: 'SEND_MODE_REGULAR',
  SEND_MODE_PAY_FEES_SEPARATELY: 'SEND_MODE_REGULAR',
  SEND_MODE_BOUNCE_ON_ACTION_FAIL: 'SEND_MODE_REGULAR',
  SEND_MODE_DESTROY: 'SEND_MODE_REGULAR',
  NoBounce: 'Only256BitsOfBody',
  Only256BitsOfBody: 'NoBounce',
  RichBounce: 'NoBounce',
}
const SEND_MODE = /^(?:SEND_MODE_|NoBounce|Only256|RichBounce)/

function changesAt(
  tokens: readonly Token[],
  at: number,
  around: readonly Scope[],
  source: string,
): Change[] {
  const token = tokens[at]!
  const scope = around.find(({ start, end }) => start <= token.start && token.start < end)
  if (!scope) return []
  const { start, end } = token
  const put = (operator: string, text: string): Change[] => [{ operator, start, end, text }]
  if (token.kind === 'number') return constants(token, scope)
  if (token.kind === 'string') return amount(tokens, at)
  if (scope.kind === 'struct') return []
  if (scope.statements.has(at)) return [...drop(tokens, at), ...negate(tokens, at, source)]
  if (token.kind === 'word') {
    const other = WORD_SWAPS[token.text]
    if (other) return put(SEND_MODE.test(token.text) ? 'send mode' : 'swap', other)
    return negate(tokens, at, source)
  }
  if (token.text === '!') return put('negate', '')
  const other = SWAPS[token.text]
  const spaced = source[start - 1] === ' ' && source[end] === ' '
  return other && spaced ? put('swap', other) : []
}

/** A named amount or bound by one either way; any other number by one more. */
function constants({ text, start, end }: Token, { kind, name }: Scope): Change[] {
  const value = BigInt(text.replaceAll('_', ''))
  const shown = (next: bigint): string =>
    text.startsWith('0x') ? `0x${next.toString(16)}` : next.toString()
  const nexts =
    kind === 'const' && value > 0n && !name.startsWith('ERROR_')
      ? [value + 1n, value - 1n]
      : [value + 1n]
  return nexts.map((next) => ({ operator: 'constant', start, end, text: shown(next) }))
}

/** `ton("0.01")`, by one nanoTON either way. */
function amount(tokens: readonly Token[], at: number): Change[] {
  const [name, open, , close] = tokens.slice(at - 2, at + 2)
  if (name?.text !== 'ton' || open?.text !== '(' || close?.text !== ')') return []
  const whole = `ton(${tokens[at]!.text})`
  return ['+', '-'].map((sign) => {
    return { operator: 'constant', start: name.start, end: close.end, text: `(${whole} ${sign} 1)` }
  })
}

/** Statements whose absence is a mutant. A declaration's absence would not compile. */
const KEPT = /^(?:val|var|return|if|else|while|do|repeat|match|try|catch|import|fun|get|const)$/

function drop(tokens: readonly Token[], at: number): Change[] {
  const first = tokens[at]!
  if (KEPT.test(first.text)) return []
  const last = endOfStatement(tokens, at)
  if (!last) return []
  const operator = first.text === 'assert' ? 'drop assert' : 'drop statement'
  return [{ operator, start: first.start, end: last.end, text: '' }]
}

/** The `;` of the statement that begins at `at`; none where a block closes before it. */
function endOfStatement(tokens: readonly Token[], at: number): Token | undefined {
  let depth = 0
  for (let i = at; i < tokens.length; i++) {
    const { text } = tokens[i]!
    if ('([{'.includes(text)) depth++
    if (')]}'.includes(text) && --depth < 0) return undefined
    if (text === ';' && depth === 0) return tokens[i]
  }
  return undefined
}

/** `if (c)`, `while (c)`, `assert (c)`: the opposite. */
function negate(tokens: readonly Token[], at: number, source: string): Change[] {
  if (!/^(?:if|while|assert)$/.test(tokens[at]!.text) || tokens[at + 1]?.text !== '(') return []
  let depth = 0
  for (let i = at + 1; i < tokens.length; i++) {
    if (tokens[i]!.text === '(') depth++
    if (tokens[i]!.text === ')' && --depth === 0) {
      const inside = tokens.slice(at + 2, i)
      // Of one equation the swapped sign is the opposite already.
      const equation = inside.some(({ text }) => text === '==' || text === '!=')
      if (equation && !inside.some(({ text }) => '&|'.includes(text))) return []
      const [start, end] = [tokens[at + 2]!.start, tokens[i - 1]!.end]
      return [{ operator: 'negate', start, end, text: `!(${source.slice(start, end)})` }]
    }
  }
  return []
}

function linesAround(source: string, start: number, end: number): [number, number] {
  const from = source.lastIndexOf('\n', start - 1) + 1
  const to = source.indexOf('\n', end)
  return [from, to < 0 ? source.length : to]
}

function inOneLine(text: string): string {
  const bare = text.replaceAll(/\/\/[^\n]*/g, '')
  return bare.replaceAll(/\s+/g, ' ').trim()
}
