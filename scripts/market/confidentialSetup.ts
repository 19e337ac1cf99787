/**
 * How a provider on this machine proves what it runs in: the collectors of the real machine, with
 * collateral from a folder that a job of the operator's keeps filled, or from the servers that
 * `sources.json` in it names.
 * @module
 */
import { join } from 'node:path'
import { jsonOf } from '../../contracts/attest/detect.ts'
import { NVIDIA_ROOTS } from '../../contracts/attest/nvidia/roots.ts'
import { AMD_ROOTS } from '../../contracts/attest/snp/roots.ts'
import { encodeCollateral, importCollateral } from '../../contracts/attest/tdx/collateral.ts'
import { looksLikePem, pemBlocks } from '../../contracts/attest/x509/pem.ts'
import type { Bytes } from '../../contracts/base/bytes.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import {
  type CheckCollateral,
  type CollateralCache,
  collateralCache,
  fileSource,
} from '../../node/provider/collectors/collateral.ts'
import { revocationList, tdxCollateral } from '../../node/provider/collectors/collateralKinds.ts'
import {
  type ConfidentialSetup,
  collectConfidential,
} from '../../node/provider/collectors/confidential.ts'
import { type Fetch, httpSource } from '../../node/provider/collectors/http.ts'
import {
  type Machine,
  noDevice,
  systemCode,
  thisMachine,
} from '../../node/provider/collectors/machine.ts'
import { pcsSource } from '../../node/provider/collectors/pcs.ts'
import { readSources, type Sources } from '../../node/provider/collectors/sources.ts'
import type { Collect } from '../../node/provider/evidence.ts'
import type { RolePorts } from './rolePorts.ts'

export interface ConfidentialChoice {
  readonly tier: 'cpu-tee' | 'gpu-tee'
  /** Kind of the machine; absent: what its kernel offers. */
  readonly tee?: 'tdx' | 'sev-snp'
  /** Where the operator's job puts what vendors publish. */
  readonly collateral: string
  /** Where the caches keep what they have adopted. */
  readonly kept: string
  /** GPUs prove themselves, or NVIDIA's service speaks for them. */
  /** For tests. */
  readonly machine?: Machine
  readonly fetch?: Fetch
}

/** The collector of this machine. Throws `no-device` with what is needed. */
export async function confidentialCollector(
  choice: ConfidentialChoice,
  ports: Pick<RolePorts, 'clock' | 'logger'>,
): Promise<Collect> {
  const machine = choice.machine ?? thisMachine
  const kind = choice.tee ?? (await kindOf(machine))
  const sources = await readSources(machine.files, choice.collateral)
  const fetch = choice.fetch ?? globalThis.fetch
  const place: Place = { ...ports, machine, choice, sources, fetch }
  const setup: ConfidentialSetup = {
    machine,
    cpu:
      kind === 'tdx'
        ? { kind, collateral: tdxCache(place) }
        : { kind, crl: await amdCache(place), certificates: choice.collateral },
    ...(choice.tier === 'gpu-tee' && { gpu: await gpuOf(place) }),
  }
  return (claims) => collectConfidential(setup, claims)
}

interface Place extends Pick<RolePorts, 'clock' | 'logger'> {
  readonly machine: Machine
  readonly choice: ConfidentialChoice
  readonly sources: Sources
  readonly fetch: Fetch
}

/** A guest sees one of the two devices. */
async function kindOf({ files }: Machine): Promise<'tdx' | 'sev-snp'> {
  const devices = { tdx: '/dev/tdx_guest', 'sev-snp': '/dev/sev-guest' } as const
  for (const kind of ['tdx', 'sev-snp'] as const) {
    try {
      await files.read(devices[kind])
      return kind
    } catch (thrown) {
      // A device that is there refuses to be read as a file; one that is absent does not exist.
      if (systemCode(thrown) !== 'ENOENT') return kind
    }
  }
  throw noDevice(
    'this machine has neither /dev/tdx_guest nor /dev/sev-guest',
    'start the provider inside an Intel TDX or AMD SEV-SNP guest, or offer --tier open',
  )
}

function tdxCache(place: Place): CollateralCache {
  const { pcs } = place.sources
  if (pcs) return cacheOf(place, 'tdx', tdxCollateral(), pcsSource(place, pcs))
  const needs = 'have a job put the TDX collateral of this platform there (PCS or PCCS, as JSON)'
  const read = sourceOf(place, 'tdx.json', needs)
  return cacheOf(place, 'tdx', tdxCollateral(), async () => {
    const bytes = await read()
    const json = jsonOf(bytes)
    const isForeign = typeof json === 'object' && json !== null && Object.hasOwn(json, 'tcb_info')
    return isForeign ? encodeCollateral(importCollateral(new TextDecoder().decode(bytes))) : bytes
  })
}

async function amdCache(place: Place): Promise<CollateralCache> {
  const chain = 'https://kdsintf.amd.com/vcek/v1/PRODUCT'
  const ark = await certificateOf(place, 'ark', `fetch AMD's root from ${chain}/cert_chain`)
  const roots = Object.values(AMD_ROOTS)
  const read = sourceOf(place, 'amd.crl', `have a job fetch ${chain}/crl`)
  return cacheOf(place, 'amd', revocationList([ark], roots), read)
}

async function gpuOf(place: Place): Promise<NonNullable<ConfidentialSetup['gpu']>> {
  const needs = 'take it from the certificate chain that nvattest prints for the GPU'
  const root = await certificateOf(place, 'nvidia-root', needs)
  const line = await certificateOf(place, 'nvidia-line', needs)
  const list = (name: string, file: string, path: readonly Bytes[]) =>
    cacheOf(
      place,
      name,
      revocationList(path, NVIDIA_ROOTS),
      sourceOf(place, `${name}.crl`, `have a job fetch http://crl.ndis.nvidia.com/crl/${file}`),
    )
  return {
    kind: 'evidence',
    rootCrl: list('nvidia-root', 'l1-root.crl', [root]),
    lineCrl: list('nvidia-line', 'l2-gh100.crl', [line, root]),
  }
}

function cacheOf(
  { machine: { files }, clock, logger, choice }: Place,
  name: string,
  check: CheckCollateral,
  source: () => Promise<Bytes>,
): CollateralCache {
  return collateralCache({ files, clock, logger, source, check, folder: choice.kept, name })
}

function sourceOf(place: Place, name: string, needs: string): () => Promise<Bytes> {
  const { machine, choice, sources } = place
  const url = sources.files[name]
  if (url !== undefined) return httpSource(place, url)
  return fileSource(machine.files, join(choice.collateral, name), needs)
}

/** A certificate in DER or PEM. */
async function certificateOf(place: Place, name: string, needs: string): Promise<Bytes> {
  const { machine, choice } = place
  for (const end of ['der', 'pem']) {
    try {
      const bytes = await machine.files.read(join(choice.collateral, `${name}.${end}`))
      if (!looksLikePem(bytes)) return bytes
      const text = Buffer.from(bytes).toString('latin1')
      return pemBlocks(text, 'CERTIFICATE', LIMITS.chainCertificates)[0]!
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENOENT') throw thrown
    }
  }
  throw noDevice(`there is no file ${join(choice.collateral, `${name}.der`)}`, needs)
}
