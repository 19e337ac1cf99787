/**
 * What the journey does to its network: new parameters by way of governance, and time moved on.
 * @module
 */
import { MarketError } from '../../contracts/base/errors.ts'
import { LIMITS } from '../../contracts/base/limits.ts'
import type { Wallet } from '../../contracts/base/ports.ts'
import type { Multipliers } from '../../contracts/base/terms.ts'
import { registryOf } from '../../node/chain/directory.ts'
import { addSignature, executeOperation, submitOrder } from '../deploy/govern.ts'
import { readGovernance } from '../deploy/governance.ts'
import { orderParameters } from '../deploy/proposals.ts'
import type { DevMarket } from './dev.ts'
import { DEPLOYER } from './institution.ts'
import { openRoleKeys } from './rolePorts.ts'

/** An order of the multisig, a day in the timelock, anyone's execution; nobody is restarted. */
export async function doublePrompts(
  home: string,
  market: DevMarket,
  anyone: Wallet,
): Promise<number> {
  const { network, scheduler } = market
  const { chain, clock, directory } = scheduler.ports
  const registry = registryOf(network.registry!)
  const before = await readGovernance(chain, registry)
  const double = (now: Multipliers) => ({ ...now, prompt: now.prompt * 2 })
  const models = [...before.parameters.models].map(
    ([id, model]) => [id, { ...model, multipliers: double(model.multipliers) }] as const,
  )
  const { multipliers } = before.parameters
  const order = orderParameters(before, {
    ...before.parameters,
    multipliers: double(multipliers),
    models: new Map(models),
  })
  const keystore = await openRoleKeys({ home, network, role: DEPLOYER })
  const signed = addSignature(before, { order, signatures: [] }, keystore.key('signer'))
  const sender = { chain, clock, wallet: anyone }
  await submitOrder(before, signed, sender)
  const [queued] = (await readGovernance(chain, registry)).queue
  await advance(market, queued!.etaS - (await chain.now()) + 1)
  await executeOperation(await readGovernance(chain, registry), undefined, sender)
  const next = before.parameters.version + 1
  while (directory.current().version < next) await clock.sleep(LIMITS.chainPollMs)
  return next
}

/** The time of the chain, and of nothing else. */
export async function advance({ localnet }: DevMarket, seconds: number): Promise<void> {
  const response = await fetch(`${localnet.url}/control/time`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ advanceSeconds: seconds }),
  })
  if (!response.ok) throw new MarketError('chain-unavailable', { status: response.status })
}
