/**
 * Gas of the registry: every message that it takes, and enrolment after others.
 * @module
 */
import { TON } from '../../../contracts/base/units.ts'
import { registrySandbox } from '../../support/registrySandbox.ts'
import { type ContractGas, figures, type Gas } from '../gasTable.ts'

export const gas: ContractGas = { measure }

async function measure(): Promise<Gas> {
  const s = await registrySandbox()
  const enrol = await s.enrol(s.item('provider'), 50n * TON)
  const update = await s.update()
  return figures({ enrol, update })
}
