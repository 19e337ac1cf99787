/**
 * Places, the mailbox and stop strings: the small parts that backends share.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { MarketError } from '../../../contracts/base/errors.ts'
import { LIMITS } from '../../../contracts/base/limits.ts'
import { createMailbox } from '../../../node/backends/mailbox.ts'
import { createPlaces } from '../../../node/backends/places.ts'
import { createStopFilter } from '../../../node/backends/stopText.ts'

const never = new AbortController().signal

describe('places', () => {
  it('are given in order of arrival, and given back once', async () => {
    const places = createPlaces(1)
    const first = await places.take(never)
    const order: number[] = []
    const second = places.take(never).then((release) => {
      order.push(2)
      return release
    })
    const third = places.take(never).then(() => order.push(3))
    first?.()
    first?.()
    const release = await second
    expect(order).toEqual([2])
    release?.()
    await third
    expect(order).toEqual([2, 3])
  })

  it('forget a waiter that aborts', async () => {
    const places = createPlaces(1)
    const release = await places.take(never)
    const abort = new AbortController()
    const waiting = places.take(abort.signal)
    abort.abort()
    expect(await waiting).toBeUndefined()
    release?.()
    expect(await places.take(never)).toBeTypeOf('function')
  })

  it('refuse more waiters than the bound, and all once closed', async () => {
    const places = createPlaces(1)
    await places.take(never)
    const waiting = Array.from({ length: LIMITS.backendQueue }, () => places.take(never))
    await expect(places.take(never)).rejects.toMatchObject({ code: 'busy' })
    places.close(new MarketError('backend-failed'))
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'backend-failed' })
    await expect(places.take(never)).rejects.toMatchObject({ code: 'backend-failed' })
  })
})

describe('mailbox', () => {
  it('gives what was pushed before it fails', async () => {
    const box = createMailbox<number>()
    box.push(1)
    box.push(2)
    box.fail(new MarketError('backend-failed'))
    expect(await box.take(never)).toBe(1)
    expect(await box.take(never)).toBe(2)
    await expect(box.take(never)).rejects.toMatchObject({ code: 'backend-failed' })
  })

  it('wakes its reader for a value and for an abort', async () => {
    const box = createMailbox<number>()
    const waiting = box.take(never)
    box.push(7)
    expect(await waiting).toBe(7)
    const abort = new AbortController()
    const stopped = box.take(abort.signal)
    abort.abort()
    expect(await stopped).toBeUndefined()
    expect(await box.take(AbortSignal.abort())).toBeUndefined()
  })
})

describe('stop strings', () => {
  it('are found wherever the pieces are cut', () => {
    const whole = 'one two END three'
    for (let at = 0; at <= whole.length; at++) {
      const filter = createStopFilter(['END', 'nd'])
      const first = filter.push(whole.slice(0, at))
      const second = first.stopped ? { text: '', stopped: true } : filter.push(whole.slice(at))
      expect(first.text + second.text).toBe('one two ')
      expect(second.stopped).toBe(true)
    }
  })

  it('hold back no more than could begin one, and give it in the end', () => {
    const filter = createStopFilter(['abc'])
    expect(filter.push('xab')).toEqual({ text: 'x', stopped: false })
    expect(filter.push('ab')).toEqual({ text: 'ab', stopped: false })
    expect(filter.flush()).toBe('ab')
    expect(filter.flush()).toBe('')
  })
})
