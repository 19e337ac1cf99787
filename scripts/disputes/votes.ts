/**
 * Verdicts on their way to a case: an arbiter's vote as a JSON file, checked before it is signed
 * and again by whoever bears it.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { Address } from '@ton/core'
import { equal, fromHex, toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Wallet } from '../../contracts/base/ports.ts'
import { type SigningKey, verifySignature } from '../../contracts/base/signing.ts'
import { parseNano } from '../../contracts/base/units.ts'
import { type Contradiction, verifyContradiction } from '../../contracts/money/contradiction.ts'
import type { ContradictionFile } from '../../contracts/money/contradictionFile.ts'
import {
  type CaseTerms,
  type CaseView,
  type Ruling,
  readCase,
  verdictHash,
  verdictOn,
} from '../../contracts/wrappers/Dispute.ts'
import { DISPUTE_VALUE, type Vote, verdictBody } from '../../contracts/wrappers/disputeMessages.ts'
import { type Court, identityOf, untilState } from './cases.ts'

/** One arbiter's vote on one round of one case. */
export interface VoteFile {
  readonly network: number
  readonly case: Address
  readonly round: number
  readonly ruling: Ruling
  readonly vote: Vote
}

/** What an arbiter upholds a case by. */
export interface Evidence {
  readonly file?: ContradictionFile
  /** The arbiter has seen in the item's history that it named the signer's identity. */
  readonly isFormer?: boolean
}

/**
 * Signs a decision after everything was checked that an arbiter can check by machine: that the key
 * is an arbiter's of this case and no party's, that the file is the evidence and proves what it
 * says, that the accused item is the signer's, and that the loss is no more than is proven. Throws
 * `bad-input` naming what is wrong, and what `verifyContradiction` throws.
 */
export async function signVote(
  court: Court,
  at: Address,
  ruling: Ruling,
  key: SigningKey,
  options: Evidence = {},
): Promise<VoteFile> {
  const { chain } = court
  const view = await readCase(chain, at)
  const terms = termsInRound(view)
  const arbiter = placeOf(key.publicKey, terms, view)
  if (ruling.uphold) await checkUpheld(court, view, terms, ruling, options)
  else if (ruling.loss !== 0n) throw new MarketError('bad-input', { loss: ruling.loss, most: 0n })
  const statement = verdictOn(chain.networkId, at, view, ruling)
  const vote = { arbiter, key: key.publicKey, signature: key.sign(verdictHash(statement)) }
  return { network: chain.networkId, case: at, round: statement.round, ruling, vote }
}

/** Bears votes to their case. Throws `bad-input` where they are too few or not of one mind. */
export async function bearVerdict(
  court: Court & { readonly wallet: Wallet },
  at: Address,
  files: readonly VoteFile[],
): Promise<CaseView> {
  const { chain, wallet } = court
  const view = await readCase(chain, at)
  const { needed, neededOnAppeal } = termsInRound(view)
  const [first] = files
  if (!first) throw new MarketError('bad-input', { votes: 0 })
  const statement = verdictOn(chain.networkId, at, view, first.ruling)
  const hash = verdictHash(statement)
  for (const { vote } of files) {
    if (!verifySignature(hash, vote.signature, vote.key)) {
      const facts = { arbiter: vote.arbiter, round: statement.round }
      throw new MarketError('bad-signature', facts, {
        action: 'All votes must be on this case, in its round, and say the same.',
      })
    }
  }
  const votes = [...new Map(files.map(({ vote }) => [toHex(vote.key), vote])).values()]
  const least = view.state === 'appealed' ? neededOnAppeal : needed
  if (votes.length < least) throw new MarketError('bad-input', { votes: votes.length, least })
  const { uphold, loss } = first.ruling
  const body = verdictBody(uphold, loss, votes)
  await wallet.send([{ to: at, value: DISPUTE_VALUE.verdict, body }])
  return untilState(court, at, (state) => state !== view.state)
}

export async function writeVote(path: string, file: VoteFile): Promise<void> {
  const { network, round, ruling, vote } = file
  const json = {
    ...{ version: 1, network, case: file.case.toString(), round },
    ...{ uphold: ruling.uphold, loss: `${ruling.loss}`, arbiter: vote.arbiter },
    ...{ key: toHex(vote.key), signature: toHex(vote.signature) },
  }
  await writeFile(path, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600 })
}

/** Throws `bad-config` where the file is no vote. */
export async function readVote(path: string): Promise<VoteFile> {
  try {
    const json: Record<string, unknown> = JSON.parse(await readFile(path, 'utf8'))
    if (json.version !== 1 || typeof json.uphold !== 'boolean') throw new Error('version')
    return {
      network: Number(json.network),
      case: Address.parse(String(json.case)),
      round: Number(json.round),
      ruling: { uphold: json.uphold, loss: parseNano(String(json.loss)) },
      vote: {
        arbiter: Number(json.arbiter),
        key: fromHex(String(json.key), 32),
        signature: fromHex(String(json.signature), 64),
      },
    }
  } catch (cause) {
    throw new MarketError('bad-config', { file: path, expected: 'a vote' }, { cause })
  }
}

function termsInRound({ state, terms }: CaseView): CaseTerms {
  if (terms && (state === 'tried' || state === 'appealed')) return terms
  throw new MarketError('bad-input', { case: state, expected: 'tried or appealed' })
}

/** The place of an arbiter who is no party. */
function placeOf(key: Uint8Array, { rules }: CaseTerms, { config }: CaseView): number {
  const own = toHex(key)
  const place = rules.arbiters.findIndex((each) => each.key === own)
  if (place < 0) throw new MarketError('bad-input', { arbiter: own, expected: 'one of the rules' })
  const { account } = rules.arbiters[place]!
  if (account.equals(config.challenger) || account.equals(config.accused.owner)) {
    throw new MarketError('bad-input', { arbiter: own, reason: 'a party of this case' })
  }
  return place
}

async function checkUpheld(
  { chain }: Court,
  view: CaseView,
  terms: CaseTerms,
  ruling: Ruling,
  { file: evidence, isFormer }: Evidence,
): Promise<Contradiction> {
  if (!evidence) throw new MarketError('bad-input', { missing: 'the contradiction file' })
  const found = verifyContradiction(evidence, chain.networkId)
  if (!equal(found.hash, view.evidence)) {
    throw new MarketError('bad-input', { file: toHex(found.hash), case: toHex(view.evidence) })
  }
  const identity = await identityOf(chain, view.config.accused.kind, terms.accused)
  if (identity !== found.signer && !isFormer) {
    const action = 'If the item named this identity earlier, as its history shows: --former.'
    throw new MarketError('bad-input', { signer: found.signer, item: identity }, { action })
  }
  const most = found.asset === 'jetton' ? 0n : found.lossAtMost
  if (ruling.loss > most) throw new MarketError('bad-input', { loss: ruling.loss, most })
  return found
}
