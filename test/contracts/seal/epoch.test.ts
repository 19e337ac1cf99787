/**
 * Epoch keys rotate, open each lease once, and are erased when their time is over.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { u32 } from '../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { sha256 } from '../../../contracts/base/signing.ts'
import {
  checkEpoch,
  createEpochs,
  currentEpoch,
  type Epochs,
  eraseEpochs,
  takeEpochKey,
} from '../../../contracts/seal/epoch.ts'
import { nativeKem } from '../../../contracts/seal/kem.ts'
import { openRequest } from '../../../contracts/seal/request.ts'
import { agree } from './world.ts'

const kem = nativeKem()
const START = 1_800_000_000
const lease = (i: number) => sha256(u32(i))
const expired = expect.objectContaining({ code: 'epoch-expired' })

function started(lifeS = 600): { epochs: Epochs; first: ReturnType<typeof currentEpoch> } {
  const epochs = createEpochs(lifeS)
  return { epochs, first: currentEpoch(epochs, START, kem) }
}

describe('epochs', () => {
  it('live 10 to 60 minutes and nothing else', () => {
    const badConfig = expect.objectContaining({ code: 'bad-config' })
    for (const lifeS of [LIMITS.epochMinS, LIMITS.epochMaxS]) createEpochs(lifeS)
    for (const lifeS of [LIMITS.epochMinS - 1, LIMITS.epochMaxS + 1, 900.5, Number.NaN]) {
      expect(() => createEpochs(lifeS)).toThrow(badConfig)
    }
  })

  it('are named for half their life; the old key opens on until its end and grace', () => {
    const { epochs, first } = started()
    expect(first).toMatchObject({ epoch: START, notBeforeS: START, notAfterS: START + 600 })
    expect(currentEpoch(epochs, START + 299, kem)).toBe(first)
    const second = currentEpoch(epochs, START + 300, kem)
    expect(second.epoch).toBe(START + 300)
    expect(second.kemPublicKey).not.toEqual(first.kemPublicKey)
    const last = START + 600 + LIMITS.epochGraceS
    expect(takeEpochKey(epochs, first.epoch, lease(1), last).reveal()).toHaveLength(32)
    expect(() => takeEpochKey(epochs, first.epoch, lease(2), last + 1)).toThrow(expired)
    expect(epochs.live).toHaveLength(1)
  })

  it('are erased: the bytes of the key are zero', () => {
    const { epochs, first } = started()
    const key = takeEpochKey(epochs, first.epoch, lease(1), START).reveal()
    expect(key.some((byte) => byte !== 0)).toBe(true)
    currentEpoch(epochs, START + 10_000, kem)
    expect(key.every((byte) => byte === 0)).toBe(true)
    const { epochs: others, first: other } = started()
    const held = takeEpochKey(others, other.epoch, lease(1), START)
    const second = held.reveal()
    eraseEpochs(others)
    expect(second.every((byte) => byte === 0)).toBe(true)
    expect(() => held.reveal()).toThrow()
    expect(() => takeEpochKey(others, other.epoch, lease(2), START)).toThrow(expired)
  })

  it('open each lease once, also where the request was garbage', () => {
    const { epochs, first } = started()
    const second = currentEpoch(epochs, START + 300, kem)
    takeEpochKey(epochs, first.epoch, lease(1), START + 300)
    const again = () => takeEpochKey(epochs, first.epoch, lease(1), START + 300)
    expect(again).toThrow(expect.objectContaining({ code: 'cannot-open', facts: {} }))
    takeEpochKey(epochs, second.epoch, lease(2), START + 300)
    expect(() => takeEpochKey(epochs, 7, lease(3), START)).toThrow(expired)
  })

  it('bound what they remember, and rotate before it is full', () => {
    const { epochs, first } = started()
    const half = LIMITS.opensPerEpoch / 2
    for (let i = 0; i < half; i++) takeEpochKey(epochs, first.epoch, lease(i), START)
    expect(currentEpoch(epochs, START, kem).epoch).toBe(first.epoch + 1)
    for (let i = half; i < 2 * half; i++) takeEpochKey(epochs, first.epoch, lease(i), START)
    expect(() => takeEpochKey(epochs, first.epoch, lease(-1 >>> 0), START)).toThrow(
      expect.objectContaining({ code: 'limit-exceeded' }),
    )
  })

  it('never outlive what bounds them, and ask for renewal in time', () => {
    const epochs = createEpochs(1_800)
    const lastS = START + 900
    const first = currentEpoch(epochs, START, kem, lastS)
    expect(first.notAfterS).toBe(lastS)
    expect(currentEpoch(epochs, START + 449, kem, lastS)).toBe(first)
    expect(() => currentEpoch(epochs, START + 450, kem, lastS)).toThrow(expired)
    expect(currentEpoch(epochs, START + 450, kem, START + 5_000).notAfterS).toBe(START + 2_250)
    expect(currentEpoch(epochs, START + 451, kem, START + 2_000).notAfterS).toBe(START + 2_000)
  })

  it('get a new number after a restart, and where the clock goes back', () => {
    const { epochs } = started()
    expect(currentEpoch(epochs, START - 50, kem).epoch).toBe(START + 1)
    expect(currentEpoch(createEpochs(600), START + 5, kem).epoch).toBe(START + 5)
  })

  it('of yesterday open nothing: what was sealed to them is lost', async () => {
    const job = await agree({ kem })
    const erased = job.opening.epochSecretKey.fill(0)
    const opening = openRequest({ ...job.opening, epochSecretKey: erased })
    await expect(opening).rejects.toMatchObject({ code: 'cannot-open' })
  })
})

describe('the client takes an epoch key', () => {
  const epoch = { notBeforeS: START, notAfterS: START + 600 }
  it('in its time, allowing for a clock that is slow', () => {
    checkEpoch(epoch, START)
    checkEpoch(epoch, START + 599)
    checkEpoch(epoch, START - LIMITS.clockSkewS)
  })

  it.each([
    ['over', epoch, START + 600],
    ['not yet come', epoch, START - LIMITS.clockSkewS - 1],
    ['too long', { ...epoch, notAfterS: START + LIMITS.epochMaxS + 1 }, START],
    ['upside down', { notBeforeS: START + 100, notAfterS: START + 50 }, START],
  ])('and not when its time is %s', (_, wrong, nowS) => {
    expect(() => checkEpoch(wrong, nowS)).toThrow(expired)
  })
})
