/**
 * Evidence of NVIDIA's confidential GPUs through NVIDIA's own tools: `nvidia-smi conf-compute` for
 * the state, `nvattest` for evidence (signed by the GPUs) and for tokens (signed by NVIDIA's
 * service, which `nvattest` then calls over the network).
 * @module
 */
import { parseNvidiaEvidence } from '../../../contracts/attest/nvidia/evidence.ts'
import { parseSpdmReport } from '../../../contracts/attest/nvidia/spdm.ts'
import { type Bytes, equal, toHex, utf8 } from '../../../contracts/base/bytes.ts'
import { MarketError } from '../../../contracts/base/errors.ts'
import { noDevice, type Run, systemCode } from './machine.ts'

const NEEDS =
  'a Hopper or later GPU handed to this guest in confidential mode (on the host: ' +
  'nvidia_gpu_tools.py --set-cc-mode=on), a driver of branch 550 or later'
const NEEDS_NVATTEST = "install NVIDIA's attestation tool, nvattest, and have it in PATH"

/** Throws `no-device` unless all GPUs are in confidential mode and released for use. */
export async function checkGpuMode(run: Run): Promise<void> {
  const mode = await nvidiaSmi(run, '-f')
  if (!/^CC status: ON\s*$/m.test(mode)) {
    throw noDevice(`nvidia-smi says ${shown(mode)}, not "CC status: ON"`, NEEDS)
  }
  const ready = await nvidiaSmi(run, '-grs')
  if (!/^Confidential Compute GPUs Ready state: ready\s*$/m.test(ready)) {
    const needs = 'verify the GPUs, then release them with: nvidia-smi conf-compute -srs 1'
    throw noDevice(`nvidia-smi says ${shown(ready)}, not that the GPUs are ready`, needs)
  }
}

/**
 * The signed measurements of all GPUs for `nonce` (32 bytes), as the JSON that
 * `verifyNvidiaEvidence` reads, without white space. Throws `no-device`, or `evidence-malformed`
 * for what is no evidence.
 */
export async function collectGpuEvidence(run: Run, nonce: Bytes): Promise<Bytes> {
  await checkGpuMode(run)
  const answer = await nvattest(run, ['collect-evidence', '--device', 'gpu'], nonce)
  const evidences: unknown = answer.evidences ?? null
  const json = JSON.stringify(Array.isArray(evidences) ? evidences.map(signedParts) : evidences)
  for (const entry of parseNvidiaEvidence(json)) {
    if (!equal(parseSpdmReport(entry.report).nonce, nonce)) {
      throw noDevice('a GPU answered another nonce', NEEDS_NVATTEST)
    }
  }
  return utf8(json)
}

/** The tokens of NVIDIA's service about all GPUs for `nonce`: the bundle that `verifyEat` reads. */
export async function collectGpuTokens(run: Run, nonce: Bytes): Promise<Bytes> {
  await checkGpuMode(run)
  const command = ['attest', '--device', 'gpu', '--verifier', 'remote']
  const { detached_eat: bundle } = await nvattest(run, command, nonce)
  if (!Array.isArray(bundle)) throw noDevice('nvattest gave no tokens', NEEDS_NVATTEST)
  return utf8(JSON.stringify(bundle))
}

/** What a verifier looks at; the rest would only make the document longer. */
function signedParts(entry: unknown): Record<string, unknown> {
  const { arch, nonce, evidence, certificate, driver_version, vbios_version } = (entry ??
    {}) as Record<string, unknown>
  return { arch, nonce, evidence, certificate, driver_version, vbios_version }
}

async function nvidiaSmi(run: Run, question: string): Promise<string> {
  const { code, stdout } = await ran(run, 'nvidia-smi', ['conf-compute', question], NEEDS)
  if (code !== 0) throw noDevice(`nvidia-smi failed with exit code ${code}`, NEEDS)
  return stdout
}

async function nvattest(
  run: Run,
  command: readonly string[],
  nonce: Bytes,
): Promise<Record<string, unknown>> {
  if (nonce.length !== 32) throw new MarketError('bad-input', { expected: 'a nonce of 32 bytes' })
  const args = [...command, '--nonce', toHex(nonce), '--format', 'json']
  const { code, stdout } = await ran(run, 'nvattest', args, NEEDS_NVATTEST)
  let answer: unknown
  try {
    answer = JSON.parse(stdout)
  } catch (cause) {
    throw noDevice(`nvattest ended with exit code ${code} and no JSON`, NEEDS_NVATTEST, cause)
  }
  const {
    result_code: result,
    result_message: message,
    ...rest
  } = (answer ?? {}) as Record<string, unknown>
  if (code !== 0 || result !== 0) {
    throw noDevice(`nvattest failed: ${shown(String(message))} (${String(result)})`, NEEDS)
  }
  return rest
}

async function ran(run: Run, program: string, args: readonly string[], needs: string) {
  try {
    return await run(program, args)
  } catch (cause) {
    throw noDevice(`${program} cannot be run (${systemCode(cause) ?? 'no code'})`, needs, cause)
  }
}

/** The beginning of what a tool said, in one line. */
const shown = (text: string): string =>
  `"${text
    .replace(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, 80)}"`
