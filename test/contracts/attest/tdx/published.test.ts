/**
 * What Intel publishes, as JSON: each member that is used must be there and of its range.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseQeIdentity, parseTcbInfo } from '../../../../contracts/attest/tdx/published.ts'
import { toHex, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { fuzz } from '../../../support/fuzz.ts'
import { FMSPC, intelTree, PUBLISHED } from '../../../support/intelTree.ts'
import { refusal } from '../../../support/refusal.ts'

const { tcbInfo, qeIdentity } = intelTree().parts
const BAD = refusal('evidence-collateral')

describe('TCB info', () => {
  it('is read', () => {
    const info = parseTcbInfo(tcbInfo)
    expect(info).toMatchObject({ fmspc: FMSPC, pceId: '0000', evaluationNumber: 17 })
    expect([info.issueMs, info.nextUpdateMs]).toEqual([PUBLISHED.from, PUBLISHED.until])
    expect([...info.modules.keys()]).toEqual(['TDX_01'])
    expect(info.modules.get('TDX_01')?.levels.map(({ isvSvn }) => isvSvn)).toEqual([4, 2, 1])
    expect(info.levels.map(({ status }) => status)).toEqual([
      'UpToDate',
      'ConfigurationNeeded',
      'OutOfDate',
    ])
    expect(info.levels[0]?.sgxComponents).toHaveLength(16)
  })

  it('may have members that are not known, and may lack module identities', () => {
    const { tdxModuleIdentities: _, ...rest } = JSON.parse(tcbInfo)
    expect(parseTcbInfo(JSON.stringify({ ...rest, news: 1 })).modules.size).toBe(0)
  })

  it.each<[string, string | RegExp, string]>([
    ['a component missing', '{"svn":5},', ''],
    ['a component beyond a byte', '"svn":5', '"svn":256'],
    ['a component that is no number', '"svn":5', '"svn":"5"'],
    ['a negative version', '"pcesvn":11', '"pcesvn":-1'],
    ['a version with a fraction', '"pcesvn":11', '"pcesvn":1.5'],
    ['an unknown status', '"tcbStatus":"UpToDate"', '"tcbStatus":"uptodate"'],
    ['an advisory that is no text', '"INTEL-SA-00001"', '1'],
    ['a module signer of another length', /"mrsigner":"00/, '"mrsigner":"'],
    ['another type of TCB', '"tcbType":0', '"tcbType":1'],
    ['a date without seconds', /"issueDate":"[^"]*"/, '"issueDate":"2026-06-29T00:00Z"'],
    ['a date of another zone', /"issueDate":"[^"]*"/, '"issueDate":"2026-06-29T00:00:00+01:00"'],
    ['a cut', /\}$/, ''],
    ['nothing but a list', /^[\s\S]*$/, '[]'],
    ['too many levels', /"tcbLevels":\[/g, `"tcbLevels":[${'0,'.repeat(LIMITS.tcbLevels)}`],
  ])('with %s is refused', (_, from, to) => {
    const changed = tcbInfo.replace(from, to)
    expect(changed).not.toBe(tcbInfo)
    expect(() => parseTcbInfo(changed)).toThrow(BAD)
  })
})

describe('an identity', () => {
  it('is read', () => {
    const identity = parseQeIdentity(qeIdentity)
    expect(identity).toMatchObject({ isvProdId: 2, evaluationNumber: 17 })
    expect(toHex(identity.attributesMask)).toBe(`fb${'ff'.repeat(7)}${'00'.repeat(8)}`)
    expect(identity.levels.map(({ isvSvn }) => isvSvn)).toEqual([4, 3])
  })

  it.each<[string, string | RegExp, string]>([
    ['another version', '"version":2', '"version":3'],
    ['a mask of another length', '"miscselectMask":"FF', '"miscselectMask":"'],
    ['no product', '"isvprodid":2,', ''],
    ['a level without a version', '{"isvsvn":4}', '{}'],
  ])('with %s is refused', (_, from, to) => {
    const changed = qeIdentity.replace(from, to)
    expect(changed).not.toBe(qeIdentity)
    expect(() => parseQeIdentity(changed)).toThrow(BAD)
  })
})

it.each([
  ['tcb info', tcbInfo, parseTcbInfo],
  ['qe identity', qeIdentity, parseQeIdentity],
])('%s only ever is read or refused, whatever the bytes', (name, text, parse) => {
  const decode = (input: Uint8Array) => parse(Buffer.from(input).toString())
  const report = fuzz({ name, corpus: [utf8(text)], decode })
  console.log(JSON.stringify(report))
  expect(report.refused).toBeGreaterThan(0)
})
