/**
 * Signed records: golden hashes, one canonical form, no two kinds alike, hostile bytes refused.
 * @module
 */
import { Address, beginCell, type Cell } from '@ton/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { signingKey } from '../../../contracts/base/signing.ts'
import { verdict } from '../../../contracts/wire/records/verdict.ts'
import {
  accept,
  binding,
  checkRecord,
  epochKey,
  lease,
  parseRecord,
  receipt,
  recordBytes,
  recordHash,
  signRecord,
} from '../../../contracts/wire/records.ts'
import {
  ACCEPT,
  anyAccept,
  anyBinding,
  anyEpochKey,
  anyLease,
  anyReceipt,
  anyVerdict,
  BINDING,
  EPOCH_KEY,
  fill,
  LEASE,
  RECEIPT,
  VERDICT,
} from './recordSamples.ts'

const SEED = 11
const refused = (code: string) => expect.objectContaining({ code })

interface Kind {
  readonly name: string
  readonly sample: () => Cell
  readonly decode: (cell: Cell, network?: number) => { readonly network: number }
  readonly recode: (cell: Cell) => Cell
  readonly any: fc.Arbitrary<Cell>
  /** The sample with each field changed, one at a time. */
  readonly changed: () => Cell[]
}

function kind<T extends { readonly network: number }>(
  name: string,
  codec: { encode(value: T): Cell; decode(cell: Cell, network?: number): T },
  sample: T,
  any: fc.Arbitrary<T>,
  changes: readonly Partial<T>[],
): Kind {
  return {
    name,
    sample: () => codec.encode(sample),
    decode: codec.decode,
    recode: (cell) => codec.encode(codec.decode(cell)),
    any: any.map(codec.encode),
    changed: () => changes.map((change) => codec.encode({ ...sample, ...change })),
  }
}

const { multipliers, steps } = LEASE
const KINDS: readonly Kind[] = [
  kind('lease', lease, LEASE, anyLease, [
    { network: -239 },
    { jobId: fill(99, 16) },
    { attempt: 2 },
    { scheduler: fill(99) },
    { provider: fill(99) },
    { clientJobKey: fill(99) },
    { modelHash: fill(99) },
    { minTier: 'cpu-tee' },
    { asset: BINDING.wallet },
    { tick: 41 },
    { fee: 251 },
    { multipliers: { ...multipliers, prompt: 1 } },
    { multipliers: { ...multipliers, cachedPrompt: 1 } },
    { multipliers: { ...multipliers, completion: 1 } },
    { multipliers: { ...multipliers, reasoning: 1 } },
    { steps: { ...steps, prompt: 1 } },
    { steps: { ...steps, cachedPrompt: 1 } },
    { steps: { ...steps, completion: 1 } },
    { window: 1 },
    { parameterVersion: 2 },
    { strategy: 'p2c' },
    { expiryS: 1 },
  ]),
  kind('accept', accept, ACCEPT, anyAccept, [
    { network: -239 },
    { leaseHash: fill(99) },
    { epochKeyHash: fill(99) },
    { evidenceDigest: fill(99) },
    { expiryS: 1 },
  ]),
  kind('epoch key', epochKey, EPOCH_KEY, anyEpochKey, [
    { network: -239 },
    { epoch: 10 },
    { notBeforeS: 1 },
    { notAfterS: 1_900_000_000 },
    { kemPublicKey: fill(99, 1_216) },
  ]),
  kind('receipt', receipt, RECEIPT, anyReceipt, [
    { network: -239 },
    { leaseHash: fill(99) },
    { billed: { ...RECEIPT.billed, prompt: 1 } },
    { billed: { ...RECEIPT.billed, cachedPrompt: 1 } },
    { billed: { ...RECEIPT.billed, completion: 1 } },
    { billed: { ...RECEIPT.billed, reasoning: 1 } },
    { cost: 1n },
    { fee: 1n },
    { modelHash: fill(99) },
    { tier: 'gpu-tee' },
    { outcome: 'failed' },
    { startS: 1 },
    { endS: 1_900_000_000 },
    { transcriptHash: fill(99) },
    { energy: undefined },
    { energy: { joules: 12.346, how: 'measured' } },
    { energy: { joules: 12.345, how: 'estimated' } },
  ]),
  kind('binding', binding, BINDING, anyBinding, [
    { network: -239 },
    { role: 'scheduler' },
    { wallet: new Address(-1, BINDING.wallet.hash) },
    { peerId: fill(99) },
    { identity: fill(99) },
    { expiryS: 1 },
  ]),
  kind('verdict', verdict, VERDICT, anyVerdict, [
    { network: -239 },
    { case: new Address(-1, BINDING.wallet.hash) },
    { evidence: fill(99) },
    { openedAtS: 1 },
    { round: 2 },
    { uphold: false, loss: 0n },
    { loss: 1n },
  ]),
]

