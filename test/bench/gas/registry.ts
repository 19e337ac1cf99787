/**
 * Gas of the registry: every message that it takes, among many providers, and with many models.
 *
 * The providers are enrolled one after another by real messages, in the TVM.
 * @module
 */
import { beginCell } from '@ton/core'
import { TON } from '../../../contracts/base/units.ts'
import { itemConfigCell } from '../../../contracts/wrappers/itemConfig.ts'
import { encodeParameters } from '../../../contracts/wrappers/parameters.ts'
import { REGISTRY_CODE } from '../../../contracts/wrappers/Registry.ts'
import {
  acceptOwnerBody,
  applyBody,
  askCodeBody,
  cancelUpgradeBody,
  enrolBody,
  pauseBody,
  prepareBody,
  setGuardianBody,
  topUpRegistryBody,
  transferOwnerBody,
  unpauseBody,
  updateBody,
} from '../../../contracts/wrappers/registryMessages.ts'
import { codeOf, type RegistrySandbox, registrySandbox } from '../../support/registrySandbox.ts'
import {
  DAY_S,
  type Outcome,
  outcomeAmong,
  refuseEverything,
  takeEverything,
} from '../../support/sandboxChain.ts'
import { someParameters } from '../../support/someParameters.ts'
import { type ContractGas, figures, type Gas } from '../gasTable.ts'

export const gas: ContractGas = {
  measure,
  among: [
    { of: 'providers', measure: amongProviders },
    { of: 'models', measure: withModels },
  ],
}

async function measure(): Promise<Gas> {
  const s = await registrySandbox()
  const firstOfAll = await s.enrol(s.item('provider'))
  return { ...figures({ enrolFirst: firstOfAll }), ...(await messages(s)), ...(await rare(s)) }
}

/** What items and cases send, and what there is a new version of. */
async function messages(s: RegistrySandbox): Promise<Gas> {
  const next = codeOf('next')
  await s.own(prepareBody('provider', hashOf(next)))
  s.elapse(30 * DAY_S)
  const applyItemCode = await s.own(applyBody('provider', next))
  const item = s.item('provider', 'the last')
  const enrol = await s.enrol(item)
  const askCode = await s.send(s.addressOf(item), askCodeBody(itemConfigCell(item), 0), TON)
  const about = await s.caseAgainst(item)
  const openCase = await s.openCase(about)
  const settlement = { ticket: 1, release: TON, slash: TON, loss: TON }
  const closeCase = await s.closeCase(about, settlement)
  const update = await s.update()
  return figures({ applyItemCode, enrol, askCode, openCase, closeCase, update })
}

async function rare(s: RegistrySandbox): Promise<Gas> {
  const code = beginCell().storeSlice(REGISTRY_CODE.beginParse()).storeBit(true).endCell()
  const prepareUpgrade = await s.own(prepareBody('registry', hashOf(code)))
  const cancelUpgrade = await s.own(cancelUpgradeBody('registry'))
  const prepareItemCode = await s.own(prepareBody('gpu', hashOf(code)))
  const pause = await s.send(s.guardian.address, pauseBody())
  const unpause = await s.send(s.guardian.address, unpauseBody())
  const setGuardian = await s.own(setGuardianBody(s.stranger.address))
  const transferOwner = await s.own(transferOwnerBody(s.stranger.address))
  const acceptOwner = await s.send(s.stranger.address, acceptOwnerBody())
  await s.send(s.stranger.address, transferOwnerBody(s.owner.address))
  await s.send(s.owner.address, acceptOwnerBody())
  const topUp = await s.send(s.stranger.address, topUpRegistryBody())
  const refused = await s.send(s.stranger.address, beginCell().endCell(), TON)
  const unknown = { ...refused, exit: 0 }
  const enrolledBounced = await bounced(s)
  await s.own(prepareBody('registry', hashOf(code)))
  s.elapse(30 * DAY_S)
  const applyUpgrade = await s.own(applyBody('registry', code))
  return figures({
    ...{ prepareUpgrade, cancelUpgrade, prepareItemCode, applyUpgrade, pause, unpause },
    ...{ setGuardian, transferOwner, acceptOwner, topUp, unknown, enrolledBounced },
  })
}

/** The registry's second transaction where an item refuses its place. */
async function bounced(s: RegistrySandbox): Promise<Outcome> {
  const item = s.item('gpu', 'a refuser')
  await refuseEverything(s.blockchain, s.addressOf(item))
  const body = enrolBody(itemConfigCell(item), 1_000n * TON)
  const { transactions } = await s.send(s.addressOf(item), body, TON)
  return outcomeAmong(transactions.slice(1), s.address)
}

/** The messages where `n` providers are enrolled already. */
async function amongProviders(n: number): Promise<Gas> {
  const s = await registrySandbox()
  for (let i = 0; i < n; i++) {
    const { exit } = await s.enrol(s.item('provider', `number ${i}`))
    if (exit !== 0) throw new Error(`enrolment ${i} ended with exit code ${exit}`)
  }
  return messages(s)
}

/** The messages where the parameters list `n` models, and where they come to list as many. */
async function withModels(n: number): Promise<Gas> {
  const parameters = someParameters({}, n)
  const s = await registrySandbox({ config: { parameters } })
  const item = s.item('provider')
  const enrol = await s.enrol(item)
  await takeEverything(s.blockchain, s.addressOf(item))
  const openCase = await s.openCase(await s.caseAgainst(item))
  const next = updateBody(encodeParameters(someParameters({ version: 2, window: 512 }, n)))
  const update = await s.own(next, 10n * TON)
  return figures({ enrol, openCase, update })
}

function hashOf(code: { hash(): Buffer }): string {
  return code.hash().toString('hex')
}
