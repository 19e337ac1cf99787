/**
 * Answers of nvidia-smi as they come, and this machine.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { describeDevice, readGpus } from '../../../node/backends/device.ts'

describe('nvidia-smi', () => {
  it('is read by requested field', () => {
    expect(readGpus('NVIDIA GeForce RTX 4090, 24564, 580.65.06, 31.42\n')).toEqual([
      {
        class: 'rtx-4090',
        name: 'NVIDIA GeForce RTX 4090',
        memoryGiB: 24,
        driver: '580.65.06',
        powerW: 31.42,
      },
    ])
  })

  it('may not know a field: then it is absent, not 0', () => {
    const [gpu] = readGpus('NVIDIA H100 80GB HBM3, [N/A], 580.65.06, [Not Supported]')
    expect(gpu).toMatchObject({ class: 'h100-80gb-hbm3', driver: '580.65.06' })
    expect(gpu?.memoryGiB).toBeUndefined()
    expect(gpu?.powerW).toBeUndefined()
    expect(readGpus('NVIDIA A100, N/A')[0]?.memoryGiB).toBeUndefined()
  })

  it.each(['', 'No devices were found', 'NVIDIA-SMI has failed', '[N/A], 24564, 580, 31', ',,,'])(
    'gives no GPU for %j',
    (answer) => expect(readGpus(answer)).toEqual([]),
  )

  it('lists all of several, and a bounded number', () => {
    const line = 'NVIDIA L4, 23034, 580.65.06, 16.1\n'
    expect(readGpus(line.repeat(2))).toHaveLength(2)
    expect(readGpus(line.repeat(1_000))).toHaveLength(64)
  })
})

describe('this machine', () => {
  it('is described', async () => {
    const device = await describeDevice()
    expect(device.threads).toBeGreaterThan(0)
    expect(device.memoryGiB).toBeGreaterThan(0)
    expect(device.class).toBe(device.gpus[0]?.class ?? 'cpu')
  })
})
