/**
 * Real TDX quotes with Intel's real collateral, as `MANIFEST.json` beside them says what each must
 * give. The folder is named by `VECTORS_DIR`; where it is absent the tests are skipped.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verify as oracle } from '@phala/dcap-qvl'
import { describe, expect, it } from 'vitest'
import { isSignedP256 } from '../../contracts/attest/p256.ts'
import {
  encodeCollateral,
  importCollateral,
  type TdxCollateral,
} from '../../contracts/attest/tdx/collateral.ts'
import { genuineQuote } from '../../contracts/attest/tdx/genuine.ts'
import { parseQeIdentity, parseTcbInfo } from '../../contracts/attest/tdx/published.ts'
import { parseTdxQuote } from '../../contracts/attest/tdx/quote.ts'
import { INTEL_ROOTS } from '../../contracts/attest/tdx/roots.ts'
import { type TdxContext, verifyTdxQuote } from '../../contracts/attest/tdx/verify.ts'
import { parsePemChain } from '../../contracts/attest/x509/certificate.ts'
import { checkCrl, parseCrl } from '../../contracts/attest/x509/crl.ts'
import { type Bytes, concat, fromHex, toHex, utf8 } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import { counted, flips } from '../support/mutations.ts'
import { refusal } from '../support/refusal.ts'

const FOLDER = join(process.env.VECTORS_DIR ?? '../shared/vectors', 'tdx')
const PRESENT = existsSync(FOLDER)
if (!PRESENT) console.warn(`skipped: ${FOLDER} is absent, VECTORS_DIR names the folder of vectors`)

/** One bit in so many is changed (odd: all places in a byte come); 1 for every bit. */
const EVERY = Number(process.env.MUTATION_EVERY ?? 23)
/** Changes of collateral cost more, since the quote must be checked as well. */
const EVERY_OF_COLLATERAL = Number(process.env.MUTATION_EVERY ?? 57)
const MANIFEST = { positive: '2025-07-04T00:00:00Z', outdated: '2026-03-01T00:00:00Z' }
const SUMMER = Date.parse(MANIFEST.positive)
const SPRING = Date.parse(MANIFEST.outdated)

const read = (name: string): Bytes => new Uint8Array(readFileSync(join(FOLDER, name)))
const text = (name: string): string => readFileSync(join(FOLDER, name), 'utf8').trim()
const partsOf = (name: string): TdxCollateral => importCollateral(text(`${name}_collateral.json`))
const collateralOf = (name: string): Bytes => encodeCollateral(partsOf(name))
const verify = (quote: Bytes, collateral: Bytes, atMs: number, more: Partial<TdxContext> = {}) =>
  verifyTdxQuote(quote, collateral, { atMs, ...more })
/** Every answer but a verdict must be one of the errors of evidence. */
const accepts = (quote: Bytes, collateral: Bytes, atMs = SUMMER): boolean => {
  try {
    verify(quote, collateral, atMs)
    return true
  } catch (error) {
    if (error instanceof MarketError && error.code.startsWith('evidence-')) return false
    throw error
  }
}

