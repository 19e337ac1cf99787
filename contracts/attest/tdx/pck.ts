/**
 * What a PCK certificate says of a platform: Intel's SGX extension (Intel SGX PCK Certificate and
 * Certificate Revocation List Profile Specification, 1.3.5).
 * @module
 */
import { type Bytes, toHex } from '../../base/bytes.ts'
import { refused } from '../hardware.ts'
import type { Certificate } from '../x509/certificate.ts'
import { type Der, derOf, itemsOf, listOf, oidOf, smallInteger, TAG } from '../x509/der.ts'

export interface PckPlatform {
  /** Identifies the processor package, 16 bytes. */
  readonly ppid: Bytes
  /** Family, model, stepping and platform: what TCB info is published for; lower-case hex. */
  readonly fmspc: string
  readonly pceId: string
  /** Security versions of the 16 components below SGX. */
  readonly components: readonly number[]
  readonly pceSvn: number
}

const SGX = '1.2.840.113741.1.13.1'
const COMPONENTS = 16

/** The platform of a PCK certificate. Throws `evidence-malformed` where it does not say. */
export function pckPlatform(certificate: Certificate): PckPlatform {
  const extension = certificate.extensions.get(SGX)
  if (!extension) throw malformed('it has no SGX extension')
  const members = membersOf(derOf(extension.value, TAG.sequence))
  const tcb = membersOf(member(members, 2, TAG.sequence))
  const component = (n: number) => {
    const svn = smallInteger(member(tcb, n, TAG.integer, `${SGX}.2`))
    if (svn > (n === 17 ? 0xffff : 0xff)) throw malformed('a security version is too large')
    return svn
  }
  return {
    ppid: octets(members, 1, 16),
    fmspc: toHex(octets(members, 4, 6)),
    pceId: toHex(octets(members, 3, 2)),
    components: Array.from({ length: COMPONENTS }, (_, i) => component(i + 1)),
    pceSvn: component(17),
  }
}

/** Pairs of an identifier and a value, each identifier once. */
function membersOf(list: Der): ReadonlyMap<string, Der> {
  const members = new Map<string, Der>()
  for (const pair of listOf(list)) {
    const items = itemsOf(pair)
    const id = oidOf(items.next(TAG.oid))
    const value = items.any()
    items.end()
    if (!value || members.has(id)) throw malformed('its SGX extension is not one of pairs')
    members.set(id, value)
  }
  return members
}

function member(members: ReadonlyMap<string, Der>, n: number, tag: number, parent = SGX): Der {
  const value = members.get(`${parent}.${n}`)
  if (value?.tag !== tag) throw malformed('a member of its SGX extension is missing')
  return value
}

function octets(members: ReadonlyMap<string, Der>, n: number, length: number): Bytes {
  const { body } = member(members, n, TAG.octetString)
  if (body.length !== length) throw malformed('a member of its SGX extension has another length')
  return body
}

function malformed(because: string) {
  return refused('evidence-malformed', `bad PCK certificate: ${because}`)
}
