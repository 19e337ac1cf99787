/**
 * Reports of an AMD SEV-SNP guest, with the certificates that the host hands over beside them.
 * What the host lacks comes from files that the operator fetched from AMD once.
 * @module
 */
import { parseCertTable } from '../../../contracts/attest/snp/certTable.ts'
import { parseSnpReport } from '../../../contracts/attest/snp/report.ts'
import { looksLikePem, pemBlocks } from '../../../contracts/attest/x509/pem.ts'
import { type Bytes, equal } from '../../../contracts/base/bytes.ts'
import { type Files, noDevice, systemCode } from './machine.ts'
import { type TsmKind, type TsmOptions, tsmReport } from './tsm.ts'

const SNP: TsmKind = {
  provider: 'sev_guest',
  needs:
    'run inside an SEV-SNP guest, with Linux 6.7 or later, the module sev-guest loaded, and ' +
    'configfs mounted at /sys/kernel/config',
  needsForReport: 'let the hypervisor pass SNP guest requests on to the secure processor',
}

/** What a report needs to be verified, in DER; the revocation list comes from `collateral.ts`. */
export interface SnpEvidence {
  readonly report: Bytes
  readonly vek: Bytes
  readonly ask: Bytes
  readonly ark: Bytes
}

export interface SnpOptions extends TsmOptions {
  /** Folder with `vek`, `ask` and `ark` (`.der` or `.pem`) for hosts that hand over none. */
  readonly certificates?: string
}

/** A report over `reportData` (64 bytes) and its certificates. Throws `no-device`. */
export async function collectSnpReport(
  files: Files,
  reportData: Bytes,
  options: SnpOptions = {},
): Promise<SnpEvidence> {
  const { report, extra } = await tsmReport(files, SNP, reportData, options)
  const parsed = parseSnpReport(report)
  if (!equal(parsed.reportData, reportData)) {
    throw noDevice('the report is over other report data', SNP.needsForReport)
  }
  const table = extra.length > 0 ? parseCertTable(extra) : {}
  const find = async (name: 'vek' | 'ask' | 'ark', handed: Bytes | undefined): Promise<Bytes> =>
    handed ?? (await fromFolder(files, options.certificates, name))
  return {
    report,
    vek: await find('vek', table[parsed.signedBy]),
    ask: await find('ask', table.ask),
    ark: await find('ark', table.ark),
  }
}

async function fromFolder(files: Files, folder: string | undefined, name: string): Promise<Bytes> {
  const needs =
    `put ${name}.der into the folder of certificates: vek from ` +
    'https://kdsintf.amd.com/vcek/v1/PRODUCT/CHIP_ID (or from the cloud, for a VLEK), ask and ' +
    'ark from https://kdsintf.amd.com/vcek/v1/PRODUCT/cert_chain'
  const because = `the host hands over no certificate ${name}`
  if (folder === undefined) throw noDevice(`${because}, and no folder is set`, needs)
  for (const end of ['der', 'pem']) {
    try {
      return derOf(await files.read(`${folder}/${name}.${end}`))
    } catch (cause) {
      if (systemCode(cause) !== 'ENOENT') throw cause
    }
  }
  throw noDevice(because, needs)
}

function derOf(bytes: Bytes): Bytes {
  if (!looksLikePem(bytes)) return bytes
  return pemBlocks(Buffer.from(bytes).toString('latin1'), 'CERTIFICATE', 1)[0]!
}
