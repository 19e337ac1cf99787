/**
 * The compiled registry in the sandbox: enrolment, code for items, and what it answers.
 * @module
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { type RegistrySandbox, registrySandbox } from '../../support/registrySandbox.ts'
import { START_S, TEST_NETWORK } from '../../support/sandboxChain.ts'

let s: RegistrySandbox
beforeEach(async () => {
  s = await registrySandbox()
})

describe('enrolment', () => {
  it('counts an item and names it the last of its kind', async () => {
    const item = s.item('provider')
    const outcome = await s.enrol(item, 50n * TON)
    expect(outcome.exit).toBe(0)
    const { kinds, ...rest } = await s.view()
    expect(kinds.provider.count).toBe(1)
    expect(kinds.provider.last?.equals(s.addressOf(item))).toBe(true)
    expect(kinds.gpu).toMatchObject({ count: 0, codeVersion: 0 })
    expect(rest).toMatchObject({ layout: 0, network: TEST_NETWORK, parametersVersion: 1, lost: 0 })
  })
})

describe('an update', () => {
  it('puts the next version into force, and the one before stays known', async () => {
    expect((await s.update({ window: 512 })).exit).toBe(0)
    expect(await s.parameters()).toMatchObject({ version: 2, window: 512, sinceS: START_S })
    expect(await s.parameters(1)).toMatchObject({ version: 1, window: 256, sinceS: 0 })
    expect(await s.parameters(3)).toBeUndefined()
  })
})
