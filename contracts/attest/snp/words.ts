/**
 * A verified report in plain sentences: what it proves, and what it does not.
 * @module
 */
import { toHex } from '../../base/bytes.ts'
import type { SnpReport } from './report.ts'
import { type SnpProduct, type SnpTcb, showTcb } from './tcb.ts'

/** What a verified report proves. */
export function provedBy(
  report: SnpReport,
  product: SnpProduct,
  tcb: SnpTcb,
  revocationChecked: boolean,
): string[] {
  return [
    `a genuine AMD ${product} processor signed this report (format version ${report.version})`,
    'the host can neither debug the protected machine nor move it through a migration agent',
    `its firmware has at least these security versions: ${showTcb(tcb)}`,
    `software of privilege level ${report.vmpl} asked for it`,
    `hyper-threading is ${report.platform.smt ? 'on' : 'off'}`,
    ...(revocationChecked ? ["AMD's revocation list does not name its signing authority"] : []),
    ...(report.platform.aliasChecked
      ? ['the firmware found no memory that answers to two addresses']
      : []),
    ...keyWords(report),
  ]
}

/** What it leaves open. */
export function unprovedBy(
  report: SnpReport,
  facts: { cloud: string | undefined; isHidden: boolean; revocationChecked: boolean },
): string[] {
  const { cloud, isHidden, revocationChecked } = facts
  return [
    'that nobody with the machine in hands attacks it physically',
    'anything loaded after launch that the measured software does not itself check',
    ...(revocationChecked
      ? []
      : ["whether AMD has revoked its signing authority: AMD's revocation list was not given"]),
    ...(report.platform.aliasChecked
      ? []
      : ['that no memory answers to two addresses: the firmware does not report this check']),
    ...(cloud ? [`which chip it is: the key was loaded by the cloud provider ${cloud}`] : []),
    ...(isHidden ? ['that two such machines are two: the chip hides its number'] : []),
  ]
}

/** Keys that a launch may be bound to: stated, for whoever knows them. */
function keyWords({ idKeyDigest, authorKeyDigest, authorKeyEnabled, guestSvn }: SnpReport) {
  const words: string[] = []
  if (idKeyDigest.some((byte) => byte !== 0)) {
    words.push(`its launch was approved by the key with digest ${toHex(idKeyDigest)}`)
    words.push(`that key gave it security version ${guestSvn}`)
  }
  if (authorKeyEnabled) {
    words.push(`that key was certified by the key with digest ${toHex(authorKeyDigest)}`)
  }
  return words
}
