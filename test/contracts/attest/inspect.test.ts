/**
 * Evidence in a person's hand: told apart by what it is, given its collateral out of a pool, and
 * refused for every reason by its own name. The trees are made here, below roots of their own; no
 * option of `inspectEvidence` can name roots, so what is right in them has to end at the root.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { detectEvidence } from '../../../contracts/attest/detect.ts'
import { encodeEvidence } from '../../../contracts/attest/document.ts'
import { settleHardware } from '../../../contracts/attest/hardwarePolicy.ts'
import { type InspectOptions, inspectEvidence } from '../../../contracts/attest/inspect.ts'
import { addToPool, emptyPool, snpCollateralOf } from '../../../contracts/attest/pool.ts'
import { parseSnpReport } from '../../../contracts/attest/snp/report.ts'
import { type Bytes, concat, toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { AMD_AT_MS, amdTree, certTable, GUID } from '../../support/amdTree.ts'
import { fuzz } from '../../support/fuzz.ts'
import { AT_MS, intelTree } from '../../support/intelTree.ts'
import { nvidiaTree } from '../../support/nvidiaTree.ts'
import { pemOf } from '../../support/testPki.ts'
import { CLAIMS, CONTEXT, coded, NOW_S, open, simulated } from './evidence.ts'

const intel = intelTree()
const amd = amdTree()
const nvidia = nvidiaTree()
const chain = amd.collateral()
const report = amd.report()
const gpus = utf8(JSON.stringify([nvidia.entry()]))
const token = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
const jwt = [token({ alg: 'none' }), token({ eat_nonce: '11'.repeat(32) }), ''].join('.')
const tokens = utf8(JSON.stringify([['JWT', jwt], { 'GPU-0': jwt }]))

const poolOf = (...files: readonly Bytes[]) => {
  const pool = emptyPool()
  for (const file of files) expect(addToPool(pool, file)).toBe(true)
  return pool
}
const inspect = (bytes: Bytes, files: readonly Bytes[], options: Partial<InspectOptions> = {}) =>
  inspectEvidence(bytes, poolOf(...files), { atMs: AT_MS, tcb: ['UpToDate'], ...options })
const { atMs: _, ...context } = CONTEXT
const market = { context, hardware: settleHardware() }

describe('a form of evidence', () => {
  it.each([
    ['tdx', intel.quote],
    ['sev-snp', report],
    ['nvidia-gpu', nvidia.evidence().report],
    ['nvidia-list', gpus],
    ['nvidia-list', utf8(`{"evidences":${new TextDecoder().decode(gpus)}}`)],
    ['nvidia-token', tokens],
    ['nvidia-token', utf8(`{"claims":[],"detached_eat":${new TextDecoder().decode(tokens)}}`)],
    ['document', simulated()],
  ])('is found: %s', (form, bytes) => {
    expect(detectEvidence(bytes)).toEqual({ form, bytes })
  })

  it('is found in hex too, with a prefix and in lines', () => {
    const lines = toHex(intel.quote)
      .match(/.{1,64}/g)!
      .join('\n')
    for (const text of [toHex(intel.quote).toUpperCase(), `0x${lines}\n`]) {
      expect(detectEvidence(utf8(text))).toEqual({ form: 'tdx', bytes: intel.quote })
    }
  })

  it('is not found in anything else', () => {
    const others = [new Uint8Array(0), new Uint8Array(2_000), utf8('{}'), utf8('[[1]]'), chain.vek]
    for (const bytes of [...others, utf8('ab'.repeat(100)), report.subarray(1)]) {
      expect(detectEvidence(bytes)).toBeUndefined()
    }
  })

  it('is looked for in hostile bytes without harm', () => {
    const corpus = [intel.quote, report, gpus, tokens, simulated(), utf8(toHex(report))]
    const found = fuzz({ name: 'detect', corpus, decode: detectEvidence })
    console.info(`fuzz: ${JSON.stringify(found)}`)
    expect(found.inputs).toBe(found.accepted)
  })
})

describe('a pool of collateral', () => {
  it('takes each form, and knows evidence and other things for none', () => {
    const table = certTable([
      [GUID.vcek, chain.vek],
      [GUID.ask, chain.ask],
      [GUID.ark, chain.ark],
    ])
    const pem = utf8([chain.ask, chain.ark].map((der) => pemOf(der)).join(''))
    const forms = [table, pem, chain.vek, amd.crl(), utf8(pemOf(amd.crl(), 'X509 CRL'))]
    const pool = poolOf(...forms, intel.collateral, utf8('{"keys":[]}'))
    const counts = [pool.certificates, pool.crls, pool.tdx, pool.jwks].map((each) => each.length)
    expect(counts).toEqual([6, 2, 1, 1])
    const others = [report, gpus, intel.quote, utf8('hello'), utf8('{}'), new Uint8Array(24)]
    for (const other of others) expect(addToPool(emptyPool(), other)).toBe(false)
  })

  it('gives a report the chain that signed it, among others, and its list', () => {
    const other = amdTree()
    const theirs = Object.values(other.collateral()).filter((each) => each !== undefined)
    const pool = poolOf(...theirs, amd.crl(), chain.ark, chain.ask, chain.vek)
    const found = snpCollateralOf(pool, parseSnpReport(report))
    expect(found).toEqual({ ...chain, crl: expect.anything() })
  })

  it.each([
    ['VCEK', [chain.ask, chain.ark]],
    ['ASK', [chain.vek, chain.ark]],
    ['ARK', [chain.vek, chain.ask]],
  ])('says that it lacks the %s', (name, files) => {
    const find = () => snpCollateralOf(poolOf(...files), parseSnpReport(report))
    expect(find).toThrow(coded('evidence-collateral'))
    expect(find).toThrow(name)
  })

  it('is filled with hostile bytes without harm', () => {
    const corpus = [chain.vek, amd.crl(), intel.collateral, utf8(nvidia.chain())]
    const decode = (bytes: Bytes) => addToPool(emptyPool(), bytes)
    const report = fuzz({ name: 'pool', corpus, decode, inputs: 500 })
    console.info(`fuzz: ${JSON.stringify(report)}`)
    expect(report.inputs).toBeGreaterThan(0)
  })
})

describe('raw evidence', () => {
  const amdFiles = [chain.vek, chain.ask, chain.ark]
  const atAmd = { atMs: AMD_AT_MS }

  it('is refused below a root of nobody, whatever else is right', async () => {
    const root = coded('evidence-root')
    await expect(inspect(intel.quote, [intel.collateral])).rejects.toThrow(root)
    await expect(inspect(report, amdFiles, atAmd)).rejects.toThrow(root)
    await expect(inspect(gpus, [], atAmd)).rejects.toThrow(root)
    const gpu = nvidia.evidence()
    await expect(inspect(gpu.report, [utf8(gpu.chain)], atAmd)).rejects.toThrow(root)
  })

  it('is refused without collateral, and says which', async () => {
    const missing = coded('evidence-collateral')
    await expect(inspect(intel.quote, [])).rejects.toThrow(missing)
    await expect(inspect(report, [], atAmd)).rejects.toThrow(missing)
    await expect(inspect(nvidia.evidence().report, [], atAmd)).rejects.toThrow(missing)
  })

  it('without a signature is refused: tokens that anybody can write', async () => {
    await expect(inspect(tokens, [])).rejects.toThrow(coded('evidence-signature'))
    const nameless = utf8(JSON.stringify([['JWT', 'x.e30.'], {}]))
    await expect(inspect(nameless, [])).rejects.toThrow(coded('evidence-malformed'))
  })

  it('of no known form is refused with the forms that are known', async () => {
    const refusal = inspect(concat(utf8('hello'), report), [])
    await expect(refusal).rejects.toThrow(coded('evidence-kind'))
    await expect(refusal).rejects.toThrow('an AMD SEV-SNP report')
  })
})

describe("the market's document", () => {
  const now = { atMs: NOW_S * 1_000 }

  it('is verified by the rules of a market, and by none without', async () => {
    const { document, notProved } = await inspect(simulated(), [], { ...now, market })
    expect(document).toMatchObject({ kind: 'simulated', tier: 'simulated', network: -217 })
    expect(notProved.join()).toContain('the root key of simulated evidence is public')
    await expect(inspect(open(), [], now)).rejects.toThrow(coded('evidence-measurement'))
  })

  it('is refused as a client would refuse it', async () => {
    const strict = { ...market, context: { ...context, development: false } }
    const refused = inspect(simulated(), [], { ...now, market: strict })
    await expect(refused).rejects.toThrow(coded('evidence-root'))
    const nobody = { ...market, context: { ...context, isRegistered: () => false } }
    const unknown = inspect(open(), [], { ...now, market: nobody })
    await expect(unknown).rejects.toThrow(coded('unknown-provider'))
    const empty = encodeEvidence({ kind: 'tdx', claims: CLAIMS, proof: {} })
    await expect(inspect(empty, [], { ...now, market })).rejects.toThrow(
      coded('evidence-malformed'),
    )
    const old = { atMs: (NOW_S + 100_000) * 1_000, market }
    await expect(inspect(open(), [], old)).rejects.toThrow(coded('evidence-expired'))
  })
})
