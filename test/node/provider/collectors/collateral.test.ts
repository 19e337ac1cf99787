/**
 * The cache of collateral: renewed ahead of its end, never older than what was seen, over restarts
 * and refusals. Time is simulated, files are in memory, lists are below a root of the test's own.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { encodeCollateral } from '../../../../contracts/attest/tdx/collateral.ts'
import { type Bytes, utf8 } from '../../../../contracts/base/bytes.ts'
import { LIMITS } from '../../../../contracts/base/limits.ts'
import {
  type CheckCollateral,
  collateralCache,
  fileSource,
} from '../../../../node/provider/collectors/collateral.ts'
import {
  revocationList,
  tdxCollateral,
} from '../../../../node/provider/collectors/collateralKinds.ts'
import { createSimulatedClock } from '../../../../node/system/simulatedClock.ts'
import { AMD_AT_MS, amdTree } from '../../../support/amdTree.ts'
import { AT_MS, intelTree, PUBLISHED, TEST_ROOTS } from '../../../support/intelTree.ts'
import { keptLogger } from '../../../support/quietLogger.ts'
import { recordedMachine, systemError } from '../../../support/recordedMachine.ts'
import { refusal } from '../../../support/refusal.ts'

const DAY = 86_400_000
const SOURCE = '/in/crl'
const tree = amdTree()
const check = revocationList([tree.collateral().ark], [tree.ark.key.keyHash])

/** A world with a source file; `made` counts how often the source was asked. */
function world(kind: CheckCollateral = check, startMs = AMD_AT_MS) {
  const machine = recordedMachine({})
  const clock = createSimulatedClock({ startMs })
  const logger = keptLogger()
  const read = fileSource(machine.files, SOURCE, 'put the list of AMD there')
  const asked = { times: 0 }
  const source = () => {
    asked.times++
    return read()
  }
  const open = () =>
    collateralCache({
      files: machine.files,
      clock,
      logger,
      source,
      check: kind,
      folder: '/kept',
      name: 'amd',
    })
  const put = (bytes: Bytes) => machine.kept.set(SOURCE, bytes)
  return { machine, clock, lines: logger.lines, asked, open, put }
}

