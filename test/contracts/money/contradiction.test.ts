/**
 * Contradictions: what is proved, how much at most, and every pair of statements that is refused,
 * with the reason.
 * @module
 */
import { Address, Cell } from '@ton/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toBase64, toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { asMarketError } from '../../../contracts/base/errors.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import { verifyContradiction } from '../../../contracts/money/contradiction.ts'
import {
  type ContradictionFile,
  contradictionHash,
  contradictionText,
  parseContradiction,
  readContradiction,
} from '../../../contracts/money/contradictionFile.ts'
import { contradictionsBetween } from '../../../contracts/money/contradictionSources.ts'
import type { ReceiptFile } from '../../../contracts/money/receiptFile.ts'
import type { Lease } from '../../../contracts/wire/records.ts'
import { BINDING, fill, RECEIPT } from '../wire/recordSamples.ts'
import {
  acknowledged,
  acknowledgements,
  leases,
  NETWORK,
  ofOneLease,
  PROVED,
  signedAccept,
  signedLease,
  signedReceipt,
} from './contradictionWorld.ts'
import { KEYS, signedJob } from './receiptWorld.ts'

const at = (sequence: number, cumulative: bigint, credit = 0n) => ({
  ...{ sequence, cumulative, credit },
})

describe('a contradiction', () => {
  it.each([
    ['acknowledgements', 'payee', KEYS.provider, 30n, 'of the channel'],
    ['sunk', 'payee', KEYS.provider, 60n, 'of the channel'],
    ['leases', 'scheduler', KEYS.scheduler, 0n, 'ton'],
    ['accepts', 'provider', KEYS.provider, 0n, 'ton'],
    ['receipts', 'provider', KEYS.provider, 1_025n, 'ton'],
  ] as const)('of %s proves who, and how much at most', (name, role, key, lossAtMost, asset) => {
    const found = verifyContradiction(PROVED[name]!, NETWORK)
    const signer = toHex(key.publicKey)
    expect(found).toMatchObject({ role, signer, lossAtMost, asset })
    expect(found.hash).toEqual(sha256(utf8(contradictionText(PROVED[name]!))))
  })

  it('in a jetton names a loss that no stake can pay', () => {
    const fields = { leaseHash: leaseHashUnder({ asset: BINDING.wallet }) }
    const dearer = { ...fields, cost: RECEIPT.cost + 1n }
    const pair = [signedReceipt({ fields }), signedReceipt({ fields: dearer })] as const
    const file = ofOneLease('receipts', ...pair, { asset: BINDING.wallet })
    expect(verifyContradiction(file, NETWORK)).toMatchObject({ asset: 'jetton', lossAtMost: 1n })
  })

  it('in what is no amount proves no loss', () => {
    const other = signedReceipt({ fields: { transcriptHash: fill(91) } })
    const file = ofOneLease('receipts', signedReceipt(), other)
    expect(verifyContradiction(file, NETWORK).lossAtMost).toBe(0n)
  })
})

describe('statements that an honest party may have signed are refused', () => {
  const seven = acknowledged(at(7, 500n, 20n))
  const receipt = signedReceipt()
  const lease = signedLease()
  const refused: readonly [string, ContradictionFile, string][] = [
    ['one acknowledgement twice', acknowledgements(seven, seven), 'both say the same'],
    [
      'credit that a finished job has set free',
      acknowledgements(seven, acknowledged(at(7, 500n, 90n))),
      'only the credit differs',
    ],
    [
      'a sum that has grown',
      acknowledgements(seven, acknowledged(at(8, 501n))),
      'the sum has grown',
    ],
    [
      'a sum that has stayed',
      acknowledgements(seven, acknowledged(at(8, 500n))),
      'the sum is the same',
    ],
    ['one lease twice', leases(lease, lease), 'both say the same'],
    ['leases of two jobs', leases(lease, other({ jobId: fill(9, 16) })), 'two jobs'],
    ['leases of two attempts', leases(lease, other({ attempt: 2 })), 'two attempts'],
    ['leases of two clients', leases(lease, other({ clientJobKey: fill(9) })), 'two clients'],
    [
      'a job that came again later',
      leases(lease, other({ expiryS: 1_800_000_601, tick: 41 })),
      'expire at different times',
    ],
    [
      'leases in another scheduler’s name',
      leases(lease, other({ scheduler: KEYS.stranger.publicKey })),
      'not its scheduler',
    ],
    ['one accept twice', ofOneLease('accepts', signedAccept(), signedAccept()), 'the same'],
    ['one receipt twice', ofOneLease('receipts', receipt, receipt), 'both say the same'],
    [
      'receipts of two leases',
      ofOneLease('receipts', receipt, signedReceipt({ fields: { leaseHash: fill(9) } })),
      'another lease',
    ],
    [
      'accepts of two leases',
      ofOneLease('accepts', signedAccept({ fields: { leaseHash: fill(9) } }), signedAccept()),
      'another lease',
    ],
    [
      'receipts under a lease that they do not name',
      ofOneLease('receipts', receipt, receipt, { tick: 41 }),
      'another lease',
    ],
    [
      'receipts of who is not the lease’s provider',
      ofOneLease('receipts', receipt, receipt, { provider: KEYS.stranger.publicKey }),
      'not its provider',
    ],
  ]

  it.each(refused)('%s', (_, file, reason) => {
    const error = failure(() => verifyContradiction(file, NETWORK))
    expect(error.code).toBe('no-contradiction')
    expect(String(error.facts.reason)).toContain(reason)
  })
})

