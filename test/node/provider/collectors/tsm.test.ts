/**
 * Collecting reports of the kernel: recorded answers, no such hardware is at hand. What is missing
 * is named exactly, and a folder is never left behind.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { parseTdxQuote } from '../../../../contracts/attest/tdx/quote.ts'
import { concat, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import { collectSnpReport } from '../../../../node/provider/collectors/snp.ts'
import { collectTdxQuote } from '../../../../node/provider/collectors/tdx.ts'
import { amdTree, certTable, GUID } from '../../../support/amdTree.ts'
import { intelTree } from '../../../support/intelTree.ts'
import { recordedMachine, systemError, type TsmArgs } from '../../../support/recordedMachine.ts'
import { pemOf } from '../../../support/testPki.ts'

const DATA = Uint8Array.from({ length: 64 }, (_, i) => i)
const FOLDER = '/sys/kernel/config/tsm/report/chrysalis'
const quoteOver = (data: Uint8Array) => intelTree({ quote: { body: { 520: data } } }).quote
const TDX: TsmArgs = { provider: 'tdx_guest', report: quoteOver }
const tree = amdTree()
const { vek, ask, ark } = tree.collateral()
const SNP: TsmArgs = {
  provider: 'sev_guest',
  report: (data) => tree.report({ patch: [[0x50, data]] }),
  aux: certTable([
    [GUID.vcek, vek],
    [GUID.ask, ask],
    [GUID.ark, ark],
  ]),
}
const noDevice = (because: string, needs: string) =>
  expect.objectContaining({
    code: 'no-device',
    facts: {
      because: expect.stringContaining(because),
      needs: expect.stringContaining(needs),
    },
  })

describe('a TDX quote', () => {
  it('is collected over the report data, and the folder removed', async () => {
    const { files, folders } = recordedMachine({ tsm: TDX })
    const quote = await collectTdxQuote(files, DATA)
    expect(parseTdxQuote(quote).report.reportData).toEqual(DATA)
    expect(folders.size).toBe(0)
  })

  it('is collected again where another process wrote in between', async () => {
    const { files } = recordedMachine({ tsm: { ...TDX, disturbed: 2 } })
    expect((await collectTdxQuote(files, DATA)).length).toBeGreaterThan(0)
  })

  it('is not collected where that goes on', async () => {
    const { files, folders } = recordedMachine({ tsm: { ...TDX, disturbed: 9 } })
    const refused = noDevice('another process', 'another name')
    await expect(collectTdxQuote(files, DATA)).rejects.toThrow(refused)
    expect(folders.size).toBe(0)
  })

  it('takes over the folder of a process that died', async () => {
    const { files, folders } = recordedMachine({ tsm: TDX })
    folders.add(FOLDER)
    expect((await collectTdxQuote(files, DATA)).length).toBeGreaterThan(0)
  })

  it('says what is in the way where that folder cannot be removed', async () => {
    const { files, folders } = recordedMachine({ tsm: TDX })
    folders.add(FOLDER)
    const busy = { ...files, removeFolder: () => Promise.reject(systemError('EBUSY')) }
    const refused = noDevice('cannot be removed', 'another name')
    await expect(collectTdxQuote(busy, DATA)).rejects.toThrow(refused)
  })

  it('tells the first fault, where removing the folder fails as well', async () => {
    const { files } = recordedMachine({ tsm: { ...TDX, fails: { outblob: 'EIO' } } })
    const busy = { ...files, removeFolder: () => Promise.reject(systemError('EBUSY')) }
    await expect(collectTdxQuote(busy, DATA)).rejects.toThrow(noDevice('(EIO)', 'qgsd'))
  })

  it.each([
    ['no TDX guest', {}, 'no configfs-tsm', 'run inside a TDX guest, with Linux 6.7 or later'],
    ['no provider', { mkdir: 'ENXIO' }, 'no configfs-tsm', 'configfs mounted'],
    ['no permission', { mkdir: 'EACCES' }, 'kernel refuses', 'as root'],
    ['no provider file', { provider: 'EIO' }, 'made no report (EIO)', 'qgsd'],
    ['no quoting service', { outblob: 'EIO' }, 'made no report (EIO)', 'qgsd'],
    ['a write that was refused', { inblob: 'EINVAL' }, 'made no report (EINVAL)', 'qgsd'],
    ['a report that is overtaken', { outblob: 'EWOULDBLOCK' }, 'another process', 'another name'],
    ['an auxblob that fails', { auxblob: 'EIO' }, 'made no report (EIO)', 'qgsd'],
  ])('needs what is named: %s', async (name, fails, because, needs) => {
    const tsm = name === 'no TDX guest' ? {} : { tsm: { ...TDX, fails } }
    const { files, folders } = recordedMachine(tsm)
    await expect(collectTdxQuote(files, DATA)).rejects.toThrow(noDevice(because, needs))
    expect(folders.size).toBe(0)
  })

  it.each([
    ['is of another machine', { provider: 'sev_guest' }, 'reports of sev_guest', 'TDX guest'],
    ['is empty', { report: () => new Uint8Array() }, 'has 0 bytes', 'qgsd'],
    ['is too long', { report: () => new Uint8Array(LIMITS.tsmBlobBytes + 1) }, 'bytes', 'qgsd'],
    ['is over other data', { report: () => quoteOver(DATA.map((b) => b ^ 1)) }, 'other', 'qgsd'],
  ])('is refused where it %s', async (_name, change, because, needs) => {
    const { files } = recordedMachine({ tsm: { ...TDX, ...change } })
    await expect(collectTdxQuote(files, DATA)).rejects.toThrow(noDevice(because, needs))
  })

  it('is refused where it is none, and asked for over 64 bytes only', async () => {
    const { files } = recordedMachine({
      tsm: { ...TDX, report: (data) => quoteOver(data).slice(0, 99) },
    })
    await expect(collectTdxQuote(files, DATA)).rejects.toMatchObject({ code: 'evidence-malformed' })
    const short = collectTdxQuote(files, DATA.subarray(1))
    await expect(short).rejects.toMatchObject({ code: 'bad-input' })
  })
})

describe('an SEV-SNP report', () => {
  it('is collected with the certificates that the host hands over', async () => {
    const { files } = recordedMachine({ tsm: SNP })
    const found = await collectSnpReport(files, DATA)
    expect(found).toMatchObject({ vek, ask, ark })
    expect(found.report.slice(0x50, 0x90)).toEqual(DATA)
  })

  it('takes what the host lacks from a folder, DER or PEM', async () => {
    const { files } = recordedMachine({
      tsm: { ...SNP, aux: certTable([[GUID.vcek, vek]]) },
      files: { '/certs/ask.der': ask, '/certs/ark.pem': utf8(pemOf(ark)) },
    })
    const found = await collectSnpReport(files, DATA, { certificates: '/certs' })
    expect([found.vek, found.ask, found.ark]).toEqual([vek, ask, ark])
  })

  it('names the certificate that nobody has, and where it is to be had', async () => {
    const aux = certTable([[GUID.vcek, vek]])
    const bare = recordedMachine({ tsm: { ...SNP, aux } })
    await expect(collectSnpReport(bare.files, DATA)).rejects.toThrow(
      noDevice('no certificate ask, and no folder', 'cert_chain'),
    )
    const { files } = recordedMachine({ tsm: { provider: SNP.provider, report: SNP.report } })
    await expect(collectSnpReport(files, DATA, { certificates: '/certs' })).rejects.toThrow(
      noDevice('no certificate vek', 'kdsintf.amd.com'),
    )
  })

  it('does not take the key of a cloud for that of a chip', async () => {
    const { files } = recordedMachine({ tsm: { ...SNP, aux: certTable([[GUID.vlek, vek]]) } })
    await expect(collectSnpReport(files, DATA)).rejects.toThrow(
      noDevice('no certificate vek', 'VLEK'),
    )
  })

  it('is refused over other data, from another machine, and with a broken table', async () => {
    const other = { ...SNP, report: () => tree.report() }
    await expect(collectSnpReport(recordedMachine({ tsm: other }).files, DATA)).rejects.toThrow(
      noDevice('other report data', 'guest requests'),
    )
    const tdx = recordedMachine({ tsm: TDX })
    await expect(collectSnpReport(tdx.files, DATA)).rejects.toThrow(
      noDevice('reports of tdx_guest', 'SEV-SNP guest'),
    )
    const cut = recordedMachine({ tsm: { ...SNP, aux: concat(SNP.aux!).subarray(0, 99) } })
    await expect(collectSnpReport(cut.files, DATA)).rejects.toMatchObject({
      code: 'evidence-malformed',
    })
  })

  it('does not hide what a disk says', async () => {
    const machine = recordedMachine({ tsm: { ...SNP, aux: new Uint8Array(24) } })
    const read = machine.files.read
    const files = {
      ...machine.files,
      read: (path: string) =>
        path.startsWith('/certs') ? Promise.reject(systemError('EIO')) : read(path),
    }
    await expect(collectSnpReport(files, DATA, { certificates: '/certs' })).rejects.toThrow('EIO')
  })
})
