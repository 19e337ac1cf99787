/**
 * PEM in its one strict form: what is read, and what a lenient reader would have let pass.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { looksLikePem, pemBlocks } from '../../../../contracts/attest/x509/pem.ts'
import { fromHex, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { refusal } from '../../../support/refusal.ts'
import { pemOf } from '../../../support/testPki.ts'

const ONE = fromHex('ab'.repeat(100))
const TWO = fromHex('cd'.repeat(48))
const text = pemOf(ONE)

describe('PEM', () => {
  it('is read block by block', () => {
    expect(pemBlocks(text + pemOf(TWO), 'CERTIFICATE', 2)).toEqual([ONE, TWO])
    expect(pemBlocks(text.trimEnd(), 'CERTIFICATE', 1)).toEqual([ONE])
    expect(pemBlocks(text.replaceAll('\n', '\r\n'), 'CERTIFICATE', 1)).toEqual([ONE])
    expect(pemBlocks(pemOf(TWO, 'X509 CRL'), 'X509 CRL', 1)).toEqual([TWO])
    expect(looksLikePem(utf8(text))).toBe(true)
    expect(looksLikePem(fromHex('3000'))).toBe(false)
  })

  it.each([
    ['nothing', ''],
    ['a line end', '\n'],
    ['another label', pemOf(ONE, 'PUBLIC KEY')],
    ['text before', `x\n${text}`],
    ['text after', `${text}x`],
    ['an empty line between', `${text}\n${text}`],
    ['no end', text.slice(0, -10)],
    ['an empty block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
    ['another alphabet', text.replace('q', '_')],
    ['a space', text.replace('q', ' ')],
    ['a short line in the middle', text.replace('-----\n', '-----\nqqqq\n')],
    ['mixed line ends', text.replace('\n', '\r\n')],
    ['base64 that is not canonical', pemOf(fromHex('ab')).replace('qw==', 'qx==')],
    ['more blocks than expected', text + text + text],
  ])('with %s is refused', (_, bad) => {
    expect(() => pemBlocks(bad, 'CERTIFICATE', 2)).toThrow(refusal('evidence-malformed', 'bad PEM'))
  })

  it('beyond its bound is refused', () => {
    const long = text + 'x'.repeat(LIMITS.pemBytes)
    expect(() => pemBlocks(long, 'CERTIFICATE', 2)).toThrow(
      refusal('evidence-malformed', 'too long'),
    )
  })
})
