/**
 * From signatures to the registry: multisig, timelock and registry together in the sandbox.
 * @module
 */
import { describe, expect, it } from 'vitest'
import { TON } from '../../../contracts/base/units.ts'
import { encodeParameters } from '../../../contracts/wrappers/parameters.ts'
import { REGISTRY_VALUE, updateBody } from '../../../contracts/wrappers/registryMessages.ts'
import { queueBody, TIMELOCK_EXIT } from '../../../contracts/wrappers/Timelock.ts'
import { governanceSandbox } from '../../support/governanceSandbox.ts'
import { registrySandbox } from '../../support/registrySandbox.ts'
import { DAY_S } from '../../support/sandboxChain.ts'
import { someParameters } from '../../support/someParameters.ts'

describe('a decision', () => {
  it('of enough signers changes the parameters after the delay, and not before', async () => {
    const g = await governanceSandbox()
    const r = await registrySandbox({ blockchain: g.blockchain, config: { owner: g.timelock } })
    const next = encodeParameters(someParameters({ version: 2, window: 1_024 }))
    const operation = { to: r.address, value: REGISTRY_VALUE, body: updateBody(next) }
    const body = queueBody({ id: 1n, etaS: g.now() + 3 * DAY_S, operation })
    const order = await g.order({
      kind: 'send',
      operation: { to: g.timelock, value: TON / 10n, body },
    })
    const submitted = await g.submit(order)
    expect(submitted.exit).toBe(0)
    g.elapse(3 * DAY_S - 1)
    expect((await g.execute(1n)).exit).toBe(TIMELOCK_EXIT.tooEarly)
    g.elapse(1)
    expect((await g.execute(1n)).exit).toBe(0)
    expect((await r.parameters())?.window).toBe(1_024)
  })
})
