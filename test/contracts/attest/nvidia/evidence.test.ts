/**
 * The evidence of all GPUs of a machine together: forms of the JSON, agreement with what is signed.
 * @module
 */
import { describe, expect, it } from 'vitest'
import {
  parseNvidiaEvidence,
  verifyNvidiaEvidence,
} from '../../../../contracts/attest/nvidia/evidence.ts'
import { type NvidiaContext, tagged } from '../../../../contracts/attest/nvidia/verify.ts'
import { type Bytes, fromHex, toHex, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { brokenJson, tell } from '../../../fuzz/awkward.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { block, NONCE, nvidiaTree } from '../../../support/nvidiaTree.ts'
import { refusal } from '../../../support/refusal.ts'

const first = nvidiaTree()
const second = nvidiaTree(first.authority)
const { context } = first
const idOf = (tree: typeof first) => tagged('platform', tree.chip.key.keyHash)
const both = [first.entry(), second.entry()]
const RECIPES = Array.from({ length: 10 }, (_, i) =>
  Uint8Array.from({ length: 13 }, (_, at) => (i * 53 + at * 37) & 0xff),
)
const verify = (value: unknown, more: Partial<NvidiaContext> = {}) =>
  verifyNvidiaEvidence(JSON.stringify(value), { ...context, ...more })

describe('the evidence of several GPUs', () => {
  it('has one verdict for all and one for each', () => {
    const verdict = verify(both, { nonce: NONCE })
    expect(verdict.gpus.map(({ platformId }) => platformId)).toEqual([idOf(first), idOf(second)])
    expect(verdict.reportData).toEqual(NONCE)
    expect(verdict.proved[0]).toBe('2 different GPUs answered one nonce')
    // Equal GPUs have one measurement, however many there are.
    expect(verdict.measurement).toEqual(verdict.gpus[0]!.measurement)
    expect(verify([both[0]]).measurement).toEqual(verdict.measurement)
    expect(verify([both[0]]).platformId).toEqual(idOf(first))
  })

  it('does not depend on their order', () => {
    const { platformId } = verify(both)
    expect(verify([...both].reverse()).platformId).toEqual(platformId)
    const ids = [first, second].map((tree) => toHex(idOf(tree))).sort()
    expect(platformId).toEqual(tagged('platforms', ...ids.map((id) => fromHex(id))))
  })

  it('covers different measurements by one digest', () => {
    const other = second.entry({ blocks: [block(1)] })
    const verdict = verify([both[0], other])
    expect(verdict.gpus.map(({ measurement }) => measurement)).not.toContain(verdict.measurement)
  })

  it('may stand in the object that the tool writes, and state less', () => {
    const { evidence, certificate, nonce } = first.entry()
    const evidences = [{ evidence, certificate, nonce, uuid: 'GPU-1' }]
    expect(verify({ evidences, result_code: 0 }).gpus).toHaveLength(1)
  })

  it.each([
    ['no JSON', '[', 'no JSON'],
    ['null', 'null', 'names no GPU'],
    ['no entries', '[]', 'names no GPU'],
    ['an object without evidence', '{}', 'names no GPU'],
    ['an entry that is none', '[1]', 'no object'],
    ['a missing part', JSON.stringify([first.entry({}, { nonce: undefined })]), 'lacks'],
    ['no base64', JSON.stringify([first.entry({}, { evidence: '*' })]), 'not in base64'],
    ['a short nonce', JSON.stringify([first.entry({}, { nonce: 'ab' })]), 'not in base64 and hex'],
    ['a version that is no text', JSON.stringify([first.entry({}, { vbios_version: 1 })]), 'text'],
    ['too many GPUs', JSON.stringify(Array(LIMITS.gpusPerEvidence + 1).fill(0)), 'too many'],
    ['too much', ' '.repeat(LIMITS.gpuEvidenceBytes + 1), 'too long'],
  ])('is refused with %s', (_name, text, because) => {
    const refused = refusal('evidence-malformed', because)
    expect(() => verifyNvidiaEvidence(text, context)).toThrow(refused)
  })

  it.each([
    ['the same GPU twice', [both[0], both[0]], 'the same GPU twice'],
    [
      'GPUs that answer different nonces',
      [both[0], second.entry({ nonce: new Uint8Array(32) })],
      'another nonce',
    ],
    [
      'a nonce that was not signed',
      [first.entry({ nonce: new Uint8Array(32) }, { nonce: toHex(NONCE) })],
      'another nonce',
    ],
    ['a driver that was not signed', [first.entry({}, { driver_version: '1.0' })], 'driver'],
    ['a VBIOS that was not signed', [first.entry({}, { vbios_version: '1.0' })], 'VBIOS'],
  ])('is refused with %s', (_name, entries, because) => {
    expect(() => verify(entries)).toThrow(refusal('evidence-binding', because))
  })

  it('states the nonce that was signed, also where the caller names it', () => {
    const entry = first.entry({}, { nonce: '00'.repeat(32) })
    expect(() => verify([entry], { nonce: NONCE })).toThrow(
      refusal('evidence-binding', 'states another nonce'),
    )
  })

  it('survives fuzzing, of its bytes and of its values', () => {
    const decode = (input: Bytes) => parseNvidiaEvidence(Buffer.from(input).toString('latin1'))
    const documents = [both, { evidences: [both[0]], result_code: 0 }]
    // Breaking repeats values many times over: of short parts, and with time to write it down.
    const short = { ...both[0], evidence: 'AAAA', certificate: 'AAAA' }
    const small = [[short, short], { evidences: [short], result_code: 0 }]
    const corpus = documents.map((document) => utf8(JSON.stringify(document)))
    const bytes = fuzz({ name: 'NVIDIA evidence, bytes', corpus, decode })
    const values = fuzz({
      ...{ name: 'NVIDIA evidence, values', corpus: RECIPES, mostMs: 60_000, inputs: 500 },
      decode: (recipe) => decode(utf8(JSON.stringify(brokenJson(small, recipe)) ?? '')),
    })
    expect(tell(bytes).refused).toBeGreaterThan(0)
    expect(tell(values).refused).toBeGreaterThan(0)
  })
})
