/**
 * What the verbs of `chrysalis govern` share: the network's rulers, the deployer's keys of this
 * machine, consent where coins are real, and keeping an order with its signatures.
 * @module
 */
import type { Governance } from '../deploy/governance.ts'
import type { OrderFile } from '../deploy/orderFile.ts'
import { consent } from './consent.ts'
import { type CommonOptions, printResult, say } from './output.ts'

export interface GovernOptions extends CommonOptions {
  readonly yes?: boolean
  readonly timelock?: string
}

/** Opens the network, who rules it, and this machine's keys. Throws `no-registry`, `bad-input`. */
export async function openGovernance(options: GovernOptions) {
  const { openRole } = await import('./openRole.ts')
  const { DEPLOYER } = await import('../market/institution.ts')
  const { readGovernance } = await import('../deploy/governance.ts')
  const other = options.timelock === undefined ? undefined : await addressOf(options.timelock)
  const { network, registry, chain, clock, keystore, wallet } = await openRole(options, DEPLOYER)
  const governance = await readGovernance(chain, registry, other)
  const again = () => readGovernance(chain, registry, other)
  const { development } = network
  const sender = { chain, clock, wallet }
  return { governance, again, sender, signer: keystore.key('signer'), development, registry }
}

export type Opened = Awaited<ReturnType<typeof openGovernance>>

/** An address that a person wrote. Throws `bad-input`. */
export async function addressOf(text: string) {
  const { Address } = await import('@ton/core')
  const { MarketError } = await import('../../contracts/base/errors.ts')
  if (Address.isFriendly(text) || Address.isRaw(text)) return Address.parse(text)
  throw new MarketError('bad-input', { address: text.slice(0, 80), expected: 'an address' })
}

/** Asks before something is sent where coins are real. */
export async function consentOutside(
  { development }: Pick<Opened, 'development'>,
  options: GovernOptions,
  question: string,
): Promise<void> {
  if (!development) await consent(options, question)
}

/**
 * Says in words what an order does and what its signers should know, signs it with the own key and
 * writes it. Asks before that where `ask` says so.
 */
export async function signAndKeep(
  { governance, signer }: Pick<Opened, 'governance' | 'signer'>,
  options: GovernOptions,
  file: OrderFile,
  { out, ask, warnings = [] }: { out: string; ask: boolean; warnings?: readonly string[] },
): Promise<void> {
  const { addSignature } = await import('../deploy/govern.ts')
  const { writeOrder } = await import('../deploy/orderFile.ts')
  const words = await wordsOf(governance, file)
  for (const line of [...words, ...warnings.map((each) => `WARNING    ${each}`)]) say(line)
  if (ask) await consent(options, 'Sign it?')
  const signed = addSignature(governance, file, signer)
  await writeOrder(out, signed)
  const { threshold } = governance.multisig.view.signers
  const count = signed.signatures.length
  printResult(options, { file: out, signatures: count, threshold, words, warnings }, [
    `file       ${out}, ${count} of ${threshold} signatures`,
    count < threshold
      ? 'next       chrysalis govern sign, by another signer'
      : `next       chrysalis govern submit ${out}`,
  ])
}

async function wordsOf({ known }: Governance, { order }: OrderFile): Promise<string[]> {
  const { describeOrder } = await import('../../contracts/wrappers/governance.ts')
  return describeOrder(order, known)
}