describe('a signature counts only for what it was made for', () => {
  const both = (name: string) => PROVED[name]!.statements

  it.each(Object.keys(PROVED))('%s: not with a changed bit, nor for another signer', (name) => {
    const file = PROVED[name]!
    const [one, second] = both(name)
    const bytes = Buffer.from(one.signature, 'base64')
    bytes[20]! ^= 4
    const forged = { ...one, signature: toBase64(bytes) }
    expect(codeOf({ ...file, statements: [forged, second] })).toBe('bad-signature')
    const stranger = toHex(KEYS.stranger.publicKey)
    const code = codeOf({ ...file, signer: stranger })
    expect(['bad-signature', 'no-contradiction']).toContain(code)
  })

  it.each(Object.keys(PROVED))('%s: not on another network', (name) => {
    const file = PROVED[name]!
    expect(failure(() => verifyContradiction(file, -239)).code).toBe('wrong-network')
    const lied = { ...file, network: -239 }
    const { code } = failure(() => verifyContradiction(parseContradiction(lied), -239))
    expect(['bad-signature', 'wrong-network']).toContain(code)
  })

  it('an acknowledgement not on another channel', () => {
    const elsewhere = new Address(0, Buffer.alloc(32, 77))
    const file = { ...PROVED.acknowledgements!, channel: elsewhere.toRawString() }
    expect(codeOf(file)).toBe('bad-signature')
    const [one] = both('acknowledgements')
    const foreign = acknowledged(at(7, 470n), KEYS.provider, elsewhere)
    expect(codeOf({ ...PROVED.acknowledgements!, statements: [one, foreign] })).toBe(
      'bad-signature',
    )
  })

  it('a record is shown in its plain form only', () => {
    const receipt = signedReceipt()
    const other = { ...receipt, record: rebagged(receipt.record) }
    expect(codeOf(ofOneLease('receipts', receipt, other))).toBe('bad-contradiction')
  })

  it('a record of one kind never as one of another', () => {
    const records = { leases: signedLease({ by: KEYS.provider }), accepts: signedAccept() }
    const all = { ...records, receipts: signedReceipt() }
    const kinds = ['leases', 'accepts', 'receipts'] as const
    for (const shown of kinds) {
      for (const real of kinds.filter((kind) => kind !== shown)) {
        const base = PROVED[shown]!
        const signer = toHex(KEYS.provider.publicKey)
        const file = { ...base, signer, statements: [all[real], all[real]] }
        expect({ shown, real, code: codeOf(file) }).toEqual({ shown, real, code: 'bad-frame' })
      }
    }
  })
})

