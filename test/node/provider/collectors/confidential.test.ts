/**
 * A document collected from a recorded machine is one that the verifiers of documents take: the
 * whole path, below roots of the test's own. No such hardware is at hand.
 * @module
 */
import { describe, expect, it } from 'vitest'
import type { Claims } from '../../../../contracts/attest/document.ts'
import { vendorVerifiers } from '../../../../contracts/attest/vendors.ts'
import { verifyEvidence } from '../../../../contracts/attest/verify.ts'
import { type Bytes, fromHex } from '../../../../contracts/base/bytes.ts'
import type { CollateralCache } from '../../../../node/provider/collectors/collateral.ts'
import {
  type ConfidentialSetup,
  collectConfidential,
} from '../../../../node/provider/collectors/confidential.ts'
import { AMD_AT_MS, amdTree, certTable, GUID } from '../../../support/amdTree.ts'
import { AT_MS, intelTree, TEST_ROOTS } from '../../../support/intelTree.ts'
import { nvidiaCrl, nvidiaTree } from '../../../support/nvidiaTree.ts'
import { recordedMachine, type TsmArgs } from '../../../support/recordedMachine.ts'

const claims = (atMs: number, more: Partial<Claims> = {}): Omit<Claims, 'gpuEvidenceHash'> => ({
  identity: new Uint8Array(32).fill(1),
  network: -217,
  tier: 'cpu-tee',
  compute: 'cpu',
  modelHash: new Uint8Array(32).fill(2),
  backendHash: new Uint8Array(32).fill(3),
  freshSeqno: 5,
  freshBlock: new Uint8Array(32).fill(4),
  freshAtS: atMs / 1_000 - 60,
  ...more,
})
const always = (bytes: Bytes): CollateralCache => ({ current: async () => bytes })
const amd = amdTree()
const nvidia = nvidiaTree()
const unsafeRoots = {
  tdx: TEST_ROOTS,
  snp: { Milan: amd.ark.key.keyHash },
  nvidia: [nvidia.root.key.keyHash],
}
const verify = (bytes: Bytes, atMs: number) =>
  verifyEvidence(bytes, { atMs, network: -217 }, vendorVerifiers({ unsafeRoots }))

const { vek, ask, ark } = amd.collateral()
const SNP: TsmArgs = {
  provider: 'sev_guest',
  report: (data) => amd.report({ patch: [[0x50, data]] }),
  aux: certTable([
    [GUID.vcek, vek],
    [GUID.ask, ask],
    [GUID.ark, ark],
  ]),
}
const GPU = {
  'nvidia-smi conf-compute -f': 'CC status: ON\n',
  'nvidia-smi conf-compute -grs': 'Confidential Compute GPUs Ready state: ready\n',
}

describe('a collected document', () => {
  it('of a TDX guest is worth cpu-tee', async () => {
    const tsm = {
      provider: 'tdx_guest',
      report: (data: Bytes) => intelTree({ quote: { body: { 520: data } } }).quote,
    }
    const setup: ConfidentialSetup = {
      machine: recordedMachine({ tsm }),
      cpu: { kind: 'tdx', collateral: always(intelTree().collateral) },
    }
    const verdict = await verify(await collectConfidential(setup, claims(AT_MS)), AT_MS)
    expect([verdict.kind, verdict.tier]).toEqual(['tdx', 'cpu-tee'])
  })

  it('of an SEV-SNP guest with a GPU is worth gpu-tee, both bound to one claim', async () => {
    const base = recordedMachine({ tsm: SNP, programs: GPU })
    // The tool signs whatever nonce it is given, as the GPU would.
    const run: typeof base.run = async (program, args) => {
      if (program !== 'nvattest') return base.run(program, args)
      const nonce = fromHex(args[args.indexOf('--nonce') + 1]!)
      const evidences = [nvidia.entry({ nonce })]
      return { code: 0, stdout: JSON.stringify({ result_code: 0, evidences }) }
    }
    const setup: ConfidentialSetup = {
      machine: { files: base.files, run },
      cpu: { kind: 'sev-snp', crl: always(amd.crl()) },
      gpu: {
        kind: 'evidence',
        rootCrl: always(nvidiaCrl(nvidia.root)),
        lineCrl: always(nvidiaCrl(nvidia.line)),
      },
    }
    const about = claims(AMD_AT_MS, { tier: 'gpu-tee', compute: 'gpu' })
    const verdict = await verify(await collectConfidential(setup, about), AMD_AT_MS)
    expect(verdict.tier).toBe('gpu-tee')
    expect(verdict.hardware.map(({ vendor }) => vendor)).toEqual(['amd-snp', 'nvidia'])
  })

  it('carries tokens where the service is asked for them', async () => {
    const bundle = [['JWT', 'a.b.c'], { 'GPU-0': 'd.e.f' }]
    const programs = {
      ...GPU,
      'nvattest attest': JSON.stringify({ result_code: 0, detached_eat: bundle }),
    }
    const setup: ConfidentialSetup = {
      machine: recordedMachine({ tsm: SNP, programs }),
      cpu: { kind: 'sev-snp', crl: always(amd.crl()) },
      gpu: { kind: 'tokens' },
    }
    const about = claims(AMD_AT_MS, { tier: 'gpu-tee', compute: 'gpu' })
    const bytes = await collectConfidential(setup, about)
    // Read as tokens, and refused because nobody named the keys of the service.
    await expect(verify(bytes, AMD_AT_MS)).rejects.toMatchObject({ code: 'evidence-root' })
  })

  it('is not made where a part is missing', async () => {
    const setup: ConfidentialSetup = {
      machine: recordedMachine({ tsm: SNP }),
      cpu: { kind: 'sev-snp', crl: always(amd.crl()) },
      gpu: { kind: 'tokens' },
    }
    const made = collectConfidential(setup, claims(AMD_AT_MS))
    await expect(made).rejects.toMatchObject({ code: 'no-device' })
  })
})