const GOLDEN: Record<string, string> = {
  lease: 'af45a4dd55bfef2e19df017f0496f0139eb25fb32fc622e34ce3bc20d09c5469',
  accept: '0a4336818682b3d68a013c641eaf381b3b622054bcf0dbe2cd3c0a37a7715e26',
  'epoch key': '2ae6aefa2026bf205f19d9411c14ddc6d3742b1cfb598996fa3d344f27d1c3fd',
  receipt: 'f9bac9437bd97e8c4b828b6bf353bcb80d689a0c2d09541c89b0eb8d6bbb1b4a',
  binding: 'e6db814a1819c7ae235d5b9005c3f3c3e2abdf90a276ec00a9b100df2edc815a',
  verdict: '2c73bdc7db01bbc283a8f608c6922287e41614590c5597cee436dd9b3c00fc8d',
}

describe.each(KINDS)('$name', ({ name, sample, decode, recode, any, changed }) => {
  it('has the golden hash', () => {
    expect(toHex(recordHash(sample()))).toBe(GOLDEN[name])
  })

  it('comes back through bytes as the same cell, whatever its fields', () => {
    const property = fc.property(any, (cell) => {
      expect(recode(parseRecord(recordBytes(cell))).equals(cell)).toBe(true)
    })
    fc.assert(property, { seed: SEED, numRuns: 60 })
  })

  it('is read by no other kind', () => {
    const others = KINDS.filter((other) => other.name !== name)
    const property = fc.property(any, (cell) => {
      for (const other of others) expect(() => other.decode(cell)).toThrow(refused('bad-frame'))
    })
    fc.assert(property, { seed: SEED, numRuns: 30 })
  })

  it('has another hash for any other field', () => {
    const hashes = [sample(), ...changed()].map((cell) => toHex(recordHash(cell)))
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('refuses another network, bits or cells left over, and missing ones', () => {
    const cell = sample()
    expect(decode(cell, -3).network).toBe(-3)
    expect(() => decode(cell, -239)).toThrow(refused('wrong-network'))
    const grown = [
      beginCell().storeSlice(cell.beginParse()).storeBit(true).endCell(),
      beginCell().storeSlice(cell.beginParse()).storeRef(beginCell().endCell()).endCell(),
      beginCell()
        .storeBits(cell.bits.substring(0, cell.bits.length - 1))
        .endCell(),
      beginCell().endCell(),
    ]
    for (const wrong of grown) expect(() => decode(wrong)).toThrow(refused('bad-frame'))
  })

  it('is signed by hash', () => {
    const key = signingKey(fill(1))
    const signature = signRecord(sample(), key)
    expect(() => checkRecord(sample(), signature, key.publicKey)).not.toThrow()
    const [other] = changed()
    expect(() => checkRecord(other!, signature, key.publicKey)).toThrow(refused('bad-signature'))
    const stranger = signingKey(fill(2)).publicKey
    expect(() => checkRecord(sample(), signature, stranger)).toThrow(refused('bad-signature'))
  })
})

describe('ranges', () => {
  it.each([
    { tick: 96 },
    { fee: 10_001 },
    { attempt: 0 },
    { attempt: 4 },
    { window: 0 },
    { steps: { ...steps, completion: 0 } },
    { jobId: fill(1, 15) },
    { expiryS: -1 },
    { expiryS: 0.5 },
    { network: 2 ** 31 },
    { parameterVersion: 2 ** 32 },
  ])('a lease does not hold %o', (change) => {
    expect(() => lease.encode({ ...LEASE, ...change })).toThrow(refused('bad-input'))
  })

  it('a receipt does not end before it starts, nor hold an amount beyond coins', () => {
    for (const change of [{ endS: 1 }, { cost: -1n }, { fee: 1n << 120n }]) {
      expect(() => receipt.encode({ ...RECEIPT, ...change })).toThrow(refused('bad-input'))
    }
    expect(() => epochKey.encode({ ...EPOCH_KEY, notAfterS: 1 })).toThrow(refused('bad-input'))
    expect(() => epochKey.encode({ ...EPOCH_KEY, kemPublicKey: fill(1) })).toThrow(
      refused('bad-input'),
    )
  })

  it('a cell with values out of range is refused, not read', () => {
    const bits = beginCell().storeUint(0xc6d5d3ca, 32).storeInt(-3, 32)
    for (let i = 0; i < 3; i++) bits.storeBuffer(Buffer.alloc(32))
    const account = beginCell().storeUint(0, 128).storeCoins(0).storeCoins(0).storeBit(false)
    const tierTooHigh = bits.storeUint(4, 8).storeUint(0, 136).storeRef(account.endCell())
    expect(() => receipt.decode(tierTooHigh.endCell())).toThrow(refused('bad-frame'))
  })

  it('an amount with leading zeros is not the canonical form', () => {
    const good = receipt.encode(RECEIPT)
    const padded = beginCell()
      .storeUint(64, 32)
      .storeUint(0, 32)
      .storeUint(96, 32)
      .storeUint(32, 32)
      .storeUint(3, 4)
      .storeUint(13_399, 24)
      .storeCoins(335)
      .storeBit(false)
    const cell = beginCell().storeBits(good.bits).storeRef(padded.endCell()).endCell()
    expect(() => receipt.decode(cell)).toThrow(refused('bad-frame'))
  })
})

describe('hostile bags of cells', () => {
  const good = recordBytes(lease.encode(LEASE))

  it('are bounded in bytes and cells, before a cell is built', () => {
    const large = new Uint8Array(LIMITS.recordBytes + 1)
    expect(() => parseRecord(large)).toThrow(refused('limit-exceeded'))
    let chain = beginCell().storeUint(0, 8).endCell()
    for (let i = 1; i <= LIMITS.recordCells; i++) {
      chain = beginCell().storeUint(i, 8).storeRef(chain).endCell()
    }
    expect(() => parseRecord(recordBytes(chain))).toThrow(refused('limit-exceeded'))
    expect(parseRecord(recordBytes(chain.refs[0]!)).equals(chain.refs[0]!)).toBe(true)
  })

  it.each([
    ['empty', 'magic', new Uint8Array()],
    ['another magic', 'magic', Uint8Array.from([0x68, 0xff, 0x65, 0xf3, ...good.subarray(4)])],
    ['a reserved flag', 'header', good.map((byte, i) => (i === 4 ? byte | 0x08 : byte))],
    ['wide cell numbers', 'header', good.map((byte, i) => (i === 4 ? 2 : byte))],
    ['two roots', 'root', good.map((byte, i) => (i === 7 ? 2 : byte))],
    ['an absent cell', 'root', good.map((byte, i) => (i === 8 ? 1 : byte))],
    ['no cells', 'root', good.map((byte, i) => (i === 6 ? 0 : byte))],
    ['fewer cells than it holds', 'cells', good.map((byte, i) => (i === 6 ? byte - 1 : byte))],
    ['cut short', 'cells', good.subarray(0, good.length - 1)],
    // Root, then a cell that nothing refers to.
    [
      'an unreached cell',
      'unreached cell',
      hexBytes('b5ee9c7201010201000600' + '0002aa' + '0002bb'),
    ],
    // A cell that refers to itself.
    ['a cycle', 'cells', hexBytes('b5ee9c7201010101000400' + '0102aa00')],
    // A library cell: exotic, 8 + 256 bits.
    ['an exotic cell', 'exotic cell', hexBytes(`b5ee9c7201010101002300084202${'11'.repeat(32)}`)],
  ])('%s: refused for its %s', (_, record, bytes) => {
    const wrong = { code: 'bad-frame', facts: { record } }
    expect(() => parseRecord(bytes)).toThrow(expect.objectContaining(wrong))
  })

  it('never crash the parser: any byte changed is a typed refusal or a cell', () => {
    const place = fc.nat(good.length - 1)
    const changes = fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 6 })
    const property = fc.property(changes, fc.nat(good.length), (edits, length) => {
      const bytes = good.slice(0, edits.length % 2 ? good.length : length)
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value
      try {
        lease.decode(parseRecord(bytes))
      } catch (error) {
        expect(error).toBeInstanceOf(MarketError)
      }
    })
    fc.assert(property, { seed: SEED, numRuns: 1_000 })
  })

  it('a checksum or an index is as good as none', () => {
    const cell = lease.encode(LEASE)
    const other = new Uint8Array(cell.toBoc({ idx: true, crc32: true }))
    expect(parseRecord(other).equals(cell)).toBe(true)
  })

  it('shared cells cost nothing', () => {
    let cell = beginCell().endCell()
    for (let i = 0; i < 15; i++) {
      const next = beginCell()
      for (let ref = 0; ref < 4; ref++) next.storeRef(cell)
      cell = next.endCell()
    }
    expect(parseRecord(recordBytes(cell)).equals(cell)).toBe(true)
  })
})

function hexBytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
