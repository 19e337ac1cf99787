/**
 * What this machine computes with: for offers, `doctor` and reports. It is the machine's own word
 * and proves nothing.
 *
 * `nvidia-smi` answers `[N/A]` or `[Not Supported]` for what a device does not know, may leave
 * fields out, and may fail as a whole; so each requested field is read on its own.
 * @module
 */
import { execFile } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { LIMITS } from '../../contracts/base/limits.ts'

export interface Gpu {
  /** Lower-case letters, digits and dashes, like `rtx-4090`. */
  readonly class: string
  readonly name: string
  readonly memoryGiB?: number
  readonly driver?: string
  /** Watts drawn now; absent where the device does not tell, never 0 for that. */
  readonly powerW?: number
}

export interface Device {
  readonly cpu: string
  readonly threads: number
  readonly memoryGiB: number
  readonly gpus: readonly Gpu[]
  /** Class of the first GPU; `cpu` where there is none. */
  readonly class: string
}

const FIELDS = ['name', 'memory.total', 'driver_version', 'power.draw'] as const
const GIB = 2 ** 30
const SMI_MS = 5_000
const MAX_GPUS = 64

/** Describes this machine. A failing or absent `nvidia-smi` means no GPU; nothing is thrown. */
export async function describeDevice(): Promise<Device> {
  const gpus = readGpus(await askNvidia())
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() || 'unknown',
    threads: processors.length,
    memoryGiB: Math.round(totalmem() / GIB),
    gpus,
    class: gpus[0]?.class ?? 'cpu',
  }
}

/** GPUs of an answer of `nvidia-smi --query-gpu=name,memory.total,driver_version,power.draw`. */
export function readGpus(answer: string): Gpu[] {
  const lines = answer.split('\n').filter((line) => line.includes(','))
  return lines.slice(0, MAX_GPUS).flatMap((line) => {
    const [name, memory, driver, power] = line.split(',').map(known)
    if (!name) return []
    const memoryMiB = number(memory)
    return [
      {
        name: name.slice(0, LIMITS.nameLength),
        class: classOf(name),
        memoryGiB: memoryMiB === undefined ? undefined : Math.round(memoryMiB / 1024),
        driver: driver?.slice(0, LIMITS.nameLength),
        powerW: number(power),
      },
    ]
  })
}

async function askNvidia(): Promise<string> {
  const query = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits']
  try {
    const options = { timeout: SMI_MS, maxBuffer: LIMITS.bodyBytes, windowsHide: true }
    return (await promisify(execFile)('nvidia-smi', query, options)).stdout
  } catch {
    return '' // not installed, no driver, or no device: all mean that there is no GPU to offer
  }
}

/** `NVIDIA GeForce RTX 4090` is `rtx-4090`, `NVIDIA H100 80GB HBM3` is `h100-80gb-hbm3`. */
function classOf(name: string): string {
  const plain = name.replace(/nvidia|geforce|tesla/gi, '').toLowerCase()
  const dashed = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '')
  return dashed.slice(0, LIMITS.nameLength) || 'gpu'
}

/** A field that says something. */
function known(field: string): string | undefined {
  const text = field.trim()
  return text === '' || /^\[.*\]$/.test(text) || /^n\/a$/i.test(text) ? undefined : text
}

function number(field: string | undefined): number | undefined {
  const value = Number.parseFloat(field ?? '')
  return Number.isFinite(value) && value >= 0 ? value : undefined
}
