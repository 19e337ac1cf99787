/**
 * What a provider says of itself and how it proves it: tier, place of computing, weights. Refused
 * here, before anything starts, where it could not be true.
 * @module
 */
import { join } from 'node:path'
import type { Compute } from '../../contracts/attest/document.ts'
import { toHex } from '../../contracts/base/bytes.ts'
import { MarketError } from '../../contracts/base/errors.ts'
import type { Tier } from '../../contracts/base/tier.ts'
import type { Collect } from '../../node/provider/evidence.ts'
import type { RolePorts } from './rolePorts.ts'

export interface ProvingChoice {
  readonly tier: Tier
  readonly compute?: Compute
  readonly tee?: 'tdx' | 'sev-snp'
  readonly collateral?: string
  readonly backendUrl?: string
  readonly weightsFile?: string
  readonly weightsHash?: string
}

export interface Proving {
  readonly compute: Compute
  /** Hex; measured where a file was named. */
  readonly weightsHash?: string
  readonly collect?: (ports: RolePorts) => Promise<Collect>
}

/**
 * Checks a choice. `folder` is the role's own. Throws `bad-config` where tier and place of
 * computing do not go together, `bad-model` where the weights are others than named.
 */
export async function chooseProving(choice: ProvingChoice, folder: string): Promise<Proving> {
  const compute = choice.compute ?? defaultCompute(choice)
  const weightsHash = await weightsOf(choice)
  const { tier } = choice
  if (tier !== 'cpu-tee' && tier !== 'gpu-tee') return { compute, weightsHash }
  checkInside(choice, compute)
  const { tee, collateral = join(folder, 'collateral') } = choice
  const kept = join(folder, 'collateral-kept')
  return {
    compute,
    weightsHash,
    collect: async (ports) => {
      const { confidentialCollector } = await import('./confidentialSetup.ts')
      return confidentialCollector({ tier, tee, collateral, kept }, ports)
    },
  }
}

/** The embedded engine computes on the CPU; a server is elsewhere unless a tier says otherwise. */
function defaultCompute({ tier, backendUrl }: ProvingChoice): Compute {
  if (tier === 'gpu-tee') return 'gpu'
  return tier === 'cpu-tee' || backendUrl === undefined ? 'cpu' : 'outside'
}

/** Above `open` the model runs inside the machine that the evidence is about. */
function checkInside(choice: ProvingChoice, compute: Compute): void {
  const { tier, backendUrl, weightsFile } = choice
  const expected = tier === 'gpu-tee' ? 'gpu' : 'cpu'
  if (compute !== expected) throw wrong('compute', `${expected}, for --tier ${tier}`)
  if (backendUrl === undefined) {
    if (compute === 'gpu') {
      throw wrong('backend-url', 'a server on the GPU, for --tier gpu-tee', GPU_TEE_NEEDS)
    }
    return
  }
  const host = URL.canParse(backendUrl) ? new URL(backendUrl).hostname : ''
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(host)) {
    throw wrong('backend-url', `a server inside this machine, for --tier ${tier}`)
  }
  if (weightsFile === undefined) {
    throw wrong('weights-file', `the weights that the server loads, for --tier ${tier}`)
  }
}

async function weightsOf(choice: ProvingChoice): Promise<string | undefined> {
  const { weightsFile, weightsHash } = choice
  if (weightsFile === undefined) return weightsHash
  const { hashFile } = await import('../../node/backends/embedded/supervisor.ts')
  const found = toHex(await hashFile(weightsFile))
  if (weightsHash !== undefined && weightsHash.toLowerCase() !== found) {
    throw new MarketError('bad-model', { file: weightsFile, expected: weightsHash, found })
  }
  return found
}

const GPU_TEE_NEEDS =
  'gpu-tee needs a confidential machine (Intel TDX or AMD SEV-SNP) with a confidential NVIDIA ' +
  'GPU, and a model server on it: --backend-url http://127.0.0.1:PORT/v1 --weights-file FILE. ' +
  'Without that hardware serve with --tier open.'

function wrong(setting: string, expected: string, action?: string): MarketError {
  return new MarketError('bad-config', { setting, expected }, action ? { action } : {})
}
