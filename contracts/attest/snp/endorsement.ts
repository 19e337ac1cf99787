/**
 * What AMD says of the key that signs reports, in extensions of its certificate below
 * 1.3.6.1.4.1.3704.1 (AMD 57230, VCEK and VLEK certificates): the product, the security versions
 * the key is for, and the chip (VCEK) or the cloud provider it was loaded for (VLEK).
 * @module
 */
import type { Bytes } from '../../base/bytes.ts'
import { asMarketError } from '../../base/errors.ts'
import { refused } from '../hardware.ts'
import type { Certificate } from '../x509/certificate.ts'
import { derOf, smallInteger, TAG } from '../x509/der.ts'
import { type SnpProduct, type SnpTcb, TCB_OID_SUFFIX, tcbParts } from './tcb.ts'

const AMD = '1.3.6.1.4.1.3704.1'
const IA5_STRING = 0x16
/** Bytes of a chip's identifier; it is padded with zeros to 64 in a report. */
const CHIP_ID_BYTES: Readonly<Record<SnpProduct, number>> = { Milan: 64, Genoa: 64, Turin: 8 }
const REPORT_CHIP_ID_BYTES = 64

export interface Endorsement {
  readonly kind: 'vcek' | 'vlek'
  readonly tcb: SnpTcb
  /** The chip as a report names it; a VLEK is not of one chip. */
  readonly chipId: Bytes | undefined
  /** Who had the VLEK loaded. */
  readonly cloud: string | undefined
}

/** Reads the extensions of a key for `product`. Throws `evidence-collateral`. */
export function parseEndorsement(certificate: Certificate, product: SnpProduct): Endorsement {
  const { extensions } = certificate
  try {
    const value = (suffix: string): Bytes | undefined => extensions.get(`${AMD}.${suffix}`)?.value
    const name = text(value('2'), 'product')
    if (name.split('-')[0] !== product) throw bad(`it is for ${name}, below the root of ${product}`)
    const tcb = Object.fromEntries(
      tcbParts(product).map((part) => [part, version(value(`3.${TCB_OID_SUFFIX[part]}`), part)]),
    )
    const chip = value('4')
    const cloud = value('5')
    if ((chip === undefined) === (cloud === undefined)) {
      throw bad('it names neither one chip nor one cloud provider')
    }
    return {
      kind: chip ? 'vcek' : 'vlek',
      tcb,
      chipId: chip && chipId(chip, product),
      cloud: cloud && text(cloud, 'cloud provider'),
    }
  } catch (thrown) {
    const cause = asMarketError(thrown)
    throw cause.code === 'evidence-malformed' ? bad('an extension cannot be read', cause) : cause
  }
}

function version(value: Bytes | undefined, part: string): number {
  if (!value) throw bad(`it has no security version of ${part}`)
  const number = smallInteger(derOf(value, TAG.integer))
  if (number > 255) throw bad(`the security version of ${part} is too large`)
  return number
}

function text(value: Bytes | undefined, what: string): string {
  if (!value) throw bad(`it names no ${what}`)
  const name = Buffer.from(derOf(value, IA5_STRING).body).toString('latin1')
  if (!/^[\x20-\x7e]{1,64}$/.test(name)) throw bad(`its ${what} is not readable`)
  return name
}

/** The identifier stands bare in the extension; some of AMD's have it as an OCTET STRING. */
function chipId(value: Bytes, product: SnpProduct): Bytes {
  const length = CHIP_ID_BYTES[product]
  const id = value.length === length ? value : derOf(value, TAG.octetString).body
  if (id.length !== length) throw bad('its chip identifier has another length')
  const padded = new Uint8Array(REPORT_CHIP_ID_BYTES)
  padded.set(id)
  return padded
}

const bad = (because: string, cause?: unknown) =>
  refused('evidence-collateral', `bad endorsement of the signing key: ${because}`, {}, cause)
