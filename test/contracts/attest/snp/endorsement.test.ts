/**
 * What AMD says of a signing key: read for each product, fuzzed. Each refusal is in
 * `verify.test.ts`, where it matters.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseEndorsement } from '../../../../contracts/attest/snp/endorsement.ts'
import { parseCertificate } from '../../../../contracts/attest/x509/certificate.ts'
import type { Bytes } from '../../../../contracts/base/bytes.ts'
import { tell } from '../../../fuzz/awkward.ts'
import { amdTree, CHIP, TCB, TURIN_CHIP, TURIN_TCB } from '../../../support/amdTree.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { refusal } from '../../../support/refusal.ts'

const milan = amdTree('Milan')
const turin = amdTree('Turin')

describe('an endorsement', () => {
  it('names chip and firmware', () => {
    const of = (der: Bytes) => parseCertificate(der)
    expect(parseEndorsement(of(milan.collateral().vek), 'Milan')).toEqual({
      kind: 'vcek',
      tcb: TCB,
      chipId: CHIP,
      cloud: undefined,
    })
    expect(parseEndorsement(of(turin.collateral().vek), 'Turin')).toEqual({
      kind: 'vcek',
      tcb: TURIN_TCB,
      chipId: TURIN_CHIP,
      cloud: undefined,
    })
  })

  it('names the cloud that a key was loaded for', () => {
    const { vek } = milan.collateral({ vekArgs: { cloud: 'cloud.example' } })
    expect(parseEndorsement(parseCertificate(vek), 'Milan')).toMatchObject({
      kind: 'vlek',
      chipId: undefined,
      cloud: 'cloud.example',
    })
    const unreadable = milan.collateral({ vekArgs: { cloud: 'a\nb' } }).vek
    expect(() => parseEndorsement(parseCertificate(unreadable), 'Milan')).toThrow(
      refusal('evidence-collateral', 'not readable'),
    )
  })

  it('survives fuzzing', () => {
    const corpus = [milan.collateral().vek, milan.collateral({ vekArgs: { cloud: 'c' } }).vek]
    const decode = (der: Bytes) => parseEndorsement(parseCertificate(der), 'Milan')
    const seen = fuzz({ name: 'AMD endorsement', corpus, decode })
    expect(tell(seen).refused).toBeGreaterThan(0)
  })
})
