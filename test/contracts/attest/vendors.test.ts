/**
 * The vendors' verifiers behind documents: real formats and signatures below roots of the test's
 * own, every list that they need, what was seen before, and verdicts that are remembered.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  type Claims,
  encodeEvidence,
  gpuNonce,
  reportData,
} from '../../../contracts/attest/document.ts'
import {
  decodeCollateralSeen,
  encodeCollateralSeen,
  newestCollateral,
  type SeenCollateral,
} from '../../../contracts/attest/seen.ts'
import { vendorVerifiers } from '../../../contracts/attest/vendors.ts'
import { verdictCache } from '../../../contracts/attest/verdictCache.ts'
import { verifyEvidence } from '../../../contracts/attest/verify.ts'
import { type Bytes, toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import { AMD_AT_MS, amdTree } from '../../support/amdTree.ts'
import { AT_MS, intelTree, TEST_ROOTS } from '../../support/intelTree.ts'
import { nvidiaCrl, nvidiaTree } from '../../support/nvidiaTree.ts'
import { CLAIMS, coded } from './evidence.ts'

const amd = amdTree()
const nvidia = nvidiaTree()
const { vek, ask, ark } = amd.collateral()
const unsafeRoots = {
  tdx: TEST_ROOTS,
  snp: { Milan: amd.ark.key.keyHash },
  nvidia: [nvidia.root.key.keyHash],
}
/** Report data within a TDX quote's body, and within an SEV-SNP report. */
const TDX_DATA = 520
const SNP_DATA = 0x50

const claimsAt = (atMs: number, more: Partial<Claims> = {}): Claims => ({
  ...CLAIMS,
  ...{ tier: 'cpu-tee', compute: 'cpu', freshAtS: atMs / 1_000 - 60 },
  ...more,
})
const tdxBytes = (claims = claimsAt(AT_MS)): Bytes => {
  const tree = intelTree({ quote: { body: { [TDX_DATA]: reportData(claims) } } })
  const { quote, collateral } = tree
  return encodeEvidence({ kind: 'tdx', claims, proof: { quote, collateral } })
}
const snpBytes = (proof: Record<string, Bytes> = {}, claims = claimsAt(AMD_AT_MS)): Bytes => {
  const report = amd.report({ patch: [[SNP_DATA, reportData(claims)]] })
  const parts = { report, vek, ask, ark, crl: amd.crl(), ...proof }
  return encodeEvidence({ kind: 'sev-snp', claims, proof: parts })
}
const LISTS = { nvidiaRootCrl: nvidiaCrl(nvidia.root), nvidiaLineCrl: nvidiaCrl(nvidia.line) }
const gpuBytes = (lists: Record<string, Bytes> = LISTS): Bytes => {
  const about = claimsAt(AMD_AT_MS, { tier: 'gpu-tee', compute: 'gpu' })
  const entries = [nvidia.entry({ nonce: gpuNonce(about) })]
  const evidence = utf8(JSON.stringify(entries))
  const claims = { ...about, gpuEvidenceHash: sha256(evidence) }
  return snpBytes({ nvidia: evidence, ...lists }, claims)
}
const verify = (bytes: Bytes, atMs: number, seen?: SeenCollateral, options = {}) =>
  verifyEvidence(
    bytes,
    { atMs, network: CLAIMS.network, seen },
    vendorVerifiers({ unsafeRoots, ...options }),
  )

describe('a document of real formats', () => {
  it('proves its tier: TDX, SEV-SNP, and SEV-SNP with a GPU', async () => {
    const verdicts = [
      await verify(tdxBytes(), AT_MS),
      await verify(snpBytes(), AMD_AT_MS),
      await verify(gpuBytes(), AMD_AT_MS),
    ]
    expect(verdicts.map(({ tier }) => tier)).toEqual(['cpu-tee', 'cpu-tee', 'gpu-tee'])
    expect(verdicts[2]!.proved.join()).toContain('1 different GPU answered one nonce')
  })

  it('is refused below the roots of the vendors themselves', async () => {
    for (const [bytes, atMs] of [
      [tdxBytes(), AT_MS],
      [snpBytes(), AMD_AT_MS],
    ] as const) {
      const context = { atMs, network: CLAIMS.network }
      await expect(verifyEvidence(bytes, context)).rejects.toThrow(coded('evidence-root'))
    }
  })

  it('is refused where the report is about other claims', async () => {
    const claims = claimsAt(AMD_AT_MS, { identity: ark.slice(0, 32) })
    const report = amd.report({ patch: [[SNP_DATA, reportData(claims)]] })
    const binding = coded('evidence-binding')
    await expect(verify(snpBytes({ report }), AMD_AT_MS)).rejects.toThrow(binding)
  })

  it('needs every revocation list, and refuses a revoked authority', async () => {
    const { crl: _, ...withoutCrl } = { report: amd.report(), vek, ask, ark, crl: ark }
    const claims = claimsAt(AMD_AT_MS)
    const without = encodeEvidence({ kind: 'sev-snp', claims, proof: withoutCrl })
    await expect(verify(without, AMD_AT_MS)).rejects.toThrow(coded('evidence-malformed'))
    const { nvidiaRootCrl } = LISTS
    const collateral = coded('evidence-collateral')
    await expect(verify(gpuBytes({}), AMD_AT_MS)).rejects.toThrow(collateral)
    await expect(verify(gpuBytes({ nvidiaRootCrl }), AMD_AT_MS)).rejects.toThrow(collateral)
    const revoked = snpBytes({ crl: amd.crl({ revoked: [amd.askSerial] }) })
    await expect(verify(revoked, AMD_AT_MS)).rejects.toThrow(coded('evidence-revoked'))
  })

  it('takes tokens only by keys that somebody named', async () => {
    const about = claimsAt(AMD_AT_MS, { tier: 'gpu-tee', compute: 'gpu' })
    const tokens = utf8(JSON.stringify([['JWT', 'e30.e30.'], { 'GPU-0': 'e30.e30.' }]))
    const bytes = snpBytes({ nvidia: tokens }, { ...about, gpuEvidenceHash: sha256(tokens) })
    await expect(verify(bytes, AMD_AT_MS)).rejects.toThrow(coded('evidence-root'))
    const named = verify(bytes, AMD_AT_MS, undefined, { nvidiaKeys: new Map() })
    await expect(named).rejects.toThrow(coded('evidence-signature'))
  })
})

