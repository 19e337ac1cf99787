/**
 * What verbs that take a prompt share: which model is asked, and a prompt from standard input.
 * @module
 */
import type { Market } from '../../client/types.ts'
import { say } from './output.ts'

/** The only model on offer, or the cheapest. */
export async function chooseModel(market: Market): Promise<string> {
  const models = await market.models()
  const [cheapest] = models.toSorted((a, b) => a.lowestTick - b.lowestTick)
  if (!cheapest) {
    const { MarketError } = await import('../../contracts/base/errors.ts')
    throw new MarketError('no-model', { model: 'any' })
  }
  if (cheapest.demo) say(`(${cheapest.model} is a demo model: its answers may be wrong)`)
  return cheapest.model
}

/** All of standard input, as text. */
export async function readInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8').trim()
}