describe.skipIf(!PRESENT)('a real quote', () => {
  it('of version 4 verifies with its collateral, at its time', () => {
    const verdict = verify(read('tdx_quote'), collateralOf('tdx_quote'), SUMMER)
    expect(verdict).toMatchObject({ vendor: 'intel-tdx', tcbStatus: 'UpToDate', advisoryIds: [] })
    expect(toHex(verdict.reportData)).toMatch(/^9a9d48e7f6799642d3d1b34e1e5e1742.*2c2b523f20$/)
    expect(toHex(verdict.measurement)).toBe(
      '48775865a9e3bc985e303146219dca0caebe9cc3e4118ffcc090be554f153285',
    )
    expect(new Date(verdict.validUntilS * 1_000).toISOString()).toBe('2025-07-19T10:00:35.000Z')
    expect(verdict.seen).toMatchObject({ tcbInfo: [[17, expect.any(Number)]] })
  })

  it('holds from the day of its collateral to the end of it, and not today', () => {
    const at = (time: string | number) => () =>
      verify(read('tdx_quote'), collateralOf('tdx_quote'), new Date(time).getTime())
    expect(at('2025-06-19T10:32:27Z')).not.toThrow()
    expect(at('2025-06-19T10:32:26Z')).toThrow(refusal('evidence-expired', 'future'))
    expect(at('2025-07-19T10:00:35Z')).not.toThrow()
    expect(at('2025-07-19T10:00:36Z')).toThrow(refusal('evidence-expired', 'revocation list'))
    expect(at(Date.now())).toThrow(refusal('evidence-expired'))
  })

  it('of version 5 with a body of TDX 1.5 verifies with collateral of its platform', () => {
    const quote = read('gtg_quote_v5_sample.dat')
    const verdict = verify(quote, collateralOf('tdx_quote_outdated'), SPRING)
    expect(verdict).toMatchObject({
      tcbStatus: 'UpToDate',
      seen: { tcbInfo: [[18, expect.any(Number)]] },
    })
    const { seen } = verdict
    const old = collateralOf('tdx_quote')
    expect(() => verify(read('tdx_quote'), old, SUMMER, { seen })).toThrow(
      refusal('evidence-rollback'),
    )
  })

  it('of an outdated platform is refused: it reaches no published level', () => {
    const collateral = collateralOf('tdx_quote_outdated')
    expect(() => verify(read('tdx_quote_outdated'), collateral, SPRING)).toThrow(
      refusal('evidence-tcb', 'below every level'),
    )
  })

  it('of another platform, or with collateral of another, is refused', () => {
    const hex = fromHex(text('tdx-quote.hex').slice(2))
    expect(() => verify(hex, collateralOf('tdx_quote'), SUMMER)).toThrow(refusal('evidence-tcb'))
    const cos = read('gtg_cos-113-tdx-quote.dat')
    expect(() => verify(cos, collateralOf('tdx_quote'), SUMMER)).toThrow(
      refusal('evidence-collateral', 'another platform'),
    )
    const old = read('tdx_quote')
    expect(() => verify(old, collateralOf('tdx_quote_outdated'), SPRING)).toThrow(
      refusal('evidence-collateral', 'another platform'),
    )
  })

  it('of SGX is no TDX quote, and collateral of SGX is none for TDX', () => {
    const collateral = collateralOf('sgx_quote')
    expect(() => verify(read('sgx_quote'), collateral, SUMMER)).toThrow(
      refusal('evidence-kind', 'no TDX quote'),
    )
    expect(() => verify(read('tdx_quote'), collateral, SUMMER)).toThrow(
      refusal('evidence-collateral'),
    )
  })

  it.each([
    ['tdx-quote.hex', SUMMER, 'b0c06f000000'],
    ['gtg_cos-113-tdx-quote.dat', SUMMER, '00806f050000'],
    ['tdx_quote_outdated', SPRING, '90c06f000000'],
  ])('%s is genuine, whatever its platform lacks', (name, atMs, fmspc) => {
    const quote = name.endsWith('.hex') ? fromHex(text(name).slice(2)) : read(name)
    const { platform } = genuineQuote(parseTdxQuote(quote), { roots: INTEL_ROOTS, atMs })
    expect(platform.fmspc).toBe(fmspc)
  })
})

describe.skipIf(!PRESENT)('what Intel published', () => {
  const chains = () => {
    const { tcbInfoChain, pckCrlChain } = partsOf('tdx_quote')
    const [signer] = parsePemChain(tcbInfoChain)
    const [authority, root] = parsePemChain(pckCrlChain)
    return { signer: signer!, authority: authority!, root: root! }
  }

  it('ends at the root that is pinned', () => {
    expect([chains().root.keyHash]).toEqual(INTEL_ROOTS)
  })

  it.each([
    ['gtg_sample_tcbInfo_response', parseTcbInfo, 15],
    ['gtg_sample_tcbinfo_response_v5', parseTcbInfo, 18],
    ['gtg_sample_qeIdentity_response', parseQeIdentity, 15],
  ])('%s is signed and is read', (name, parse, number) => {
    const answer = text(name)
    const [, body, signature] = /^\{"\w+":(.*),"signature":"([0-9a-f]{128})"\}$/.exec(answer)!
    expect(isSignedP256(chains().signer.publicKey, utf8(body!), fromHex(signature!))).toBe(true)
    expect(isSignedP256(chains().signer.publicKey, utf8(answer), fromHex(signature!))).toBe(false)
    expect(parse(body!).evaluationNumber).toBe(number)
  })

  it.each([
    ['gtg_pckcrl', 'authority', '2023-06-30T00:00:00Z', 44],
    ['gtg_rootcrl.der', 'root', '2023-06-30T00:00:00Z', 0],
  ] as const)('%s holds at its time and not today', (name, issuer, time, revoked) => {
    const crl = parseCrl(read(name))
    const certificate = chains()[issuer]
    checkCrl(crl, certificate, Date.parse(time))
    expect(crl.revoked.size).toBe(revoked)
    expect(() => checkCrl(crl, certificate, Date.now())).toThrow(refusal('evidence-expired'))
  })

  it('in lists that are missing or garbage proves nothing', () => {
    const parts = partsOf('tdx_quote')
    const broken = [new Uint8Array(), utf8('garbage'), parts.pckCrl.subarray(0, -1)]
    for (const bytes of broken) {
      for (const name of ['rootCrl', 'pckCrl'] as const) {
        const collateral = encodeCollateral({ ...parts, [name]: bytes })
        expect(() => verify(read('tdx_quote'), collateral, SUMMER)).toThrow(
          refusal('evidence-collateral', 'bad revocation list'),
        )
      }
    }
  })
})

