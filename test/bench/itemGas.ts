/**
 * Gas of an item of any kind: every message that it takes, the refused and the bounced included,
 * under a registry that answers as it is told.
 * @module
 */
import { readFileSync } from 'node:fs'
import { beginCell } from '@ton/core'
import { TON } from '../../contracts/base/units.ts'
import type { ItemKind } from '../../contracts/wrappers/itemConfig.ts'
import {
  FIRST_CODE,
  type ItemSandbox,
  itemSandbox,
  largestProfile,
  STAKE,
  UNBONDING_S,
} from '../support/itemSandbox.ts'
import {
  DAY_S,
  type Outcome,
  outcomeAmong,
  refuseEverything,
  takeEverything,
} from '../support/sandboxChain.ts'
import { type ContractGas, figures, type Gas } from './gasTable.ts'

const WEEK_S = 7 * DAY_S

/** The measurement of a kind. */
export function itemGas(kind: ItemKind): ContractGas {
  return {
    measure: async () => {
      const s = await itemSandbox({ kind })
      return { ...(await life(s)), ...(await rarer(kind)) }
    },
    atMost: atMost(kind),
    among: [{ of: `${kind} items`, measure: async (n) => life(await lastOf(kind, n)) }],
  }
}

/** What the constants of the contracts leave for each message. */
function atMost(kind: ItemKind): Gas {
  const sources = ['items/fees.tolk', 'common/gas.tolk'].map((path) =>
    readFileSync(new URL(`../../contracts/tolk/${path}`, import.meta.url), 'utf8'),
  )
  const found = [...sources.join('\n').matchAll(/^const GAS_(\w+) = (\d+)$/gm)]
  const gas = Object.fromEntries(found.map(([, name, most]) => [name, Number(most)]))
  const of = (name: string, ...messages: string[]): Gas =>
    Object.fromEntries(messages.map((message) => [message, gas[name] ?? 0]))
  return {
    ...of('REGISTER', 'register', ...(kind === 'scheduler' ? ['registerLargest'] : [])),
    ...of('ENROLLED', 'enrolled'),
    ...of('ADD_STAKE', 'addStake'),
    ...of('WITHDRAW', 'withdraw', 'withdrawLast', ...(kind === 'gpu' ? ['withdrawOfEnded'] : [])),
    ...of('UPGRADE', 'upgrade'),
    ...of('NEW_CODE', 'newCode'),
    ...of('FREEZE', 'freeze', ...(kind === 'gpu' ? ['freezeOfEnded'] : [])),
    ...of('SETTLE_CASE', 'settle'),
  }
}

/** One item's life: registration, renewal, a case, and the way out. */
async function life(s: ItemSandbox): Promise<Gas> {
  const register = await s.register()
  const enrolled = outcomeAmong(register.transactions.slice(2), s.address)
  s.elapse(WEEK_S)
  const heartbeat = await s.heartbeat(s.profile)
  const addStake = await s.addStake(TON)
  const unbond = await s.unbond(TON)
  const freeze = await s.freeze(STAKE, UNBONDING_S)
  const settle = await s.settle({ ticket: 1, release: STAKE, slash: 2n * TON, loss: TON })
  await s.unbond(TON)
  s.elapse(UNBONDING_S)
  const withdraw = await s.withdraw()
  await s.become({ code: FIRST_CODE.provider, version: 1 })
  const upgrade = await s.upgrade()
  const newCode = outcomeAmong(upgrade.transactions.slice(2), s.address)
  await s.unbond((await s.view()).stake)
  s.elapse(UNBONDING_S)
  const withdrawLast = await s.withdraw()
  return figures({
    ...{ register, enrolled, heartbeat, addStake, unbond, freeze, settle, withdraw },
    ...{ upgrade, newCode, withdrawLast },
  })
}

/** What an item does where others refuse, and where it does. */
async function rarer(kind: ItemKind): Promise<Gas> {
  const s = await itemSandbox({ kind })
  await s.become({ refuses: true })
  const refused = outcomeAmong((await s.register()).transactions.slice(2), s.address)
  await s.become({})
  await s.register()
  const stranger = await s.heartbeat(s.profile, s.stranger.address)
  const unknown = await s.internal(s.owner.address, TON, beginCell().endCell())
  await refuseEverything(s.blockchain, s.stranger.address)
  const freeze = await s.freeze(TON, WEEK_S)
  const frozenBounced = outcomeAmong(freeze.transactions.slice(2), s.address)
  await takeEverything(s.blockchain, s.stranger.address)
  const upgrade = await s.upgrade()
  const askCodeBounced = outcomeAmong(upgrade.transactions.slice(2), s.address)
  const extra: Record<string, Outcome> =
    kind === 'gpu' ? await ended(s) : { heartbeatAlone: await s.heartbeat() }
  if (kind === 'scheduler') extra.registerLargest = await registerLargest()
  return figures({
    ...{ enrolBounced: refused, frozenBounced, askCodeBounced, ...extra },
    ...{ stranger: { ...stranger, exit: 0 }, unknown: { ...unknown, exit: 0 } },
  })
}

async function ended(s: ItemSandbox): Promise<Readonly<Record<string, Outcome>>> {
  s.elapse(31 * DAY_S)
  const freezeOfEnded = await s.freeze(TON, WEEK_S)
  const renewalOfEnded = await s.heartbeat(s.profile)
  s.elapse(30 * DAY_S + UNBONDING_S)
  return { freezeOfEnded, renewalOfEnded, withdrawOfEnded: await s.withdraw() }
}

function registerLargest(): Promise<Outcome> {
  return itemSandbox({ kind: 'scheduler', profile: largestProfile() }).then((s) => s.register())
}

/** The last of `n` items of a kind under one registry, the others enrolled before it. */
async function lastOf(kind: ItemKind, n: number): Promise<ItemSandbox> {
  let s = await itemSandbox({ kind, owner: 'owner 1' })
  const { blockchain, registry } = s
  // The first of all has no predecessor, which is a little less to write.
  await s.become({ unbondingS: UNBONDING_S, last: s.stranger.address })
  for (let i = 2; i <= n; i++) {
    await s.register()
    s = await itemSandbox({ kind, blockchain, registry, owner: `owner ${i}` })
  }
  return s
}
