/**
 * Quotes of an Intel TDX guest: the kernel asks the host's quoting service and gives out the quote.
 * @module
 */
import { parseTdxQuote } from '../../../contracts/attest/tdx/quote.ts'
import { type Bytes, equal } from '../../../contracts/base/bytes.ts'
import { type Files, noDevice } from './machine.ts'
import { type TsmKind, type TsmOptions, tsmReport } from './tsm.ts'

const TDX: TsmKind = {
  provider: 'tdx_guest',
  needs:
    'run inside a TDX guest, with Linux 6.7 or later, the module tdx_guest loaded, and configfs ' +
    'mounted at /sys/kernel/config',
  needsForReport:
    "have the host run Intel's quote generation service (qgsd) and let the guest reach it " +
    '(QEMU: quote-generation-socket)',
}

/**
 * A quote over `reportData` (64 bytes). Throws `no-device` where there is no TDX or no quoting
 * service, `evidence-malformed` where what came back is no quote over these bytes.
 */
export async function collectTdxQuote(
  files: Files,
  reportData: Bytes,
  options?: TsmOptions,
): Promise<Bytes> {
  const { report: quote } = await tsmReport(files, TDX, reportData, options)
  if (!equal(parseTdxQuote(quote).report.reportData, reportData)) {
    throw noDevice('the quote is over other report data', TDX.needsForReport)
  }
  return quote
}
