/**
 * What NVIDIA's service says of one device, and which of it has to hold.
 *
 * Every yes-or-no check that the service reports (`x-nvidia-gpu-..`, `x-nvidia-switch-..`) has to
 * be yes, those that a later version adds too: a check that failed is no reason to trust less, it
 * is a refusal. Beside them: secure boot on, debug off, measurements compared, certificates good.
 * @module
 */
import { refused } from '../hardware.ts'
import { isRecord, malformed, type TokenClaims } from './eatShape.ts'

export interface DeviceClaims {
  readonly name: string
  readonly model: string
  readonly driver: string
  readonly vbios: string
  /** The device's own number, for telling devices apart. */
  readonly ueid: string
}

/** Throws `evidence-debug`, `evidence-measurement`, `evidence-revoked` or `evidence-malformed`. */
export function checkDeviceClaims(name: string, claims: TokenClaims): DeviceClaims {
  if (claims.dbgstat !== 'disabled') {
    throw refused('evidence-debug', `${name} is in debug mode, or does not say that it is not`)
  }
  if (claims.secboot !== true) {
    throw refused('evidence-measurement', `${name} has not booted securely`)
  }
  if (claims.measres !== 'success') {
    throw refused('evidence-measurement', `${name} has other measurements than NVIDIA's own`)
  }
  for (const [claim, value] of Object.entries(claims)) checkClaim(name, claim, value)
  return {
    name,
    model: text(name, claims, 'hwmodel'),
    driver: version(name, claims, 'driver'),
    vbios: version(name, claims, 'vbios'),
    ueid: text(name, claims, 'ueid'),
  }
}

function checkClaim(name: string, claim: string, value: unknown): void {
  if (!claim.startsWith('x-nvidia-')) return
  if (value === false) {
    throw refused('evidence-measurement', `NVIDIA's check ${claim} failed for ${name}`)
  }
  if (!isRecord(value)) return
  const status = value['x-nvidia-cert-status']
  const ocsp = value['x-nvidia-cert-ocsp-status']
  if ((status ?? 'valid') !== 'valid') {
    throw refused('evidence-revoked', `a certificate of ${name} is ${String(status)}`)
  }
  if ((ocsp ?? 'good') !== 'good') {
    throw refused('evidence-revoked', `NVIDIA calls a certificate of ${name} ${String(ocsp)}`)
  }
}

/** Driver or VBIOS; a switch has `x-nvidia-switch-bios-version` and no driver. */
function version(name: string, claims: TokenClaims, what: 'driver' | 'vbios'): string {
  const claim = `x-nvidia-gpu-${what}-version`
  if (claims['x-nvidia-device-type'] !== 'nvswitch') return text(name, claims, claim)
  return what === 'driver' ? 'none' : text(name, claims, 'x-nvidia-switch-bios-version')
}

/** A claim of printable text: it is shown, and digests are made of it by the line. */
function text(name: string, claims: TokenClaims, claim: string): string {
  const value = claims[claim]
  if (typeof value !== 'string' || !/^[\x20-\x7e]{1,128}$/.test(value)) {
    throw malformed(`the token of ${name} has no readable ${claim}`)
  }
  return value
}
