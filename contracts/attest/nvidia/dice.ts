/**
 * What the certificates of a GPU's own two keys say (TCG DICE, RIoT composite device identity,
 * 2.23.133.5.4.1): the leaf names the key burnt into the chip and the digest of the firmware that
 * it was made for.
 *
 * ```
 * SEQUENCE { INTEGER 1, SubjectPublicKeyInfo of the chip, SEQUENCE { OID sha384, OCTET STRING } }
 * ```
 * @module
 */
import type { Bytes } from '../../base/bytes.ts'
import { sha256 } from '../../base/signing.ts'
import { refused } from '../hardware.ts'
import { type Certificate, commonNameOf } from '../x509/certificate.ts'
import { derOf, itemsOf, oidOf, smallInteger, TAG } from '../x509/der.ts'

const DEVICE_ID = '2.23.133.5.4.1'
const SHA384 = '2.16.840.1.101.3.4.2.2'

export interface DeviceIdentity {
  /** SHA-256 of the chip key's SubjectPublicKeyInfo. */
  readonly keyHash: Bytes
  /** SHA-384 of the firmware that holds the leaf's key. */
  readonly firmwareId: Bytes
}

/** The identity in a leaf. Throws `evidence-malformed`. */
export function deviceIdentityOf(leaf: Certificate): DeviceIdentity {
  const value = leaf.extensions.get(DEVICE_ID)?.value
  if (!value) throw malformed('the certificate of the signing key names no firmware')
  const items = itemsOf(derOf(value, TAG.sequence))
  if (smallInteger(items.next(TAG.integer)) !== 1) throw malformed('its device id has a new form')
  const key = items.next(TAG.sequence).whole
  const firmware = itemsOf(items.next(TAG.sequence))
  items.end()
  if (oidOf(firmware.next(TAG.oid)) !== SHA384) throw malformed('its firmware id is no SHA-384')
  const firmwareId = firmware.next(TAG.octetString).body
  firmware.end()
  if (firmwareId.length !== 48) throw malformed('its firmware id is no SHA-384')
  return { keyHash: sha256(key), firmwareId }
}

/** The name of a certificate, for showing. Throws `evidence-malformed` where none is readable. */
export function shownNameOf({ subject }: Certificate): string {
  const name = commonNameOf(subject)
  if (name === undefined || !/^[\x20-\x7e]{1,64}$/.test(name)) {
    throw malformed('a certificate has no readable name')
  }
  return name
}

const malformed = (because: string) => refused('evidence-malformed', because)
