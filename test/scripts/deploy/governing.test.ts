/**
 * What governing is made of, without a chain: files, words for exit codes, delays, and what waits
 * in a queue that contradicts itself.
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beginCell, Cell } from '@ton/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MULTISIG_EXIT } from '../../../contracts/wrappers/Multisig.ts'
import { PROVIDER_CODE, PROVIDER_CODE_HASH } from '../../../contracts/wrappers/Provider.ts'
import { encodeParameters } from '../../../contracts/wrappers/parameters.ts'
import { REGISTRY_EXIT } from '../../../contracts/wrappers/Registry.ts'
import {
  prepareBody,
  setGuardianBody,
  updateBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import { TIMELOCK_EXIT, timelockStateInit } from '../../../contracts/wrappers/Timelock.ts'
import { exitWords } from '../../../scripts/deploy/exitWords.ts'
import { conflictsOf, shortDelay } from '../../../scripts/deploy/foresight.ts'
import { applicable } from '../../../scripts/deploy/governanceView.ts'
import { readCodeFile, readSignersFile } from '../../../scripts/deploy/governFiles.ts'
import { parametersJson, readParametersFile } from '../../../scripts/deploy/parametersFile.ts'
import { deploymentPlan } from '../../../scripts/deploy/plan.ts'
import { signerKey } from '../../support/governanceSandbox.ts'
import { hashOf, someAddress, someParameters } from '../../support/someParameters.ts'

const DAY_S = 86_400
const REGISTRY = someAddress('registry')

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chrysalis-governing-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function written(content: string | Buffer): Promise<string> {
  const path = join(folder, 'file')
  await writeFile(path, content)
  return path
}

describe('a file of parameters', () => {
  it('is what a market prints of itself, whole or the parameters alone', async () => {
    const parameters = parametersJson(someParameters())
    const alone = await readParametersFile(await written(JSON.stringify(parameters)))
    const around = { ok: true, network: 'localnet', parameters, kinds: {} }
    const whole = await readParametersFile(await written(JSON.stringify(around)))
    expect(parametersJson(whole)).toEqual(parametersJson(alone))
    expect(alone.window).toBe(someParameters().window)
  })

  it.each(['{"ok":true}', '{"parameters":{"window":1,"winow":2}}', '[]', 'null', 'no'])(
    'is refused where it is none: %s',
    async (text) => {
      const read = readParametersFile(await written(text))
      await expect(read).rejects.toMatchObject({ code: 'bad-config' })
    },
  )
})

describe('a file of code', () => {
  const boc = PROVIDER_CODE.toBoc()
  it.each([
    ['raw', boc],
    ['base64', boc.toString('base64')],
    ['hex', `${boc.toString('hex')}\n`],
    ['a compiler’s JSON', JSON.stringify({ code: boc.toString('base64'), codeHash: 'x' })],
  ])('%s', async (_, content) => {
    const code = await readCodeFile(await written(content))
    expect(code.hash().toString('hex')).toBe(PROVIDER_CODE_HASH)
  })

  it.each(['{}', 'b5ee9c72', '', '{"code":"AAAA"}'])('is refused: %s', async (text) => {
    const read = readCodeFile(await written(text))
    await expect(read).rejects.toMatchObject({ code: 'bad-config' })
  })

  it('is refused where it is none, or too long', async () => {
    const missing = readCodeFile(join(folder, 'nowhere'))
    await expect(missing).rejects.toMatchObject({ code: 'bad-config' })
    const long = readCodeFile(await written(Buffer.alloc(1024 * 1024 + 1)))
    await expect(long).rejects.toMatchObject({ facts: { tooLong: true } })
  })
})

describe('a file of signers', () => {
  const key = '11'.repeat(32)
  it('names keys and how many must sign', async () => {
    const signers = await readSignersFile(await written(`{"threshold":1,"keys":["${key}"]}`))
    expect(signers).toEqual({ threshold: 1, keys: [new Uint8Array(32).fill(0x11)] })
  })

  it.each([
    `{"threshold":"1","keys":["${key}"]}`,
    `{"threshold":1,"keys":["11"]}`,
    `{"threshold":1,"keys":["${key}"],"key":2}`,
    'null',
  ])('is refused: %s', async (text) => {
    const read = readSignersFile(await written(text))
    await expect(read).rejects.toMatchObject({ code: 'bad-config' })
  })
})

it('every exit code that governance can meet has words of its own', () => {
  const ofOthers: readonly number[] = [
    ...[REGISTRY_EXIT.notCase, REGISTRY_EXIT.paused, REGISTRY_EXIT.stake, REGISTRY_EXIT.bond],
  ]
  const codes = [REGISTRY_EXIT, TIMELOCK_EXIT, MULTISIG_EXIT].flatMap((each) => Object.values(each))
  const without = codes.filter((code) => exitWords(code) === exitWords(12_345))
  expect(without).toEqual(ofOthers)
})

describe('the first delay of a timelock', () => {
  const multisig = someAddress('multisig')
  const plan = (delayS: number, unsafeShortDelay?: boolean) => () =>
    deploymentPlan({
      ...{ network: 1, delayS, unsafeShortDelay, guardian: multisig },
      signers: { keys: [signerKey(1).publicKey], threshold: 1 },
      parameters: someParameters(),
    })
  const refusal = expect.objectContaining({ code: 'bad-input' })

  it('is 1 to 30 days', () => {
    for (const delayS of [DAY_S, 30 * DAY_S]) expect(plan(delayS)).not.toThrow()
    for (const delayS of [0, DAY_S - 1, 30 * DAY_S + 1, -1, 1.5 * DAY_S + 0.5]) {
      expect(plan(delayS)).toThrow(refusal)
      expect(() => timelockStateInit({ network: 1, multisig, delayS })).toThrow(refusal)
    }
  })

  it('is shorter only where that is said, and told for what it is', () => {
    expect(plan(0, true)).not.toThrow()
    expect(plan(30 * DAY_S + 1, true)).toThrow(refusal)
    expect(shortDelay(DAY_S, false)).toBeUndefined()
    expect(shortDelay(60, true)).toBe('a test network’s delay: 1 min')
    expect(shortDelay(60, false)).toContain('below a day')
  })
})

describe('what waits', () => {
  const conflicts = (...bodies: readonly Cell[]) =>
    conflictsOf({
      known: { registry: REGISTRY },
      queue: bodies.map((body, at) => {
        return { id: BigInt(at + 1), etaS: 0, operation: { to: REGISTRY, value: 0n, body } }
      }),
    })
  const update = updateBody(encodeParameters(someParameters({ version: 2 })))
  const prepare = (kind: 'gpu' | 'provider' | 'registry') => prepareBody(kind, hashOf('code'))

  it('contradicts itself where one makes the other void', () => {
    expect(conflicts(update, prepare('gpu'), update)[0]).toMatch(/^operations 1, 3 .* parameters/)
    expect(conflicts(prepare('gpu'), prepare('gpu'))).toHaveLength(1)
    expect(conflicts(prepare('registry'), prepare('registry'))).toHaveLength(1)
  })

  it('does not where both can come true, or nobody can tell', () => {
    const guardian = setGuardianBody(REGISTRY)
    expect(conflicts(guardian, guardian, update, prepare('gpu'), prepare('provider'))).toEqual([])
    expect(conflicts(new Cell(), new Cell(), beginCell().storeUint(1, 32).endCell())).toEqual([])
  })
})

it('prepared code waits, may be applied, or has lapsed', () => {
  const from = 1_800_000_000
  expect(applicable(from, from - 60)).toMatch(/^may be applied from 2027-.* \(in 1 min\), lapses/)
  expect(applicable(from, from)).toMatch(/^may be applied now, lapses 2027-/)
  expect(applicable(from, from + 30 * DAY_S)).toMatch(/^LAPSED at 2027-/)
})