describe('the file', () => {
  it('has one text and one hash, in whatever order it was caught', () => {
    for (const file of Object.values(PROVED)) {
      const [one, second] = file.statements
      const swapped = parseContradiction({ ...file, statements: [second, one] })
      expect(contradictionHash(swapped)).toEqual(contradictionHash(file))
      const spaced = JSON.stringify(Object.fromEntries(Object.entries(file).reverse()), null, 2)
      expect(contradictionText(readContradiction(spaced))).toBe(contradictionText(file))
    }
  })

  it('has another hash with anything else in it', () => {
    const hashes = Object.values(PROVED).map((file) => toHex(contradictionHash(file)))
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('is refused with an unknown, missing or wrong field, and above its size', () => {
    const file = PROVED.receipts!
    const { lease: _, ...without } = { ...file, lease: undefined }
    const wrong: unknown[] = [
      null,
      [],
      without,
      { ...file, more: 1 },
      { ...file, version: 2 },
      { ...file, network: 2 ** 31 },
      { ...file, kind: 'vouchers' },
      { ...file, signer: file.signer.toUpperCase() },
      { ...file, lease: `${'A'.repeat(5_464)}` },
      { ...file, statements: [file.statements[0]] },
      { ...file, statements: [file.statements[0], { ...file.statements[1], more: 1 }] },
      { ...PROVED.acknowledgements, channel: `-1:${'0'.repeat(64)}` },
      { ...PROVED.acknowledgements, statements: [at(7, 1n), at(7, 1n)] },
      { ...PROVED.leases, lease: 'AAAA' },
    ]
    for (const json of wrong) {
      expect(failure(() => parseContradiction(json)).code).toBe('bad-contradiction')
    }
    expect(failure(() => readContradiction(' '.repeat(32_769))).code).toBe('bad-contradiction')
    expect(failure(() => readContradiction('{')).code).toBe('bad-contradiction')
  })
})

describe('two receipt files of one job', () => {
  const kinds = (one: ReceiptFile, other: ReceiptFile) =>
    contradictionsBetween(one, other, NETWORK).map(({ kind }) => kind)

  it('that agree prove nothing, countersigned or not', () => {
    expect(kinds(signedJob(), signedJob())).toEqual([])
    expect(kinds(signedJob(), signedJob({ client: null }))).toEqual([])
    expect(kinds(signedJob(), signedJob({ lease: { jobId: fill(9, 16) } }))).toEqual([])
  })

  it('that differ prove who signed both', () => {
    const dearer = signedJob({ receipt: { cost: 99_999n } })
    expect(kinds(signedJob(), dearer)).toEqual(['receipts'])
    expect(kinds(dearer, signedJob())).toEqual(['receipts'])
    const otherKey = signedJob({ accept: { evidenceDigest: fill(9) } })
    expect(kinds(signedJob(), otherKey)).toEqual(['accepts'])
    expect(kinds(signedJob(), signedJob({ lease: { tick: 41 } }))).toEqual(['leases'])
    const { stranger } = KEYS
    expect(
      kinds(signedJob(), signedJob({ lease: { tick: 41 }, signers: { lease: stranger } })),
    ).toEqual([])
  })
})

it('never accuses whoever keeps honest books', () => {
  // Sums of one payee, in the order of its life: a message raises the sum or not, a job that ends
  // raises the credit, a message that comes again is acknowledged again.
  const act = fc.record({ pays: fc.boolean(), amount: fc.bigInt(0n, 50n), ends: fc.bigInt(0n, 9n) })
  const picks = fc.tuple(fc.nat(59), fc.nat(59))
  fc.assert(
    fc.property(fc.array(act, { minLength: 2, maxLength: 60 }), picks, (acts, [a, b]) => {
      let books = at(0, 0n, 0n)
      const said = acts.map(({ pays, amount, ends }) => {
        const sequence = books.sequence + (pays ? 1 : 0)
        books = at(sequence, books.cumulative + (pays ? amount : 0n), books.credit + ends)
        return books
      })
      const file = acknowledgements(
        acknowledged(said[a % said.length]!),
        acknowledged(said[b % said.length]!),
      )
      expect(codeOf(file)).toBe('no-contradiction')
    }),
    { seed: 3, numRuns: 300 },
  )
})

function other(fields: Partial<Lease>) {
  return signedLease({ fields })
}

function failure(run: () => unknown) {
  try {
    run()
  } catch (error) {
    return asMarketError(error)
  }
  throw new Error('nothing was refused')
}

function codeOf(file: unknown): string {
  return failure(() => verifyContradiction(parseContradiction(file), NETWORK)).code
}

function leaseHashUnder(under: { asset: Address }): Uint8Array {
  const file = ofOneLease('receipts', signedReceipt(), signedReceipt(), under)
  if (file.kind !== 'receipts') throw new Error(file.kind)
  return new Uint8Array(Cell.fromBase64(file.lease).hash())
}

/** The same cells in other bytes: with an index. */
function rebagged(record: string): string {
  return Cell.fromBase64(record).toBoc({ idx: true, crc32: true }).toString('base64')
}