describe.skipIf(!PRESENT)('the oracle', () => {
  const ask = (name: string, atMs: number, file = name, change: object = {}) =>
    oracle(
      read(file),
      { ...JSON.parse(text(`${name}_collateral.json`)), ...change },
      Math.floor(atMs / 1_000),
    )

  it('says the same of both quotes that verify, and of the one that does not', () => {
    const found = ask('tdx_quote', SUMMER)
    const verdict = verify(read('tdx_quote'), collateralOf('tdx_quote'), SUMMER)
    expect([found.status, found.advisory_ids]).toEqual([verdict.tcbStatus, verdict.advisoryIds])
    const newer = ask('tdx_quote_outdated', SPRING, 'gtg_quote_v5_sample.dat')
    expect(newer.status).toBe('UpToDate')
    expect(() => ask('tdx_quote_outdated', SPRING)).toThrow('No matching TCB level')
  })

  it('takes revocation lists that are empty, where this refuses: never alone', () => {
    expect(ask('tdx_quote', SUMMER, 'tdx_quote', { pck_crl: '', root_ca_crl: '' }).status).toBe(
      'UpToDate',
    )
  })
})

describe.skipIf(!PRESENT)('a change of one bit is refused', () => {
  const tried = (bytes: Bytes, every: number) => Math.ceil((bytes.length * 8) / every)

  it.each([
    ['tdx_quote', 'tdx_quote', SUMMER],
    ['gtg_quote_v5_sample.dat', 'tdx_quote_outdated', SPRING],
  ])('in the quote %s: report, signatures, certificates, zeros behind', (name, of, atMs) => {
    const quote = read(name)
    const collateral = collateralOf(of)
    expect(accepts(quote, collateral, atMs)).toBe(true)
    const found = counted(flips(quote, EVERY), (changed) => accepts(changed, collateral, atMs))
    expect(found).toEqual({ tried: tried(quote, EVERY), accepted: 0 })
  })

  it('in collateral: lists, certificates, TCB info, identity, signatures, its encoding', () => {
    const quote = read('tdx_quote')
    const collateral = collateralOf('tdx_quote')
    const found = counted(flips(collateral, EVERY_OF_COLLATERAL), (changed) =>
      accepts(quote, changed),
    )
    expect(found).toEqual({ tried: tried(collateral, EVERY_OF_COLLATERAL), accepted: 0 })
  })

  it('in each revocation list, before it is encoded again', () => {
    const quote = read('tdx_quote')
    const parts = partsOf('tdx_quote')
    for (const name of ['rootCrl', 'pckCrl'] as const) {
      const found = counted(flips(parts[name], EVERY_OF_COLLATERAL), (changed) =>
        accepts(quote, encodeCollateral({ ...parts, [name]: changed })),
      )
      expect(found).toEqual({ tried: tried(parts[name], EVERY_OF_COLLATERAL), accepted: 0 })
    }
  })

  it('and so are cuts, and bytes behind', () => {
    const quote = read('tdx_quote')
    const collateral = collateralOf('tdx_quote')
    const signed = quote.length - 70 // what follows is zeros of the buffer
    for (let length = 0; length < signed; length += 97) {
      expect(accepts(quote.subarray(0, length), collateral)).toBe(false)
    }
    expect(accepts(quote.subarray(0, signed), collateral)).toBe(true)
    expect(accepts(concat(quote, Uint8Array.of(1)), collateral)).toBe(false)
    for (let length = 0; length < collateral.length; length += 331) {
      expect(accepts(quote, collateral.subarray(0, length))).toBe(false)
    }
    expect(accepts(quote, concat(collateral, utf8('\n')))).toBe(false)
  })
})