describe('collateral', () => {
  it('comes from the file, is kept, and the source is asked again in time only', async () => {
    const { open, put, asked, machine, clock } = world()
    const crl = tree.crl()
    put(crl)
    const cache = open()
    expect(await cache.current()).toEqual(crl)
    await clock.advance(DAY - 1_000)
    expect(await cache.current()).toEqual(crl)
    expect(asked.times).toBe(1)
    for (let day = 2; day <= 9; day++) {
      await clock.advance(DAY)
      for (let times = 0; times < 3; times++) expect(await cache.current()).toEqual(crl)
      expect(asked.times).toBe(day) // once a day where nothing has changed
    }
    expect(machine.kept.get('/kept/amd.bin')).toEqual(crl)
  })

  it('is renewed after a day, and at half of a short life', async () => {
    const { open, put, clock } = world()
    put(tree.crl({ number: 5 }))
    const cache = open()
    await cache.current()
    const newer = tree.crl({ number: 6, until: 200 })
    put(newer)
    await clock.advance(DAY - 1_000)
    expect(await cache.current()).not.toEqual(newer)
    await clock.advance(2_000)
    expect(await cache.current()).toEqual(newer)

    const short = world()
    short.put(tree.crl({ until: 1 }))
    const other = short.open()
    await other.current()
    short.put(newer)
    await short.clock.advance(DAY / 2 - 1_000)
    expect(await other.current()).not.toEqual(newer)
    await short.clock.advance(2_000)
    expect(await other.current()).toEqual(newer)
  })

  it('stays in use while the new one is refused, which is tried again later only', async () => {
    const { open, put, clock, asked, lines } = world()
    const crl = tree.crl({ until: 4 })
    put(crl)
    const cache = open()
    await cache.current()
    put(utf8('garbage'))
    await clock.advance(3 * DAY)
    expect(await cache.current()).toEqual(crl)
    expect(await cache.current()).toEqual(crl)
    expect(asked.times).toBe(2)
    await clock.advance(LIMITS.collateralRetryS * 1_000)
    expect(await cache.current()).toEqual(crl)
    expect(asked.times).toBe(3)
    expect(JSON.stringify(lines)).toContain('evidence-collateral')
  })

  it('ends: after that the refusal of the new one is thrown', async () => {
    const { open, put, clock } = world()
    put(tree.crl({ until: 4 }))
    const cache = open()
    await cache.current()
    await clock.advance(5 * DAY)
    await expect(cache.current()).rejects.toThrow(refusal('evidence-expired', 'there is no newer'))
    put(tree.crl({ revoked: ['01'], number: 5, from: -11, until: 30 }))
    await expect(cache.current()).rejects.toThrow(refusal('evidence-rollback', '/date'))
  })

  it.each([
    ['number', { number: 4, from: -9 }, '/number'],
    ['date', { number: 6, from: -11 }, '/date'],
  ])('with an older %s is never adopted, also after a restart', async (_name, older, mark) => {
    const { open, put, machine } = world()
    put(tree.crl({ number: 5 }))
    await open().current()
    machine.kept.delete('/kept/amd.bin')
    put(tree.crl(older))
    await expect(open().current()).rejects.toThrow(refusal('evidence-rollback', mark))
    // Nor where the kept copy itself was exchanged for an older one.
    machine.kept.set('/kept/amd.bin', tree.crl(older))
    const newer = tree.crl({ number: 7 })
    put(newer)
    expect(await open().current()).toEqual(newer)
  })

  it('survives a restart without its source', async () => {
    const { open, put, machine } = world()
    const crl = tree.crl()
    put(crl)
    await open().current()
    machine.kept.delete(SOURCE)
    expect(await open().current()).toEqual(crl)
  })

  it('says what is needed where there never was any', async () => {
    await expect(world().open().current()).rejects.toMatchObject({
      code: 'no-device',
      facts: { because: `there is no file ${SOURCE}`, needs: 'put the list of AMD there' },
    })
  })

  it('stops where what was seen cannot be read, rather than forget it', async () => {
    const { open, put, machine } = world()
    put(tree.crl())
    machine.kept.set('/kept/amd.marks.json', utf8('{'))
    await expect(open().current()).rejects.toMatchObject({ code: 'store-failed' })
    const broken = world()
    const files = { ...broken.machine.files, read: () => Promise.reject(systemError('EIO')) }
    const source = fileSource(files, SOURCE, '')
    await expect(source()).rejects.toMatchObject({ code: 'store-failed' })
  })

  it('is renewed once for all who wait', async () => {
    const { open, put, asked } = world()
    put(tree.crl())
    const cache = open()
    await Promise.all([cache.current(), cache.current(), cache.current()])
    expect(asked.times).toBe(1)
  })

  it('is refused from another issuer, forged, or below another root', async () => {
    const { open, put } = world()
    put(amdTree('Genoa').crl())
    await expect(open().current()).rejects.toThrow(refusal('evidence-collateral', 'issuer'))
    const stranger = world(revocationList([tree.collateral().ark], [new Uint8Array(32)]))
    stranger.put(tree.crl())
    await expect(stranger.open().current()).rejects.toThrow(refusal('evidence-root'))
  })
})

describe("Intel's collateral", () => {
  const of = (number: number) =>
    intelTree({
      tcbInfo: (json) => ({ ...json, tcbEvaluationDataNumber: number }),
      qeIdentity: (json) => ({ ...json, tcbEvaluationDataNumber: number }),
    }).collateral

  it('is adopted, and never with a lower evaluation number', async () => {
    const { open, put, machine, clock } = world(tdxCollateral(TEST_ROOTS), AT_MS)
    put(of(17))
    const cache = open()
    expect(await cache.current()).toEqual(of(17) && machine.kept.get('/kept/amd.bin'))
    const marks = Buffer.from(machine.kept.get('/kept/amd.marks.json')!).toString()
    expect(JSON.parse(marks)).toMatchObject({ tcbInfo: '17', qeIdentity: '17' })
    machine.kept.delete('/kept/amd.bin')
    put(of(16))
    await expect(open().current()).rejects.toThrow(refusal('evidence-rollback', 'tcbInfo'))
    put(of(18))
    expect((await open().current()).length).toBeGreaterThan(0)
    await clock.advance(PUBLISHED.until - AT_MS + 1_000)
    await expect(open().current()).rejects.toThrow(refusal('evidence-expired'))
  })

  it('is refused where it is changed', async () => {
    const { open, put } = world(tdxCollateral(TEST_ROOTS), AT_MS)
    const { parts } = intelTree()
    put(encodeCollateral({ ...parts, tcbInfo: parts.tcbInfo.replace('UpToDate', 'OutOfDate') }))
    await expect(open().current()).rejects.toThrow(refusal('evidence-collateral', 'not signed'))
  })
})
