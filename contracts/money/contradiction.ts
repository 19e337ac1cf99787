/**
 * Whether two signed statements cannot both be honest: what a case on chain is about.
 *
 * Only what no honest party can have signed counts, whatever others send it and however often it
 * starts anew within the rules of `contracts/money/README.md`. Everything else is refused with the
 * reason, among it statements that differ and may both be honest. Called by whoever opens a case,
 * and by every arbiter before it signs.
 * @module
 */
import { Address, type Cell } from '@ton/core'
import { type Bytes, equal, fromBase64, fromHex, toHex } from '../base/bytes.ts'
import { MarketError } from '../base/errors.ts'
import { verifySignature } from '../base/signing.ts'
import type { NanoTon } from '../base/units.ts'
import {
  accept,
  checkRecord,
  type Lease,
  lease,
  parseRecord,
  receipt,
  recordBytes,
  recordHash,
} from '../wire/records.ts'
import { acknowledgementHash } from './acknowledgement.ts'
import {
  type ContradictionFile,
  contradictionHash,
  parseContradiction,
  type SignedAcknowledgement,
  type SignedStatement,
} from './contradictionFile.ts'

/** A contradiction that was checked. */
export interface Contradiction {
  readonly kind: ContradictionFile['kind']
  /** Identity key, hex: who has contradicted itself. */
  readonly signer: string
  /** In which role: the item that answers for it. A payee is a scheduler or a provider. */
  readonly role: 'payee' | 'scheduler' | 'provider'
  /** One sentence: what is proved. */
  readonly proved: string
  /** By how much the amounts of the two statements differ: the most that is proven as loss. */
  readonly lossAtMost: bigint
  /** What that amount is of: only TON can be paid out of a stake. */
  readonly asset: 'ton' | 'jetton' | 'of the channel'
  /** The evidence hash of a case, 32 bytes. */
  readonly hash: Bytes
}

/**
 * Checks a contradiction. Throws `bad-contradiction` (malformed), `wrong-network`, `bad-signature`,
 * `bad-frame` (a record that is none), `no-contradiction` with the reason.
 *
 * @example
 * const { signer, lossAtMost } = verifyContradiction(readContradiction(text), networkId)
 */
export function verifyContradiction(given: ContradictionFile, networkId: number): Contradiction {
  const file = parseContradiction(given)
  if (file.network !== networkId) {
    throw new MarketError('wrong-network', { network: file.network, expected: networkId })
  }
  const common = { kind: file.kind, signer: file.signer, hash: contradictionHash(file) }
  switch (file.kind) {
    case 'acknowledgements':
      return { ...common, ...acknowledgements(file) }
    case 'leases':
      return { ...common, ...leases(file) }
    case 'accepts':
      return { ...common, ...accepts(file) }
    case 'receipts':
      return { ...common, ...receipts(file) }
  }
}

type Finding = Omit<Contradiction, 'kind' | 'signer' | 'hash'>
type Of<K extends ContradictionFile['kind']> = Extract<ContradictionFile, { readonly kind: K }>

/** What was promised over a channel never sinks, and is one sum after one message. */
function acknowledgements(file: Of<'acknowledgements'>): Finding {
  const channel = Address.parseRaw(file.channel)
  const one = acknowledged(file.statements[0], file, channel)
  const other = acknowledged(file.statements[1], file, channel)
  const [first, second] = one.sequence <= other.sequence ? [one, other] : [other, one]
  const lost = first.cumulative - second.cumulative
  const same = first.sequence === second.sequence
  if (lost === 0n) {
    if (!same) throw none('the sum is the same after both messages')
    throw none(
      first.credit === second.credit
        ? 'both say the same'
        : 'only the credit differs: a job may have ended between the two',
    )
  }
  if (!same && lost < 0n) throw none('the sum has grown with a later message')
  return {
    role: 'payee',
    proved: same
      ? `it acknowledged two different sums after message ${first.sequence} of one channel`
      : `it acknowledged less after message ${second.sequence} than after ${first.sequence}`,
    lossAtMost: lost < 0n ? -lost : lost,
    asset: 'of the channel',
  }
}

