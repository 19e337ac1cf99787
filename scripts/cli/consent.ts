/**
 * Asking a person before something that cannot be taken back; a program must say `--yes`.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'

/**
 * Asks `question` on the terminal. Throws `aborted` on anything but yes, `bad-input` where nobody
 * can be asked and `--yes` was not said.
 */
export async function consent(
  { yes }: { readonly yes?: boolean },
  question: string,
): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY) {
    const action = 'Say --yes to go on without being asked.'
    throw new MarketError('bad-input', { missing: '--yes' }, { action })
  }
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await lines.question(`${question} [y/N] `)
  lines.close()
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new MarketError('aborted', {}, { action: 'Nothing was sent.' })
  }
}