describe('what was seen', () => {
  it('refuses what is older, of each vendor', async () => {
    const { seen: tdx } = await verify(tdxBytes(), AT_MS)
    const newer: SeenCollateral = { tdx: { ...tdx!.tdx!, tcbInfo: [[999, AT_MS]] } }
    const rollback = coded('evidence-rollback')
    await expect(verify(tdxBytes(), AT_MS, newer)).rejects.toThrow(rollback)
    const { seen } = await verify(gpuBytes({ ...LISTS, crl: amd.crl() }), AMD_AT_MS)
    await verify(gpuBytes(), AMD_AT_MS, seen)
    expect(Object.keys(seen!.crls!)).toHaveLength(3)
    for (const issuer of [amd.ark, nvidia.root, nvidia.line]) {
      const key = toHex(issuer.key.keyHash)
      const list = seen!.crls![key]!
      const later = { crls: { [key]: { ...list, number: list.number + 1n } } }
      await expect(verify(gpuBytes(), AMD_AT_MS, later)).rejects.toThrow(rollback)
    }
  })

  it('only grows, and comes back from its bytes', async () => {
    const one: SeenCollateral = { crls: { aa: { number: 3n, thisUpdateMs: 5 } } }
    const other: SeenCollateral = {
      tdx: { tcbInfo: [[4, 7]], qeIdentity: [[5, 8]], crls: {} },
      crls: { aa: { number: 2n, thisUpdateMs: 9 }, bb: { number: 1n, thisUpdateMs: 1 } },
    }
    const both = newestCollateral(one, other)
    expect(both).toEqual(newestCollateral(other, one))
    expect(both.crls).toEqual({
      aa: { number: 3n, thisUpdateMs: 9 },
      bb: { number: 1n, thisUpdateMs: 1 },
    })
    for (const seen of [{}, one, other, both]) {
      const bytes = encodeCollateralSeen(seen)
      expect(encodeCollateralSeen(decodeCollateralSeen(bytes))).toEqual(bytes)
      expect(newestCollateral(seen, seen)).toEqual(seen)
    }
    for (const broken of [
      '',
      '{}',
      '{"tdx":null,"others":[[],[],[["a","x",1]]]}',
      '{"tdx":[[[1,"2"]],[],[]],"others":[[],[],[]]}',
    ]) {
      expect(() => decodeCollateralSeen(utf8(broken))).toThrow(coded('store-failed'))
    }
  })
})

describe('a remembered verdict', () => {
  it('holds for the same bytes and what was seen, and for no others', async () => {
    const cache = verdictCache<never>()
    const again = (bytes: Bytes, seen?: SeenCollateral) => verify(bytes, AT_MS, seen, { cache })
    const first = await again(tdxBytes())
    expect(cache.size).toBe(1)
    const bytes = tdxBytes()
    await again(bytes, first.seen)
    await again(bytes, first.seen)
    expect(cache.size).toBe(2) // the second document was asked for twice
    const newer: SeenCollateral = { tdx: { ...first.seen!.tdx!, tcbInfo: [[999, AT_MS]] } }
    await expect(again(bytes, newer)).rejects.toThrow(coded('evidence-rollback'))
    await expect(verify(bytes, AT_MS + 60 * 86_400_000, first.seen, { cache })).rejects.toThrow(
      coded('evidence-expired'),
    )
  })

  it('is bound to its claims anew each time', async () => {
    const cache = verdictCache<never>()
    const bytes = tdxBytes()
    await verify(bytes, AT_MS, undefined, { cache })
    const text = new TextDecoder().decode(bytes)
    const other = utf8(text.replace('"compute":"cpu"', '"compute":"gpu"'))
    await expect(verify(other, AT_MS, undefined, { cache })).rejects.toThrow(
      coded('evidence-binding'),
    )
  })
})