function acknowledged(
  signed: SignedAcknowledgement,
  { network, signer }: ContradictionFile,
  channel: Address,
): { readonly sequence: number; readonly cumulative: NanoTon; readonly credit: NanoTon } {
  const [cumulative, credit] = [BigInt(signed.cumulative), BigInt(signed.credit)]
  const statement = { sequence: signed.sequence, cumulative, credit }
  const hash = acknowledgementHash(network, channel, statement)
  if (!verifySignature(hash, fromBase64(signed.signature), fromHex(signer, 32))) {
    throw new MarketError('bad-signature', { statement: 'acknowledgement' })
  }
  return statement
}

/**
 * One attempt of one job has one lease. A client may use its job id again when the job has ended,
 * and a scheduler that has started anew cannot know; but not while it signs: a lease tells by its
 * expiry when it was signed.
 */
function leases(file: Of<'leases'>): Finding {
  const read = (signed: SignedStatement): Lease => {
    const terms = lease.decode(signedBy(signed, file.signer), file.network)
    if (toHex(terms.scheduler) !== file.signer) throw none('the signer is not its scheduler')
    return terms
  }
  const [one, other] = [read(file.statements[0]), read(file.statements[1])]
  refuseEqual(file.statements)
  if (!equal(one.jobId, other.jobId)) throw none('two jobs')
  if (one.attempt !== other.attempt) throw none('two attempts of a job')
  if (!equal(one.clientJobKey, other.clientJobKey)) throw none('two clients chose one job id')
  if (one.expiryS !== other.expiryS) {
    throw none('they expire at different times: the job may have been submitted again')
  }
  return {
    role: 'scheduler',
    proved: 'it leased one attempt of one job in two ways at once',
    lossAtMost: 0n,
    asset: assetOf(one),
  }
}

/** A lease is accepted once: with one epoch key, one evidence, one expiry. */
function accepts(file: Of<'accepts'>): Finding {
  const terms = leaseOf(file)
  for (const each of file.statements) {
    const { leaseHash } = accept.decode(signedBy(each, file.signer), file.network)
    if (!equal(leaseHash, terms.hash)) throw none('an accept names another lease')
  }
  refuseEqual(file.statements)
  return {
    role: 'provider',
    proved: 'it accepted one lease in two ways',
    lossAtMost: 0n,
    asset: assetOf(terms.lease),
  }
}

/** A lease has one receipt: it is on disk before it is sent. */
function receipts(file: Of<'receipts'>): Finding {
  const terms = leaseOf(file)
  const total = (signed: SignedStatement): bigint => {
    const { leaseHash, cost, fee } = receipt.decode(signedBy(signed, file.signer), file.network)
    if (!equal(leaseHash, terms.hash)) throw none('a receipt names another lease')
    return cost + fee
  }
  const [one, other] = [total(file.statements[0]), total(file.statements[1])]
  refuseEqual(file.statements)
  return {
    role: 'provider',
    proved: 'it signed two different receipts for one lease',
    lossAtMost: one < other ? other - one : one - other,
    asset: assetOf(terms.lease),
  }
}

/** The lease that both statements name; its own signature is not needed: they name its hash. */
function leaseOf(file: Of<'accepts' | 'receipts'>): { lease: Lease; hash: Bytes } {
  const cell = plainRecord(file.lease)
  const terms = lease.decode(cell, file.network)
  if (toHex(terms.provider) !== file.signer) throw none('the signer is not its provider')
  return { lease: terms, hash: recordHash(cell) }
}

function signedBy({ record, signature }: SignedStatement, signer: string): Cell {
  const cell = plainRecord(record)
  checkRecord(cell, fromBase64(signature), fromHex(signer, 32))
  return cell
}

/** One record has many bags of cells; a contradiction has one text, with the plain ones. */
function plainRecord(text: string): Cell {
  const bytes = fromBase64(text)
  const cell = parseRecord(bytes)
  if (equal(recordBytes(cell), bytes)) return cell
  throw new MarketError('bad-contradiction', { field: 'record', expected: 'the plain form' })
}

/** The same record with another signature would be the same word. */
function refuseEqual([one, other]: readonly [SignedStatement, SignedStatement]): void {
  if (one.record === other.record) throw none('both say the same')
}

function assetOf({ asset }: Lease): 'ton' | 'jetton' {
  return asset === 'ton' ? 'ton' : 'jetton'
}

function none(reason: string): MarketError {
  return new MarketError('no-contradiction', { reason })
}
